//! The configuration of the relay.

use std::path::PathBuf;
use std::time::Duration;

use umpin_platform::password::Password;

/// The validated configuration of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Host name or address, which the certificate must contain.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS mode of the connection.
    pub tls: Tls,
    /// Certificate authorities that replace the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// The account; `None`: no authentication.
    pub login: Option<Login>,
    /// Sender, `Unified Messaging <um@contoso.com>`.
    pub from: String,
    /// Time limit of each command.
    pub timeout: Duration,
    /// The group that may read the password file, besides its owner.
    pub group: Option<String>,
}

/// How TLS is negotiated. TLS is mandatory unless the relay is on this computer, and the certificate is always verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS; the delivery fails without it.
    StartTls,
    /// Implicit TLS.
    Implicit,
    /// No TLS, to this computer only.
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
