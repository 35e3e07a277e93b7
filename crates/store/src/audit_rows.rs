//! The audit log as rows.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::{StoreResult, changed};
use umpin_core::audit::{
    AuditEntry, Binding, ChainKeyId, ChainLink, Ending, Head, LogCursor, LogItem, LogPage, StoredEntry,
};
use umpin_core::clock::Timestamp;

pub(super) const COLUMNS: &str = "seq, host, operation, at, body, mac, position, key";

pub(super) fn store_head(connection: &Connection, head: &Head) -> StoreResult<()> {
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
            signed(head.last.position),
            head.last.mac,
            head.key.0,
            head.mac,
        ])?;
    changed(rows, 1)
}

pub(super) fn head(connection: &Connection, host: &str) -> StoreResult<Option<Head>> {
    Ok(connection
        .prepare_cached(&format!("{HEADS} WHERE host = ?1"))?
        .query_row([host], read_head)
        .optional()?)
}

pub(super) fn heads(connection: &Connection) -> StoreResult<Vec<Head>> {
    Ok(connection
        .prepare_cached(&format!("{HEADS} ORDER BY host"))?
        .query_map([], read_head)?
        .collect::<rusqlite::Result<_>>()?)
}

const HEADS: &str = "SELECT host, base_position, base_mac, base_at, position, last_mac, key, mac FROM audit_chain";

fn read_head(row: &Row<'_>) -> rusqlite::Result<Head> {
    Ok(Head {
        host: text(row, 0)?,
        base: ChainLink {
            position: unsigned(row.get(1)?),
            mac: bytes(row, 2)?.unwrap_or_default(),
        },
        base_at: row.get::<_, Option<i64>>(3)?.map(Timestamp),
        last: ChainLink {
            position: unsigned(row.get(4)?),
            mac: bytes(row, 5)?.unwrap_or_default(),
        },
        key: ChainKeyId(bytes(row, 6)?.unwrap_or_default()),
        mac: bytes(row, 7)?.unwrap_or_default(),
    })
}

/// What names the key of the newest entry, and when that was written.
pub(super) fn newest(connection: &Connection) -> StoreResult<Option<(ChainKeyId, Timestamp)>> {
    Ok(connection
        .prepare_cached("SELECT key, at FROM audit ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| {
            Ok((ChainKeyId(bytes(row, 0)?.unwrap_or_default()), Timestamp(row.get(1)?)))
        })
        .optional()?)
}

/// The entries after `seq`, oldest first.
pub(super) fn entries(connection: &Connection, seq: i64, limit: usize) -> StoreResult<Vec<StoredEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        ))?
        .query_map(params![seq, limit], read_entry)?
        .collect::<rusqlite::Result<_>>()?)
}

/// A page with the heads of the same moment.
pub(super) fn page(connection: &Connection, cursor: LogCursor, limit: usize) -> StoreResult<LogPage> {
    let heads = heads(connection)?;
    let entries = entries(connection, signed(cursor.offset), limit)?;
    let next = match entries.last() {
        Some(last) if entries.len() == limit => Some(LogCursor {
            offset: unsigned(last.seq),
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
        binding: Binding {
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
pub(super) fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; N]>> {
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

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
