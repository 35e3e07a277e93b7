//! Policies as rows.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::error::{Sql, changed};
use crate::directory::PolicyObject;
use crate::identity::fold::fold;
use crate::policy::{Limit, UmMailboxPolicy};

const COLUMNS: &str = "guid, distinguished_name, name, min_pin_length, pin_lifetime_days, pin_history_count, \
     allow_common_patterns, logon_failures_before_pin_reset, max_logon_attempts, reset_pin_text";

pub(super) fn by_name(connection: &Connection, name: &str) -> Sql<Option<PolicyObject>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM policy WHERE key = ?1"))?
        .query_row([fold(name)], from_row)
        .optional()?)
}

pub(super) fn all(connection: &Connection) -> Sql<Vec<PolicyObject>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM policy ORDER BY key"))?
        .query_map([], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Creates the policy or replaces the one of this name.
pub(super) fn store(connection: &Connection, policy: &PolicyObject) -> Sql<()> {
    let settings = &policy.settings;
    let rows = connection
        .prepare_cached(&format!(
            "INSERT INTO policy (key, {COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
             ON CONFLICT (key) DO UPDATE SET guid = excluded.guid, distinguished_name = excluded.distinguished_name, \
             name = excluded.name, min_pin_length = excluded.min_pin_length, \
             pin_lifetime_days = excluded.pin_lifetime_days, pin_history_count = excluded.pin_history_count, \
             allow_common_patterns = excluded.allow_common_patterns, \
             logon_failures_before_pin_reset = excluded.logon_failures_before_pin_reset, \
             max_logon_attempts = excluded.max_logon_attempts, reset_pin_text = excluded.reset_pin_text"
        ))?
        .execute(params![
            fold(&settings.name),
            policy.guid.as_bytes(),
            policy.distinguished_name,
            settings.name,
            settings.min_pin_length,
            number(settings.pin_lifetime_days),
            settings.pin_history_count,
            settings.allow_common_patterns,
            number(settings.logon_failures_before_pin_reset),
            number(settings.max_logon_attempts),
            settings.reset_pin_text,
        ])?;
    changed(rows, 1)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<PolicyObject> {
    Ok(PolicyObject {
        guid: Uuid::from_bytes(row.get("guid")?),
        distinguished_name: row.get("distinguished_name")?,
        settings: UmMailboxPolicy {
            name: row.get("name")?,
            min_pin_length: row.get("min_pin_length")?,
            pin_lifetime_days: limit(row.get("pin_lifetime_days")?),
            pin_history_count: row.get("pin_history_count")?,
            allow_common_patterns: row.get("allow_common_patterns")?,
            logon_failures_before_pin_reset: limit(row.get("logon_failures_before_pin_reset")?),
            max_logon_attempts: limit(row.get("max_logon_attempts")?),
            reset_pin_text: row.get("reset_pin_text")?,
        },
    })
}

/// Unlimited is NULL.
fn limit(number: Option<u32>) -> Limit {
    number.map_or(Limit::Unlimited, Limit::Of)
}

fn number(limit: Limit) -> Option<u32> {
    match limit {
        Limit::Unlimited => None,
        Limit::Of(n) => Some(n),
    }
}
