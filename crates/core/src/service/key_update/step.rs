//! The steps after the first: a part of the mailboxes, then of the messages, then the outcome.

use std::time::{Duration, Instant};

use super::KeyUpdates;

use serde_json::json;

use super::cursor::{Cursor, Stage};
use super::{KeyProblem, KeyUpdate, KeyUpdateRequest, ReplacedKey};
use crate::credential::keyring::KeyRing;
use crate::credential::master_key::Purpose;
use crate::credential::seal::{self, OpenError};
use crate::directory::key_register::KeyRegister;
use crate::directory::{Applied, CounterChange, CredentialChange, SealedOtherwise, Swap};
use crate::mailbox::ObjectId;
use crate::random::system_rng;
use crate::service::Warning;
use crate::service::audit_writer::{Action, Outcome, Target};
use crate::{Error, Result};

/// Mailboxes, or messages, of one step: one transaction of the embedded store.
const STEP: usize = 100;
/// A step that has lasted this long begins no further part.
const LONG_ENOUGH: Duration = Duration::from_millis(200);
/// Mailboxes a second where every change is replicated to other controllers.
const REPLICATED_PER_SECOND: u32 = 50;
/// How often all mailboxes are looked through at most. Where something is still found after that, other hosts keep sealing under a
/// key that was replaced here.
const PASSES: u32 = 10;

/// What became of a mailbox.
enum Resealed {
    /// Sealed anew: whether the record and the counter.
    Done(bool, bool),
    /// Somebody else changed it first.
    Lost,
}

impl KeyUpdates {
    pub(super) fn go_on(
        &self,
        request: &KeyUpdateRequest,
        register: &dyn KeyRegister,
        mut cursor: Cursor,
    ) -> Result<KeyUpdate> {
        request.cancellation.enter_commit()?;
        let begun = Instant::now();
        let mut problems = Vec::new();
        loop {
            let ring = self.records.ring_on_disk()?;
            cursor.stage = match cursor.stage.clone() {
                Stage::Mailboxes(after) => self.mailboxes_anew(request, &ring, after, &mut cursor, &mut problems)?,
                Stage::Messages(after) => self.messages_anew(register, &ring, after, &mut cursor, &mut problems)?,
                Stage::End => {
                    let mut update = self.end(register, &cursor, cursor.left == 0 && !cursor.again)?;
                    update.problems = problems;
                    return Ok(update);
                }
            };
            if begun.elapsed() >= LONG_ENOUGH || request.cancellation.is_requested() {
                break;
            }
        }
        let mut update = self.state(register, &cursor, false)?;
        update.problems = problems;
        update.next = Some(cursor.text()?);
        Ok(update)
    }

    fn mailboxes_anew(
        &self,
        request: &KeyUpdateRequest,
        ring: &KeyRing,
        after: Option<String>,
        cursor: &mut Cursor,
        problems: &mut Vec<KeyProblem>,
    ) -> Result<Stage> {
        let replicated = self.commits.is_replicated().then_some(REPLICATED_PER_SECOND);
        let rate = request.per_second.or(replicated).map(|rate| rate.max(1));
        // About a second's work, so that whoever waits can stop it.
        let limit = rate.map_or(STEP, |rate| STEP.min(usize::try_from(rate).unwrap_or(STEP)));
        let page = self
            .directory
            .sealed_otherwise(ring.active(), after.as_deref(), limit)?;
        let mut changes = Vec::new();
        for item in page.items {
            let mailbox = item.mailbox;
            match self.resealing(ring, item) {
                Ok(Some(change)) => changes.push(change),
                Ok(None) => {}
                Err(Unsealable::Never(message)) => problems.push(KeyProblem {
                    identity: self.name_of(mailbox),
                    message,
                }),
                Err(Unsealable::Perhaps(message)) => {
                    cursor.left += 1;
                    problems.push(KeyProblem {
                        identity: self.name_of(mailbox),
                        message,
                    });
                }
            }
        }
        for (mailbox, resealed) in self.apply_resealing(changes, rate) {
            match resealed {
                Ok(Resealed::Done(record, counter)) => {
                    cursor.records += u64::from(record);
                    cursor.counters += u64::from(counter);
                    cursor.again = true;
                }
                Ok(Resealed::Lost) => cursor.again = true,
                Err(error) => {
                    cursor.left += 1;
                    problems.push(KeyProblem {
                        identity: self.name_of(mailbox),
                        message: error.to_string(),
                    });
                }
            }
        }
        if page.next.is_some() {
            return Ok(Stage::Mailboxes(page.next));
        }
        cursor.passes += 1;
        if !cursor.again || cursor.passes >= PASSES {
            return Ok(Stage::Messages(None));
        }
        // What is left is found again.
        (cursor.again, cursor.left) = (false, 0);
        Ok(Stage::Mailboxes(None))
    }

