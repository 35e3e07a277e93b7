//! The rows of the keys that were replaced.

use rusqlite::{Connection, params};

use super::audit;
use super::error::{StoreResult, changed};
use super::retired_keys::refuse_retired;
use umpin_core::audit::{AuditBatch, ChainKeyId};
use umpin_core::clock::Timestamp;
use umpin_core::credential::master_key::KeyId;
use umpin_core::directory::key_register::{RetiredKey, Retirement, SealedMessage};
use umpin_core::mailbox::ObjectId;

pub(super) fn retire(connection: &Connection, step: &Retirement) -> StoreResult<()> {
    for key in &step.keys {
        store(connection, key)?;
    }
    audit::reseal_heads(connection, &step.chain)?;
    append(connection, step.audit.as_ref())
}

/// False: the message was changed or removed meanwhile.
pub(super) fn reseal_message(connection: &Connection, id: [u8; 16], sealed: &[u8], new: &[u8]) -> StoreResult<bool> {
    refuse_retired(connection, [Some(new)])?;
    let rows = connection
        .prepare_cached("UPDATE outbox SET sealed = ?3 WHERE id = ?1 AND sealed = ?2")?
        .execute(params![id, sealed, new])?;
    Ok(rows == 1)
}

pub(super) fn conclude(
    connection: &Connection,
    operation: [u8; 16],
    is_done: bool,
    batch: Option<&AuditBatch>,
) -> StoreResult<()> {
    connection
        .prepare_cached("UPDATE retired_key SET done = ?2 WHERE operation = ?1")?
        .execute(params![operation, is_done])?;
    append(connection, batch)
}

fn append(connection: &Connection, batch: Option<&AuditBatch>) -> StoreResult<()> {
    batch.map_or(Ok(()), |batch| audit::append(connection, batch))
}

fn store(connection: &Connection, key: &RetiredKey) -> StoreResult<()> {
    let rows = connection
        .prepare_cached(
            "INSERT INTO retired_key (id, successor, chain, audit_key, at, operation, done) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (id) DO UPDATE SET audit_key = excluded.audit_key",
        )?
        .execute(params![
            key.id.0,
            key.successor.0,
            key.chain.0,
            key.audit_key,
            key.at.0,
            key.operation,
            key.is_done
        ])?;
    changed(rows, 1)
}

pub(super) fn all(connection: &Connection) -> StoreResult<Vec<RetiredKey>> {
    Ok(connection
        .prepare_cached("SELECT id, successor, chain, audit_key, at, operation, done FROM retired_key ORDER BY at, id")?
        .query_map([], |row| {
            Ok(RetiredKey {
                id: KeyId(row.get(0)?),
                successor: KeyId(row.get(1)?),
                chain: ChainKeyId(row.get(2)?),
                audit_key: row.get(3)?,
                at: Timestamp(row.get(4)?),
                operation: row.get(5)?,
                is_done: row.get(6)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}

pub(super) fn messages(
    connection: &Connection,
    key: KeyId,
    after: Option<[u8; 16]>,
    limit: usize,
) -> StoreResult<Vec<SealedMessage>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // The key id is behind the magic and the version.
    Ok(connection
        .prepare_cached(
            "SELECT id, mailbox, sealed FROM outbox WHERE id > ?1 AND length(sealed) > 0 AND substr(sealed, 5, 8) <> ?2 \
             ORDER BY id LIMIT ?3",
        )?
        .query_map(params![after.map_or(Vec::new(), |id| id.to_vec()), key.0, limit], |row| {
            Ok(SealedMessage {
                id: row.get(0)?,
                mailbox: ObjectId(row.get(1)?),
                sealed: row.get(2)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}
