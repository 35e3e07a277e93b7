//! Mailboxes as their rows say, without a look at what an import has staged.

use std::collections::HashMap;

use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::error::{StoreError, StoreResult};
use umpin_core::identity::DistinguishedName;
use umpin_core::mailbox::{Extension, Mailbox, ObjectId};
use umpin_core::{Error, ErrorCode};

const COLUMNS: &str = "id, object_id, guid, distinguished_name, name, display_name, alias, sam_account_name, \
     user_principal_name, primary_smtp_address, legacy_exchange_dn, um_enabled, um_mailbox_policy, \
     preferred_language";

/// In three queries however many there are.
pub(super) fn load(connection: &Connection, ids: &[i64]) -> StoreResult<Vec<(i64, Mailbox)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = serde_json::to_string(ids)
        .map_err(|e| Error::new(ErrorCode::NativeFault, format!("Keys cannot be listed: {e}.")))?;
    let mut addresses: HashMap<i64, Vec<String>> = HashMap::new();
    {
        let mut statement = connection.prepare_cached(
            "SELECT mailbox, value FROM email_address \
             WHERE mailbox IN (SELECT value FROM json_each(?1)) ORDER BY mailbox, position",
        )?;
        let mut rows = statement.query([&list])?;
        while let Some(row) = rows.next()? {
            addresses.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
    }
    let mut extensions: HashMap<i64, Vec<Extension>> = HashMap::new();
    {
        let mut statement = connection.prepare_cached(
            "SELECT mailbox, number, dial_plan FROM extension \
             WHERE mailbox IN (SELECT value FROM json_each(?1)) ORDER BY mailbox, position",
        )?;
        let mut rows = statement.query([&list])?;
        while let Some(row) = rows.next()? {
            extensions.entry(row.get(0)?).or_default().push(Extension {
                number: row.get(1)?,
                dial_plan: row.get(2)?,
            });
        }
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM mailbox WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id"
    ))?;
    let mut rows = statement.query([&list])?;
    let mut mailboxes = Vec::with_capacity(ids.len());
    while let Some(row) = rows.next()? {
        let id: i64 = row.get("id")?;
        let mut mailbox = mailbox_from(row)?;
        mailbox.email_addresses = addresses.remove(&id).unwrap_or_default();
        mailbox.extensions = extensions.remove(&id).unwrap_or_default();
        mailboxes.push((id, mailbox));
    }
    Ok(mailboxes)
}

fn mailbox_from(row: &Row<'_>) -> StoreResult<Mailbox> {
    let dn: Option<String> = row.get("distinguished_name")?;
    let dn = dn
        .map(|text| DistinguishedName::parse(&text).ok_or(StoreError::Damaged("a distinguished name that is not one")))
        .transpose()?;
    Ok(Mailbox {
        object_id: ObjectId(row.get("object_id")?),
        guid: Uuid::from_bytes(row.get("guid")?),
        distinguished_name: dn,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        alias: row.get("alias")?,
        sam_account_name: row.get("sam_account_name")?,
        user_principal_name: row.get("user_principal_name")?,
        primary_smtp_address: row.get("primary_smtp_address")?,
        email_addresses: Vec::new(),
        legacy_exchange_dn: row.get("legacy_exchange_dn")?,
        um_enabled: row.get("um_enabled")?,
        extensions: Vec::new(),
        um_mailbox_policy: row.get("um_mailbox_policy")?,
        um_mailbox_policy_link: None,
        preferred_language: row.get("preferred_language")?,
    })
}
