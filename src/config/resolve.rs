//! Validates the configuration file and adds the defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access_numbers::RawAccessNumbers;
use super::active_directory::active_directory;
use super::file::{
    DirectoryType, NotificationType, Object, RawAudit, RawConfig, RawDirectory, RawNotification, invalid,
};
use super::keys::RawKeys;
use super::relay::relay;
use super::value::{Paths, Reason, check_length, check_plain_text, invalid_value, refuse_foreign, sender, timeout};
use super::{Config, DEFAULT_STORE, DirectoryConfig, KeysConfig, NotificationConfig, OpenRequest, Scope, Variables};
use crate::Result;
use crate::notification::{MessageSettings, language};

/// Replies to it stay on the computer that collects the messages; installations set their own sender.
const DEFAULT_FROM: &str = "Unified Messaging <um@localhost>";
const DEFAULT_TIMEOUT_SECONDS: u32 = 30;
const DEFAULT_EXPIRY_HOURS: u32 = 72;

pub(super) fn resolve(raw: RawConfig, open: &OpenRequest) -> Result<Config> {
    let file = open.config_file.clone();
    let paths = Paths {
        data: &open.data_directory,
        beside: file.as_deref().and_then(Path::parent),
    };
    let build = || -> Result<Config, Reason> {
        let (audit_enabled, audit_retention_days) = audit(raw.audit);
        let message = message(raw.notification.as_ref())?;
        let service_group = raw
            .service_group
            .map(|name| check_plain_text("serviceGroup", &name).map(|()| name))
            .transpose()?;
        let directory = directory(raw.directory, service_group.as_deref(), &paths, &open.variables)?;
        Ok(Config {
            file: file.clone(),
            keys: keys(raw.keys, &paths)?,
            notification_expiry: notification_expiry(raw.notification.as_ref()),
            notification: notification(raw.notification, service_group.as_deref(), &paths, &open.variables)?,
            audit_enabled,
            audit_retention_days,
            message,
            default_scope: raw.default_scope.map(|text| scope(&text, &directory)).transpose()?,
            directory,
            netbios_name: raw.netbios_name.map(netbios_name).transpose()?,
            service_group,
        })
    };
    // The defaults are valid, so an error is always one of the file.
    build().map_err(|reason| invalid(file.as_deref().unwrap_or(Path::new("")), &reason))
}

/// Refuses a scope outside the domain, which would be empty.
fn scope(text: &str, directory: &DirectoryConfig) -> Result<Scope, Reason> {
    let scope = Scope::parse(text).ok_or_else(|| {
        invalid_value(
            "defaultScope",
            "expected a container such as contoso.com/Sales or OU=Sales,DC=contoso,DC=com",
        )
    })?;
    match directory {
        DirectoryConfig::ActiveDirectory { settings, .. } if !scope.is_in_domain(&settings.domain) => Err(
            invalid_value("defaultScope", "it is not in the domain of 'directory.domain'"),
        ),
        _ => Ok(scope),
    }
}

fn directory(
    raw: Option<Object<RawDirectory>>,
    group: Option<&str>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<DirectoryConfig, Reason> {
    let (mut path, mut seconds) = (None, None);
    if let Some(Object(raw)) = raw {
        if raw.r#type == DirectoryType::ActiveDirectory {
            return active_directory(raw, group, paths, variables);
        }
        for (key, given) in [
            ("domain", raw.domain.is_some()),
            ("domainControllers", raw.domain_controllers.is_some()),
            ("globalCatalogs", raw.global_catalogs.is_some()),
            ("tls", raw.tls.is_some()),
            ("caFile", raw.ca_file.is_some()),
            ("bind", raw.bind.is_some()),
            ("counterAttribute", raw.counter_attribute.is_some()),
            ("outbox", raw.outbox.is_some()),
        ] {
            refuse_foreign("directory", key, given, "embedded")?;
        }
        (path, seconds) = (raw.path, raw.timeout_seconds);
    }
    Ok(DirectoryConfig::Embedded {
        path: paths.take("directory.path", path.as_deref(), DEFAULT_STORE)?,
        timeout: timeout(seconds, DEFAULT_TIMEOUT_SECONDS),
    })
}

