//! The keys that were replaced, as rows, and what they forbid.

use rusqlite::{Connection, params};

use super::error::{Fault, Sql, changed};
use super::task::{Done, Task};
use super::{EmbeddedDirectory, LocalOutbox, audit, misunderstood};
use umpin_core::Result;
use umpin_core::audit::{AuditTrail, ChainKeyId, ChainKeys};
use umpin_core::clock::Timestamp;
use umpin_core::credential::keyring::KeyId;
use umpin_core::credential::seal;
use umpin_core::directory::key_register::{KeyRegister, RetiredKey, Retirement, SealedMessage, replaced};
use umpin_core::mailbox::ObjectId;

/// What is to be done about keys.
pub(super) enum KeyTask {
    Retire(Retirement),
    ResealMessage {
        message: SealedMessage,
        new: Vec<u8>,
    },
    Conclude {
        operation: [u8; 16],
        is_done: bool,
        audit: Option<AuditTrail>,
    },
}

impl KeyTask {
    /// Whether anything was changed.
    pub(super) fn perform(&self, connection: &Connection) -> Sql<bool> {
        match self {
            Self::Retire(step) => {
                for key in &step.keys {
                    store(connection, key)?;
                }
                audit::reseal_heads(connection, &step.chain)?;
                append(connection, step.audit.as_ref())?;
                Ok(true)
            }
            Self::ResealMessage { message, new } => {
                refuse_retired(connection, [Some(new.as_slice())])?;
                let rows = connection
                    .prepare_cached("UPDATE outbox SET sealed = ?3 WHERE id = ?1 AND sealed = ?2")?
                    .execute(params![message.id, message.sealed, new])?;
                Ok(rows == 1)
            }
            Self::Conclude {
                operation,
                is_done,
                audit,
            } => {
                connection
                    .prepare_cached("UPDATE retired_key SET done = ?2 WHERE operation = ?1")?
                    .execute(params![operation, is_done])?;
                append(connection, audit.as_ref())?;
                Ok(true)
            }
        }
    }
}

fn append(connection: &Connection, trail: Option<&AuditTrail>) -> Sql<()> {
    trail.map_or(Ok(()), |trail| audit::append(connection, trail))
}

fn store(connection: &Connection, key: &RetiredKey) -> Sql<()> {
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

pub(super) fn all(connection: &Connection) -> Sql<Vec<RetiredKey>> {
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

/// Whether one of these values is sealed under a key that was replaced.
pub(super) fn is_any_retired<'a>(
    connection: &Connection,
    values: impl IntoIterator<Item = Option<&'a [u8]>>,
) -> Sql<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM retired_key WHERE id = ?1")?;
    for id in values.into_iter().flatten().filter_map(seal::key_id) {
        if statement.exists([id.0])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses values that are sealed under a key that was replaced.
pub(super) fn refuse_retired<'a>(
    connection: &Connection,
    values: impl IntoIterator<Item = Option<&'a [u8]>>,
) -> Sql<()> {
    if is_any_retired(connection, values)? {
        return Err(Fault::Own(replaced()));
    }
    Ok(())
}

/// Refuses entries that would be chained with the sub-key of a key that was replaced: their process does not know the new one,
/// and could not tell whether the head is genuine.
pub(super) fn refuse_retired_chain(connection: &Connection, keys: &ChainKeys) -> Sql<()> {
    let Some(key) = keys.active() else { return Ok(()) };
    let retired = connection
        .prepare_cached("SELECT 1 FROM retired_key WHERE chain = ?1")?
        .exists([key.id().0])?;
    if retired { Err(Fault::Own(replaced())) } else { Ok(()) }
}

fn messages(connection: &Connection, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Sql<Vec<SealedMessage>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // The key id stands behind the magic and the version.
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

impl EmbeddedDirectory {
    fn key_task(&self, task: KeyTask) -> Result<bool> {
        match self.write(Task::Key(Box::new(task)))? {
            Done::Key(changed) => Ok(changed),
            _ => Err(misunderstood()),
        }
    }
}

impl KeyRegister for EmbeddedDirectory {
    fn retired_keys(&self) -> Result<Vec<RetiredKey>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(all)
    }

    fn retire(&self, step: Retirement) -> Result<()> {
        self.key_task(KeyTask::Retire(step)).map(drop)
    }

    fn messages_under_others(&self, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<SealedMessage>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(|c| messages(c, key, after, limit))
    }

    fn reseal_message(&self, message: &SealedMessage, new: Vec<u8>) -> Result<bool> {
        let message = SealedMessage {
            id: message.id,
            mailbox: message.mailbox,
            sealed: message.sealed.clone(),
        };
        self.key_task(KeyTask::ResealMessage { message, new })
    }

    fn conclude(&self, operation: [u8; 16], is_done: bool, audit: Option<AuditTrail>) -> Result<()> {
        let task = KeyTask::Conclude {
            operation,
            is_done,
            audit,
        };
        self.key_task(task).map(drop)
    }
}

impl KeyRegister for LocalOutbox {
    fn retired_keys(&self) -> Result<Vec<RetiredKey>> {
        self.store().retired_keys()
    }

    fn retire(&self, step: Retirement) -> Result<()> {
        // There is no file before the first change.
        self.store().ensure()?;
        self.store().retire(step)
    }

    fn messages_under_others(&self, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<SealedMessage>> {
        self.store().messages_under_others(key, after, limit)
    }

    fn reseal_message(&self, message: &SealedMessage, new: Vec<u8>) -> Result<bool> {
        self.store().reseal_message(message, new)
    }

    fn conclude(&self, operation: [u8; 16], is_done: bool, audit: Option<AuditTrail>) -> Result<()> {
        self.store().conclude(operation, is_done, audit)
    }
}
