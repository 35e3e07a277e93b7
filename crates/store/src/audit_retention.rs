//! Removing what is older than the log is to be: the oldest entries of each chain, and the base of its head with them.

use rusqlite::{Connection, params};

use super::audit_rows::{COLUMNS, heads, read_entry, store_head};
use super::error::{StoreResult, changed};
use umpin_core::audit::{AuditBatch, ChainKeys, GAP_MILLIS, Head, RetentionPause};
use umpin_core::clock::Timestamp;
use umpin_core::random::system_bytes;

/// Entries that one append removes at most: nobody should wait for a year to be tidied away.
const MOST: usize = 200;

/// What is old, by which clock, and where the entries begin that were just written.
struct Limits {
    since: Timestamp,
    now: Timestamp,
    first: i64,
}

/// Removes entries from before `since`, but none from `first` on: those were just written.
///
/// Only what is genuine is removed, and only from chains whose head is: a base sealed over altered entries would hide them.
///
/// Where removing pauses, the entry that says so, still to be written; it is given once, with the entries that are the first after the
/// jump of the clock.
pub(super) fn remove_old(
    connection: &Connection,
    batch: &AuditBatch,
    since: Timestamp,
    first: i64,
) -> StoreResult<Option<AuditBatch>> {
    let keys = &batch.keys;
    let (Some(key), Some(now)) = (keys.active(), batch.entries.last().map(|entry| entry.at)) else {
        return Ok(None);
    };
    if let Some(pause) = pause(connection, now, since)? {
        return entry_of(connection, batch, &pause, first);
    }
    let limits = Limits { since, now, first };
    let mut left = MOST;
    for mut head in heads(connection)? {
        if left == 0 || !keys.is_valid_head(&head) {
            continue;
        }
        let removed = remove_prefix(connection, &mut head, keys, &limits, left)?;
        if removed > 0 {
            left -= removed;
            key.seal(&mut head);
            store_head(connection, &head)?;
        }
    }
    Ok(None)
}

/// Whether removing is to pause: there is something to remove, and the entries of the last 30 days begin more than 30 days after
/// those before them. So a pause ends 30 days after the jump, or with the clock that is put right.
pub(super) fn pause(connection: &Connection, now: Timestamp, since: Timestamp) -> StoreResult<Option<RetentionPause>> {
    let time = |statement: &str, values: &[&dyn rusqlite::ToSql]| -> StoreResult<Option<i64>> {
        Ok(connection
            .prepare_cached(statement)?
            .query_row(values, |row| row.get(0))?)
    };
    if time("SELECT min(at) FROM audit", params![])?.is_none_or(|oldest| oldest >= since.0) {
        return Ok(None);
    }
    let edge = now.plus_millis(-GAP_MILLIS);
    let newest = time("SELECT max(at) FROM audit WHERE at <= ?1", params![edge.0])?;
    let first = time(
        "SELECT min(at) FROM audit WHERE at > ?1 AND at <= ?2",
        params![edge.0, now.0],
    )?;
    let first = first.unwrap_or(now.0);
    Ok(newest
        .filter(|newest| first.saturating_sub(*newest) > GAP_MILLIS)
        .map(|newest| RetentionPause {
            newest: Timestamp(newest),
            since: Timestamp(first),
            until: Timestamp(first).plus_millis(GAP_MILLIS),
        }))
}

fn entry_of(
    connection: &Connection,
    batch: &AuditBatch,
    pause: &RetentionPause,
    first: i64,
) -> StoreResult<Option<AuditBatch>> {
    let known = connection
        .prepare_cached("SELECT 1 FROM audit WHERE at >= ?1 AND at < ?2 AND seq < ?3 LIMIT 1")?
        .exists(params![pause.since.0, pause.until.0, first])?;
    if known {
        return Ok(None);
    }
    let entry = pause.entry(&batch.host, system_bytes()?, pause.since);
    Ok(Some(AuditBatch {
        entries: vec![entry],
        retain_since: None,
        ..batch.clone()
    }))
}

fn remove_prefix(
    connection: &Connection,
    head: &mut Head,
    keys: &ChainKeys,
    limits: &Limits,
    most: usize,
) -> StoreResult<usize> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE host = ?1 AND seq < ?2 ORDER BY seq LIMIT ?3"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut last = None;
    let mut last_old = None;
    let mut removed = 0;
    for stored in statement.query_map(params![head.host, limits.first, most], read_entry)? {
        let stored = stored?;
        let at = stored.entry.at;
        let is_future = at > limits.now;
        if is_future && last_old.is_none() {
            last_old = Some(newest_old(connection, &head.host, limits)?);
        }
        // What was written by a clock that was ahead is as old as what follows it.
        let is_old = at < limits.since || is_future && last_old.is_some_and(|last| stored.seq < last);
        if !is_old || !keys.is_valid_entry(&head.base, &stored) {
            break;
        }
        head.base.position += 1;
        head.base.mac = stored.mac;
        head.base_at = head.base_at.max(Some(at).filter(|_| !is_future));
        last = Some(stored.seq);
        removed += 1;
    }
    if let Some(last) = last {
        let rows = connection
            .prepare_cached("DELETE FROM audit WHERE host = ?1 AND seq <= ?2")?
            .execute(params![head.host, last])?;
        changed(rows, removed)?;
    }
    Ok(removed)
}

/// The last entry of the chain that is old; 0 where none is. Asked for only behind an entry of the future.
fn newest_old(connection: &Connection, host: &str, limits: &Limits) -> StoreResult<i64> {
    Ok(connection
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM audit WHERE host = ?1 AND seq < ?2 AND at < ?3")?
        .query_row(params![host, limits.first, limits.since.0], |row| row.get(0))?)
}
