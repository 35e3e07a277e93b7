//! The outbox as rows, and what is done to them.
//!
//! Leasing, putting off and removing are committed without a sync, because what a power cut takes back is at worst a message sent
//! twice. A later synced commit in the same write-ahead log makes them durable too, and a torn tail never reaches further back than
//! the last sync.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::audit;
use super::error::{Sql, changed};
use super::retired_keys::refuse_retired;
use umpin_core::audit::AuditBatch;
use umpin_core::clock::Timestamp;
use umpin_core::directory::Page;
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::{EntryState, Lease, OutboxEntry};
use umpin_core::{Error, ErrorCode};

/// What is to be done to the outbox.
pub(super) enum OutboxTask {
    Release {
        lease: Lease,
        until: Timestamp,
    },
    LeaseDue {
        due: Timestamp,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    },
    Lease {
        id: [u8; 16],
        now: Timestamp,
        until: Timestamp,
    },
    Remove([u8; 16]),
    Discard {
        id: [u8; 16],
        audit: Option<AuditBatch>,
    },
    Defer {
        lease: Lease,
        until: Timestamp,
        error: String,
    },
    Fail {
        lease: Lease,
        keep_until: Timestamp,
        error: String,
        audit: Option<AuditBatch>,
    },
    TakeFailures,
}

/// What came of it.
pub(super) enum OutboxDone {
    Entries(Vec<OutboxEntry>),
    /// Whether the lease still held.
    Held(bool),
    Noted,
}

const READY: i64 = 0;
const UNCONFIRMED: i64 = 1;
const FAILED: i64 = 2;

const COLUMNS: &str = "id, mailbox, pin_id, created, leased_until, attempts, last_error, state, controller";

impl OutboxTask {
    /// Whether the answer may be given only after a sync.
    pub(super) fn is_durable(&self) -> bool {
        match self {
            Self::Release { .. } | Self::Discard { .. } | Self::Fail { .. } => true,
            Self::LeaseDue { .. } | Self::Lease { .. } | Self::Remove(_) | Self::Defer { .. } | Self::TakeFailures => {
                false
            }
        }
    }

    pub(super) fn perform(&self, connection: &Connection) -> Sql<OutboxDone> {
        Ok(match self {
            Self::Release { lease, until } => OutboxDone::Held(release(connection, *lease, *until)?),
            Self::LeaseDue { due, now, until, limit } => {
                follow_clock(connection, *now)?;
                forget_failures(connection, *due)?;
                OutboxDone::Entries(lease_due(connection, *due, *now, *until, *limit)?)
            }
            Self::Lease { id, now, until } => OutboxDone::Entries(lease(connection, *id, *now, *until)?),
            Self::Remove(id) => {
                remove(connection, *id)?;
                OutboxDone::Noted
            }
            Self::Discard { id, audit } => {
                remove(connection, *id)?;
                append(connection, audit.as_ref())?;
                OutboxDone::Noted
            }
            Self::Defer { lease, until, error } => OutboxDone::Held(defer(connection, *lease, *until, error)?),
            Self::Fail {
                lease,
                keep_until,
                error,
                audit,
            } => {
                let held = fail(connection, *lease, *keep_until, error)?;
                if held {
                    append(connection, audit.as_ref())?;
                }
                OutboxDone::Held(held)
            }
            Self::TakeFailures => OutboxDone::Entries(take_failures(connection)?),
        })
    }

    /// Whether the store holds what a task that must not be done twice was to write.
    pub(super) fn is_in_force(&self, connection: &Connection) -> Sql<bool> {
        match self {
            Self::Release { lease, until } => Ok(connection
                .prepare_cached("SELECT 1 FROM outbox WHERE id = ?1 AND state = ?2 AND leased_until = ?3")?
                .exists(params![lease.id, READY, until.0])?),
            _ => Ok(false),
        }
    }
}

fn append(connection: &Connection, trail: Option<&AuditBatch>) -> Sql<()> {
    trail.map_or(Ok(()), |trail| audit::append(connection, trail))
}

