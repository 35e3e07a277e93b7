//! A group of commands in one transaction: each in its own savepoint, one commit, one sync, then the replies.

use rusqlite::Connection;

use super::command::{Group, Job};
use super::connection::StoreConnection;
use super::error::{StoreError, StoreResult, duplicate, outcome_unknown};
use super::store_files::StoreFiles;
use super::{import, overlay};
use umpin_core::cancellation::Cancellation;
use umpin_core::{Error, Result};

type Jobs = [Box<dyn Job>];

/// The failure of a whole transaction.
pub(super) enum TransactionError {
    /// Before the commit: it is rolled back.
    BeforeCommit(StoreError),
    /// The commit itself failed: what it wrote may be in the log.
    Commit(StoreError),
}

/// Runs the jobs and replies to each. Returns whether anything was written.
pub(super) fn run(files: &StoreFiles, store: &mut StoreConnection, mut jobs: Group) -> bool {
    let guard = match store.enter_write(files) {
        Ok(guard) => guard,
        Err(error) => {
            reply_error(jobs, &error);
            return false;
        }
    };
    let result = match store.connection() {
        Ok(connection) => transact(connection, &|| store.begin(), &mut jobs),
        Err(error) => Err(TransactionError::BeforeCommit(error)),
    };
    files.record_shm_length();
    match result {
        // After the sync: a reply of success is durable.
        Ok(()) => {
            if jobs.iter().any(|job| job.wipes_log()) {
                store.checkpoint(files);
            }
            reply(files, jobs);
        }
        Err(TransactionError::BeforeCommit(error)) => {
            let breaks_connection = error.breaks_connection();
            roll_back(store);
            if breaks_connection {
                store.close();
            }
            reply_error(jobs, &error.at(&files.store));
        }
        Err(TransactionError::Commit(error)) => {
            let error = error.at(&files.store);
            match resolve_commit(files, store, &jobs) {
                Ok(CommitOutcome::InForce) => reply(files, jobs),
                Ok(CommitOutcome::Undone) => reply_error(jobs, &error),
                Err(_) => {
                    store.close();
                    let unknown = outcome_unknown(&files.store).caused_by(error.to_string());
                    reply_error(jobs, &unknown);
                }
            }
        }
    }
    continue_abandoned_import(files, store);
    store.checkpoint_if_long(files);
    drop(guard);
    true
}

/// Runs one step of an import whose process died. An import that is running does its steps itself.
fn continue_abandoned_import(files: &StoreFiles, store: &mut StoreConnection) {
    let is_abandoned = store
        .connection()
        .is_ok_and(|c| matches!(overlay::is_empty(c), Ok(false)));
    if !is_abandoned {
        return;
    }
    let Some(_lock) = files.try_import_lock() else { return };
    let result = store.begin().and_then(|()| {
        let connection = store.connection()?;
        import::steps::step(connection)?;
        Ok(connection.execute_batch("COMMIT")?)
    });
    files.record_shm_length();
    if result.is_err() {
        store.close();
    }
}

fn reply(files: &StoreFiles, jobs: Group) {
    for job in jobs {
        job.reply(&files.store);
    }
}

fn reply_error(jobs: Group, error: &Error) {
    for job in jobs {
        job.reply_error(duplicate(error));
    }
}

fn roll_back(store: &StoreConnection) {
    if let Ok(connection) = store.connection()
        && !connection.is_autocommit()
    {
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// Runs the jobs in a transaction that `begin` begins.
pub(super) fn transact(
    connection: &Connection,
    begin: &dyn Fn() -> StoreResult<()>,
    jobs: &mut Jobs,
) -> Result<(), TransactionError> {
    let before = |e: rusqlite::Error| TransactionError::BeforeCommit(StoreError::Sqlite(e));
    // `outbox.rs` says why some commands need no sync.
    connection
        .execute_batch(if jobs.iter().any(|job| job.is_durable()) {
            "PRAGMA synchronous = FULL"
        } else {
            "PRAGMA synchronous = NORMAL"
        })
        .map_err(before)?;
    begin().map_err(TransactionError::BeforeCommit)?;
    for job in jobs.iter_mut() {
        if let Err(cancelled) = job.cancellation().map_or(Ok(()), Cancellation::check) {
            job.set_error(StoreError::Core(cancelled));
            continue;
        }
        connection.execute_batch("SAVEPOINT change").map_err(before)?;
        let succeeded = job.run(connection);
        // Some errors (a full disk, a failed read) make SQLite roll back the whole transaction.
        if connection.is_autocommit() {
            let error = job.take_error();
            let error = error.unwrap_or(StoreError::Sqlite(rusqlite::Error::InvalidQuery));
            return Err(TransactionError::BeforeCommit(error));
        }
        connection
            .execute_batch(if succeeded {
                "RELEASE change"
            } else {
                "ROLLBACK TO change; RELEASE change"
            })
            .map_err(before)?;
    }
    if !pass_commit_point(jobs) {
        // A released savepoint cannot be undone alone: the transaction is repeated without the cancelled change.
        connection.execute_batch("ROLLBACK").map_err(before)?;
        return transact(connection, begin, jobs);
    }
    connection
        .execute_batch("COMMIT")
        .map_err(|error| TransactionError::Commit(StoreError::Sqlite(error)))
}

/// Moves every change that is to be committed past its commit point. False: one was cancelled since it ran.
fn pass_commit_point(jobs: &Jobs) -> bool {
    let mut pass = true;
    for job in jobs {
        if job.is_committed()
            && let Some(cancellation) = job.cancellation()
        {
            pass &= cancellation.enter_commit().is_ok();
        }
    }
    pass
}

enum CommitOutcome {
    InForce,
    Undone,
}

/// Determines the outcome of a commit that reported an error; the exclusive lock is still held.
///
/// SQLite adds a commit to the index of the log only after the sync, so a change that a new connection sees is in force and durable.
/// A change that it does not see may still be in the log with its commit frame, and a later recovery would restore it: the log is
/// truncated behind the frames that the index counts. That needs no space, so it works on a full disk too. If it fails, the outcome
/// is unknown.
fn resolve_commit(files: &StoreFiles, store: &mut StoreConnection, jobs: &Jobs) -> StoreResult<CommitOutcome> {
    roll_back(store);
    store.reopen(files)?;
    let connection = store.connection()?;
    for job in jobs {
        if job.is_in_force(connection)? {
            return Ok(CommitOutcome::InForce);
        }
    }
    let page: u32 = connection.query_row("PRAGMA page_size", [], |r| r.get(0))?;
    files.truncate_log(page.into())?;
    Ok(CommitOutcome::Undone)
}
