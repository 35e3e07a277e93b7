//! A forest of our own for each process of tests: `contoso.com` on `dc1`, and on `dc2` where two are asked for.
//!
//! [`shared`] lends the one controller that all tests of the process use, each with mailboxes of its own
//! ([`Lab::mailbox`]). [`alone`] gives a test a forest that nobody else sees: for whatever stops, cuts or fills controllers.
//! Both run the test inside namespaces where `dc1.contoso.com` resolves, and neither leaves anything behind.

mod accounts;
mod administrator;
mod controller;
mod lab;
mod message;
mod namespaces;
mod network;
mod provision;
mod relay;
mod template;
mod tools;

use crate::support::certificates;
pub use accounts::{ADMINISTRATOR, Account, DISABLED, EXPIRED, LOCKED, READER, STALE, UM};
pub use administrator::Administrator;
pub use certificates::{Authority, Signed};
pub use controller::Controller;
pub use lab::{Lab, Mailbox, ca_file, key_file};
pub use message::Operation;
pub use namespaces::{alone, alone_in_turn, alone_with, process, shared};
pub use relay::Relay;
pub use tools::wait_until;

/// What the controllers hold before a test begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forest {
    /// One controller, and the people of `tests/powershell/fixtures/contoso.csv`.
    Single,
    /// The same on two controllers that replicate.
    Pair,
    /// One controller with that many mailboxes more, in `OU=Generated`.
    Populated(u32),
    /// One controller with that many users more, in `OU=Generated`, each with a value that Exchange left in `msExchUMPinChecksum`.
    Migrated(u32),
    /// `Single`, and beside it `fabrikam.com` on a controller of its own: another forest with people of the same names.
    WithStranger,
}

/// The forest's domain.
pub const DOMAIN: &str = "contoso.com";
/// Its naming context.
pub const BASE: &str = "DC=contoso,DC=com";
/// Where Exchange has the mailbox policies.
pub const POLICIES: &str =
    "CN=UM Mailbox Policies,CN=Contoso,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=contoso,DC=com";
