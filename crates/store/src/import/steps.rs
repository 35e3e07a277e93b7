//! An import into a store that others use: matched in short read transactions, staged in short steps, then in force at once.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::super::audit;
use super::super::connection::Slot;
use super::super::error::{Fault, Sql};
use super::super::lock::Held;
use super::super::overlay;
use super::super::site::Site;
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

/// How often an import begins anew because somebody else changed mailboxes meanwhile.
const ATTEMPTS: usize = 5;

/// Imports: the caller has the turn (`Site::import_turn`), so that nobody else imports.
pub(in super::super) fn import(
    site: &Site,
    plan: &ImportPlan,
    trail: Option<&AuditBatch>,
    read: Reader<'_, Error>,
) -> Result<ImportCounts> {
    let mut slot = Slot::default();
    // What an import that died left behind.
    clear(site, &mut slot)?;
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
        if staged && let Err(error) = stage(site, &mut slot, plan, &mut resolved) {
            clear(site, &mut slot)?;
            return Err(error);
        }
        let done = switch(site, &mut slot, plan, trail, revision, staged, &mut resolved);
        if !matches!(done, Ok(true)) {
            clear(site, &mut slot)?;
        } else if staged {
            // It is in force; what is not in its place yet is moved by whoever writes next.
            let _ = settle(site, &mut slot, &resolved);
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
fn transaction<T>(site: &Site, slot: &mut Slot, work: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
    let held = slot.enter_write(site)?;
    let carry_out = || -> Sql<T> {
        slot.begin()?;
        let connection = slot.connection()?;
        let answer = work(connection)?;
        if !connection.is_autocommit() {
            connection.execute_batch("COMMIT")?;
        }
        Ok(answer)
    };
    let answer = carry_out().map_err(|f| f.at(&site.store));
    end(site, slot, held, answer.is_err());
    answer
}

fn end(site: &Site, slot: &mut Slot, held: Held, failed: bool) {
    site.note_shm();
    if failed {
        // Closing rolls back what is open.
        slot.close();
    } else {
        slot.checkpoint_if_long(site);
    }
    drop(held);
}

fn stage(site: &Site, slot: &mut Slot, plan: &ImportPlan, resolved: &mut Resolved) -> Result<()> {
    let mut next = 0;
    while next < resolved.changes.len() {
        plan.cancellation.check()?;
        let from = next;
        let changes = &mut resolved.changes;
        next = transaction(site, slot, |connection| {
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
    site: &Site,
    slot: &mut Slot,
    plan: &ImportPlan,
    trail: Option<&AuditBatch>,
    revision: u64,
    staged: bool,
    resolved: &mut Resolved,
) -> Result<bool> {
    transaction(site, slot, |connection| {
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
        if let Some(trail) = trail {
            audit::append(connection, trail)?;
        }
        plan.cancellation.enter_commit().map_err(Fault::Own)?;
        connection.execute_batch("COMMIT")?;
        Ok(true)
    })
}

/// What is in force, but not in its place yet.
fn settle(site: &Site, slot: &mut Slot, resolved: &Resolved) -> Result<()> {
    clear(site, slot)?;
    for ids in resolved.confirmed.chunks(CONFIRMED_AT_ONCE) {
        transaction(site, slot, |connection| confirm_guids(connection, ids))?;
    }
    Ok(())
}

/// Moves what is staged and in force to its place; removes what is not in force.
fn clear(site: &Site, slot: &mut Slot) -> Result<()> {
    while !transaction(site, slot, step)? {}
    Ok(())
}

/// One step of it, inside a transaction; whether nothing is left.
pub(in super::super) fn step(connection: &Connection) -> Sql<bool> {
    let begun = Instant::now();
    let mut first = true;
    overlay::clear(connection, || std::mem::take(&mut first) || begun.elapsed() < STEP)
}
