//! What is refused because a key was replaced.

use rusqlite::Connection;

use super::error::{StoreError, StoreResult};
use umpin_core::audit::ChainKeys;
use umpin_core::credential::seal;
use umpin_core::directory::key_register::replaced;

/// Whether one of these values is sealed under a key that was replaced.
pub(super) fn is_any_retired<'a>(
    connection: &Connection,
    values: impl IntoIterator<Item = Option<&'a [u8]>>,
) -> StoreResult<bool> {
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
) -> StoreResult<()> {
    if is_any_retired(connection, values)? {
        return Err(StoreError::Core(replaced()));
    }
    Ok(())
}

/// Refuses entries that would be chained with the sub-key of a key that was replaced: their process does not know the new one,
/// and could not tell whether the head is genuine.
pub(super) fn refuse_retired_chain(connection: &Connection, keys: &ChainKeys) -> StoreResult<()> {
    let Some(key) = keys.active() else { return Ok(()) };
    let retired = connection
        .prepare_cached("SELECT 1 FROM retired_key WHERE chain = ?1")?
        .exists([key.id().0])?;
    if retired {
        Err(StoreError::Core(replaced()))
    } else {
        Ok(())
    }
}
