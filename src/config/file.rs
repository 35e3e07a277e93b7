//! The file as it is written: structure and types, and errors that name the key without repeating its value.

use std::fmt;
use std::io::Read as _;
use std::marker::PhantomData;
use std::path::Path;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::access_numbers::RawAccessNumbers;
use super::keys::RawKeys;
use super::whole::Whole;
use crate::import::text::decode;
use crate::json_error::JsonError;
use crate::platform::files::{OPEN_FILE_LIMIT_ACTION, is_open_file_limit, open_regular};
use crate::{Error, ErrorCode, Result};

/// No configuration is this long; a wrong path must not fill the memory.
const MAX_LENGTH: u64 = 64 * 1024;

/// A structure that is written as an object: serde would take an array of its values as well.
#[derive(Debug)]
pub(super) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// Flat structures instead of enums tagged by `type`, because only these report the path of a wrong key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct RawConfig {
    pub directory: Option<Object<RawDirectory>>,
    pub keys: Option<RawKeys>,
    pub notification: Option<Object<RawNotification>>,
    pub audit: Option<Object<RawAudit>>,
    pub default_scope: Option<String>,
    pub netbios_name: Option<String>,
    pub service_group: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum DirectoryType {
    Embedded,
    ActiveDirectory,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawDirectory {
    pub r#type: DirectoryType,
    pub path: Option<String>,
    pub timeout_seconds: Option<Whole<1, 600>>,
    pub domain: Option<String>,
    pub domain_controllers: Option<Vec<String>>,
    pub global_catalogs: Option<Vec<String>>,
    pub tls: Option<RawTls>,
    pub ca_file: Option<String>,
    pub bind: Option<Object<RawBind>>,
    pub counter_attribute: Option<String>,
    pub outbox: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum RawTls {
    Ldaps,
    StartTls,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum BindMethod {
    Simple,
    Kerberos,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawBind {
    pub method: BindMethod,
    pub user: Option<String>,
    pub password_file: Option<String>,
    pub password_variable: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum NotificationType {
    Pickup,
    Smtp,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawNotification {
    pub r#type: NotificationType,
    pub directory: Option<String>,
    pub from: Option<String>,
    pub expire_after_hours: Option<Whole<1, 8760>>,
    pub language: Option<String>,
    pub access_numbers: Option<RawAccessNumbers>,
    pub help_desk: Option<String>,
    pub host: Option<String>,
    pub port: Option<Whole<1, 65_535>>,
    pub tls: Option<TlsType>,
    pub ca_file: Option<String>,
    pub user: Option<String>,
    pub password_file: Option<String>,
    pub password_variable: Option<String>,
    pub timeout_seconds: Option<Whole<1, 100>>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum TlsType {
    StartTls,
    Implicit,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RawAudit {
    pub enabled: Option<bool>,
    /// At most a hundred years: more is a typing error.
    pub retention_days: Option<Whole<1, 36_500>>,
}

/// Reads and parses the file.
pub(super) fn read(path: &Path) -> Result<RawConfig> {
    let mut bytes = Vec::new();
    // Not `File::open`, which would wait for a writer if the path is a pipe.
    open_regular(path)
        .and_then(|(file, _)| file.take(MAX_LENGTH + 1).read_to_end(&mut bytes))
        .map_err(|e| {
            let error = invalid(path, &format!("cannot be read: {e}"));
            if is_open_file_limit(&e) {
                error.action(OPEN_FILE_LIMIT_ACTION)
            } else {
                error
            }
        })?;
    if bytes.len() as u64 > MAX_LENGTH {
        return Err(invalid(path, "is longer than 64 KiB"));
    }
    let text = decode(&bytes).map_err(|reason| invalid(path, &reason.to_string()))?;
    parse(&text).map_err(|reason| invalid(path, &reason))
}

/// The error for the file or a value in it; `what` completes "The configuration file … ".
pub(super) fn invalid(path: &Path, what: &str) -> Error {
    Error::new(
        ErrorCode::ConfigurationInvalid,
        format!("The configuration file '{}' {what}.", path.display()),
    )
}

fn parse(text: &str) -> Result<RawConfig, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    let Object(raw): Object<RawConfig> = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path = e.path().to_string();
        explain(&path, e.inner())
    })?;
    json.end().map_err(|e| explain(".", &e))?;
    Ok(raw)
}

fn explain(path: &str, error: &serde_json::Error) -> String {
    let position = format!(" (line {}, column {})", error.line(), error.column());
    JsonError::new(path, error).explain("key", &position)
}
