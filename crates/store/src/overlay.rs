//! What an import of many mailboxes has prepared: the staged mailboxes.
//!
//! They are written in short steps beside the others while nobody sees them, and come into force all at once by one entry of `meta`.
//! From then on a staged mailbox counts in place of the stored one, until it has been moved to its place, again in short steps.
//! What reads mailboxes asks here. Whoever changes one moves it first.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::{StoreError, StoreResult, changed};
use super::import::write;
use super::mailbox_rows;
use umpin_core::identity::{DistinguishedName, LookupKey, lookup_keys};
use umpin_core::mailbox::{Extension, Mailbox, ObjectId};

/// The entry of `meta` by which the staged mailboxes are in force.
const IN_FORCE: &str = "import_in_force";

/// The entry of `meta` that changes whenever mailboxes do.
const REVISION: &str = "revision";

/// Stands among the kinds of keys for an extension's digits.
const EXTENSION: i64 = 0;

/// Whether staged mailboxes count.
pub(super) fn in_force(connection: &Connection) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM meta WHERE name = ?1")?
        .exists([IN_FORCE])?)
}

/// Whether anything is staged, in force or not.
pub(super) fn is_empty(connection: &Connection) -> StoreResult<bool> {
    Ok(!connection
        .prepare_cached("SELECT 1 FROM staged_mailbox LIMIT 1")?
        .exists([])?)
}

/// A number that changes whenever mailboxes do.
pub(super) fn revision(connection: &Connection) -> StoreResult<u64> {
    let stored: Option<[u8; 8]> = connection
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([REVISION], |r| r.get(0))
        .optional()?;
    Ok(stored.map_or(0, u64::from_be_bytes))
}

/// In the transaction that changes them.
pub(super) fn advance_revision(connection: &Connection) -> StoreResult<()> {
    let next = revision(connection)?.wrapping_add(1).to_be_bytes();
    set(connection, REVISION, &next)
}

/// Puts the staged mailboxes in force.
pub(super) fn put_in_force(connection: &Connection) -> StoreResult<()> {
    set(connection, IN_FORCE, &[1])
}

fn set(connection: &Connection, name: &str, value: &[u8]) -> StoreResult<()> {
    let rows = connection
        .prepare_cached(
            "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![name, value])?;
    changed(rows, 1)
}

/// The number that a new mailbox gets.
pub(super) fn next_id(connection: &Connection) -> StoreResult<i64> {
    let last: i64 = connection.query_row(
        "SELECT max((SELECT coalesce(max(id), 0) FROM mailbox), (SELECT coalesce(max(mailbox), 0) FROM staged_mailbox))",
        [],
        |r| r.get(0),
    )?;
    Ok(last.saturating_add(1))
}

/// Stages a mailbox.
pub(super) fn stage(connection: &Connection, id: i64, mailbox: &Mailbox, guid_given: bool) -> StoreResult<()> {
    let rows = connection
        .prepare_cached(
            "INSERT INTO staged_mailbox (mailbox, object_id, um_enabled, guid_given, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id,
            mailbox.object_id.0,
            mailbox.um_enabled,
            guid_given,
            to_json(mailbox).to_string()
        ])?;
    changed(rows, 1)?;
    let mut insert = connection.prepare_cached("INSERT INTO staged_name (key, kind, mailbox) VALUES (?1, ?2, ?3)")?;
    for (key, kind) in names(mailbox) {
        changed(insert.execute(params![key, kind, id])?, 1)?;
    }
    Ok(())
}

fn names(mailbox: &Mailbox) -> Vec<(String, i64)> {
    let mut names: Vec<(String, i64)> = lookup_keys(mailbox)
        .into_iter()
        .map(|key| (key.value, i64::from(key.kind.code())))
        .collect();
    names.extend(mailbox.extensions.iter().map(|e| (e.number.clone(), EXTENSION)));
    names.sort_unstable();
    names.dedup();
    names
}

