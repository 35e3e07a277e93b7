//! Configuration: one JSON file, or the embedded defaults where there is none.
//!
//! Where to look for the file is the caller's decision (the library reads neither the environment nor the current
//! directory); secrets are never in it, only where they are kept.

mod access_numbers;
mod active_directory;
mod address;
mod file;
mod keys;
mod password;
mod relay;
mod resolve;
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

/// What a session is opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenRequest {
    /// The configuration file; `None`: the embedded defaults.
    pub config_file: Option<PathBuf>,
    /// Where the embedded store is unless the file says otherwise.
    pub data_directory: PathBuf,
    /// Who is acting, for the audit.
    pub caller: Option<String>,
    /// The account that the program runs as, where the caller is another.
    pub run_as: Option<String>,
    /// What is acting, for the audit.
    pub application: Option<String>,
    /// Stores that are used where nothing is configured: named where the configured one is missing.
    pub other_stores: Vec<PathBuf>,
    /// The caller's environment variables that begin with `UMPIN_`; those that the configuration names are kept.
    pub variables: Variables,
}

/// A checked configuration. All paths are absolute if those of the [`OpenRequest`] are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where it was read; `None`: embedded defaults.
    pub file: Option<PathBuf>,
    /// Which directory, and where.
    pub directory: DirectoryConfig,
    /// The key files.
    pub keys: KeysConfig,
    /// How messages leave.
    pub notification: NotificationConfig,
    /// A message that could not be handed over for this long is given up.
    pub notification_expiry: Duration,
    /// What messages say.
    pub message: MessageSettings,
    /// Whether changes are audited; default true.
    pub audit_enabled: bool,
    /// After how many days audit entries may be removed; `None`: never.
    pub audit_retention_days: Option<u32>,
    /// Only objects in it may be written, unless the caller asks for the whole forest.
    pub default_scope: Option<Scope>,
    /// The domain in `DOMAIN\account` where it is not the first `DC=` component.
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
    /// Active Directory, and what this host keeps for itself.
    ActiveDirectory {
        /// How it is reached.
        settings: Box<ActiveDirectorySettings>,
        /// The file with the messages and the audit of this host.
        outbox: PathBuf,
    },
}

/// The key files by key id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysConfig {
    /// The key that seals what is written from now on; always in `files`.
    pub active: String,
    /// Every key that may be needed to open what was sealed before.
    pub files: BTreeMap<String, PathBuf>,
}

/// The way of notifications.
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
