//! The port to the journal: what a host keeps in a file of its own about its changes of a remote directory, which can record
//! neither who asked for a change nor the message that goes with it.
//!
//! The intent is recorded before the change is sent, the outcome after it. Between them, and for a while after, an intent record says
//! what was sent: every process of this host can find out what became of it, and whether it was overwritten.

use std::ops::RangeInclusive;

use crate::Result;
use crate::audit::AuditBatch;
use crate::clock::Timestamp;
use crate::credential::record::CredentialRecord;
use crate::credential::seal;
use crate::directory::CredentialChange;
use crate::mailbox::ObjectId;
use crate::notification::outbox::entry::{Lease, OutboxEntry};

/// How far a change has come, as far as this host knows. It only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntentState {
    /// The intent is recorded and the outcome is not: the process is at work, or it died.
    Prepared,
    /// The answer of the controller was lost. The audit log says so.
    InDoubt,
    /// The change was made. Its record is compared until the change is known to have been replicated everywhere.
    Committed,
    /// The change was made and then lost a replication conflict. The audit log says so; no caller was told yet.
    Overwritten,
}

/// What tells in a record that a change was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeFingerprint {
    /// The change sets a PIN.
    Pin {
        /// Names it.
        id: [u8; 16],
        /// Names the one before it. A record does not remember for ever: while this one is in it, the later one must be too.
        previous: Option<[u8; 16]>,
    },
    /// The change sets none: only the very record that it writes tells ([`crate::credential::seal::tag`]).
    Seal([u8; 16]),
}

impl ChangeFingerprint {
    /// Of a new PIN that is to follow the one in force in this record.
    #[must_use]
    pub fn of_pin(id: [u8; 16], before: &CredentialRecord) -> Self {
        Self::Pin {
            id,
            previous: before.current().map(|pin| pin.pin_id),
        }
    }

    /// Of a change that sets no PIN: the record that it writes.
    #[must_use]
    pub fn of_record(change: &CredentialChange) -> Self {
        let tag = change.record.as_ref().map(|swap| seal::tag(&swap.new));
        tag.map_or(Self::GONE, Self::Seal)
    }

    /// That there is no record afterwards.
    pub const GONE: Self = Self::Seal([0; 16]);

    /// The PIN that is set, if any.
    #[must_use]
    pub fn pin_id(self) -> Option<[u8; 16]> {
        match self {
            Self::Pin { id, .. } => Some(id),
            Self::Seal(_) => None,
        }
    }
}

/// One pending change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentRecord {
    /// Joins it with the audit.
    pub operation: [u8; 16],
    /// What was done, as the audit names it.
    pub action: String,
    /// To which mailbox.
    pub mailbox: ObjectId,
    /// On which controller, and where alone its outcome can be read.
    pub controller: Option<String>,
    /// What tells that it was made.
    pub fingerprint: ChangeFingerprint,
    /// When it was asked for.
    pub at: Timestamp,
    /// How far it has come.
    pub state: IntentState,
    /// No process resolves it before this moment.
    pub due: Timestamp,
}

/// What has become of a change, with everything that is recorded together with that.
#[derive(Clone)]
pub struct Transition {
    /// Which change.
    pub operation: [u8; 16],
    /// Nothing is recorded of a change that has come further than this: another process has resolved it.
    pub from: IntentState,
    /// Its new state, and when it is followed up; `None`: there is nothing left to know, and the intent record is removed.
    pub to: Option<(IntentState, Timestamp)>,
    /// What the audit is told.
    pub audit: Option<AuditBatch>,
    /// A message that may be sent from now on, and until when the lease on it is prolonged.
    pub release: Option<(Lease, Timestamp)>,
    /// A message that must not be sent.
    pub discard: Option<[u8; 16]>,
}

impl Transition {
    /// Without audit and message.
    #[must_use]
    pub fn new(operation: [u8; 16], from: IntentState, to: Option<(IntentState, Timestamp)>) -> Self {
        Self {
            operation,
            from,
            to,
            audit: None,
            release: None,
            discard: None,
        }
    }
}

/// What came of [`Journal::transition`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransitionResult {
    /// Whether it was this call that recorded it.
    pub moved: bool,
    /// The prolonged lease of the message that was released; `None`: there was none, or it is another's.
    pub lease: Option<Lease>,
}

/// The journal of a host. How it is used: `service/commit/mod.rs`.
pub trait Journal: Send + Sync {
    /// Records that a change is about to be asked for, with its message; durable when this returns. The intent is recorded with
    /// the first attempt only; a later one replaces the intent record.
    ///
    /// # Errors
    /// Those of the store: the change must not be asked for.
    fn prepare(&self, intent: &IntentRecord, message: Option<&OutboxEntry>, audit: Option<&AuditBatch>) -> Result<()>;

    /// Records what has become of a change: all of it, or nothing where another process has. The message is released whether or
    /// not there is an intent record. Durable when this returns, unless the intent record is only removed.
    ///
    /// # Errors
    /// Those of the store.
    fn transition(&self, step: Transition) -> Result<TransitionResult>;

    /// Records what needs no intent; durable when this returns.
    ///
    /// # Errors
    /// Those of the store.
    fn append(&self, audit: &AuditBatch) -> Result<()>;

    /// Records nothing, and takes about as long as [`Self::append`]: see [`super::Directory::dummy_write`].
    ///
    /// # Errors
    /// Those of the store.
    fn dummy_write(&self) -> Result<()>;

    /// The pending changes of a mailbox, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    fn intents_of(&self, mailbox: ObjectId) -> Result<Vec<IntentRecord>>;

    /// Takes a pending change that is due and puts it off for thrice its age, but within `pause` (milliseconds). A change in doubt
    /// that has a message is resolved with the message, so it is not given.
    ///
    /// # Errors
    /// Those of the store.
    fn take_due(&self, now: Timestamp, pause: RangeInclusive<i64>) -> Result<Option<IntentRecord>>;

    /// The changes that were overwritten and that no caller was told of, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    fn overwritten(&self) -> Result<Vec<IntentRecord>>;
}
