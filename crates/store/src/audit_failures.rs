//! Failed operations in the log: so many entries for each account and hour, then a count (`failure_counts.rs`).

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{StoreResult, changed};
use super::failure_counts::OTHERS;
use super::{audit, audit_rows};
use umpin_core::audit::{AuditBatch, MAX_ACCOUNTS, MAX_ENTRIES, WINDOW_MILLIS};
use umpin_core::clock::Timestamp;
use umpin_core::identity::fold::fold;
use umpin_core::{Error, ErrorCode};

/// Appends the entries of one failed operation, or counts it.
pub(super) fn append(connection: &Connection, account: &str, batch: &AuditBatch) -> StoreResult<()> {
    let Some(at) = batch.entries.last().map(|entry| entry.at) else {
        return Ok(());
    };
    if audit_rows::head(connection, &batch.host)?.is_some_and(|head| !batch.keys.is_valid_head(&head)) {
        // A change goes on whatever became of the log; what changed nothing must not blur who altered it.
        return Err(Error::new(
            ErrorCode::AuditChainBroken,
            format!(
                "the end of the audit chain of host \"{}\" is not sealed under a configured key",
                batch.host
            ),
        )
        .into());
    }
    let account = row_of(connection, &batch.host, account, at)?;
    let recorded: Option<u32> = connection
        .prepare_cached(
            "SELECT entries FROM audit_failure WHERE host = ?1 AND account = ?2 AND ?3 >= since AND ?3 < since + ?4",
        )?
        .query_row(params![batch.host, account, at.0, WINDOW_MILLIS], |row| row.get(0))
        .optional()?;
    if recorded.is_some_and(|entries| entries >= MAX_ENTRIES) {
        let rows = connection
            .prepare_cached(
                "UPDATE audit_failure SET omitted = omitted + 1, until = ?3 WHERE host = ?1 AND account = ?2",
            )?
            .execute(params![batch.host, account, at.0])?;
        return changed(rows, 1);
    }
    // This settles what is over, the row of this account included.
    audit::append(connection, batch)?;
    let rows = connection
        .prepare_cached(
            "INSERT INTO audit_failure (host, account, since, until, entries, omitted) VALUES (?1, ?2, ?3, ?3, 1, 0) \
             ON CONFLICT (host, account) DO UPDATE SET entries = entries + 1, until = excluded.until",
        )?
        .execute(params![batch.host, account, at.0])?;
    changed(rows, 1)
}

/// The row that counts for an account: its own, unless there are too many.
fn row_of(connection: &Connection, host: &str, account: &str, at: Timestamp) -> StoreResult<String> {
    let account = fold(account);
    let (known, others): (bool, u32) = connection
        .prepare_cached(
            "SELECT coalesce(max(account = ?2), 0), count(*) FROM audit_failure \
             WHERE host = ?1 AND ?3 >= since AND ?3 < since + ?4",
        )?
        .query_row(params![host, account, at.0, WINDOW_MILLIS], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(if known || others < MAX_ACCOUNTS {
        account
    } else {
        OTHERS.to_owned()
    })
}
