//! Configuration: one JSON file, or the embedded defaults without one.
//!
//! The caller finds the file (the library reads neither the environment nor the current directory). The file never has secrets, only
//! the paths and names of where they are kept.

mod access_numbers;
mod active_directory;
mod address;
mod file;
mod keys;
mod password;
mod relay;
mod resolve;
mod value;
mod variables;
mod whole;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::Result;
use crate::directory::active_directory::ActiveDirectorySettings;
use crate::identity::Scope;
use crate::notification::MessageSettings;
use crate::notification::smtp::Relay;

pub use variables::Variables;

/// The store's file in the data directory.
pub const DEFAULT_STORE: &str = "directory.db";

/// The request that opens a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenRequest {
    /// The configuration file; `None`: the embedded defaults.
    pub config_file: Option<PathBuf>,
    /// The directory of the embedded store, unless the file names another.
    pub data_directory: PathBuf,
    /// The caller, for the audit.
    pub caller: Option<String>,
    /// The account of the process, if it differs from the caller.
    pub run_as: Option<String>,
    /// The application, for the audit.
    pub application: Option<String>,
    /// Stores that are in use without a configuration, for the error when the configured one is missing.
    pub other_stores: Vec<PathBuf>,
    /// The caller's environment variables that begin with `UMPIN_`; those that the configuration names are kept.
    pub variables: Variables,
}

/// A checked configuration. All paths are absolute if those of the [`OpenRequest`] are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The file; `None`: embedded defaults.
    pub file: Option<PathBuf>,
    /// The directory.
    pub directory: DirectoryConfig,
    /// The key files.
    pub keys: KeysConfig,
    /// The delivery of messages.
    pub notification: NotificationConfig,
    /// A message that cannot be delivered for this long fails.
    pub notification_expiry: Duration,
    /// The content of messages.
    pub message: MessageSettings,
    /// Whether changes are audited; default true.
    pub audit_enabled: bool,
    /// After how many days audit entries may be removed; `None`: never.
    pub audit_retention_days: Option<u32>,
    /// Only objects in this scope may be written, unless the request is for the whole forest.
    pub default_scope: Option<Scope>,
    /// The NetBIOS name of the domain, if it is not the first `DC=` component.
    pub netbios_name: Option<String>,
    /// The group that shares the store, keys and messages with their owner.
    pub service_group: Option<String>,
}

/// The directory engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryConfig {
    /// One SQLite file.
    Embedded {
        /// The file.
        path: PathBuf,
        /// How long one operation waits for other writers.
        timeout: Duration,
    },
    /// Active Directory, and the store of this host.
    ActiveDirectory {
        /// The settings of its connections.
        settings: Box<ActiveDirectorySettings>,
        /// The file with the outbox and the audit log of this host.
        outbox: PathBuf,
    },
}

/// The key files by key id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysConfig {
    /// The key that seals new values; always in `files`.
    pub active: String,
    /// Every key that may be needed to open older values.
    pub files: BTreeMap<String, PathBuf>,
}

/// The delivery of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotificationConfig {
    /// Files in a directory.
    Pickup {
        /// The directory.
        directory: PathBuf,
        /// Sender, `Unified Messaging <um@contoso.com>`.
        from: String,
    },
    /// A mail relay.
    Smtp(Relay),
}

impl NotificationConfig {
    /// The sender.
    #[must_use]
    pub fn from(&self) -> &str {
        match self {
            Self::Pickup { from, .. } => from,
            Self::Smtp(relay) => &relay.from,
        }
    }
}

impl Config {
    /// Reads and checks the configuration; opens nothing that it names.
    ///
    /// # Errors
    /// `ConfigurationInvalid`, naming the file and the key.
    pub fn load(open: &OpenRequest) -> Result<Self> {
        let raw = match &open.config_file {
            Some(path) => file::read(path)?,
            None => file::RawConfig::default(),
        };
        resolve::resolve(raw, open)
    }
}

#[cfg(test)]
mod tests;