/// Of these, the keys of mailboxes that are not staged.
pub(super) fn not_staged(connection: &Connection, ids: Vec<i64>) -> StoreResult<Vec<i64>> {
    let mut staged = connection.prepare_cached("SELECT 1 FROM staged_mailbox WHERE mailbox = ?1")?;
    let mut kept = Vec::with_capacity(ids.len());
    for id in ids {
        if !staged.exists([id])? {
            kept.push(id);
        }
    }
    Ok(kept)
}

/// The keys of staged mailboxes that any key matches.
pub(super) fn matching(connection: &Connection, keys: &[LookupKey]) -> StoreResult<Vec<i64>> {
    let mut found = Vec::new();
    for key in keys {
        found.extend(named(connection, &key.value, i64::from(key.kind.code()))?);
    }
    Ok(found)
}

/// The staged mailboxes with an extension, and its dial plan.
pub(super) fn with_extension(connection: &Connection, digits: &str) -> StoreResult<Vec<(i64, Option<String>)>> {
    let mut found = Vec::new();
    for id in named(connection, digits, EXTENSION)? {
        for extension in load(connection, id)?.map(|m| m.extensions).unwrap_or_default() {
            if extension.number == digits {
                found.push((id, extension.dial_plan));
            }
        }
    }
    Ok(found)
}

fn named(connection: &Connection, key: &str, kind: i64) -> StoreResult<Vec<i64>> {
    Ok(connection
        .prepare_cached("SELECT mailbox FROM staged_name WHERE key = ?1 AND kind = ?2")?
        .query_map(params![key, kind], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?)
}

/// A staged mailbox.
pub(super) fn load(connection: &Connection, id: i64) -> StoreResult<Option<Mailbox>> {
    let body: Option<String> = connection
        .prepare_cached("SELECT body FROM staged_mailbox WHERE mailbox = ?1")?
        .query_row([id], |r| r.get(0))
        .optional()?;
    body.map(|body| from_json(&body)).transpose()
}

/// The key of the staged mailbox with this id.
pub(super) fn key_of(connection: &Connection, id: ObjectId) -> StoreResult<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT mailbox FROM staged_mailbox WHERE object_id = ?1")?
        .query_row([id.0], |r| r.get(0))
        .optional()?)
}

/// Moves a mailbox to its place, where it is staged and in force: to be called before it is changed.
pub(super) fn settle(connection: &Connection, id: ObjectId) -> StoreResult<()> {
    if in_force(connection)?
        && let Some(key) = key_of(connection, id)?
    {
        move_to_place(connection, key)?;
    }
    Ok(())
}

/// Moves staged mailboxes that are in force to their places, or removes those that are not, while `go_on` says so. Whether nothing is left.
pub(super) fn clear(connection: &Connection, mut go_on: impl FnMut() -> bool) -> StoreResult<bool> {
    let valid = in_force(connection)?;
    let mut next = connection.prepare_cached("SELECT mailbox FROM staged_mailbox LIMIT 1")?;
    loop {
        let Some(id) = next.query_row([], |r| r.get::<_, i64>(0)).optional()? else {
            connection.execute("DELETE FROM meta WHERE name = ?1", [IN_FORCE])?;
            return Ok(true);
        };
        if !go_on() {
            return Ok(false);
        }
        if valid {
            move_to_place(connection, id)?;
        } else {
            let mailbox = load(connection, id)?;
            forget(connection, id, mailbox.as_ref())?;
        }
    }
}

