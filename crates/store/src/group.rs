//! A group of changes in one transaction: each in its own savepoint, one commit, one sync, then the answers.

use rusqlite::Connection;

use super::connection::Slot;
use super::error::{Fault, Sql, again, answer_lost};
use super::site::Site;
use super::task::{Done, Job, Task};
use super::{audit_failures, change, import, overlay, policies, removal};
use umpin_core::cancellation::Cancellation;
use umpin_core::directory::Applied;
use umpin_core::{Error, Result};

/// How a transaction went wrong as a whole.
pub(super) enum Failure {
    /// Before the commit: it is rolled back.
    Before(Fault),
    /// The commit itself failed: what it wrote may still be in the log.
    Commit(Fault, Answers),
}

/// Carries the jobs out and answers each; whether anything was written.
pub(super) fn carry_out(site: &Site, slot: &mut Slot, jobs: Vec<Job>) -> bool {
    let held = match slot.enter_write(site) {
        Ok(held) => held,
        Err(error) => {
            answer_all(&jobs, &error);
            return false;
        }
    };
    let outcome = match slot.connection() {
        Ok(connection) => transact(connection, &|| slot.begin(), &jobs),
        Err(fault) => Err(Failure::Before(fault)),
    };
    site.note_shm();
    match outcome {
        // Only now, after the sync: whoever hears "committed" may rely on it.
        Ok(answers) => {
            // Whoever hears "removed" may rely on its being gone from the log, too.
            if jobs.iter().any(|job| matches!(job.task, Task::Remove(_))) {
                slot.checkpoint(site);
            }
            answer_each(site, &jobs, answers);
        }
        Err(Failure::Before(fault)) => {
            let spoilt = fault.spoils_connection();
            roll_back(slot);
            if spoilt {
                slot.close();
            }
            answer_all(&jobs, &fault.at(&site.store));
        }
        Err(Failure::Commit(fault, answers)) => {
            let error = fault.at(&site.store);
            match settle(site, slot, &jobs, &answers) {
                Ok(Settled::InForce) => answer_each(site, &jobs, answers),
                Ok(Settled::Undone) => answer_all(&jobs, &error),
                Err(_) => {
                    slot.close();
                    let unknown = answer_lost(&site.store).caused_by(error.to_string());
                    answer_all(&jobs, &unknown);
                }
            }
        }
    }
    clear_leftover(site, slot);
    slot.checkpoint_if_long(site);
    drop(held);
    true
}

/// Goes on, for one step, with what an import that died has left: one that is under way does that itself.
fn clear_leftover(site: &Site, slot: &mut Slot) {
    let left = slot
        .connection()
        .is_ok_and(|c| matches!(overlay::is_empty(c), Ok(false)));
    if !left {
        return;
    }
    let Some(_turn) = site.try_import_turn() else { return };
    let done = slot.begin().and_then(|()| {
        let connection = slot.connection()?;
        import::steps::step(connection)?;
        Ok(connection.execute_batch("COMMIT")?)
    });
    site.note_shm();
    if done.is_err() {
        slot.close();
    }
}

fn answer_each(site: &Site, jobs: &[Job], answers: Answers) {
    for (job, answer) in jobs.iter().zip(answers) {
        job.answer(answer.map_err(|f| f.at(&site.store)));
    }
}

fn answer_all(jobs: &[Job], error: &Error) {
    for job in jobs {
        job.answer(Err(again(error)));
    }
}

fn roll_back(slot: &Slot) {
    if let Ok(connection) = slot.connection()
        && !connection.is_autocommit()
    {
        let _ = connection.execute_batch("ROLLBACK");
    }
}

pub(super) type Answers = Vec<Result<Done, Fault>>;

