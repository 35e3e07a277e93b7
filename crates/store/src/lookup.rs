//! Finding and listing mailboxes.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::error::{StoreError, StoreResult};
use super::{mailbox_rows, overlay};
use umpin_core::credential::master_key::KeyId;
use umpin_core::directory::{Found, MailboxFilter, Matches, Page, SealedOtherwise, StoredCredential};
use umpin_core::identity::LookupKey;
use umpin_core::identity::fold::fold;
use umpin_core::mailbox::{Mailbox, ObjectId};
use umpin_core::{Error, ErrorCode};

/// How many matches are returned in full: one more than a message ever names.
const MATCHES: usize = 11;

/// The one query of a lookup: all keys at once, each a search in the primary key of `identity`.
pub(super) fn lookup_sql(keys: usize) -> String {
    let rows = vec!["(?, ?)"; keys].join(", ");
    format!(
        "WITH wanted (key, kind) AS (VALUES {rows}) \
         SELECT DISTINCT i.mailbox FROM wanted CROSS JOIN identity AS i \
         ON i.key = wanted.key AND i.kind = wanted.kind ORDER BY i.mailbox"
    )
}

/// The internal keys of all mailboxes that any key matches, in the order in which they were imported.
pub(super) fn matching(connection: &Connection, keys: &[LookupKey]) -> StoreResult<Vec<i64>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let values = keys
        .iter()
        .flat_map(|p| [Value::Text(p.value.clone()), Value::Integer(i64::from(p.kind.code()))]);
    let mut statement = connection.prepare_cached(&lookup_sql(keys.len()))?;
    let mut ids = statement
        .query_map(params_from_iter(values), |r| r.get(0))?
        .collect::<rusqlite::Result<Vec<i64>>>()?;
    if overlay::in_force(connection)? {
        ids = overlay::not_staged(connection, ids)?;
        ids.extend(overlay::matching(connection, keys)?);
        ids.sort_unstable();
        ids.dedup();
    }
    Ok(ids)
}

pub(super) fn find(connection: &Connection, keys: &[LookupKey]) -> StoreResult<Matches> {
    matches(connection, &matching(connection, keys)?)
}

fn matches(connection: &Connection, ids: &[i64]) -> StoreResult<Matches> {
    let first = &ids[..ids.len().min(MATCHES)];
    Ok(Matches {
        count: ids.len(),
        found: load(connection, first)?.into_iter().map(Found::from).collect(),
    })
}

/// All mailboxes with the extension, in the dial plan of that name or in any.
pub(super) fn find_by_extension(
    connection: &Connection,
    number: &str,
    dial_plan: Option<&str>,
) -> StoreResult<Matches> {
    let dial_plan = dial_plan.map(fold);
    let mut ids: Vec<i64> = with_extension(connection, number)?
        .into_iter()
        .filter(|(_, of)| dial_plan.is_none() || of.as_deref().map(fold) == dial_plan)
        .map(|(id, _)| id)
        .collect();
    ids.dedup();
    matches(connection, &ids)
}

