//! The pending changes of a remote directory as rows, and what is done to them together with message and audit entries.

use std::ops::RangeInclusive;
use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::command::Command;
use super::error::{StoreResult, changed};
use super::{audit, outbox};
use umpin_core::audit::AuditBatch;
use umpin_core::clock::Timestamp;
use umpin_core::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Transition, TransitionResult};
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::{Lease, OutboxEntry};
use umpin_core::{Error, ErrorCode};

/// What is to be done to the journal.
pub(super) enum JournalTask {
    Prepare {
        note: IntentRecord,
        message: Option<OutboxEntry>,
        intent: Option<AuditBatch>,
    },
    Transition(Transition),
    Append(AuditBatch),
    TakeDue {
        now: Timestamp,
        pause: RangeInclusive<i64>,
    },
}

/// What came of it.
pub(super) enum JournalDone {
    Noted,
    Transition(TransitionResult),
    Note(Option<IntentRecord>),
}

/// The command for the writer thread.
pub(super) fn command(task: JournalTask) -> Command<JournalDone> {
    let is_durable = task.is_durable();
    let task = Arc::new(task);
    let again = Arc::clone(&task);
    let command = Command::new(move |c| task.perform(c)).confirmed_by(move |c, _| again.is_in_force(c));
    if is_durable { command } else { command.without_sync() }
}

pub(super) fn unexpected_reply() -> Error {
    Error::new(ErrorCode::NativeFault, "The writer sent an unexpected reply.")
}

const COLUMNS: &str = "operation, action, mailbox, controller, pin_id, previous, seal, at, state, due";

const PREPARED: i64 = 0;
const IN_DOUBT: i64 = 1;
const COMMITTED: i64 = 2;
const OVERWRITTEN: i64 = 3;

/// Not those whose message is followed up in their stead. None is put off for longer than until `?2`: the clock was set back.
const DUE: &str = "FROM change_note WHERE (due <= ?1 OR (due > ?2 AND state <> 3)) AND NOT (state <= 1 AND EXISTS (SELECT 1 FROM outbox \
    WHERE outbox.mailbox = change_note.mailbox AND outbox.pin_id = change_note.pin_id AND outbox.state = 1))";

impl JournalTask {
    /// Whether the answer may be given only after a sync. What a power cut takes back of the rest is found out once more.
    pub(super) fn is_durable(&self) -> bool {
        match self {
            Self::Prepare { .. } | Self::Append(_) => true,
            Self::Transition(step) => step.to.is_some() || step.audit.is_some() || step.release.is_some(),
            Self::TakeDue { .. } => false,
        }
    }

    pub(super) fn perform(&self, connection: &Connection) -> StoreResult<JournalDone> {
        Ok(match self {
            Self::Prepare { note, message, intent } => {
                if prepare(connection, note)?
                    && let Some(batch) = intent
                {
                    audit::append(connection, batch)?;
                }
                if let Some(entry) = message {
                    outbox::insert(connection, entry)?;
                }
                JournalDone::Noted
            }
            Self::Transition(step) => JournalDone::Transition(transition(connection, step)?),
            Self::Append(batch) => {
                audit::append(connection, batch)?;
                JournalDone::Noted
            }
            Self::TakeDue { now, pause } => JournalDone::Note(take_due(connection, *now, pause)?),
        })
    }

    /// Whether the store holds what a task that must not be done twice was to write.
    pub(super) fn is_in_force(&self, connection: &Connection) -> StoreResult<bool> {
        match self {
            Self::Prepare { note, .. } => is_in_state(connection, note.operation, note.state, note.due),
            Self::Transition(step) => match step.to {
                Some((state, due)) => is_in_state(connection, step.operation, state, due),
                None => Ok(false),
            },
            _ => Ok(false),
        }
    }
}

fn is_in_state(connection: &Connection, operation: [u8; 16], state: IntentState, due: Timestamp) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM change_note WHERE operation = ?1 AND state = ?2 AND due = ?3")?
        .exists(params![operation, number(state), due.0])?)
}

/// Whether the operation was not known yet.
fn prepare(connection: &Connection, note: &IntentRecord) -> StoreResult<bool> {
    let known = connection
        .prepare_cached("SELECT 1 FROM change_note WHERE operation = ?1")?
        .exists([note.operation])?;
    let (pin_id, previous, seal) = match note.fingerprint {
        ChangeFingerprint::Pin { id, previous } => (Some(id), previous, None),
        ChangeFingerprint::Seal(seal) => (None, None, Some(seal)),
    };
    let rows = connection
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO change_note ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        ))?
        .execute(params![
            note.operation,
            note.action,
            note.mailbox.0,
            note.controller,
            pin_id,
            previous,
            seal,
            note.at.0,
            number(note.state),
            note.due.0,
        ])?;
    changed(rows, 1)?;
    Ok(!known)
}

