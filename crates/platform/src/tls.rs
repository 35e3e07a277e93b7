//! TLS client configuration, and messages for handshake errors.

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

/// The trusted certificate authorities and the TLS configuration.
#[derive(Clone)]
pub struct Trust {
    /// The configuration of all connections: ring, TLS 1.2 and 1.3, certificates verified.
    pub config: Arc<ClientConfig>,
    verifier: Arc<WebPkiServerVerifier>,
}

/// Trusts the authorities of the file, or else the system's.
pub fn client(ca_file: Option<&Path>) -> Result<Trust, String> {
    let roots = match ca_file {
        Some(path) => roots_from_file(path).map_err(|why| format!("The file '{}' {why}", path.display()))?,
        None => system_roots()?,
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
    /// For a library that does not support IPv6 addresses as server names: a placeholder name, and a configuration that verifies the
    /// certificate against the address.
    pub fn for_host(&self, host: &str) -> (Arc<ClientConfig>, String) {
        let Ok(address) = host.parse::<Ipv6Addr>() else {
            return (Arc::clone(&self.config), host.to_owned());
        };
        let mut config = ClientConfig::clone(&self.config);
        // SNI holds no addresses (RFC 6066, 3).
        config.enable_sni = false;
        config.dangerous().set_certificate_verifier(Arc::new(FixedNameVerifier {
            verifier: Arc::clone(&self.verifier),
            name: ServerName::IpAddress(IpAddr::V6(address).into()),
        }));
        // Unique per address, because TLS sessions are resumed by name.
        (Arc::new(config), format!("{:032x}.invalid", address.to_bits()))
    }
}

/// Verifies a certificate against a fixed name instead of the requested one.
#[derive(Debug)]
struct FixedNameVerifier {
    verifier: Arc<WebPkiServerVerifier>,
    name: ServerName<'static>,
}

impl ServerCertVerifier for FixedNameVerifier {
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

fn roots_from_file(path: &Path) -> Result<RootCertStore, String> {
    let (file, _) = crate::files::open_regular(path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(file) {
        let certificate = certificate.map_err(|e| format!("holds something other than PEM certificates: {e}"))?;
        roots
            .add(certificate)
            .map_err(|e| format!("holds a certificate that cannot be used: {e}"))?;
    }
    if roots.is_empty() {
        return Err("holds no PEM certificate".to_owned());
    }
    Ok(roots)
}

/// The system's authorities. On Linux OpenSSL's `SSL_CERT_FILE` and `SSL_CERT_DIR` apply too.
fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems keep old certificates that a strict parser rejects; they are left out.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|e| format!(": {e}")).unwrap_or_default();
        return Err(format!("This computer has no trusted certificate authorities{why}"));
    }
    Ok(roots)
}

/// Why a TLS handshake failed.
#[derive(Debug, PartialEq, Eq)]
pub struct HandshakeError {
    /// Completes "The server … ".
    pub message: String,
    /// The cause.
    pub cause: HandshakeCause,
}

/// The cause of a failed handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeCause {
    /// The server's certificate.
    Certificate,
    /// No common TLS version or cipher suite.
    NoCommonParameters,
    /// Another cause.
    Other,
}

/// Completes "has … "; it names what [`client`] offers.
pub const NO_COMMON_PARAMETERS: &str = "no version or cipher suite of TLS in common with this computer, which offers TLS 1.3, \
                                            and TLS 1.2 by ECDHE with AES-GCM or ChaCha20-Poly1305";

/// `None` if the error is not from TLS.
pub fn explain(error: &io::Error) -> Option<HandshakeError> {
    let error = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let (cause, message) = match error {
        rustls::Error::InvalidCertificate(cause) => (HandshakeCause::Certificate, certificate(cause)),
        rustls::Error::InvalidMessage(_) => (HandshakeCause::Other, "does not speak TLS here".to_owned()),
        rustls::Error::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity
            | AlertDescription::ProtocolVersion,
        )
        | rustls::Error::PeerIncompatible(_) => (
            HandshakeCause::NoCommonParameters,
            format!("has {NO_COMMON_PARAMETERS} ({})", one_line(&error.to_string())),
        ),
        other => (
            HandshakeCause::Other,
            format!("failed in the TLS handshake: {}", one_line(&other.to_string())),
        ),
    };
    Some(HandshakeError { message, cause })
}

fn certificate(cause: &CertificateError) -> String {
    match cause {
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
                .map(|name| unquoted(name))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        // `BadSignature`: the issuer has the name of a trusted authority, but another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "has a certificate of an authority that is not trusted here".to_owned()
        }
        CertificateError::Revoked => "has a certificate that was revoked".to_owned(),
        other => one_line(&format!("has a certificate that cannot be trusted: {other}")),
    }
}

/// `mail.contoso.com` out of `DnsName("mail.contoso.com")`.
fn unquoted(name: &str) -> &str {
    name.split('"').nth(1).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(client(Some(&path)).err().unwrap().contains("ca.pem"));
        for (content, why) in [
            ("", "no PEM certificate"),
            ("hello", "no PEM certificate"),
            (
                "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
                "something other",
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