fn keys(raw: Option<RawKeys>, paths: &Paths<'_>) -> Result<KeysConfig, Reason> {
    let Some(raw) = raw else {
        return Ok(KeysConfig {
            active: "k1".to_owned(),
            files: BTreeMap::from([("k1".to_owned(), paths.take("keys.k1", None, "umpin.key")?)]),
        });
    };
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (id, path) in raw.files {
        let key = format!("keys.{id}");
        let path = paths.take(&key, Some(&path), "")?;
        if let Some((other, _)) = files.iter().find(|(_, known)| **known == path) {
            return Err(invalid_value(&key, &format!("it is the file of '{other}' too")));
        }
        files.insert(id, path);
    }
    Ok(KeysConfig {
        active: raw.active,
        files,
    })
}

fn notification(
    raw: Option<Object<RawNotification>>,
    group: Option<&str>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<NotificationConfig, Reason> {
    let (mut directory, mut from) = (None, None);
    if let Some(Object(raw)) = raw {
        if raw.r#type == NotificationType::Smtp {
            return relay(raw, group, paths, variables).map(NotificationConfig::Smtp);
        }
        for (key, given) in [
            ("host", raw.host.is_some()),
            ("port", raw.port.is_some()),
            ("tls", raw.tls.is_some()),
            ("caFile", raw.ca_file.is_some()),
            ("user", raw.user.is_some()),
            ("passwordFile", raw.password_file.is_some()),
            ("passwordVariable", raw.password_variable.is_some()),
            ("timeoutSeconds", raw.timeout_seconds.is_some()),
        ] {
            refuse_foreign("notification", key, given, "pickup")?;
        }
        (directory, from) = (raw.directory, raw.from);
    }
    Ok(NotificationConfig::Pickup {
        directory: paths.take("notification.directory", directory.as_deref(), "pickup")?,
        from: sender(from.unwrap_or_else(|| DEFAULT_FROM.to_owned()))?,
    })
}

fn notification_expiry(raw: Option<&Object<RawNotification>>) -> Duration {
    let hours = raw
        .and_then(|Object(raw)| raw.expire_after_hours)
        .map_or(DEFAULT_EXPIRY_HOURS, |hours| hours.0);
    Duration::from_secs(u64::from(hours) * 3600)
}

fn audit(raw: Option<Object<RawAudit>>) -> (bool, Option<u32>) {
    raw.map_or((true, None), |Object(raw)| {
        (raw.enabled.unwrap_or(true), raw.retention_days.map(|days| days.0))
    })
}

/// The settings of messages.
fn message(raw: Option<&Object<RawNotification>>) -> Result<MessageSettings, Reason> {
    let mut settings = MessageSettings::default();
    let Some(Object(raw)) = raw else {
        return Ok(settings);
    };
    if let Some(tag) = &raw.language {
        let known = language::look_up(tag).ok_or_else(|| {
            let tags: Vec<_> = language::tags().collect();
            invalid_value("notification.language", &format!("expected one of {}", tags.join(", ")))
        })?;
        settings.language = Some(known.to_owned());
    }
    if let Some(text) = &raw.help_desk {
        check_length("notification.helpDesk", text, 200)?;
        settings.help_desk = Some(text.trim().to_owned());
    }
    if let Some(RawAccessNumbers(plans)) = &raw.access_numbers {
        for (dial_plan, numbers) in plans {
            check_length("notification.accessNumbers", dial_plan, 256)?;
            let key = format!("notification.accessNumbers.{dial_plan}");
            if numbers.is_empty() {
                return Err(invalid_value(&key, "expected at least one number"));
            }
            for number in numbers {
                check_length(&key, number, 40)?;
                if !number.chars().any(char::is_numeric) {
                    return Err(invalid_value(&key, "expected numbers such as +1 425 555 0100"));
                }
            }
            if !settings.add_access_numbers(dial_plan, numbers.clone()) {
                return Err(invalid_value(&key, "the dial plan occurs twice"));
            }
        }
    }
    Ok(settings)
}

/// 1–15 characters without those that Windows forbids in the name.
fn netbios_name(name: String) -> Result<String, Reason> {
    let is_valid = (1..=15).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(|c| c.is_control() || "\\/:*?\"<>|@".contains(c));
    if is_valid {
        Ok(name)
    } else {
        Err(invalid_value(
            "netbiosName",
            "expected the 1 to 15 characters of a NetBIOS domain name",
        ))
    }
}