fn move_to_place(connection: &Connection, id: i64) -> StoreResult<()> {
    let Some(mailbox) = load(connection, id)? else {
        return Ok(());
    };
    let guid_given: bool = connection
        .prepare_cached("SELECT guid_given FROM staged_mailbox WHERE mailbox = ?1")?
        .query_row([id], |r| r.get(0))?;
    let before = mailbox_rows::load(connection, &[id])?.pop().map(|(_, mailbox)| mailbox);
    if let Some(dn) = &mailbox.distinguished_name {
        // Whoever had the name is staged with another one.
        let other: Option<i64> = connection
            .prepare_cached("SELECT id FROM mailbox WHERE dn_key = ?1 AND id <> ?2")?
            .query_row(params![dn.comparable(), id], |r| r.get(0))
            .optional()?;
        if let Some(other) = other {
            write::release_dn(connection, other)?;
        }
    }
    write::store(connection, Some(id), before.as_ref(), &mailbox, guid_given)?;
    forget(connection, id, Some(&mailbox))
}

fn forget(connection: &Connection, id: i64, mailbox: Option<&Mailbox>) -> StoreResult<()> {
    let mut delete =
        connection.prepare_cached("DELETE FROM staged_name WHERE key = ?1 AND kind = ?2 AND mailbox = ?3")?;
    for (key, kind) in mailbox.map(names).unwrap_or_default() {
        changed(delete.execute(params![key, kind, id])?, 1)?;
    }
    let rows = connection
        .prepare_cached("DELETE FROM staged_mailbox WHERE mailbox = ?1")?
        .execute([id])?;
    changed(rows, 1)
}

fn to_json(mailbox: &Mailbox) -> Value {
    let extensions: Vec<Value> = mailbox
        .extensions
        .iter()
        .map(|e| json!([e.number, e.dial_plan]))
        .collect();
    json!({
        "objectId": Uuid::from_bytes(mailbox.object_id.0).to_string(),
        "guid": mailbox.guid.to_string(),
        "distinguishedName": mailbox.distinguished_name.as_ref().map(DistinguishedName::as_str),
        "name": mailbox.name,
        "displayName": mailbox.display_name,
        "alias": mailbox.alias,
        "samAccountName": mailbox.sam_account_name,
        "userPrincipalName": mailbox.user_principal_name,
        "primarySmtpAddress": mailbox.primary_smtp_address,
        "emailAddresses": mailbox.email_addresses,
        "legacyExchangeDN": mailbox.legacy_exchange_dn,
        "umEnabled": mailbox.um_enabled,
        "extensions": extensions,
        "umMailboxPolicy": mailbox.um_mailbox_policy,
        "preferredLanguage": mailbox.preferred_language,
    })
}

fn from_json(body: &str) -> StoreResult<Mailbox> {
    read(body).ok_or(StoreError::Damaged("a staged mailbox that cannot be understood"))
}

fn read(body: &str) -> Option<Mailbox> {
    let value: Value = serde_json::from_str(body).ok()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let id = |name: &str| Uuid::try_parse(value[name].as_str()?).ok();
    let dn = match value["distinguishedName"].as_str() {
        Some(dn) => Some(DistinguishedName::parse(dn)?),
        None => None,
    };
    let addresses = value["emailAddresses"].as_array()?.iter();
    let extensions = value["extensions"].as_array()?.iter().map(|pair| {
        Some(Extension {
            number: pair[0].as_str()?.to_owned(),
            dial_plan: pair[1].as_str().map(str::to_owned),
        })
    });
    Some(Mailbox {
        object_id: ObjectId(id("objectId")?.into_bytes()),
        guid: id("guid")?,
        distinguished_name: dn,
        name: text("name")?,
        display_name: text("displayName"),
        alias: text("alias"),
        sam_account_name: text("samAccountName"),
        user_principal_name: text("userPrincipalName"),
        primary_smtp_address: text("primarySmtpAddress"),
        email_addresses: addresses
            .map(|a| a.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
        legacy_exchange_dn: text("legacyExchangeDN"),
        um_enabled: value["umEnabled"].as_bool()?,
        extensions: extensions.collect::<Option<_>>()?,
        um_mailbox_policy: text("umMailboxPolicy"),
        um_mailbox_policy_link: None,
        preferred_language: text("preferredLanguage"),
    })
}
