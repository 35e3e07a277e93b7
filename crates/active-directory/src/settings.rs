//! Which directory, how it is reached and who asks, as configured.

use std::path::PathBuf;
use std::time::Duration;

use super::server::{Server, Tls};
use umpin_platform::password::Password;

/// Where the counters of failed sign-ins are unless configured otherwise. It is text, so that the sealed counter is there in
/// Base64. Exchange leaves it to the organisation, and so another program may use it: then another attribute is to be configured.
pub const DEFAULT_COUNTER_ATTRIBUTE: &str = "extensionAttribute15";

/// Why nobody can sign in by Kerberos.
#[cfg(not(feature = "gssapi"))]
pub const NO_KERBEROS: &str = "This build of umpin has no Kerberos (cargo feature 'gssapi')";

/// An Active Directory as configured; checked when the configuration was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveDirectorySettings {
    /// DNS name of the domain: `contoso.com`.
    pub domain: String,
    /// Its controllers in the order in which they are tried; empty: those that DNS names.
    pub domain_controllers: Vec<Server>,
    /// Global catalogs; empty: those that DNS names, else the controllers on the catalog's port.
    pub global_catalogs: Vec<Server>,
    /// Protection of every connection.
    pub tls: Tls,
    /// Authorities to trust instead of the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who asks.
    pub bind: Bind,
    /// How long each operation on one server may take; connecting is one.
    pub timeout: Duration,
    /// The attribute for the counter of failed sign-ins.
    pub counter_attribute: String,
    /// The group that may read the password file, besides its owner.
    pub group: Option<String>,
}

/// Who asks.
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
