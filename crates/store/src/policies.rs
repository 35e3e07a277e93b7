//! Policies as rows.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::error::{StoreResult, changed};
use super::overlay;
use umpin_core::directory::{Applied, PolicyChange, PolicyObject};
use umpin_core::identity::fold::fold;
use umpin_core::policy::{Limit, UmMailboxPolicy};
use umpin_core::{Error, ErrorCode};

const COLUMNS: &str = "guid, distinguished_name, name, min_pin_length, pin_lifetime_days, pin_history_count, \
     allow_common_patterns, logon_failures_before_pin_reset, max_logon_attempts, reset_pin_text";

pub(super) fn by_name(connection: &Connection, name: &str) -> StoreResult<Option<PolicyObject>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM policy WHERE key = ?1"))?
        .query_row([fold(name)], from_row)
        .optional()?)
}

pub(super) fn all(connection: &Connection) -> StoreResult<Vec<PolicyObject>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM policy ORDER BY key"))?
        .query_map([], from_row)?
        .collect::<rusqlite::Result<_>>()?)
}

/// Creates the policy or replaces the one of this name.
pub(super) fn store(connection: &Connection, policy: &PolicyObject) -> StoreResult<()> {
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

/// Whether the change can be made: nobody else was first, and no mailbox would be left with a policy that is gone.
pub(super) fn check(connection: &Connection, change: &PolicyChange) -> StoreResult<Applied> {
    if by_name(connection, change.name())? != change.expected {
        return Ok(Applied::Conflict);
    }
    if change.new.is_none() {
        let users = mailboxes_with(connection, change.name())?;
        if users > 0 {
            return Err(in_use(change.name(), users).into());
        }
    }
    Ok(Applied::Committed)
}

/// Makes the change, inside a transaction.
pub(super) fn apply(connection: &Connection, change: &PolicyChange) -> StoreResult<Applied> {
    let checked = check(connection, change)?;
    if checked != Applied::Committed {
        return Ok(checked);
    }
    match &change.new {
        Some(policy) => store(connection, policy)?,
        None => {
            let rows = connection
                .prepare_cached("DELETE FROM policy WHERE key = ?1")?
                .execute([fold(change.name())])?;
            changed(rows, usize::from(change.expected.is_some()))?;
        }
    }
    if let Some(batch) = &change.audit {
        super::audit::append(connection, batch)?;
    }
    Ok(Applied::Committed)
}

/// Whether the store holds what this change was to write.
pub(super) fn is_in_force(connection: &Connection, change: &PolicyChange) -> StoreResult<bool> {
    Ok(by_name(connection, change.name())? == change.new)
}

/// Mailboxes that name the policy, with Unified Messaging or without; those of an import that is under way count, too. A removal
/// alone asks for this, so there is no index.
fn mailboxes_with(connection: &Connection, name: &str) -> StoreResult<u64> {
    let key = fold(name);
    // Where staged mailboxes are in force, what they replace does not count.
    let stored = if overlay::in_force(connection)? {
        "SELECT um_mailbox_policy AS policy FROM mailbox WHERE id NOT IN (SELECT mailbox FROM staged_mailbox)"
    } else {
        "SELECT um_mailbox_policy AS policy FROM mailbox"
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT policy, count(*) FROM ({stored} UNION ALL SELECT json_extract(body, '$.umMailboxPolicy') FROM staged_mailbox) \
         WHERE policy IS NOT NULL GROUP BY policy"
    ))?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    let mut users = 0;
    for row in rows {
        let (named, count) = row?;
        if fold(&named) == key {
            users += count;
        }
    }
    Ok(users)
}

fn in_use(name: &str, users: u64) -> Error {
    let who = match users {
        1 => "one mailbox has it".to_owned(),
        _ => format!("{users} mailboxes have it"),
    };
    Error::new(
        ErrorCode::ManagementObjectInUse,
        format!("The UM mailbox policy \"{name}\" cannot be removed: {who}."),
    )
    .detail("identity", name)
    .detail("count", users)
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
