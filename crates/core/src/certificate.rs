//! The check of a server's certificate.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use crate::check::{Check, Subject};
use crate::clock::Timestamp;
use umpin_platform::text::one_line;

/// A certificate that expires sooner gives a warning.
const SOON_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;
/// The most names in the message.
const NAMES: usize = 5;

/// Describes a certificate that the TLS handshake has accepted: the name matches and the authority is trusted.
pub fn examine(der: Option<&[u8]>, server: &str, now: Timestamp) -> Check {
    let parsed = der.and_then(|der| X509Certificate::from_der(der).ok());
    let Some((_, certificate)) = parsed else {
        return Check::skipped(Subject::Certificate, server, "The certificate could not be read.");
    };
    let end = Timestamp(certificate.validity().not_after.timestamp().saturating_mul(1000));
    let names = names(&certificate);
    let issuer = one_line(&certificate.issuer().to_string());
    let until = date(end);
    let message = format!("The certificate is valid until {until}, for {names}, from \"{issuer}\".");
    let days = end.0.saturating_sub(now.0) / DAY_MS;
    if days < SOON_DAYS {
        return Check::warning(
            Subject::Certificate,
            server,
            format!("{message} It ends in {days} days."),
            "Renew the certificate before it ends; then nobody can be reached by it.",
        );
    }
    Check::passed(Subject::Certificate, server, message)
}

fn names(certificate: &X509Certificate<'_>) -> String {
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let mut names: Vec<String> = alternative
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(one_line(name)),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect();
    let more = names.len().saturating_sub(NAMES);
    names.truncate(NAMES);
    let mut text = names.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    if text.is_empty() {
        "no host name".to_owned()
    } else {
        text
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(v4).to_string());
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|v6| std::net::Ipv6Addr::from(v6).to_string())
}

/// `2026-11-30`, in UTC.
fn date(at: Timestamp) -> String {
    time::OffsetDateTime::from_unix_timestamp(at.0 / 1000)
        .map(|time| time.date().to_string())
        .unwrap_or_default()
}
