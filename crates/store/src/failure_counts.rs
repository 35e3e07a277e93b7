//! Failed operations that are only counted: the log tells each count in one entry at the first change after its hour. The counts are
//! rows, so that neither a new process nor several at once begin anew.

use rusqlite::{Connection, params};

use super::error::{StoreResult, changed};
use umpin_core::audit::{AuditEntry, OmittedFailures, WINDOW_MILLIS};
use umpin_core::clock::Timestamp;
use umpin_core::random::system_bytes;

/// The row of all accounts beyond [`umpin_core::audit::MAX_ACCOUNTS`].
pub(super) const OTHERS: &str = "*";

/// Ends the hours that are over at `at` (or that begin after it: the clock was set back); gives the entries that tell of them.
pub(super) fn settle(connection: &Connection, host: &str, at: Timestamp) -> StoreResult<Vec<AuditEntry>> {
    let over = "WHERE host = ?1 AND NOT (?2 >= since AND ?2 < since + ?3)";
    let counts = read(
        connection,
        &format!("SELECT host, account, since, until, omitted FROM audit_failure {over}"),
        params![host, at.0, WINDOW_MILLIS],
    )?;
    if counts.is_empty() {
        return Ok(Vec::new());
    }
    let rows = connection
        .prepare_cached(&format!("DELETE FROM audit_failure {over}"))?
        .execute(params![host, at.0, WINDOW_MILLIS])?;
    changed(rows, counts.len())?;
    let told = counts.iter().filter(|counted| counted.count > 0);
    told.map(|counted| Ok(counted.entry(system_bytes()?, at))).collect()
}

/// What was counted and is not in the log yet.
pub(super) fn omitted(connection: &Connection) -> StoreResult<Vec<OmittedFailures>> {
    read(
        connection,
        "SELECT host, account, since, until, omitted FROM audit_failure WHERE omitted > 0 ORDER BY since, host, account",
        params![],
    )
}

fn read(
    connection: &Connection,
    statement: &str,
    values: &[&dyn rusqlite::ToSql],
) -> StoreResult<Vec<OmittedFailures>> {
    Ok(connection
        .prepare_cached(statement)?
        .query_map(values, |row| {
            let account: String = row.get(1)?;
            Ok(OmittedFailures {
                host: row.get(0)?,
                account: Some(account).filter(|account| account != OTHERS),
                since: Timestamp(row.get(2)?),
                until: Timestamp(row.get(3)?),
                count: row.get::<_, i64>(4)?.unsigned_abs(),
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}
