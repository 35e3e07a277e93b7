//! The test harness: a forest for each test process, `contoso.com` on `dc1` and, for [`Forest::Pair`], on `dc2`.
//!
//! [`shared`] runs a test on the controller that all tests of the process use, each with its own mailboxes ([`Lab::mailbox`]). [`alone`]
//! runs a test with a forest of its own, for tests that stop, disconnect or fill controllers. Both run the test inside namespaces in which
//! `dc1.contoso.com` resolves, and leave nothing behind.

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

/// The initial state of the controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forest {
    /// One controller with the users of `tests/powershell/fixtures/contoso.csv`.
    Single,
    /// The same on two controllers that replicate.
    Pair,
    /// One controller with this many additional mailboxes in `OU=Generated`.
    Populated(u32),
    /// One controller with this many additional users in `OU=Generated`, each with a value of Exchange in `msExchUMPinChecksum`.
    Migrated(u32),
    /// `Single`, and the forest `fabrikam.com` with users of the same names on another controller.
    TwoForests,
}

/// The forest's domain.
pub const DOMAIN: &str = "contoso.com";
/// Its naming context.
pub const BASE: &str = "DC=contoso,DC=com";
/// The container of Exchange's UM mailbox policies.
pub const POLICIES: &str =
    "CN=UM Mailbox Policies,CN=Contoso,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=contoso,DC=com";