fn transition(connection: &Connection, step: &Transition) -> StoreResult<TransitionResult> {
    let moved = match step.to {
        Some((state, due)) => connection
            .prepare_cached("UPDATE change_note SET state = ?3, due = ?4 WHERE operation = ?1 AND state <= ?2")?
            .execute(params![step.operation, number(step.from), number(state), due.0])?,
        None => connection
            .prepare_cached("DELETE FROM change_note WHERE operation = ?1 AND state <= ?2")?
            .execute(params![step.operation, number(step.from)])?,
    } == 1;
    if moved {
        if let Some((IntentState::Committed, _)) = step.to {
            forget_replaced(connection, step.operation)?;
        }
        if let Some(batch) = &step.audit {
            audit::append(connection, batch)?;
        }
    }
    if let Some(id) = step.discard {
        outbox::remove(connection, id)?;
    }
    let lease = match step.release {
        Some((lease, until)) => outbox::release(connection, lease, until)?.then_some(Lease { until, ..lease }),
        None => None,
    };
    Ok(TransitionResult { moved, lease })
}

/// This change was computed from a record with the PIN before it in force, so that one had lasted.
fn forget_replaced(connection: &Connection, operation: [u8; 16]) -> StoreResult<()> {
    connection
        .prepare_cached(
            "DELETE FROM change_note WHERE state = ?2 AND (mailbox, pin_id) = \
             (SELECT mailbox, previous FROM change_note WHERE operation = ?1)",
        )?
        .execute(params![operation, COMMITTED])?;
    Ok(())
}

/// Whether there is anything to take: a reader's question, so that looking costs no write.
pub(super) fn is_due(connection: &Connection, now: Timestamp, pause: &RangeInclusive<i64>) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached(&format!("SELECT 1 {DUE} LIMIT 1"))?
        .exists([now.0, now.plus_millis(*pause.end()).0])?)
}

fn take_due(connection: &Connection, now: Timestamp, pause: &RangeInclusive<i64>) -> StoreResult<Option<IntentRecord>> {
    let note = connection
        .prepare_cached(&format!("SELECT {COLUMNS} {DUE} ORDER BY due LIMIT 1"))?
        .query_row([now.0, now.plus_millis(*pause.end()).0], from_row)
        .optional()?;
    if let Some(note) = &note {
        let age = now.0.saturating_sub(note.at.0);
        let due = now.plus_millis(age.saturating_mul(3).clamp(*pause.start(), *pause.end()));
        let rows = connection
            .prepare_cached("UPDATE change_note SET due = ?2 WHERE operation = ?1")?
            .execute(params![note.operation, due.0])?;
        changed(rows, 1)?;
    }
    Ok(note)
}

pub(super) fn intents_of(connection: &Connection, mailbox: ObjectId) -> StoreResult<Vec<IntentRecord>> {
    Ok(connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM change_note WHERE mailbox = ?1 ORDER BY at, operation"
        ))?
        .query_map([mailbox.0], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

pub(super) fn overwritten(connection: &Connection) -> StoreResult<Vec<IntentRecord>> {
    Ok(connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM change_note WHERE state = {OVERWRITTEN} ORDER BY at, operation"
        ))?
        .query_map([], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<IntentRecord> {
    let fingerprint = match row.get(4)? {
        Some(id) => ChangeFingerprint::Pin {
            id,
            previous: row.get(5)?,
        },
        None => ChangeFingerprint::Seal(row.get(6)?),
    };
    let state = match row.get(8)? {
        PREPARED => IntentState::Prepared,
        IN_DOUBT => IntentState::InDoubt,
        COMMITTED => IntentState::Committed,
        OVERWRITTEN => IntentState::Overwritten,
        other => {
            let text = format!("{other}").into();
            return Err(rusqlite::Error::FromSqlConversionFailure(8, Type::Integer, text));
        }
    };
    Ok(IntentRecord {
        operation: row.get(0)?,
        action: row.get(1)?,
        mailbox: ObjectId(row.get(2)?),
        controller: row.get(3)?,
        fingerprint,
        at: Timestamp(row.get(7)?),
        state,
        due: Timestamp(row.get(9)?),
    })
}

fn number(state: IntentState) -> i64 {
    match state {
        IntentState::Prepared => PREPARED,
        IntentState::InDoubt => IN_DOUBT,
        IntentState::Committed => COMMITTED,
        IntentState::Overwritten => OVERWRITTEN,
    }
}
