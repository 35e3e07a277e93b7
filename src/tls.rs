//! Trust: which authorities, and in words why a server was not trusted.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use crate::text::one_line;

/// The one configuration for all connections: ring, TLS 1.2 and 1.3, certificates checked.
pub(crate) fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let roots = match ca_file {
        Some(path) => roots_of_file(path).map_err(|why| format!("The file '{}' {why}", path.display()))?,
        None => roots_of_system()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS is not available: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn roots_of_file(path: &Path) -> Result<RootCertStore, String> {
    let (file, _) = crate::platform::files::open_regular(path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(file) {
        let certificate = certificate.map_err(|e| format!("holds something else than PEM certificates: {e}"))?;
        roots
            .add(certificate)
            .map_err(|e| format!("holds a certificate that cannot be used: {e}"))?;
    }
    if roots.is_empty() {
        return Err("holds no PEM certificate".to_owned());
    }
    Ok(roots)
}

/// What the administrator of this computer trusts. On Linux OpenSSL's `SSL_CERT_FILE` and `SSL_CERT_DIR` count too: there
/// they are part of where the system keeps its authorities.
fn roots_of_system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems keep old certificates that a strict parser refuses; the others serve.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|e| format!(": {e}")).unwrap_or_default();
        return Err(format!("This computer has no trusted certificate authorities{why}"));
    }
    Ok(roots)
}

/// Completes "The server … ".
pub(crate) fn explain(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let why = match error {
        rustls::Error::InvalidCertificate(fault) => return Some(certificate(fault)),
        rustls::Error::InvalidMessage(_) => "does not speak TLS here".to_owned(),
        other => format!("failed in the TLS handshake: {}", one_line(&other.to_string())),
    };
    Some(why)
}

fn certificate(fault: &CertificateError) -> String {
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has a certificate that has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "has a certificate that is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "has a certificate for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => one_line(&format!(
            "has a certificate for another name ({})",
            presented
                .iter()
                .map(|name| readable(name))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        // The latter: of an authority that has the name of a trusted one, but not its key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "has a certificate of an authority that is not trusted here".to_owned()
        }
        CertificateError::Revoked => "has a certificate that was revoked".to_owned(),
        other => one_line(&format!("has a certificate that cannot be trusted: {other}")),
    }
}

/// `mail.contoso.com` out of `DnsName("mail.contoso.com")`.
fn readable(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(client(Some(&path)).unwrap_err().contains("ca.pem"));
        for (content, why) in [
            ("", "no PEM certificate"),
            ("hello", "no PEM certificate"),
            (
                "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
                "something else",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "cannot be used",
            ),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = client(Some(&path)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
