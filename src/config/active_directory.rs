//! `directory` with the type `activeDirectory`.

use super::DirectoryConfig;
use super::address::{ZONE, has_zone};
use super::file::{BindMethod, Object, RawBind, RawDirectory, RawTls};
use super::password::password;
use super::value::{Paths, Reason, check_plain_text, invalid_value, refuse_foreign, timeout};
use super::variables::Variables;
use crate::directory::active_directory::{ActiveDirectorySettings, Bind, DEFAULT_COUNTER_ATTRIBUTE, Server, Tls};

const DEFAULT_TIMEOUT_SECONDS: u32 = 15;
/// Longer names of attributes there are not (`rangeUpper` of `lDAPDisplayName`).
const LONGEST_ATTRIBUTE: usize = 256;

pub(super) fn active_directory(
    raw: RawDirectory,
    group: Option<&str>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<DirectoryConfig, Reason> {
    refuse_foreign("directory", "path", raw.path.is_some(), "activeDirectory")?;
    let settings = ActiveDirectorySettings {
        domain: domain(&raw.domain.ok_or_else(|| lacks("domain"))?)?,
        domain_controllers: servers("domainControllers", raw.domain_controllers)?,
        global_catalogs: servers("globalCatalogs", raw.global_catalogs)?,
        tls: match raw.tls.unwrap_or(RawTls::Ldaps) {
            RawTls::Ldaps => Tls::Ldaps,
            RawTls::StartTls => Tls::StartTls,
        },
        ca_file: raw
            .ca_file
            .map(|path| paths.take("directory.caFile", Some(&path), ""))
            .transpose()?,
        bind: bind(raw.bind.ok_or_else(|| lacks("bind"))?, paths, variables)?,
        timeout: timeout(raw.timeout_seconds, DEFAULT_TIMEOUT_SECONDS),
        counter_attribute: raw
            .counter_attribute
            .map_or_else(|| Ok(DEFAULT_COUNTER_ATTRIBUTE.to_owned()), attribute)?,
        group: group.map(str::to_owned),
    };
    Ok(DirectoryConfig::ActiveDirectory {
        settings: Box::new(settings),
        outbox: paths.take("directory.outbox", raw.outbox.as_deref(), "outbox.db")?,
    })
}

fn lacks(key: &str) -> Reason {
    format!("lacks the key 'directory.{key}'")
}

fn domain(text: &str) -> Result<String, Reason> {
    // A server's name without a port is a DNS name, or an address, which no domain is called.
    Server::parse(text)
        .filter(|server| server.port.is_none() && server.host.parse::<std::net::IpAddr>().is_err())
        .map(|server| server.host)
        .ok_or_else(|| {
            invalid_value(
                "directory.domain",
                "expected the DNS name of a domain such as contoso.com",
            )
        })
}

fn servers(key: &str, names: Option<Vec<String>>) -> Result<Vec<Server>, Reason> {
    let Some(names) = names else {
        return Ok(Vec::new());
    };
    let key = format!("directory.{key}");
    if names.is_empty() {
        return Err(invalid_value(
            &key,
            "it is empty; without the key DNS names the servers",
        ));
    }
    let mut servers = Vec::with_capacity(names.len());
    for name in names {
        if has_zone(&name) {
            return Err(invalid_value(&key, ZONE));
        }
        let server = Server::parse(&name).ok_or_else(|| {
            invalid_value(
                &key,
                "expected host names such as dc1.contoso.com or dc1.contoso.com:636, or addresses such as 192.0.2.1 or [2001:db8::1]:636",
            )
        })?;
        if servers.contains(&server) {
            return Err(invalid_value(&key, "a server occurs twice"));
        }
        servers.push(server);
    }
    Ok(servers)
}

fn bind(Object(raw): Object<RawBind>, paths: &Paths<'_>, variables: &Variables) -> Result<Bind, Reason> {
    let password = password(
        "directory.bind",
        "UMPIN_BIND_PASSWORD",
        raw.password_file.as_deref(),
        raw.password_variable,
        paths,
        variables,
    )?;
    match (raw.method, raw.user, password) {
        (BindMethod::Simple, Some(user), Some(password)) => {
            check_plain_text("directory.bind.user", &user)?;
            Ok(Bind::Simple { user, password })
        }
        (BindMethod::Simple, None, _) => Err(lacks("bind.user")),
        (BindMethod::Simple, Some(_), None) => Err(
            "has the key 'directory.bind.user', but neither 'directory.bind.passwordFile' nor 'directory.bind.passwordVariable'"
                .to_owned(),
        ),
        (BindMethod::Kerberos, None, None) => kerberos(),
        (BindMethod::Kerberos, ..) => Err(
            "has an account in 'directory.bind', which is not valid when 'directory.bind.method' is 'kerberos'"
                .to_owned(),
        ),
    }
}

#[cfg(feature = "gssapi")]
#[allow(clippy::unnecessary_wraps, reason = "as without the feature")]
fn kerberos() -> Result<Bind, Reason> {
    Ok(Bind::Kerberos)
}

#[cfg(not(feature = "gssapi"))]
fn kerberos() -> Result<Bind, Reason> {
    Err(format!(
        "has the value 'kerberos' in the key 'directory.bind.method', but {}",
        crate::directory::active_directory::NO_KERBEROS
    ))
}

/// A name as the schema has them (RFC 4512, 1.4: `keystring`).
fn attribute(name: String) -> Result<String, Reason> {
    let sound = name.len() <= LONGEST_ATTRIBUTE
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if sound {
        Ok(name)
    } else {
        Err(invalid_value(
            "directory.counterAttribute",
            "expected the name of an attribute such as extensionAttribute15",
        ))
    }
}

#[cfg(test)]
#[path = "active_directory_tests.rs"]
mod tests;
