//! One change of a mailbox's sealed values, inside a transaction.

use rusqlite::{Connection, params};

use super::error::{StoreError, StoreResult, changed};
use super::{audit, lookup, outbox, overlay, policies, retired_keys};
use umpin_core::directory::{Applied, CounterChange, CredentialChange, Premise};

/// Compares and swaps; with record and counter go the message and the audit entries.
pub(super) fn apply(connection: &Connection, change: &CredentialChange) -> StoreResult<Applied> {
    overlay::settle(connection, change.mailbox)?;
    let Some(mailbox) = lookup::internal_key(connection, change.mailbox)? else {
        return Err(StoreError::Core(lookup::gone()));
    };
    if let Some(premise) = &change.premise
        && !holds(connection, mailbox, premise)?
    {
        return Ok(Applied::Conflict);
    }
    if retired_keys::is_any_retired(connection, sealed(change))? {
        return Ok(Applied::Conflict);
    }
    let stored = lookup::credential(connection, change.mailbox)?;
    let counter = match &change.counter {
        CounterChange::Keep => None,
        CounterChange::Set(new) => Some(new),
        CounterChange::Swap(swap) if swap.expected == stored.counter => Some(&swap.new).filter(|_| !swap.removes()),
        CounterChange::Swap(_) => return Ok(Applied::Conflict),
    };
    match &change.record {
        // The counter goes with the record.
        Some(swap) if swap.expected == stored.record && swap.removes() => {
            let rows = connection
                .prepare_cached("DELETE FROM credential WHERE mailbox = ?1")?
                .execute(params![mailbox])?;
            changed(rows, 1)?;
        }
        Some(swap) if swap.expected == stored.record => {
            let rows = connection
                .prepare_cached(
                    "INSERT INTO credential (mailbox, record, counter) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (mailbox) DO UPDATE SET record = excluded.record, \
                     counter = coalesce(excluded.counter, counter)",
                )?
                .execute(params![mailbox, swap.new, counter])?;
            changed(rows, 1)?;
        }
        Some(_) => return Ok(Applied::Conflict),
        // Whoever counts has seen a record, and records are not removed.
        None if stored.record.is_none() => return Ok(Applied::Conflict),
        None => {
            let rows = connection
                .prepare_cached("UPDATE credential SET counter = coalesce(?2, counter) WHERE mailbox = ?1")?
                .execute(params![mailbox, counter])?;
            changed(rows, 1)?;
        }
    }
    if let Some(message) = &change.message {
        outbox::insert(connection, message)?;
    }
    if let Some(batch) = &change.audit {
        audit::append(connection, batch)?;
    }
    Ok(Applied::Committed)
}

/// The values that a change would write.
fn sealed(change: &CredentialChange) -> [Option<&[u8]>; 3] {
    let counter = match &change.counter {
        CounterChange::Keep => None,
        CounterChange::Set(new) => Some(new.as_slice()),
        CounterChange::Swap(swap) => Some(swap.new.as_slice()),
    };
    [
        change.record.as_ref().map(|swap| swap.new.as_slice()),
        counter,
        change.message.as_ref().map(|message| message.sealed.as_slice()),
    ]
}

/// Writes a page as it is. The pragma, because SQLite leaves out an UPDATE that changes no byte of a row.
pub(super) fn rewrite_version(connection: &Connection) -> StoreResult<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    Ok(connection.execute_batch(&format!("PRAGMA user_version = {version}"))?)
}

/// Whether mailbox and policy are still as they were when the change was decided.
fn holds(connection: &Connection, mailbox: i64, premise: &Premise) -> StoreResult<bool> {
    let policy = policies::by_name(connection, &premise.policy.settings.name)?;
    let mailbox = lookup::load(connection, &[mailbox])?;
    Ok(policy.as_ref() == Some(&premise.policy) && mailbox == [premise.mailbox.clone()])
}

/// Whether the store holds what this change was to write.
pub(super) fn is_in_force(connection: &Connection, change: &CredentialChange) -> StoreResult<bool> {
    if lookup::internal_key(connection, change.mailbox)?.is_none() {
        return Ok(false);
    }
    Ok(change.is_in_force(&lookup::credential(connection, change.mailbox)?))
}