/// The internal keys of all mailboxes with the extension, and its dial plan.
pub(super) fn with_extension(connection: &Connection, number: &str) -> StoreResult<Vec<(i64, Option<String>)>> {
    let dialled: String = number.chars().filter(|c| !" +-.()/".contains(*c)).collect();
    let mut found: Vec<(i64, Option<String>)> = connection
        .prepare_cached("SELECT mailbox, dial_plan FROM extension WHERE digits = ?1 ORDER BY mailbox")?
        .query_map([&dialled], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    if overlay::in_force(connection)? {
        let unstaged = overlay::not_staged(connection, found.iter().map(|(id, _)| *id).collect())?;
        found.retain(|(id, _)| unstaged.contains(id));
        found.extend(overlay::with_extension(connection, &dialled)?);
        found.sort_unstable();
    }
    Ok(found)
}

pub(super) fn find_by_object_id(connection: &Connection, id: ObjectId) -> StoreResult<Option<Mailbox>> {
    match internal_key(connection, id)? {
        Some(key) => Ok(load(connection, &[key])?.pop()),
        None => Ok(None),
    }
}

pub(super) fn internal_key(connection: &Connection, id: ObjectId) -> StoreResult<Option<i64>> {
    let key = connection
        .prepare_cached("SELECT id FROM mailbox WHERE object_id = ?1")?
        .query_row([id.0], |r| r.get(0))
        .optional()?;
    match key {
        None if overlay::in_force(connection)? => overlay::key_of(connection, id),
        key => Ok(key),
    }
}

pub(super) fn page(
    connection: &Connection,
    filter: MailboxFilter,
    after: Option<&str>,
    limit: usize,
) -> StoreResult<Page<Found>> {
    let after: i64 = match after {
        None => i64::MIN,
        Some(cursor) => cursor.parse().map_err(|_| {
            Error::new(
                ErrorCode::InvalidRequest,
                "The cursor of the list of mailboxes is not valid.",
            )
        })?,
    };
    let only = if filter.um_enabled_only { "AND um_enabled" } else { "" };
    let limit = limit.max(1);
    // One more than wanted tells whether there is another page.
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let query = if overlay::in_force(connection)? {
        format!(
            "SELECT id FROM mailbox WHERE id > ?1 {only} AND id NOT IN (SELECT mailbox FROM staged_mailbox) \
             UNION ALL SELECT mailbox FROM staged_mailbox WHERE mailbox > ?1 {only} ORDER BY 1 LIMIT ?2"
        )
    } else {
        format!("SELECT id FROM mailbox WHERE id > ?1 {only} ORDER BY id LIMIT ?2")
    };
    let mut ids: Vec<i64> = connection
        .prepare_cached(&query)?
        .query_map(params![after, wanted], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let more = ids.len() > limit;
    ids.truncate(limit);
    Ok(Page {
        items: load(connection, &ids)?.into_iter().map(Found::from).collect(),
        next: ids.last().filter(|_| more).map(ToString::to_string),
    })
}

/// The mailboxes with these internal keys, ordered by them.
pub(super) fn load(connection: &Connection, ids: &[i64]) -> StoreResult<Vec<Mailbox>> {
    let keyed = load_keyed(connection, ids)?;
    Ok(keyed.into_iter().map(|(_, mailbox)| mailbox).collect())
}

/// As [`load`], each with its key.
pub(super) fn load_keyed(connection: &Connection, ids: &[i64]) -> StoreResult<Vec<(i64, Mailbox)>> {
    if !overlay::in_force(connection)? {
        return mailbox_rows::load(connection, ids);
    }
    let mut mailboxes = mailbox_rows::load(connection, &overlay::not_staged(connection, ids.to_vec())?)?;
    for id in ids {
        if let Some(mailbox) = overlay::load(connection, *id)? {
            mailboxes.push((*id, mailbox));
        }
    }
    mailboxes.sort_unstable_by_key(|(id, _)| *id);
    mailboxes.dedup_by_key(|(id, _)| *id);
    Ok(mailboxes)
}

pub(super) fn credential(connection: &Connection, id: ObjectId) -> StoreResult<StoredCredential> {
    let found = connection
        .prepare_cached(
            "SELECT c.record, c.counter FROM mailbox AS m LEFT JOIN credential AS c ON c.mailbox = m.id \
             WHERE m.object_id = ?1",
        )?
        .query_row([id.0], |r| {
            Ok(StoredCredential {
                foreign: None,
                record: r.get(0)?,
                counter: r.get(1)?,
            })
        })
        .optional()?;
    match found {
        Some(found) => Ok(found),
        // One that an import has just made has neither.
        None if overlay::in_force(connection)? && overlay::key_of(connection, id)?.is_some() => {
            Ok(StoredCredential::default())
        }
        None => Err(StoreError::Core(gone())),
    }
}

/// The mailbox was there when it was looked up.
pub(super) fn gone() -> Error {
    Error::new(
        ErrorCode::ManagementObjectNotFound,
        "The mailbox is no longer in the directory.",
    )
}

pub(super) fn store_id(connection: &Connection) -> StoreResult<[u8; 16]> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'store_id'")?
        .query_row([], |r| r.get(0))
        .optional()?
        .ok_or(StoreError::Damaged("no id of its own"))
}

/// Whether anything is stored that needs a key to be read or continued.
pub(super) fn holds_sealed_data(connection: &Connection) -> StoreResult<bool> {
    let query =
        "SELECT EXISTS (SELECT 1 FROM credential) OR EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM audit)";
    Ok(connection.query_row(query, [], |row| row.get(0))?)
}

pub(super) fn record_count(connection: &Connection) -> StoreResult<u64> {
    let count: i64 = connection.query_row("SELECT count(*) FROM credential", [], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The next mailboxes with a value under another key. Its id stands behind the magic and the version.
pub(super) fn sealed_otherwise(
    connection: &Connection,
    key: KeyId,
    after: Option<&str>,
    limit: usize,
) -> StoreResult<Page<SealedOtherwise>> {
    let after: i64 = match after {
        None => i64::MIN,
        Some(cursor) => cursor.parse().map_err(|_| {
            Error::new(
                ErrorCode::InvalidRequest,
                "The cursor of the list of mailboxes is not valid.",
            )
        })?,
    };
    let mut last = None;
    let items: Vec<SealedOtherwise> = connection
        .prepare_cached(
            "SELECT c.mailbox, m.object_id, c.record, c.counter FROM credential AS c JOIN mailbox AS m ON m.id = c.mailbox \
             WHERE c.mailbox > ?1 AND (substr(c.record, 5, 8) <> ?2 OR substr(c.counter, 5, 8) <> ?2) \
             ORDER BY c.mailbox LIMIT ?3",
        )?
        .query_map(params![after, key.0, i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            last = Some(row.get::<_, i64>(0)?);
            Ok(SealedOtherwise {
                mailbox: ObjectId(row.get(1)?),
                controller: None,
                stored: Ok(StoredCredential {
                    record: Some(row.get(2)?),
                    counter: row.get(3)?,
                    ..StoredCredential::default()
                }),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let next = last.filter(|_| items.len() == limit).map(|id| id.to_string());
    Ok(Page { items, next })
}

pub(super) fn some_records(connection: &Connection, limit: usize) -> StoreResult<Vec<(ObjectId, Vec<u8>)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(connection
        .prepare_cached(
            "SELECT m.object_id, c.record FROM credential AS c JOIN mailbox AS m ON m.id = c.mailbox LIMIT ?1",
        )?
        .query_map([limit], |r| Ok((ObjectId(r.get(0)?), r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?)
}