/// `begin` begins the transaction.
pub(super) fn transact(connection: &Connection, begin: &dyn Fn() -> Sql<()>, jobs: &[Job]) -> Result<Answers, Failure> {
    let before = |e: rusqlite::Error| Failure::Before(Fault::Sql(e));
    let durable = jobs.iter().any(|job| match &job.task {
        Task::Outbox(task) => task.is_durable(),
        Task::Journal(task) => task.is_durable(),
        _ => true,
    });
    // See `outbox.rs` for why the rest needs no sync.
    connection
        .execute_batch(if durable {
            "PRAGMA synchronous = FULL"
        } else {
            "PRAGMA synchronous = NORMAL"
        })
        .map_err(before)?;
    begin().map_err(Failure::Before)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        if let Err(cancelled) = job.cancellation().map_or(Ok(()), Cancellation::check) {
            answers.push(Err(Fault::Own(cancelled)));
            continue;
        }
        connection.execute_batch("SAVEPOINT change").map_err(before)?;
        let answer = perform(connection, &job.task);
        let failed = answer.is_err();
        // Some errors (a full disk, a failed read) make SQLite roll the whole transaction back.
        if connection.is_autocommit() {
            return Err(Failure::Before(match answer {
                Err(fault) => fault,
                Ok(_) => Fault::Sql(rusqlite::Error::InvalidQuery),
            }));
        }
        connection
            .execute_batch(if failed {
                "ROLLBACK TO change; RELEASE change"
            } else {
                "RELEASE change"
            })
            .map_err(before)?;
        answers.push(answer);
    }
    if !pass_commit_point(jobs, &answers) {
        // What was called off since its savepoint cannot be taken out of the transaction any more: it is done anew without.
        connection.execute_batch("ROLLBACK").map_err(before)?;
        return transact(connection, begin, jobs);
    }
    match connection.execute_batch("COMMIT") {
        Ok(()) => Ok(answers),
        Err(error) => Err(Failure::Commit(Fault::Sql(error), answers)),
    }
}

/// Whether all that are to be committed may be; those that may cannot be called off from here on.
fn pass_commit_point(jobs: &[Job], answers: &Answers) -> bool {
    let mut pass = true;
    for (job, answer) in jobs.iter().zip(answers) {
        if matches!(answer, Ok(Done::Applied(Applied::Committed)))
            && let Some(cancellation) = job.cancellation()
        {
            pass &= cancellation.enter_commit().is_ok();
        }
    }
    pass
}

fn perform(connection: &Connection, task: &Task) -> Sql<Done> {
    Ok(match task {
        #[cfg(test)]
        Task::Panic => panic!("a test wanted it"),
        Task::Apply(wanted) => Done::Applied(change::apply(connection, wanted)?),
        Task::Remove(removal) => Done::Applied(removal::remove(connection, removal)?),
        Task::Outbox(task) => Done::Outbox(task.perform(connection)?),
        Task::Journal(task) => Done::Journal(task.perform(connection)?),
        Task::Key(task) => Done::Key(task.perform(connection)?),
        Task::Policy(change) => Done::Applied(policies::apply(connection, change)?),
        Task::Failed(failed) => {
            audit_failures::append(connection, &failed.account, &failed.entry)?;
            Done::Recorded
        }
        Task::RewriteVersion => {
            change::rewrite_version(connection)?;
            Done::Rewritten
        }
    })
}

enum Settled {
    InForce,
    Undone,
}

/// Finds out what became of a commit that reported an error, the exclusive lock still held.
///
/// SQLite counts a commit in the log's index only after the sync, so a change that a new connection sees is in force and durable.
/// One that it does not see may still lie in the log, its commit mark included, where a later recovery would find and revive it:
/// the log is cut off behind what the index counts. That needs no space, so it works on a full disk too. If it cannot be done,
/// nobody can know.
fn settle(site: &Site, slot: &mut Slot, jobs: &[Job], answers: &Answers) -> Sql<Settled> {
    roll_back(slot);
    slot.reopen(site)?;
    let connection = slot.connection()?;
    for (job, answer) in jobs.iter().zip(answers) {
        let in_force = match (&job.task, answer) {
            (Task::Apply(wanted), Ok(Done::Applied(Applied::Committed))) => change::is_in_force(connection, wanted)?,
            (Task::Remove(removal), Ok(Done::Applied(Applied::Committed))) => {
                removal::is_in_force(connection, removal)?
            }
            (Task::Policy(change), Ok(Done::Applied(Applied::Committed))) => policies::is_in_force(connection, change)?,
            (Task::Outbox(task), Ok(_)) => task.is_in_force(connection)?,
            (Task::Journal(task), Ok(_)) => task.is_in_force(connection)?,
            _ => false,
        };
        if in_force {
            return Ok(Settled::InForce);
        }
    }
    let page: u32 = connection.query_row("PRAGMA page_size", [], |r| r.get(0))?;
    site.cut_log(page.into())?;
    Ok(Settled::Undone)
}
