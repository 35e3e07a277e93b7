//! The use cases, one file each. They know the ports, and neither an engine nor the C ABI.

pub mod audit;
mod change;
mod change_builder;
pub mod check;
mod clearing;
mod fate;
mod import;
mod info;
pub mod key_update;
mod listing;
mod lost;
mod notes;
mod notify;
pub mod outbox;
pub mod policies;
mod race;
mod removal;
pub mod reset;
mod resolve;
mod sealed;
pub mod signin;
mod status;
mod trail;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::time::Duration;

use crate::Result;
use crate::audit::AuditLog;
use crate::clock::Clock;
use crate::credential::kdf::Cost;
use crate::directory::Directory;
use crate::identity::Scope;
use crate::keys::Keys;
use crate::notification::outbox::Outbox;
use crate::notification::{MessageSettings, Notifier};

pub use clearing::{ClearOutcome, ClearRequest};
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

/// All use cases of one session.
pub struct Service {
    ports: Ports,
    settings: Settings,
    ring: sealed::CachedRing,
    sign_in_locks: race::KeyedMutex,
    last_drain: AtomicI64,
    dispatcher: outbox::Dispatcher,
    pickup_reported: AtomicBool,
    installation: Option<check::Installation>,
    retention_reported: AtomicBool,
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

impl Service {
    /// Puts the ports together; touches nothing.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        Self {
            ports,
            settings,
            ring: sealed::CachedRing::default(),
            sign_in_locks: race::KeyedMutex::default(),
            last_drain: AtomicI64::new(i64::MIN),
            dispatcher: outbox::Dispatcher::default(),
            pickup_reported: AtomicBool::new(false),
            installation: None,
            retention_reported: AtomicBool::new(false),
        }
    }

    /// Names the files that belong together on this computer, whose owners and modes are looked at.
    #[must_use]
    pub fn with_installation(mut self, installation: check::Installation) -> Self {
        self.installation = Some(installation);
        self
    }

    /// Starts a thread of each kind that the use cases cannot do without; touches nothing else.
    ///
    /// # Errors
    /// `NativeFault`: the system has none to give.
    pub fn start_threads(&self) -> Result<()> {
        self.ports.directory.start_threads()?;
        self.ports.outbox.start_threads()?;
        if self.ports.notifier.may_block() {
            self.dispatcher.start_thread()?;
        }
        Ok(())
    }

    /// [`Settings::answer_floor`].
    #[must_use]
    pub fn answer_floor(&self) -> Duration {
        self.settings.answer_floor
    }

    fn now(&self) -> crate::clock::Timestamp {
        self.ports.clock.now()
    }

    fn directory(&self) -> &dyn Directory {
        &*self.ports.directory
    }
}

/// 16 bytes from the operating system's random number generator.
fn random_id() -> Result<[u8; 16]> {
    crate::random::system_bytes()
}