    /// The change that seals a mailbox's values anew; `None` where that is no longer needed.
    fn resealing(&self, ring: &KeyRing, item: SealedOtherwise) -> Result<Option<CredentialChange>, Unsealable> {
        let stored = item.stored.map_err(Unsealable::Perhaps)?;
        let context = self.records.seal_context(item.mailbox)?;
        let anew = |purpose, value: &Option<Vec<u8>>| -> Result<Option<Vec<u8>>, Unsealable> {
            match value {
                Some(sealed) if seal::key_id(sealed) != Some(ring.active()) => {
                    let plain = ring.open(purpose, &context, sealed)?;
                    Ok(Some(ring.seal(purpose, &context, &plain, &mut system_rng())?))
                }
                _ => Ok(None),
            }
        };
        let record = anew(Purpose::Record, &stored.record)?;
        let counter = anew(Purpose::Counter, &stored.counter)?;
        if record.is_none() && counter.is_none() {
            return Ok(None);
        }
        if let (Some(_), Some(before)) = (&record, &stored.record) {
            self.commits.resolve_by_tag(item.mailbox, seal::tag(before));
        }
        Ok(Some(CredentialChange {
            record: record.map(|new| Swap {
                expected: stored.record,
                new,
            }),
            counter: counter.map_or(CounterChange::Keep, |new| {
                CounterChange::Swap(Swap {
                    expected: stored.counter,
                    new,
                })
            }),
            ..CredentialChange::new(item.mailbox, item.controller)
        }))
    }

    fn apply_resealing(&self, changes: Vec<CredentialChange>, rate: Option<u32>) -> Vec<(ObjectId, Result<Resealed>)> {
        let about = |change: &CredentialChange| {
            let counter = change.counter != CounterChange::Keep;
            (change.mailbox, change.record.is_some(), counter)
        };
        let told = |(mailbox, record, counter), applied: Result<Applied>| {
            let resealed = applied.map(|applied| match applied {
                Applied::Committed => Resealed::Done(record, counter),
                Applied::Conflict | Applied::Unreached => Resealed::Lost,
            });
            (mailbox, resealed)
        };
        let Some(rate) = rate else {
            let all: Vec<_> = changes.iter().map(about).collect();
            let applied = self.directory.apply_all(changes);
            return all
                .into_iter()
                .zip(applied)
                .map(|(about, applied)| told(about, applied))
                .collect();
        };
        let pause = Duration::from_secs(1) / rate;
        changes
            .into_iter()
            .map(|change| {
                let (begun, about) = (Instant::now(), about(&change));
                let told = told(about, self.directory.apply(change));
                std::thread::sleep(pause.saturating_sub(begun.elapsed()));
                told
            })
            .collect()
    }

