//! The audit log as rows: one chain per host, and its head.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_failures;
use super::audit_retention::remove_old;
use super::error::{Sql, changed};
use super::key_register::refuse_retired_chain;
use crate::audit::{
    AuditEntry, AuditTrail, Bound, ChainKey, ChainKeyId, ChainKeys, Ending, Head, LogItem, LogPage, Place, Point,
    StoredEntry,
};
use crate::clock::Timestamp;

pub(super) const COLUMNS: &str = "seq, host, operation, at, body, mac, position, key";

/// Appends the entries; before them, what there is to tell of failures that were counted.
pub(super) fn append(connection: &Connection, trail: &AuditTrail) -> Sql<()> {
    let Some(last) = trail.entries.last().filter(|_| trail.keys.active().is_some()) else {
        return Ok(());
    };
    let mut entries = audit_failures::settle(connection, &trail.host, last.at)?;
    if entries.is_empty() {
        return write(connection, trail);
    }
    entries.extend(trail.entries.iter().cloned());
    let trail = AuditTrail {
        entries,
        ..trail.clone()
    };
    write(connection, &trail)
}

/// Appends the entries, each bound to the one before it, and moves the head of the chain; then removes what is old enough.
///
/// The chain goes on from what the head says, not from the rows that are there: so entries that were removed at the end stay
/// missed. A head that is not genuine is moved too, but never sealed again, and one that is gone is not made anew over entries:
/// whoever altered or removed it has not hidden that.
pub(super) fn write(connection: &Connection, trail: &AuditTrail) -> Sql<()> {
    let (Some(key), false) = (trail.keys.active(), trail.entries.is_empty()) else {
        return Ok(());
    };
    refuse_retired_chain(connection, &trail.keys)?;
    let stored = head(connection, &trail.host)?;
    let genuine = stored.as_ref().is_none_or(|head| trail.keys.sealed(head));
    let begun = stored.is_some();
    let mut head = match stored {
        Some(head) => head,
        None => without_head(connection, &trail.host)?,
    };
    let removed = !begun && head.tip != Point::default();
    let mut first = i64::MAX;
    for entry in &trail.entries {
        let seq = insert(connection, &mut head, key, entry)?;
        first = first.min(seq);
    }
    if genuine {
        key.seal(&mut head);
    } else {
        head.mac = [0; 32];
    }
    if !removed {
        store_head(connection, &head)?;
    }
    if let Some(since) = trail.retain_since {
        remove_old(connection, trail, since, first)?;
    }
    Ok(())
}

/// Seals the genuine heads under the active key; what somebody altered stays as it is, for everybody to see.
pub(super) fn reseal_heads(connection: &Connection, keys: &ChainKeys) -> Sql<()> {
    let Some(key) = keys.active() else { return Ok(()) };
    for mut head in heads(connection)?.into_iter().filter(|head| keys.sealed(head)) {
        key.seal(&mut head);
        store_head(connection, &head)?;
    }
    Ok(())
}

fn insert(connection: &Connection, head: &mut Head, key: &ChainKey, entry: &AuditEntry) -> Sql<i64> {
    let mac = key.bind(&head.host, &head.tip, entry);
    head.tip = Point {
        position: head.tip.position.saturating_add(1),
        mac,
    };
    let rows = connection
        .prepare_cached(
            "INSERT INTO audit (host, operation, at, body, mac, position, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            head.host,
            entry.operation,
            entry.at.0,
            entry.body,
            mac,
            signed(head.tip.position),
            key.id().0
        ])?;
    changed(rows, 1)?;
    Ok(connection.last_insert_rowid())
}

/// Where a chain without head goes on: at its beginning, or behind the entries whose head somebody removed.
fn without_head(connection: &Connection, host: &str) -> Sql<Head> {
    let last = connection
        .prepare_cached("SELECT position, mac FROM audit WHERE host = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([host], |row| {
            Ok(Point {
                position: unsigned(row.get(0)?),
                mac: bytes(row, 1)?.unwrap_or_default(),
            })
        })
        .optional()?;
    Ok(Head {
        host: host.to_owned(),
        base: Point::default(),
        base_at: None,
        tip: last.unwrap_or_default(),
        key: ChainKeyId::default(),
        mac: [0; 32],
    })
}

