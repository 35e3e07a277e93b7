//! The configuration of the directory: domain, servers, TLS, credentials.

use std::path::PathBuf;
use std::time::Duration;

use super::server::{Server, Tls};
use umpin_platform::password::Password;

/// The default attribute for the counter of failed sign-ins. It holds text, so the sealed counter is stored in Base64. Exchange leaves
/// the attribute to the organisation; where another application uses it, another attribute has to be configured.
pub const DEFAULT_COUNTER_ATTRIBUTE: &str = "extensionAttribute15";

/// The error of a Kerberos bind in a build without the feature.
#[cfg(not(feature = "gssapi"))]
pub const NO_KERBEROS: &str = "This build of umpin has no Kerberos (cargo feature 'gssapi')";

/// The validated configuration of an Active Directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveDirectorySettings {
    /// DNS name of the domain: `contoso.com`.
    pub domain: String,
    /// Its controllers in the order in which they are tried; empty: found by DNS.
    pub domain_controllers: Vec<Server>,
    /// Global catalogs; empty: found by DNS, else the controllers on the global catalog port.
    pub global_catalogs: Vec<Server>,
    /// TLS mode of every connection.
    pub tls: Tls,
    /// Certificate authorities that replace the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// The credentials.
    pub bind: Bind,
    /// Time limit of each operation on one server, connecting included.
    pub timeout: Duration,
    /// The attribute for the counter of failed sign-ins.
    pub counter_attribute: String,
    /// The group that may read the password file, besides its owner.
    pub group: Option<String>,
}

/// The credentials of a bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// A name (`um@contoso.com`, `CONTOSO\um`, a DN) and a password.
    Simple {
        /// The account.
        user: String,
        /// Its password.
        password: Password,
    },
    /// The Kerberos credentials of the process (feature `gssapi`).
    Kerberos,
}