pub(super) fn insert(connection: &Connection, entry: &OutboxEntry) -> Sql<()> {
    refuse_retired(connection, [Some(entry.sealed.as_slice())])?;
    let rows = connection
        .prepare_cached(
            "INSERT INTO outbox \
             (id, mailbox, pin_id, created, leased_until, due, noted, attempts, last_error, state, controller, sealed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?4, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            entry.id,
            entry.mailbox.0,
            entry.pin_id,
            entry.created.0,
            entry.leased_until.0,
            entry.attempts,
            entry.last_error,
            state_number(entry.state),
            entry.controller,
            entry.sealed,
        ])?;
    changed(rows, 1)
}

/// Whether anything can be leased or forgotten: a reader's question, so that an idle outbox costs no write.
pub(super) fn is_due(connection: &Connection, due: Timestamp, now: Timestamp) -> Sql<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE due <= ?1 UNION ALL SELECT 1 FROM outbox WHERE noted > ?2 LIMIT 1")?
        .exists([due.0, now.0])?)
}

/// Entries that were noted in the future: the clock was set back since. What was put off is due, because nobody knows how long it
/// has waited. Of what somebody handles the lease begins anew, so that it ends in time and is taken from nobody at work; what was
/// given up is kept for as long as it was to be.
fn follow_clock(connection: &Connection, now: Timestamp) -> Sql<()> {
    connection
        .prepare_cached(
            "UPDATE outbox SET due = CASE WHEN held OR state = ?2 THEN ?1 + max(0, due - noted) ELSE ?1 END, noted = ?1 \
             WHERE noted > ?1",
        )?
        .execute(params![now.0, FAILED])?;
    Ok(())
}

/// Whether there is a failure that nobody was told of; likewise.
pub(super) fn has_failures(connection: &Connection) -> Sql<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE untold LIMIT 1")?
        .exists([])?)
}

pub(super) fn release(connection: &Connection, lease: Lease, until: Timestamp) -> Sql<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE outbox SET state = ?3, leased_until = ?4, due = ?4, held = 1 \
             WHERE id = ?1 AND leased_until = ?2 AND held AND state <> 2",
        )?
        .execute(params![lease.id, lease.until.0, READY, until.0])?;
    Ok(changed == 1)
}

fn lease_due(
    connection: &Connection,
    due: Timestamp,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Sql<Vec<OutboxEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let entries = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, sealed FROM outbox WHERE due <= ?1 AND state <> ?2 ORDER BY created, id LIMIT ?3"
        ))?
        .query_map(params![due.0, FAILED, limit], with_content)?
        .collect::<rusqlite::Result<_>>()?;
    hold(connection, entries, now, until)
}

fn lease(connection: &Connection, id: [u8; 16], now: Timestamp, until: Timestamp) -> Sql<Vec<OutboxEntry>> {
    follow_clock(connection, now)?;
    let entries = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, sealed FROM outbox WHERE id = ?1 AND (NOT held OR due <= ?2) AND state <> ?3"
        ))?
        .query_map(params![id, now.0, FAILED], with_content)?
        .collect::<rusqlite::Result<_>>()?;
    hold(connection, entries, now, until)
}

fn hold(
    connection: &Connection,
    mut entries: Vec<OutboxEntry>,
    now: Timestamp,
    until: Timestamp,
) -> Sql<Vec<OutboxEntry>> {
    let mut update = connection
        .prepare_cached("UPDATE outbox SET leased_until = ?2, due = ?2, noted = ?3, held = 1 WHERE id = ?1")?;
    for entry in &mut entries {
        changed(update.execute(params![entry.id, until.0, now.0])?, 1)?;
        entry.leased_until = until;
    }
    Ok(entries)
}

pub(super) fn remove(connection: &Connection, id: [u8; 16]) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

