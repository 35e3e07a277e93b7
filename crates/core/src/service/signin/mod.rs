//! Signing in by telephone: is this the PIN? And the user's own change of it.
//!
//! Each attempt is one compare-and-swap of the failure counter, right or wrong, and its answer is given only when that is
//! durable. So all attempts on one mailbox stand in one order, whichever threads, processes or hosts they come from, and
//! guessing at the same time gains nothing over guessing one after the other. A store that cannot be written answers nobody.

mod attempt;
mod change;
mod equal_cost;
mod lockout;

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::credential::counter::FailureCounter;
use crate::credential::kdf::Cost;
use crate::credential::lockout::{self as rules, AttemptsLeft};
use crate::credential::record::CredentialRecord;
use crate::directory::Directory;
use crate::mailbox::Mailbox;
use crate::pin::Pin;
use crate::policy::UmMailboxPolicy;
use crate::service::announcer::Announcer;
use crate::service::audit_writer::AuditWriter;
use crate::service::commit::Commit;
use crate::service::keyed_mutex::KeyedMutex;
use crate::service::outbox::{Deliveries, Dispatcher, PendingMessage};
use crate::service::records::Records;
use crate::service::resolve::{Lookup, Resolver};

/// How the telephone system names the mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscriber {
    /// Any identity form.
    Identity(String),
    /// What the caller keyed or called from.
    Extension {
        /// Digits.
        number: String,
        /// The dial plan's name; without it the extension must be unique in the directory.
        dial_plan: Option<String>,
    },
}

/// One attempt to sign in.
pub struct SignInRequest {
    /// Whose mailbox.
    pub subscriber: Subscriber,
    /// Further texts that name the same mailbox, where an identity does ([`Lookup::alternatives`]).
    pub alternatives: Vec<String>,
    /// What was keyed.
    pub pin: Pin,
    /// The command or function that was called, for the audit.
    pub cmdlet: Option<String>,
    /// The domain controller to use.
    pub domain_controller: Option<String>,
    /// The whole forest.
    pub ignore_default_scope: bool,
}

/// A user's own change of the PIN: an attempt to sign in that brings a new PIN.
pub struct ChangePinRequest {
    /// The attempt, with the PIN in force.
    pub attempt: SignInRequest,
    /// The new one.
    pub new_pin: Pin,
}

/// What an attempt came to. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SignIn {
    /// The right PIN; or the new one is set.
    Accepted = 1,
    /// The right PIN, but it must be changed before it opens anything.
    ChangeRequired = 2,
    /// A wrong PIN.
    Rejected = 3,
    /// Locked until an administrator acts: by this attempt, by an earlier one, or by an administrator. Whether the PIN is the
    /// right one is not said.
    Locked = 4,
    /// A wrong PIN, the last before the PIN was reset: the user has a message with a new one.
    ResetByFailures = 5,
}

/// The answer to an attempt.
pub struct SignInAnswer {
    /// The mailbox that was found.
    pub mailbox: Mailbox,
    /// What it came to.
    pub outcome: SignIn,
    /// Wrong PINs left after this one.
    pub left: AttemptsLeft,
    /// The user has never chosen a PIN.
    pub first_time_user: bool,
    /// When the PIN in force expires; told only to whoever knows it.
    pub expires_at: Option<Timestamp>,
    /// The message with the new PIN after a reset by failures, to be handed over after the answer.
    pub message: Option<PendingMessage>,
    /// What was done, for `-Verbose`.
    pub diagnostics: Vec<String>,
}

impl SignIn {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::ChangeRequired => "changeRequired",
            Self::Rejected => "rejected",
            Self::Locked => "locked",
            Self::ResetByFailures => "resetByFailures",
        }
    }

    /// Whether the PIN was the right one.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        matches!(self, Self::Accepted | Self::ChangeRequired)
    }
}

impl SignInRequest {
    fn lookup(&self) -> Lookup<'_> {
        Lookup {
            ignore_default_scope: self.ignore_default_scope,
            domain_controller: self.domain_controller.as_deref(),
            alternatives: &self.alternatives,
        }
    }
}

impl SignInAnswer {
    fn new(
        mailbox: Mailbox,
        outcome: SignIn,
        record: &CredentialRecord,
        counter: &FailureCounter,
        policy: &UmMailboxPolicy,
    ) -> Self {
        Self {
            mailbox,
            outcome,
            left: rules::attempts_left(counter, policy),
            first_time_user: record.first_time,
            expires_at: record
                .set_at()
                .filter(|_| outcome.is_positive())
                .and_then(|at| policy.expires_at(at)),
            message: None,
            diagnostics: Vec::new(),
        }
    }
}

/// Checks PINs, and changes them for their users.
pub(super) struct SignIns {
    pub directory: Arc<dyn Directory>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub commits: Arc<dyn Commit>,
    pub announcer: Arc<Announcer>,
    pub dispatcher: Arc<Dispatcher>,
    pub deliveries: Arc<Deliveries>,
    pub clock: Arc<dyn Clock>,
    pub cost: Cost,
    /// One attempt at a time at each mailbox.
    pub locks: KeyedMutex,
}
