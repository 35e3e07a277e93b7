//! The use cases, one file each. They know the ports, and neither an engine nor the C ABI.

mod announcer;
pub mod audit;
mod audit_writer;
mod cas_retry;
pub mod check;
mod clearing;
mod commit;
mod facade;
mod import;
mod info;
pub mod key_update;
mod keyed_mutex;
mod listing;
pub mod outbox;
pub mod policies;
mod records;
mod removal;
pub mod reset;
mod resolve;
pub mod signin;
mod status;

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::credential::kdf::Cost;
use crate::directory::Directory;
use crate::directory::journal::Journal;
use crate::identity::Scope;
use crate::keys::Keys;
use crate::notification::outbox::Outbox;
use crate::notification::{MessageSettings, Notifier};

pub use clearing::{ClearOutcome, ClearRequest};
pub use facade::Service;
pub use import::{ImportOutcome, ImportRequest};
pub use info::{PinInfo, PinInfoItem};
pub use removal::{RemovalOutcome, RemovalRequest};
pub use resolve::Lookup;
pub use status::Status;

/// Who asks, for the audit.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The user: the account that the operating system tells, or the one that a remote session names.
    pub user: String,
    /// The account that carries it out, where that is another: a restricted session's (JEA's) run-as account.
    pub run_as: Option<String>,
    /// Name of this host: one audit chain each.
    pub host: String,
    /// Program and version.
    pub application: String,
}

/// What the use cases are carried out with.
pub struct Ports {
    /// Mailboxes, policies, records.
    pub directory: Arc<dyn Directory>,
    /// Messages not yet handed over.
    pub outbox: Arc<dyn Outbox>,
    /// The audit log, for reading.
    pub audit: Arc<dyn AuditLog>,
    /// Mail.
    pub notifier: Arc<dyn Notifier>,
    /// What this computer keeps about its changes of a remote directory; `None`: the directory commits a change with its message and
    /// its audit entries in one transaction.
    pub journal: Option<Arc<dyn Journal>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where the keys come from.
    pub keys: Arc<dyn Keys>,
}

/// Settings of the use cases.
pub struct Settings {
    /// What a new PIN's derivation costs.
    pub cost: Cost,
    /// Whether changes are audited.
    pub audit: bool,
    /// After how many days audit entries are removed; `None`: never.
    pub audit_retention_days: Option<u32>,
    /// Limits look-ups to a part of the tree.
    pub scope: Option<Scope>,
    /// Every answer to a sign-in but a positive one is given this long after the request, or twice, three times … as long where
    /// others are before it: see `session/answer_times.rs`.
    pub answer_floor: Duration,
    /// A message that could not be handed over for this long is given up.
    pub expire_notifications_after: Duration,
    /// The NetBIOS name of the domain, where it is not the first `DC=` component.
    pub netbios_name: Option<String>,
    /// What messages say, beside what they are about.
    pub message: MessageSettings,
    /// Who asks.
    pub caller: Caller,
}

/// Something the administrator should know although the operation goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable id.
    pub id: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do, where something can be done.
    pub recommended_action: Option<&'static str>,
}

impl Warning {
    fn new(id: &'static str, message: impl Into<String>) -> Self {
        Self {
            id,
            message: message.into(),
            recommended_action: None,
        }
    }

    fn action(mut self, action: &'static str) -> Self {
        self.recommended_action = Some(action);
        self
    }
}

/// 16 bytes from the operating system's random number generator.
fn random_id() -> Result<[u8; 16]> {
    crate::random::system_bytes()
}