fn defer(connection: &Connection, lease: Lease, until: Timestamp, error: &str) -> Sql<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE outbox SET leased_until = ?3, due = ?3, last_error = ?4, attempts = attempts + 1, held = 0 \
             WHERE id = ?1 AND leased_until = ?2 AND held AND state <> 2",
        )?
        .execute(params![lease.id, lease.until.0, until.0, error])?;
    Ok(changed == 1)
}

fn fail(connection: &Connection, lease: Lease, keep_until: Timestamp, error: &str) -> Sql<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE outbox SET state = ?3, leased_until = ?4, due = ?4, last_error = ?5, attempts = attempts + 1, held = 0, \
             untold = 1, sealed = zeroblob(0) WHERE id = ?1 AND leased_until = ?2 AND held AND state <> 2",
        )?
        .execute(params![lease.id, lease.until.0, FAILED, keep_until.0, error])?;
    Ok(changed == 1)
}

fn forget_failures(connection: &Connection, now: Timestamp) -> Sql<()> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE due <= ?1 AND state = ?2")?
        .execute(params![now.0, FAILED])?;
    Ok(())
}

fn take_failures(connection: &Connection) -> Sql<Vec<OutboxEntry>> {
    let entries: Vec<OutboxEntry> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE untold ORDER BY created, id"
        ))?
        .query_map([], |row| from_row(row, Vec::new()))?
        .collect::<rusqlite::Result<_>>()?;
    let rows = connection
        .prepare_cached("UPDATE outbox SET untold = 0 WHERE untold")?
        .execute([])?;
    changed(rows, entries.len())?;
    Ok(entries)
}

/// A page of the listing; a page begins behind the time and id of the last entry before it.
pub(super) fn page(
    connection: &Connection,
    mailbox: Option<ObjectId>,
    after: Option<&str>,
    limit: usize,
) -> Sql<Page<OutboxEntry>> {
    let (created, id) = match after {
        None => (i64::MIN, [0; 16]),
        Some(cursor) => parse_cursor(cursor)
            .ok_or_else(|| Error::new(ErrorCode::InvalidRequest, "The listing's cursor is not one."))?,
    };
    let limit = limit.max(1);
    // One more than wanted tells whether there is another page.
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let of = if mailbox.is_some() {
        "mailbox = ?4"
    } else {
        "?4 IS NULL"
    };
    let mut items: Vec<OutboxEntry> = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM outbox WHERE (created, id) > (?1, ?2) AND {of} ORDER BY created, id LIMIT ?3"
        ))?
        .query_map(params![created, id, wanted, mailbox.map(|m| m.0)], |row| {
            from_row(row, Vec::new())
        })?
        .collect::<rusqlite::Result<_>>()?;
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| format!("{}-{:032x}", last.created.0, u128::from_be_bytes(last.id)));
    Ok(Page { items, next })
}

fn parse_cursor(cursor: &str) -> Option<(i64, [u8; 16])> {
    let (created, id) = cursor.rsplit_once('-')?;
    Some((created.parse().ok()?, u128::from_str_radix(id, 16).ok()?.to_be_bytes()))
}

fn with_content(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    from_row(row, row.get(9)?)
}

fn from_row(row: &Row<'_>, sealed: Vec<u8>) -> rusqlite::Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: row.get(0)?,
        mailbox: ObjectId(row.get(1)?),
        pin_id: row.get(2)?,
        created: Timestamp(row.get(3)?),
        leased_until: Timestamp(row.get(4)?),
        attempts: row.get(5)?,
        last_error: row.get(6)?,
        state: match row.get(7)? {
            READY => EntryState::Ready,
            UNCONFIRMED => EntryState::Unconfirmed,
            FAILED => EntryState::Failed,
            other => {
                return Err(rusqlite::Error::FromSqlConversionFailure(
                    7,
                    Type::Integer,
                    format!("{other}").into(),
                ));
            }
        },
        controller: row.get(8)?,
        sealed,
    })
}

fn state_number(state: EntryState) -> i64 {
    match state {
        EntryState::Ready => READY,
        EntryState::Unconfirmed => UNCONFIRMED,
        EntryState::Failed => FAILED,
    }
}
