//! Appending to the audit log: one chain per host, and its head.

use rusqlite::{Connection, OptionalExtension, params};

use super::audit_retention::remove_old;
use super::audit_rows::{bytes, head, heads, signed, store_head, unsigned};
use super::error::{StoreResult, changed};
use super::failure_counts;
use super::retired_keys::refuse_retired_chain;
use umpin_core::audit::{AuditBatch, AuditEntry, ChainKey, ChainKeyId, ChainKeys, ChainLink, Head};

/// Appends the entries; before them, what there is to tell of failures that were counted.
pub(super) fn append(connection: &Connection, batch: &AuditBatch) -> StoreResult<()> {
    let Some(last) = batch.entries.last().filter(|_| batch.keys.active().is_some()) else {
        return Ok(());
    };
    let mut entries = failure_counts::settle(connection, &batch.host, last.at)?;
    if entries.is_empty() {
        return write(connection, batch);
    }
    entries.extend(batch.entries.iter().cloned());
    let batch = AuditBatch {
        entries,
        ..batch.clone()
    };
    write(connection, &batch)
}

/// Appends the entries, each bound to the one before it, and moves the head of the chain; then removes what is old enough.
///
/// The chain goes on from what the head says, not from the rows that are there: so entries that were removed at the end stay
/// missed. A head that is not genuine is moved too, but never sealed again, and one that is gone is not made anew over entries:
/// whoever altered or removed it has not hidden that.
pub(super) fn write(connection: &Connection, batch: &AuditBatch) -> StoreResult<()> {
    let (Some(key), false) = (batch.keys.active(), batch.entries.is_empty()) else {
        return Ok(());
    };
    refuse_retired_chain(connection, &batch.keys)?;
    let stored = head(connection, &batch.host)?;
    let is_valid = stored.as_ref().is_none_or(|head| batch.keys.is_valid_head(head));
    let begun = stored.is_some();
    let mut head = match stored {
        Some(head) => head,
        None => without_head(connection, &batch.host)?,
    };
    let removed = !begun && head.last != ChainLink::default();
    let mut first = i64::MAX;
    for entry in &batch.entries {
        let seq = insert(connection, &mut head, key, entry)?;
        first = first.min(seq);
    }
    if is_valid {
        key.seal(&mut head);
    } else {
        head.mac = [0; 32];
    }
    if !removed {
        store_head(connection, &head)?;
    }
    if let Some(since) = batch.retain_since
        && let Some(pause) = remove_old(connection, batch, since, first)?
    {
        write(connection, &pause)?;
    }
    Ok(())
}

/// Seals the genuine heads under the active key; what somebody altered stays as it is, for everybody to see.
pub(super) fn reseal_heads(connection: &Connection, keys: &ChainKeys) -> StoreResult<()> {
    let Some(key) = keys.active() else { return Ok(()) };
    for mut head in heads(connection)?.into_iter().filter(|head| keys.is_valid_head(head)) {
        key.seal(&mut head);
        store_head(connection, &head)?;
    }
    Ok(())
}

fn insert(connection: &Connection, head: &mut Head, key: &ChainKey, entry: &AuditEntry) -> StoreResult<i64> {
    let mac = key.bind(&head.host, &head.last, entry);
    head.last = ChainLink {
        position: head.last.position.saturating_add(1),
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
            signed(head.last.position),
            key.id().0
        ])?;
    changed(rows, 1)?;
    Ok(connection.last_insert_rowid())
}

/// Where a chain without head goes on: at its beginning, or behind the entries whose head somebody removed.
fn without_head(connection: &Connection, host: &str) -> StoreResult<Head> {
    let last = connection
        .prepare_cached("SELECT position, mac FROM audit WHERE host = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([host], |row| {
            Ok(ChainLink {
                position: unsigned(row.get(0)?),
                mac: bytes(row, 1)?.unwrap_or_default(),
            })
        })
        .optional()?;
    Ok(Head {
        host: host.to_owned(),
        base: ChainLink::default(),
        base_at: None,
        last: last.unwrap_or_default(),
        key: ChainKeyId::default(),
        mac: [0; 32],
    })
}
