//! The outbox as rows. Only the insertion with its change must be durable at once: leasing, putting off and removing are
//! committed without a sync, because what a power cut takes back is at worst a message sent twice. A later synced commit in the
//! same write-ahead log makes them durable too, and a torn tail never reaches further back than the last sync.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::Sql;
use crate::clock::Timestamp;
use crate::mailbox::ObjectId;
use crate::notification::outbox::OutboxEntry;

pub(super) fn insert(connection: &Connection, entry: &OutboxEntry) -> Sql<()> {
    connection
        .prepare_cached(
            "INSERT INTO outbox (id, mailbox, pin_id, created, sealed, leased_until, attempts, last_error) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            entry.id,
            entry.mailbox.0,
            entry.pin_id,
            entry.created.0,
            entry.sealed,
            entry.leased_until.0,
            entry.attempts,
            entry.last_error,
        ])?;
    Ok(())
}

/// Whether anything can be leased: a reader's question, so that an idle outbox costs no write.
pub(super) fn is_due(connection: &Connection, now: Timestamp) -> Sql<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM outbox WHERE leased_until <= ?1 LIMIT 1")?
        .query_row([now.0], |_| Ok(()))
        .optional()?
        .is_some())
}

pub(super) fn lease(connection: &Connection, now: Timestamp, until: Timestamp, limit: usize) -> Sql<Vec<OutboxEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut entries: Vec<OutboxEntry> = connection
        .prepare_cached(
            "SELECT id, mailbox, pin_id, created, sealed, leased_until, attempts, last_error FROM outbox \
             WHERE leased_until <= ?1 ORDER BY created, id LIMIT ?2",
        )?
        .query_map(params![now.0, limit], from_row)?
        .collect::<rusqlite::Result<_>>()?;
    let mut update = connection.prepare_cached("UPDATE outbox SET leased_until = ?2 WHERE id = ?1")?;
    for entry in &mut entries {
        update.execute(params![entry.id, until.0])?;
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

pub(super) fn defer(connection: &Connection, id: [u8; 16], until: Timestamp, error: &str) -> Sql<()> {
    connection
        .prepare_cached("UPDATE outbox SET leased_until = ?2, last_error = ?3, attempts = attempts + 1 WHERE id = ?1")?
        .execute(params![id, until.0, error])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: row.get(0)?,
        mailbox: ObjectId(row.get(1)?),
        pin_id: row.get(2)?,
        created: Timestamp(row.get(3)?),
        sealed: row.get(4)?,
        leased_until: Timestamp(row.get(5)?),
        attempts: row.get(6)?,
        last_error: row.get(7)?,
    })
}
