//! Trust: which authorities, and in words why a server was not trusted.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::text::one_line;

/// Whom this computer trusts, and how it speaks to them.
#[derive(Clone)]
pub struct Trust {
    /// The one configuration for all connections: ring, TLS 1.2 and 1.3, certificates checked.
    pub config: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
}

/// Authorities of that file, or else the system's.
pub fn client(ca_file: Option<&Path>) -> Result<Trust, String> {
    let roots = match ca_file {
        Some(path) => roots_of_file(path).map_err(|why| format!("The file '{}' {why}", path.display()))?,
        None => roots_of_system()?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unavailable = |e: &dyn std::error::Error| format!("TLS is not available: {e}");
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|e| unavailable(&e))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| unavailable(&e))?
        .with_webpki_verifier(Arc::clone(&verifier))
        .with_no_client_auth();
    Ok(Trust {
        config: Arc::new(config),
        verifier,
    })
}

impl Trust {
    /// For a library that takes servers by DNS names and IPv4 addresses only: the name to give it, and the configuration by which the
    /// certificate is checked against the real one.
    pub fn for_host(&self, host: &str) -> (Arc<ClientConfig>, String) {
        let Ok(address) = host.parse::<Ipv6Addr>() else {
            return (Arc::clone(&self.config), host.to_owned());
        };
        let mut config = ClientConfig::clone(&self.config);
        // As for every address (RFC 6066, 3).
        config.enable_sni = false;
        config.dangerous().set_certificate_verifier(Arc::new(OfAddress {
            verifier: Arc::clone(&self.verifier),
            name: ServerName::IpAddress(IpAddr::V6(address).into()),
        }));
        // One for each address, because sessions are resumed by it.
        (Arc::new(config), format!("{:032x}.invalid", address.to_bits()))
    }
}

/// Checks a certificate against an address, whatever name the server was asked for by.
#[derive(Debug)]
struct OfAddress {
    verifier: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for OfAddress {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier
            .verify_server_cert(end_entity, intermediates, &self.name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

fn roots_of_file(path: &Path) -> Result<RootCertStore, String> {
    let (file, _) = crate::files::open_regular(path).map_err(|e| format!("cannot be read: {e}"))?;
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

/// Why a server was not spoken to.
#[derive(Debug, PartialEq, Eq)]
pub struct Explained {
    /// Completes "The server … ".
    pub sentence: String,
    /// What is to be corrected.
    pub fault: Fault,
}

/// What is to be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server's certificate.
    Certificate,
    /// Neither a version of TLS nor a cipher suite.
    NothingInCommon,
    /// Something else.
    Other,
}

/// Completes "has … ": what [`client`] offers is in it.
pub const NOTHING_IN_COMMON: &str = "no version or cipher suite of TLS in common with this computer, which offers TLS 1.3, \
                                            and TLS 1.2 by ECDHE with AES-GCM or ChaCha20-Poly1305";

/// `None`: the error is not of TLS.
pub fn explain(error: &io::Error) -> Option<Explained> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let (fault, sentence) = match error {
        rustls::Error::InvalidCertificate(fault) => (Fault::Certificate, certificate(fault)),
        rustls::Error::InvalidMessage(_) => (Fault::Other, "does not speak TLS here".to_owned()),
        rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity
            | AlertDescription::ProtocolVersion,
        )
        | rustls::Error::PeerIncompatible(_) => (
            Fault::NothingInCommon,
            format!("has {NOTHING_IN_COMMON} ({})", one_line(&error.to_string())),
        ),
        other => (
            Fault::Other,
            format!("failed in the TLS handshake: {}", one_line(&other.to_string())),
        ),
    };
    Some(Explained { sentence, fault })
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
        assert!(client(Some(&path)).err().unwrap().contains("ca.pem"));
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
            let error = client(Some(&path)).err().unwrap();
            assert!(error.contains(why), "{error}");
        }
    }
}
