//! The directory in Active Directory, over LDAP: mailboxes and policies as Exchange left them there, the sealed record and the
//! counter of failed sign-ins in attributes of the user.

mod connection;
mod failure;
mod server;
mod servers;
mod settings;

/// A server that answers as told, for the tests of the connections.
#[cfg(test)]
mod scripted;

pub use server::{Role, Server};
pub use settings::{ActiveDirectorySettings, Bind, DEFAULT_COUNTER_ATTRIBUTE, Tls};
