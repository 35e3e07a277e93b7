//! One change of a credential record, inside a transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Fault, Sql};
use super::{audit, lookup, outbox};
use crate::directory::{Applied, CounterChange, CredentialChange};

/// Compares and swaps; with the record go its counter, the message and the audit entries.
pub(super) fn apply(connection: &Connection, change: &CredentialChange) -> Sql<Applied> {
    let Some(mailbox) = lookup::internal_key(connection, change.mailbox)? else {
        return Err(Fault::Own(lookup::gone()));
    };
    if record(connection, mailbox)? != change.expected {
        return Ok(Applied::Conflict);
    }
    connection
        .prepare_cached(
            "INSERT INTO credential (mailbox, record) VALUES (?1, ?2) \
             ON CONFLICT (mailbox) DO UPDATE SET record = excluded.record, counter = iif(?3, NULL, counter)",
        )?
        .execute(params![mailbox, change.record, change.counter == CounterChange::Clear])?;
    if let Some(message) = &change.message {
        outbox::insert(connection, message)?;
    }
    if let Some(trail) = &change.audit {
        audit::append(connection, trail)?;
    }
    Ok(Applied::Committed)
}

/// Whether the store holds what this change was to write.
pub(super) fn is_in_force(connection: &Connection, change: &CredentialChange) -> Sql<bool> {
    let Some(mailbox) = lookup::internal_key(connection, change.mailbox)? else {
        return Ok(false);
    };
    Ok(record(connection, mailbox)?.as_ref() == Some(&change.record))
}

fn record(connection: &Connection, mailbox: i64) -> Sql<Option<Vec<u8>>> {
    Ok(connection
        .prepare_cached("SELECT record FROM credential WHERE mailbox = ?1")?
        .query_row([mailbox], |r| r.get(0))
        .optional()?)
}
