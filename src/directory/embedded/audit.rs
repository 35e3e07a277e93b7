//! The audit log as rows: one chain per host.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::Sql;
use crate::audit::{AuditEntry, AuditTrail};
use crate::clock::Timestamp;

/// An audit entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Ascending; gaps are possible.
    pub seq: i64,
    /// Whose chain it belongs to.
    pub host: String,
    /// What was recorded.
    pub entry: AuditEntry,
    /// Binds it to the one before it in the chain.
    pub mac: [u8; 32],
}

/// Appends the entries, each bound to the last one of its host.
pub(super) fn append(connection: &Connection, trail: &AuditTrail) -> Sql<()> {
    for entry in &trail.entries {
        let previous: [u8; 32] = connection
            .prepare_cached("SELECT mac FROM audit WHERE host = ?1 ORDER BY seq DESC LIMIT 1")?
            .query_row([&trail.host], |r| r.get(0))
            .optional()?
            .unwrap_or_default();
        let mac = trail.key.link(&previous, entry);
        connection
            .prepare_cached("INSERT INTO audit (host, operation, at, body, mac) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![trail.host, entry.operation, entry.at.0, entry.body, mac])?;
    }
    Ok(())
}

/// The entries after `seq`, oldest first.
pub(super) fn after(connection: &Connection, seq: i64, limit: usize) -> Sql<Vec<StoredAuditEntry>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection
        .prepare_cached("SELECT seq, host, operation, at, body, mac FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2")?
        .query_map(params![seq, limit], |r| {
            Ok(StoredAuditEntry {
                seq: r.get(0)?,
                host: r.get(1)?,
                entry: AuditEntry {
                    operation: r.get(2)?,
                    at: Timestamp(r.get(3)?),
                    body: r.get(4)?,
                },
                mac: r.get(5)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?)
}
