//! A mailbox as rows.

use rusqlite::{Connection, params};

use super::super::error::{StoreResult, changed};
use umpin_core::identity::lookup_keys;
use umpin_core::mailbox::Mailbox;

/// Creates the mailbox, or replaces the one with this internal key.
pub(in super::super) fn store(
    connection: &Connection,
    id: Option<i64>,
    before: Option<&Mailbox>,
    mailbox: &Mailbox,
    guid_given: bool,
) -> StoreResult<i64> {
    let dn = mailbox.distinguished_name.as_ref();
    let id = connection
        .prepare_cached(
            "INSERT INTO mailbox (id, object_id, guid, guid_given, dn_key, distinguished_name, name, display_name, alias, \
             sam_account_name, user_principal_name, primary_smtp_address, legacy_exchange_dn, um_enabled, um_mailbox_policy, \
             preferred_language) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
             ON CONFLICT (id) DO UPDATE SET guid = excluded.guid, guid_given = guid_given OR excluded.guid_given, \
             dn_key = excluded.dn_key, distinguished_name = excluded.distinguished_name, name = excluded.name, \
             display_name = excluded.display_name, alias = excluded.alias, sam_account_name = excluded.sam_account_name, \
             user_principal_name = excluded.user_principal_name, primary_smtp_address = excluded.primary_smtp_address, \
             legacy_exchange_dn = excluded.legacy_exchange_dn, um_enabled = excluded.um_enabled, \
             um_mailbox_policy = excluded.um_mailbox_policy, \
             preferred_language = excluded.preferred_language RETURNING id",
        )?
        .query_row(
            params![
                id,
                mailbox.object_id.0,
                mailbox.guid.as_bytes(),
                guid_given,
                dn.map(|d| d.comparable()),
                dn.map(|d| d.as_str()),
                mailbox.name,
                mailbox.display_name,
                mailbox.alias,
                mailbox.sam_account_name,
                mailbox.user_principal_name,
                mailbox.primary_smtp_address,
                mailbox.legacy_exchange_dn,
                mailbox.um_enabled,
                mailbox.um_mailbox_policy,
                mailbox.preferred_language,
            ],
            |r| r.get(0),
        )?;
    store_parts(connection, id, before, mailbox)?;
    Ok(id)
}

/// The DN of another mailbox is to be taken: what had it lets go of it first, so that renames within a file may swap and chain.
pub(in super::super) fn release_dn(connection: &Connection, id: i64) -> StoreResult<()> {
    let rows = connection
        .prepare_cached("UPDATE mailbox SET dn_key = NULL WHERE id = ?1")?
        .execute([id])?;
    changed(rows, 1)
}

/// Addresses, extensions and names: only those tables where something differs.
fn store_parts(connection: &Connection, id: i64, before: Option<&Mailbox>, mailbox: &Mailbox) -> StoreResult<()> {
    let clear = |table: &str| -> StoreResult<()> {
        if before.is_some() {
            connection
                .prepare_cached(&format!("DELETE FROM {table} WHERE mailbox = ?1"))?
                .execute([id])?;
        }
        Ok(())
    };
    if before.is_none_or(|before| before.email_addresses != mailbox.email_addresses) {
        clear("email_address")?;
        let mut insert =
            connection.prepare_cached("INSERT INTO email_address (mailbox, position, value) VALUES (?1, ?2, ?3)")?;
        for (position, value) in (0_i64..).zip(&mailbox.email_addresses) {
            changed(insert.execute(params![id, position, value])?, 1)?;
        }
    }
    if before.is_none_or(|before| before.extensions != mailbox.extensions) {
        clear("extension")?;
        let mut insert = connection
            .prepare_cached("INSERT INTO extension (mailbox, position, number, dial_plan) VALUES (?1, ?2, ?3, ?4)")?;
        for (position, extension) in (0_i64..).zip(&mailbox.extensions) {
            let rows = insert.execute(params![id, position, extension.number, extension.dial_plan])?;
            changed(rows, 1)?;
        }
    }
    let old = before.map(lookup_keys).unwrap_or_default();
    let new = lookup_keys(mailbox);
    let mut delete = connection.prepare_cached("DELETE FROM identity WHERE key = ?1 AND kind = ?2 AND mailbox = ?3")?;
    for key in old.iter().filter(|key| !new.contains(key)) {
        changed(delete.execute(params![key.value, i64::from(key.kind.code()), id])?, 1)?;
    }
    let mut insert = connection.prepare_cached("INSERT INTO identity (key, kind, mailbox) VALUES (?1, ?2, ?3)")?;
    for key in new.iter().filter(|key| !old.contains(key)) {
        changed(insert.execute(params![key.value, i64::from(key.kind.code()), id])?, 1)?;
    }
    Ok(())
}
