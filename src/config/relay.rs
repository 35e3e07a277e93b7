//! `notification` with the type `smtp`.

use std::time::Duration;

use rustls::pki_types::ServerName;

use super::address::{ZONE, has_zone};
use super::file::{RawNotification, TlsType};
use super::password::password;
use super::value::{Paths, Reason, check_plain_text, invalid_value, refuse_foreign, sender};
use super::variables::Variables;
use crate::notification::smtp::{Login, Relay, Tls};

const DEFAULT_TIMEOUT_SECONDS: u32 = 30;

pub(super) fn relay(
    raw: RawNotification,
    group: Option<&str>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<Relay, Reason> {
    refuse_foreign("notification", "directory", raw.directory.is_some(), "smtp")?;
    let tls = match raw.tls.unwrap_or(TlsType::StartTls) {
        TlsType::StartTls => Tls::StartTls,
        TlsType::Implicit => Tls::Implicit,
        TlsType::None => Tls::None,
    };
    let port = match (raw.port, tls) {
        (Some(port), _) => u16::try_from(port.0)
            .map_err(|_| invalid_value("notification.port", "expected a whole number from 1 to 65535"))?,
        (None, Tls::StartTls) => 587,
        (None, Tls::Implicit) => 465,
        (None, Tls::None) => 25,
    };
    if tls == Tls::None && raw.ca_file.is_some() {
        return Err(
            "has the key 'notification.caFile', which is not valid when 'notification.tls' is 'none'".to_owned(),
        );
    }
    let seconds = raw.timeout_seconds.map_or(DEFAULT_TIMEOUT_SECONDS, |seconds| seconds.0);
    let login = login(
        raw.user,
        raw.password_file.as_deref(),
        raw.password_variable,
        paths,
        variables,
    )?;
    Ok(Relay {
        host: host(&raw.host.ok_or_else(|| missing("host"))?)?,
        port,
        tls,
        ca_file: raw
            .ca_file
            .map(|path| paths.take("notification.caFile", Some(&path), ""))
            .transpose()?,
        login,
        from: sender(raw.from.ok_or_else(|| missing("from"))?)?,
        timeout: Duration::from_secs(seconds.into()),
        group: group.map(str::to_owned),
    })
}

fn missing(key: &str) -> Reason {
    format!("lacks the key 'notification.{key}'")
}

/// A name that a certificate can have: internationalised names in their ASCII form, addresses without brackets.
fn host(text: &str) -> Result<String, Reason> {
    if has_zone(text) {
        return Err(invalid_value("notification.host", ZONE));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let name = if bare.is_ascii() {
        Some(bare.to_owned())
    } else {
        idna::domain_to_ascii(bare).ok()
    };
    name.filter(|name| ServerName::try_from(name.as_str()).is_ok())
        .ok_or_else(|| {
            invalid_value(
                "notification.host",
                "expected a host name or an IP address, without the port ('notification.port')",
            )
        })
}

fn login(
    user: Option<String>,
    file: Option<&str>,
    variable: Option<String>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<Option<Login>, Reason> {
    let password = password("notification", "UMPIN_RELAY_PASSWORD", file, variable, paths, variables)?;
    match (user, password) {
        (Some(user), Some(password)) => {
            check_plain_text("notification.user", &user)?;
            Ok(Some(Login { user, password }))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(
            "has the key 'notification.user', but neither 'notification.passwordFile' nor 'notification.passwordVariable'"
                .to_owned(),
        ),
        (None, Some(_)) => Err("has a password for the relay, but lacks the key 'notification.user'".to_owned()),
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