    fn messages_anew(
        &self,
        register: &dyn KeyRegister,
        ring: &KeyRing,
        after: Option<u128>,
        cursor: &mut Cursor,
        problems: &mut Vec<KeyProblem>,
    ) -> Result<Stage> {
        let messages = register.messages_under_others(ring.active(), after.map(u128::to_be_bytes), STEP)?;
        for message in &messages {
            let context = self.records.seal_context(message.mailbox)?;
            match ring.reseal(Purpose::Outbox, &context, &message.sealed, &mut system_rng()) {
                // One that is gone by now, or was sealed anew, needs nothing.
                Ok(new) => cursor.messages += u64::from(register.reseal_message(message, new)?),
                Err(error) => problems.push(KeyProblem {
                    identity: self.name_of(message.mailbox),
                    message: error.to_string(),
                }),
            }
        }
        Ok(match messages.last() {
            Some(last) if messages.len() == STEP => Stage::Messages(Some(u128::from_be_bytes(last.id))),
            _ => Stage::End,
        })
    }

    /// Gives the key its place, and records the outcome.
    fn end(&self, register: &dyn KeyRegister, cursor: &Cursor, is_complete: bool) -> Result<KeyUpdate> {
        let ring = self.records.ring_on_disk()?;
        let promoted = self.keys.promote(ring.active());
        let operation = cursor.operation.to_be_bytes();
        let result = json!({
            "key": ring.active().to_string(),
            "records": cursor.records,
            "counters": cursor.counters,
            "messages": cursor.messages,
            "left": cursor.left,
        });
        let how = if is_complete {
            Outcome::Succeeded
        } else {
            Outcome::NotApplied
        };
        let action = Action::UpdateKey.name();
        let audit = self
            .audit
            .late_outcome(&ring, operation, action, Target::Directory, how, result);
        match audit {
            Some(trail) => self.records.with_current_keys(trail, |trail| {
                register.conclude(operation, is_complete, Some(trail.clone()))
            })?,
            None => register.conclude(operation, is_complete, None)?,
        }
        let mut update = self.state(register, cursor, is_complete)?;
        if let Err(error) = promoted {
            update
                .warnings
                .push(Warning::new("KeyFileNotRenamed", error.to_string()).action(
                "Make the directory of the key file writable for this account, then run Update-UMPinKey -ResealOnly.",
            ));
        }
        Ok(update)
    }

    /// The keys as they are now, and how far the update has come.
    pub(super) fn state(&self, register: &dyn KeyRegister, cursor: &Cursor, is_complete: bool) -> Result<KeyUpdate> {
        let active = self.records.ring_on_disk()?.active();
        let files = self.keys.key_files()?;
        let retired = register.retired_keys()?;
        let is_in_place = files.first().is_some_and(|file| file.id == active);
        let replaced = files
            .iter()
            .filter(|file| file.id != active && retired.iter().any(|key| key.id == file.id))
            .map(|file| ReplacedKey {
                id: file.id,
                path: file.path.clone(),
                is_removable: is_complete && is_in_place,
                is_configured: file.is_configured,
            });
        Ok(KeyUpdate {
            key: files
                .iter()
                .find(|file| file.id == active)
                .map(|file| (file.id, file.path.clone())),
            is_made: cursor.is_made,
            replaced: replaced.collect(),
            records: cursor.records,
            counters: cursor.counters,
            messages: cursor.messages,
            total: None,
            problems: Vec::new(),
            is_complete,
            next: None,
            warnings: Vec::new(),
        })
    }

    fn name_of(&self, mailbox: ObjectId) -> String {
        match self.resolver.mailbox_of(mailbox) {
            Ok(Some(mailbox)) => mailbox.identity(),
            _ => format!("the object {}", uuid::Uuid::from_bytes(mailbox.0)),
        }
    }
}

/// Why a value is not sealed anew.
enum Unsealable {
    /// None of the keys opens it, so none of them is needed for it.
    Never(String),
    /// One may.
    Perhaps(String),
}

impl From<OpenError> for Unsealable {
    fn from(error: OpenError) -> Self {
        Self::Never(Error::from(error).to_string())
    }
}

impl From<Error> for Unsealable {
    fn from(error: Error) -> Self {
        Self::Perhaps(error.to_string())
    }
}
