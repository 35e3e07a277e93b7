//! The rows of the outbox.
//!
//! Leases, deferrals and removals are committed without a sync: a power failure that undoes them causes at worst a message that is
//! sent twice. The next synced commit of the write-ahead log makes them durable.

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};

use super::audit;
use super::error::{StoreResult, changed};
use super::retired_keys::refuse_retired;
use umpin_core::audit::AuditBatch;
use umpin_core::clock::Timestamp;
use umpin_core::directory::Page;
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::{EntryState, Lease, OutboxEntry};
use umpin_core::{Error, ErrorCode};

const READY: i64 = 0;
const UNCONFIRMED: i64 = 1;
const FAILED: i64 = 2;

const COLUMNS: &str = "id, mailbox, pin_id, created, leased_until, attempts, last_error, state, controller";

/// Whether [`release`] with these arguments is in force, after a commit that reported an error.
pub(super) fn is_released(connection: &Connection, lease: Lease, until: Timestamp) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE id = ?1 AND state = ?2 AND leased_until = ?3")?
        .exists(params![lease.id, READY, until.0])?)
}

fn append(connection: &Connection, batch: Option<&AuditBatch>) -> StoreResult<()> {
    batch.map_or(Ok(()), |batch| audit::append(connection, batch))
}

pub(super) fn insert(connection: &Connection, entry: &OutboxEntry) -> StoreResult<()> {
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

/// Whether anything can be leased or forgotten. A read, so that an idle outbox costs no write.
pub(super) fn is_due(connection: &Connection, due: Timestamp, now: Timestamp) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE due <= ?1 UNION ALL SELECT 1 FROM outbox WHERE noted > ?2 LIMIT 1")?
        .exists([due.0, now.0])?)
}

/// Corrects entries that were written in the future, because the clock was set back since. A deferred entry becomes due. A lease begins
/// again, so that it ends in time and the holder keeps it. A failed entry is kept for the same time from now.
fn follow_clock(connection: &Connection, now: Timestamp) -> StoreResult<()> {
    connection
        .prepare_cached(
            "UPDATE outbox SET due = CASE WHEN held OR state = ?2 THEN ?1 + max(0, due - noted) ELSE ?1 END, noted = ?1 \
             WHERE noted > ?1",
        )?
        .execute(params![now.0, FAILED])?;
    Ok(())
}

/// Whether there is a failure that was not reported yet. A read, for the same reason.
pub(super) fn has_failures(connection: &Connection) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE untold LIMIT 1")?
        .exists([])?)
}

pub(super) fn release(connection: &Connection, lease: Lease, until: Timestamp) -> StoreResult<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE outbox SET state = ?3, leased_until = ?4, due = ?4, held = 1 \
             WHERE id = ?1 AND leased_until = ?2 AND held AND state <> 2",
        )?
        .execute(params![lease.id, lease.until.0, READY, until.0])?;
    Ok(changed == 1)
}

pub(super) fn lease_due(
    connection: &Connection,
    due: Timestamp,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> StoreResult<Vec<OutboxEntry>> {
    follow_clock(connection, now)?;
    forget_failures(connection, due)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let entries = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, sealed FROM outbox WHERE due <= ?1 AND state <> ?2 ORDER BY created, id LIMIT ?3"
        ))?
        .query_map(params![due.0, FAILED, limit], with_content)?
        .collect::<rusqlite::Result<_>>()?;
    hold(connection, entries, now, until)
}

pub(super) fn lease(
    connection: &Connection,
    id: [u8; 16],
    now: Timestamp,
    until: Timestamp,
) -> StoreResult<Vec<OutboxEntry>> {
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
) -> StoreResult<Vec<OutboxEntry>> {
    let mut update = connection
        .prepare_cached("UPDATE outbox SET leased_until = ?2, due = ?2, noted = ?3, held = 1 WHERE id = ?1")?;
    for entry in &mut entries {
        changed(update.execute(params![entry.id, until.0, now.0])?, 1)?;
        entry.leased_until = until;
    }
    Ok(entries)
}

pub(super) fn remove(connection: &Connection, id: [u8; 16]) -> StoreResult<()> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
        .execute([id])?;
    Ok(())
}

pub(super) fn defer(connection: &Connection, lease: Lease, until: Timestamp, error: &str) -> StoreResult<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE outbox SET leased_until = ?3, due = ?3, last_error = ?4, attempts = attempts + 1, held = 0 \
             WHERE id = ?1 AND leased_until = ?2 AND held AND state <> 2",
        )?
        .execute(params![lease.id, lease.until.0, until.0, error])?;
    Ok(changed == 1)
}

pub(super) fn discard(connection: &Connection, id: [u8; 16], batch: Option<&AuditBatch>) -> StoreResult<()> {
    remove(connection, id)?;
    append(connection, batch)
}

pub(super) fn fail(
    connection: &Connection,
    lease: Lease,
    keep_until: Timestamp,
    error: &str,
    batch: Option<&AuditBatch>,
) -> StoreResult<bool> {
    let changed = connection
        .prepare_cached(
            "UPDATE outbox SET state = ?3, leased_until = ?4, due = ?4, last_error = ?5, attempts = attempts + 1, held = 0, \
             untold = 1, sealed = zeroblob(0) WHERE id = ?1 AND leased_until = ?2 AND held AND state <> 2",
        )?
        .execute(params![lease.id, lease.until.0, FAILED, keep_until.0, error])?;
    let is_leased = changed == 1;
    if is_leased {
        append(connection, batch)?;
    }
    Ok(is_leased)
}

fn forget_failures(connection: &Connection, now: Timestamp) -> StoreResult<()> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE due <= ?1 AND state = ?2")?
        .execute(params![now.0, FAILED])?;
    Ok(())
}

pub(super) fn take_failures(connection: &Connection) -> StoreResult<Vec<OutboxEntry>> {
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

/// A page of the list, after the time and id of the last entry of the page before.
pub(super) fn page(
    connection: &Connection,
    mailbox: Option<ObjectId>,
    after: Option<&str>,
    limit: usize,
) -> StoreResult<Page<OutboxEntry>> {
    let (created, id) = match after {
        None => (i64::MIN, [0; 16]),
        Some(cursor) => parse_cursor(cursor).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidRequest,
                "The cursor of the list of messages is not valid.",
            )
        })?,
    };
    let limit = limit.max(1);
    // One row more shows whether there is another page.
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