pub(super) fn store_head(connection: &Connection, head: &Head) -> Sql<()> {
    let rows = connection
        .prepare_cached(
            "INSERT INTO audit_chain (host, base_position, base_mac, base_at, position, last_mac, key, mac) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (host) DO UPDATE SET \
             base_position = excluded.base_position, base_mac = excluded.base_mac, base_at = excluded.base_at, \
             position = excluded.position, last_mac = excluded.last_mac, \
             key = excluded.key, mac = excluded.mac",
        )?
        .execute(params![
            head.host,
            signed(head.base.position),
            head.base.mac,
            head.base_at.map(|at| at.0),
            signed(head.tip.position),
            head.tip.mac,
            head.key.0,
            head.mac,
        ])?;
    changed(rows, 1)
}

pub(super) fn head(connection: &Connection, host: &str) -> Sql<Option<Head>> {
    Ok(connection
        .prepare_cached(&format!("{HEADS} WHERE host = ?1"))?
        .query_row([host], read_head)
        .optional()?)
}

pub(super) fn heads(connection: &Connection) -> Sql<Vec<Head>> {
    Ok(connection
        .prepare_cached(&format!("{HEADS} ORDER BY host"))?
        .query_map([], read_head)?
        .collect::<rusqlite::Result<_>>()?)
}

const HEADS: &str = "SELECT host, base_position, base_mac, base_at, position, last_mac, key, mac FROM audit_chain";

fn read_head(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        host: text(row, 0)?,
        base: Point {
            position: unsigned(row.get(1)?),
            mac: bytes(row, 2)?.unwrap_or_default(),
        },
        base_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
        tip: Point {
            position: unsigned(row.get(4)?),
            mac: bytes(row, 5)?.unwrap_or_default(),
        },
        key: ChainKeyId(bytes(row, 6)?.unwrap_or_default()),
        mac: bytes(row, 7)?.unwrap_or_default(),
    })
}

/// What names the key of the newest entry, and when that was written.
pub(super) fn newest(connection: &Connection) -> Sql<Option<(ChainKeyId, Timestamp)>> {
    Ok(connection
        .prepare_cached("SELECT key, at FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| {
            Ok((ChainKeyId(bytes(row, 0)?.unwrap_or_default()), Timestamp(row.get(1)?)))
        })
        .optional()?)
}

/// The entries after `seq`, oldest first.
pub(super) fn entries(connection: &Connection, seq: i64, limit: usize) -> Sql<Vec<StoredEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        ))?
        .query_map(params![seq, limit], read_entry)?
        .collect::<rusqlite::Result<_>>()?)
}

/// A page with the heads of the same moment.
pub(super) fn page(connection: &Connection, place: Place, limit: usize) -> Sql<LogPage> {
    let heads = heads(connection)?;
    let entries = entries(connection, signed(place.at), limit)?;
    let next = match entries.last() {
        Some(last) if entries.len() == limit => Some(Place {
            at: unsigned(last.seq),
            line: 0,
        }),
        _ => None,
    };
    let start = |head: &Head| LogItem::Start {
        host: head.host.clone(),
        base: head.base,
    };
    let mut items: Vec<LogItem> = heads.iter().map(start).collect();
    items.extend(entries.into_iter().map(LogItem::Entry));
    if next.is_none() {
        items.extend(heads.into_iter().map(LogItem::Head));
    }
    Ok(LogPage {
        items,
        next,
        ending: Ending::Complete,
    })
}

/// What was altered must come out as an entry that does not fit, and not as an error that hides the others.
pub(super) fn read_entry(row: &Row<'_>) -> rusqlite::Result<StoredEntry> {
    let operation = bytes(row, 2)?;
    let mac = bytes(row, 5)?.filter(|_| operation.is_some());
    Ok(StoredEntry {
        seq: row.get(0)?,
        host: text(row, 1)?,
        bound: Bound {
            position: unsigned(row.get(6)?),
            key: ChainKeyId(bytes(row, 7)?.unwrap_or_default()),
        },
        entry: AuditEntry {
            operation: operation.unwrap_or_default(),
            at: Timestamp(row.get(3)?),
            body: text(row, 4)?,
        },
        mac: mac.unwrap_or_default(),
    })
}

/// `None`: of another length.
fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; N]>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(blob) => blob.try_into().ok(),
        _ => None,
    })
}

fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    })
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
