//! Resolves this computer's pending changes: those whose process died or whose answer was lost, and those that were made and may
//! still be overwritten.

use std::time::{Duration, Instant};

use serde_json::json;

use super::journaled::Journaled;
use super::{AnnouncedPin, ChangeOutcome};
use crate::clock::Timestamp;
use crate::credential::record::{CredentialRecord, PinState};
use crate::credential::seal;
use crate::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Transition, TransitionResult};
use crate::notification::outbox::Lease;
use crate::service::audit_writer::{Outcome, Target};
use crate::{ErrorCode, Result};

/// When a change is compared for the first time. Later at four times that age, but several times a day.
const PAUSE_MILLIS: i64 = 5 * 60_000;
const MAX_PAUSE_MILLIS: i64 = 8 * 3_600_000;
/// A change that is in force for so long is replicated to every controller. While its own controller cannot be reached, any other
/// controller is asked from then on.
const SETTLED_MILLIS: i64 = 24 * 3_600_000;
/// A change is forgotten when no controller has answered for so long.
const FORGOTTEN_MILLIS: i64 = 30 * 86_400_000;

impl Journaled {
    /// See [`super::Commit::recover`].
    pub(super) fn recover_due(&self, limit: usize, time: Duration, diagnostics: &mut Vec<String>) -> Result<()> {
        let began = Instant::now();
        for _ in 0..limit {
            if began.elapsed() >= time {
                break;
            }
            let pause = PAUSE_MILLIS..=MAX_PAUSE_MILLIS;
            let Some(intent) = self.journal.take_due(self.clock.now(), pause)? else {
                break;
            };
            if let Err(error) = self.recover_one(&intent) {
                diagnostics.push(format!(
                    "What became of an earlier change could not be found out: {error}"
                ));
            }
        }
        Ok(())
    }

    fn recover_one(&self, intent: &IntentRecord) -> Result<()> {
        match intent.state {
            IntentState::Prepared | IntentState::InDoubt => {
                let outcome = self.outcome_of(intent)?;
                self.record_outcome(intent, outcome, None).map(drop)
            }
            IntentState::Committed => self.compare(intent),
            IntentState::Overwritten => self.forget(intent),
        }
    }

    /// The state of an intent record whose change was made: a change that sets no PIN is not compared.
    pub(super) fn after_commit(&self, intent: &IntentRecord) -> Option<(IntentState, Timestamp)> {
        let due = self.clock.now().plus_millis(PAUSE_MILLIS);
        intent.fingerprint.pin_id().map(|_| (IntentState::Committed, due))
    }

    /// Records an outcome that was found out later; `None`: it cannot be known any more.
    pub(super) fn record_outcome(
        &self,
        intent: &IntentRecord,
        found: Option<ChangeOutcome>,
        release: Option<(Lease, Timestamp)>,
    ) -> Result<TransitionResult> {
        let (outcome, reason) = match found {
            Some(ChangeOutcome::InForce | ChangeOutcome::Replaced) => (Outcome::Succeeded, None),
            Some(ChangeOutcome::NeverSet) => (Outcome::NotApplied, Some("neverSet")),
            Some(ChangeOutcome::MailboxGone) => (Outcome::Unknown, Some("mailboxGone")),
            None => (Outcome::Unknown, None),
        };
        let to = self
            .after_commit(intent)
            .filter(|_| found == Some(ChangeOutcome::InForce));
        let mut step = Transition::new(intent.operation, IntentState::InDoubt, to);
        step.release = release;
        // The audit log says once that an outcome is not known.
        if outcome != Outcome::Unknown || intent.state == IntentState::Prepared {
            let mut result = json!({ "recovered": true });
            if let Some(reason) = reason {
                result["reason"] = reason.into();
            }
            let mailbox = self.resolver.mailbox_of(intent.mailbox).unwrap_or_default();
            let target = mailbox.as_ref().map_or(Target::Directory, Target::Mailbox);
            let ring = self.records.ring_on_disk()?;
            step.audit = self
                .audit
                .late_outcome(&ring, intent.operation, &intent.action, target, outcome, result);
        }
        self.transition(step)
    }

    /// What became of a change without message; one that sets a PIN can no longer be made afterwards.
    fn outcome_of(&self, intent: &IntentRecord) -> Result<Option<ChangeOutcome>> {
        let (mailbox, controller) = (intent.mailbox, intent.controller.as_deref());
        let found = match intent.fingerprint {
            ChangeFingerprint::Pin { id, .. } => self
                .resolve_in_doubt(AnnouncedPin {
                    mailbox,
                    controller,
                    id,
                })
                .map(Some),
            ChangeFingerprint::Seal(tag) => self.records.look(mailbox, controller).map(|found| match found {
                None => Some(ChangeOutcome::MailboxGone),
                Some((stored, _)) => {
                    let is_there = match &stored.record {
                        Some(record) => seal::tag(record) == tag,
                        None => intent.fingerprint == ChangeFingerprint::GONE,
                    };
                    is_there.then_some(ChangeOutcome::InForce)
                }
            }),
        };
        match found {
            Err(error) if error.code() == ErrorCode::DirectoryUnavailable && self.is_older(intent, SETTLED_MILLIS) => {
                let record = self.record_anywhere(intent)?;
                Ok(record.and_then(|record| known_by(&record, intent)))
            }
            found => found,
        }
    }

    /// Whether a change that was made is still in force, or was overwritten.
    fn compare(&self, intent: &IntentRecord) -> Result<()> {
        let controller = intent.controller.as_deref();
        let settled = self.is_older(intent, SETTLED_MILLIS);
        let record = match self.records.look(intent.mailbox, controller) {
            Ok(found) => found.map(|(_, record)| record),
            Err(error) if error.code() == ErrorCode::DirectoryUnavailable && settled => {
                if self.is_older(intent, FORGOTTEN_MILLIS) {
                    return self.forget(intent);
                }
                self.record_anywhere(intent)?
            }
            Err(error) => return Err(error),
        };
        let (Some(record), ChangeFingerprint::Pin { id, previous }) = (record, intent.fingerprint) else {
            return self.forget(intent);
        };
        if record.has_lost(id, previous) {
            return self.record_conflict(intent, false).map(drop);
        }
        if settled || record.pin_state(id) != PinState::Current {
            return self.forget(intent);
        }
        Ok(())
    }

    /// The record as any controller has it.
    fn record_anywhere(&self, intent: &IntentRecord) -> Result<Option<CredentialRecord>> {
        Ok(self.records.look(intent.mailbox, None)?.map(|(_, record)| record))
    }

    fn is_older(&self, intent: &IntentRecord, millis: i64) -> bool {
        self.clock.now() >= intent.at.plus_millis(millis)
    }

    pub(super) fn forget(&self, intent: &IntentRecord) -> Result<()> {
        let step = Transition::new(intent.operation, intent.state, None);
        self.journal.transition(step).map(drop)
    }
}

fn known_by(record: &CredentialRecord, intent: &IntentRecord) -> Option<ChangeOutcome> {
    match record.pin_state(intent.fingerprint.pin_id()?) {
        PinState::Current => Some(ChangeOutcome::InForce),
        PinState::Superseded => Some(ChangeOutcome::Replaced),
        PinState::Unknown => None,
    }
}
