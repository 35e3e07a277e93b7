//! Removing what is older than the log is to be: the oldest entries of each chain, and the base of its head with them.

use rusqlite::{Connection, params};

use super::audit::{COLUMNS, heads, read_entry, store_head};
use super::error::{Sql, changed};
use crate::audit::{ChainKeys, Head};
use crate::clock::Timestamp;

/// Entries that one append removes at most: nobody should wait for a year to be tidied away.
const MOST: usize = 200;

/// Removes entries from before `since`, but none from `first` on: those were just written.
///
/// Only what is genuine is removed, and only from chains whose head is: a base sealed over altered entries would hide them.
pub(super) fn remove_old(connection: &Connection, keys: &ChainKeys, since: Timestamp, first: i64) -> Sql<()> {
    let Some(key) = keys.active() else { return Ok(()) };
    let mut left = MOST;
    for mut head in heads(connection)? {
        if left == 0 || !keys.sealed(&head) {
            continue;
        }
        let removed = remove_prefix(connection, &mut head, keys, since, first, left)?;
        if removed > 0 {
            left -= removed;
            key.seal(&mut head);
            store_head(connection, &head)?;
        }
    }
    Ok(())
}

fn remove_prefix(
    connection: &Connection,
    head: &mut Head,
    keys: &ChainKeys,
    since: Timestamp,
    first: i64,
    most: usize,
) -> Sql<usize> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM audit WHERE host = ?1 AND seq < ?2 ORDER BY seq LIMIT ?3"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut last = None;
    let mut removed = 0;
    for stored in statement.query_map(params![head.host, first, most], read_entry)? {
        let stored = stored?;
        if stored.entry.at >= since || !keys.follows(&head.base, &stored) {
            break;
        }
        head.base.position += 1;
        head.base.mac = stored.mac;
        head.base_at = head.base_at.max(Some(stored.entry.at));
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
