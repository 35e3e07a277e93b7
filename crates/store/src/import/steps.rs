//! An import into a store that others use: matched in short read transactions, staged in short steps, then in force at once.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::audit;
use super::super::connection::StoreConnection;
use super::super::error::{StoreError, StoreResult};
use super::super::lock::LockGuard;
use super::super::overlay;
use super::super::store_files::StoreFiles;
use super::{Reader, Resolved, confirm_guids, import_policies, resolve, write_all};
use umpin_core::audit::AuditBatch;
use umpin_core::directory::ImportCounts;
use umpin_core::import::ImportPlan;
use umpin_core::{Error, ErrorCode, Result};

/// So long a step works before it commits. With the sync and the checkpoint, the lock is held two to three times as long.
const STEP: Duration = Duration::from_millis(25);

/// So many changes are made in one transaction instead: it takes no longer than a step.
const AT_ONCE: usize = 100;

/// GUIDs that are confirmed in one transaction.
const CONFIRMED_AT_ONCE: usize = 1000;

/// How often an import starts again because another process changed mailboxes.
const ATTEMPTS: usize = 5;

/// Imports. The caller holds the import lock (`StoreFiles::import_lock`).
pub(in super::super) fn import(
    files: &StoreFiles,
    plan: &ImportPlan,
    batch: Option<&AuditBatch>,
    read: Reader<'_, Error>,
) -> Result<ImportCounts> {
    let mut store = StoreConnection::default();
    // What an import that died left behind.
    clear(files, &mut store)?;
    for _ in 0..ATTEMPTS {
        let mut revision = 0;
        read(&mut |connection| {
            revision = overlay::revision(connection)?;
            Ok(())
        })?;
        let mut resolved = resolve(plan, read)?;
        if !resolved.counts.refused.is_empty() {
            return Ok(resolved.counts);
        }
        let staged = resolved.changes.len() > AT_ONCE || resolved.confirmed.len() > AT_ONCE;
        if staged && let Err(error) = stage(files, &mut store, plan, &mut resolved) {
            clear(files, &mut store)?;
            return Err(error);
        }
        let done = switch(files, &mut store, plan, batch, revision, staged, &mut resolved);
        if !matches!(done, Ok(true)) {
            clear(files, &mut store)?;
        } else if staged {
            // It is in force; what is not in its place yet is moved by whoever writes next.
            let _ = settle(files, &mut store, &resolved);
        }
        if done? || !resolved.counts.refused.is_empty() {
            return Ok(resolved.counts);
        }
    }
    Err(Error::new(
        ErrorCode::WriteConflict,
        "Others changed mailboxes again and again while the file was imported; nothing was imported.",
    ))
}

/// Work in a transaction of its own, under the exclusive lock.
fn transaction<T>(
    files: &StoreFiles,
    store: &mut StoreConnection,
    work: impl FnOnce(&Connection) -> StoreResult<T>,
) -> Result<T> {
    let guard = store.enter_write(files)?;
    let carry_out = || -> StoreResult<T> {
        store.begin()?;
        let connection = store.connection()?;
        let answer = work(connection)?;
        if !connection.is_autocommit() {
            connection.execute_batch("COMMIT")?;
        }
        Ok(answer)
    };
    let answer = carry_out().map_err(|f| f.at(&files.store));
    end(files, store, guard, answer.is_err());
    answer
}

fn end(files: &StoreFiles, store: &mut StoreConnection, guard: LockGuard, failed: bool) {
    files.record_shm_length();
    if failed {
        // Closing rolls back what is open.
        store.close();
    } else {
        store.checkpoint_if_long(files);
    }
    drop(guard);
}

fn stage(files: &StoreFiles, store: &mut StoreConnection, plan: &ImportPlan, resolved: &mut Resolved) -> Result<()> {
    let mut next = 0;
    while next < resolved.changes.len() {
        plan.cancellation.check()?;
        let from = next;
        let changes = &mut resolved.changes;
        next = transaction(files, store, |connection| {
            let begun = Instant::now();
            let mut at = from;
            let mut id = overlay::next_id(connection)?;
            while at < changes.len() && (at == from || begun.elapsed() < STEP) {
                let change = &mut changes[at];
                let key = change.id.unwrap_or_else(|| {
                    id += 1;
                    id - 1
                });
                overlay::stage(connection, key, &change.after, change.guid_given)?;
                at += 1;
            }
            Ok(at)
        })?;
    }
    Ok(())
}

/// Makes the import whole. False: others changed mailboxes since it was matched, or rows were refused.
fn switch(
    files: &StoreFiles,
    store: &mut StoreConnection,
    plan: &ImportPlan,
    batch: Option<&AuditBatch>,
    revision: u64,
    staged: bool,
    resolved: &mut Resolved,
) -> Result<bool> {
    transaction(files, store, |connection| {
        if overlay::revision(connection)? != revision {
            // The change makes connections that read something old look again.
            overlay::advance_revision(connection)?;
            return Ok(false);
        }
        import_policies(connection, plan, resolved, true)?;
        if !resolved.counts.refused.is_empty() {
            connection.execute_batch("ROLLBACK")?;
            return Ok(false);
        }
        if staged {
            overlay::put_in_force(connection)?;
        } else {
            write_all(connection, plan, resolved)?;
        }
        overlay::advance_revision(connection)?;
        if let Some(batch) = batch {
            audit::append(connection, batch)?;
        }
        plan.cancellation.enter_commit().map_err(StoreError::Core)?;
        connection.execute_batch("COMMIT")?;
        Ok(true)
    })
}

/// What is in force, but not in its place yet.
fn settle(files: &StoreFiles, store: &mut StoreConnection, resolved: &Resolved) -> Result<()> {
    clear(files, store)?;
    for ids in resolved.confirmed.chunks(CONFIRMED_AT_ONCE) {
        transaction(files, store, |connection| confirm_guids(connection, ids))?;
    }
    Ok(())
}

/// Moves what is staged and in force to its place; removes what is not in force.
fn clear(files: &StoreFiles, store: &mut StoreConnection) -> Result<()> {
    while !transaction(files, store, step)? {}
    Ok(())
}

/// One step of it, inside a transaction; whether nothing is left.
pub(in super::super) fn step(connection: &Connection) -> StoreResult<bool> {
    let begun = Instant::now();
    let mut first = true;
    overlay::clear(connection, || std::mem::take(&mut first) || begun.elapsed() < STEP)
}
