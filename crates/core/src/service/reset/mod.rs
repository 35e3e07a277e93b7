//! The reset: prepare (look up and check what is cheap), validate (the history), commit (carry out).

pub(super) mod candidate;
mod commit;
mod failed;
mod prepare;
mod recheck;
pub(super) mod recipient;
pub(super) mod violation;

use std::sync::Arc;

use crate::cancellation::Cancellation;
use crate::clock::{Clock, Timestamp};
use crate::credential::kdf::{Cost, PinVerifiers};
use crate::directory::journal::IntentRecord;
use crate::directory::{Directory, PolicyObject};
use crate::mailbox::Mailbox;
use crate::notification::Notifier;
use crate::pin::Pin;
use crate::service::Warning;
use crate::service::announcer::Announcer;
use crate::service::audit_writer::AuditWriter;
use crate::service::commit::Commit;
use crate::service::outbox::{Deliveries, Dispatcher};
use crate::service::records::{LoadedRecord, Records};
use crate::service::resolve::{Lookup, Resolver};

/// What `Set-UMMailboxPIN` was asked for. `None` means that the parameter was omitted.
#[derive(Default)]
pub struct ResetRequest {
    /// Any identity form.
    pub identity: String,
    /// Further texts that name the same mailbox ([`Lookup::alternatives`]).
    pub alternatives: Vec<String>,
    /// For the audit.
    pub cmdlet: Option<String>,
    /// The administrator's PIN; omitted: one is generated.
    pub pin: Option<Pin>,
    /// Omitted: expired.
    pub pin_expired: Option<bool>,
    /// Omitted: not locked.
    pub locked_out: Option<bool>,
    /// Replaces the recipient.
    pub notify_email: Option<String>,
    /// Omitted: true.
    pub send_email: Option<bool>,
    /// The domain controller to use.
    pub domain_controller: Option<String>,
    /// The whole forest.
    pub ignore_default_scope: bool,
    /// Lock, unlock or expire without a new PIN.
    pub keep_pin: bool,
    /// Whether somebody is asked, between look-up and commit, about what the look-up found; omitted: if it was shown.
    pub confirm: Option<bool>,
    /// Only what it would do is wanted.
    pub what_if: bool,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

impl ResetRequest {
    pub(super) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            ignore_default_scope: self.ignore_default_scope,
            domain_controller: self.domain_controller.as_deref(),
            alternatives: &self.alternatives,
        }
    }
}

/// A reset that has been looked up and checked, and is yet to be carried out.
pub struct ResetPlan {
    request: ResetRequest,
    mailbox: Mailbox,
    policy: PolicyObject,
    recipient: Option<String>,
    loaded: LoadedRecord,
    /// The administrator's PIN, taken out of the request, with what has been derived from it.
    given: Option<PinVerifiers>,
    /// The PIN that validation made up, where only that told whether there is one.
    generated: Option<PinVerifiers>,
    /// Earlier resets by this computer that did not last: the warnings tell of them.
    conflicts: Vec<IntentRecord>,
    warnings: Vec<Warning>,
    diagnostics: Vec<String>,
    /// When all of this was read.
    read_at: Timestamp,
    /// Somebody has seen what it is about.
    shown: bool,
    /// That it fails is in the audit already.
    failure_recorded: bool,
}

impl ResetPlan {
    /// Notes that the caller has been told what the plan is about.
    pub fn set_shown(&mut self) {
        self.shown = true;
    }

    /// Whether somebody decides by what was shown: then nothing else may be done.
    fn is_confirmed(&self) -> bool {
        self.request.confirm.unwrap_or(self.shown)
    }

    /// The flag that calls it off.
    #[must_use]
    pub fn cancellation(&self) -> &Cancellation {
        &self.request.cancellation
    }

    /// The mailbox that was found.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Where the message goes; `None` when none is sent.
    #[must_use]
    pub fn recipient(&self) -> Option<&str> {
        self.recipient.as_deref()
    }

    /// Whether commit makes up a PIN.
    #[must_use]
    pub fn generates_pin(&self) -> bool {
        self.given.is_none() && !self.request.keep_pin
    }

    /// Whether the PIN stays as it is.
    #[must_use]
    pub fn keeps_pin(&self) -> bool {
        self.request.keep_pin
    }

    /// Whether the user will have to choose a new PIN at the next sign-in, as far as this reset decides it.
    #[must_use]
    pub fn will_expire(&self) -> bool {
        if self.request.keep_pin {
            self.request.pin_expired.unwrap_or(self.loaded.record.expired)
        } else {
            self.request.pin_expired.unwrap_or(true)
        }
    }

    /// Whether the mailbox will be locked.
    #[must_use]
    pub fn will_lock(&self) -> bool {
        self.request.locked_out.unwrap_or(false)
    }

    /// What the administrator should know beforehand.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What was done so far, for `-Verbose`.
    #[must_use]
    pub fn diagnostics(&self) -> &[String] {
        &self.diagnostics
    }
}

/// What became of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// None was asked for.
    None,
    /// Handed over.
    Sent,
    /// Recorded, to be tried again.
    Queued,
    /// Refused; recorded all the same.
    Failed,
}

/// A reset that was carried out: the change is durable.
pub struct ResetOutcome {
    /// The mailbox as it was when the change was made.
    pub mailbox: Mailbox,
    /// The generated PIN.
    pub generated: Option<Pin>,
    /// Whether the PIN counts as expired now.
    pub pin_expired: bool,
    /// Whether the mailbox is locked now.
    pub locked_out: bool,
    /// What became of the message.
    pub notification: Notification,
    /// Its recipient.
    pub recipient: Option<String>,
    /// What went wrong after the change, and what should be known about it.
    pub warnings: Vec<Warning>,
    /// What was done, for `-Verbose`.
    pub diagnostics: Vec<String>,
}

/// Carries out what `Set-UMMailboxPIN` asks for.
pub(super) struct Resets {
    pub directory: Arc<dyn Directory>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub commits: Arc<dyn Commit>,
    pub announcer: Arc<Announcer>,
    pub dispatcher: Arc<Dispatcher>,
    pub deliveries: Arc<Deliveries>,
    pub notifier: Arc<dyn Notifier>,
    pub clock: Arc<dyn Clock>,
    pub cost: Cost,
}
