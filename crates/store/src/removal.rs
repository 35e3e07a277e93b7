//! A mailbox and everything that is kept about it but the audit, taken out of the store inside a transaction.

use rusqlite::Connection;

use super::error::{StoreError, StoreResult, changed};
use super::{audit, lookup, overlay};
use umpin_core::directory::{Applied, Removal};

/// Removes the mailbox, its record, its counter, its messages and its notes.
pub(super) fn remove(connection: &Connection, removal: &Removal) -> StoreResult<Applied> {
    let object_id = removal.mailbox.object_id;
    overlay::settle(connection, object_id)?;
    let Some(id) = lookup::internal_key(connection, object_id)? else {
        return Err(StoreError::Core(lookup::gone()));
    };
    if lookup::load(connection, &[id])? != [removal.mailbox.clone()] {
        return Ok(Applied::Conflict);
    }
    for table in ["outbox", "change_note"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE mailbox = ?1"))?
            .execute([object_id.0])?;
    }
    // Addresses, extensions, names and the record go with it.
    let rows = connection
        .prepare_cached("DELETE FROM mailbox WHERE id = ?1")?
        .execute([id])?;
    changed(rows, 1)?;
    overlay::advance_revision(connection)?;
    if let Some(batch) = &removal.audit {
        audit::append(connection, batch)?;
    }
    Ok(Applied::Committed)
}

/// Whether it is gone.
pub(super) fn is_in_force(connection: &Connection, removal: &Removal) -> StoreResult<bool> {
    Ok(lookup::internal_key(connection, removal.mailbox.object_id)?.is_none())
}
