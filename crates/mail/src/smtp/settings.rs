//! Which relay, and how it is spoken to.

use std::path::PathBuf;
use std::time::Duration;

use umpin_platform::password::Password;

/// A relay as configured; checked when the configuration was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Host name or address; the name that its certificate must have.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: Tls,
    /// Authorities to trust instead of the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who signs in; `None`: nobody.
    pub login: Option<Login>,
    /// Sender, `Unified Messaging <um@contoso.com>`.
    pub from: String,
    /// How long each command may take.
    pub timeout: Duration,
    /// The group that may read the password file, besides its owner.
    pub group: Option<String>,
}

/// Protection of the connection. There is no way to go without where the relay is on another computer, and none to skip the
/// check of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS, and nothing without it.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// None: only to this computer.
    None,
}

/// An account of the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: Password,
}
