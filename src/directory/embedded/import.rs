//! An import, inside one transaction: rows are matched with mailboxes, then written. Records are never touched.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::error::{Sql, changed};
use super::{audit, lookup, policies};
use crate::audit::AuditTrail;
use crate::cancellation::Cancellation;
use crate::directory::{ImportCounts, PolicyObject};
use crate::identity::fold::fold;
use crate::identity::{Probe, ProbeKind, probes_of};
use crate::import::{ImportPlan, MailboxRow, PolicyRow, Problem};
use crate::mailbox::{Mailbox, ObjectId};
use crate::random::system_bytes;

/// Where a row goes: the internal key of a stored mailbox, or nowhere yet.
type Target = Option<i64>;

/// Carries the plan out. The caller rolls back when rows were refused, and commits otherwise.
pub(super) fn run(connection: &Connection, plan: &ImportPlan, trail: Option<&AuditTrail>) -> Sql<ImportCounts> {
    let mut counts = ImportCounts::default();
    for row in &plan.policies {
        plan.cancellation.check()?;
        import_policy(connection, row, &mut counts)?;
    }
    // All rows are matched before any is written, so that the order of the file does not decide which mailbox a row means.
    let targets = match_rows(connection, plan, &mut counts)?;
    release_names(connection, &targets, &plan.cancellation)?;
    for (row, target) in &targets {
        plan.cancellation.check()?;
        import_mailbox(connection, row, *target, &mut counts)?;
    }
    if let Some(trail) = trail {
        audit::append(connection, trail)?;
    }
    Ok(counts)
}

fn refuse(counts: &mut ImportCounts, line: u64, message: impl Into<String>) {
    counts.refused.push(Problem {
        line,
        message: message.into(),
    });
}

fn import_policy(connection: &Connection, row: &PolicyRow, counts: &mut ImportCounts) -> Sql<()> {
    let name = &row.settings.name;
    let stored = policies::by_name(connection, name)?;
    if stored.is_some() && !row.described {
        return Ok(());
    }
    let policy = PolicyObject {
        guid: row
            .guid
            .or(stored.as_ref().map(|p| p.guid))
            .unwrap_or_else(Uuid::new_v4),
        distinguished_name: row
            .distinguished_name
            .clone()
            .or_else(|| stored.as_ref().and_then(|p| p.distinguished_name.clone())),
        settings: row.settings.clone(),
    };
    if stored.as_ref() == Some(&policy) {
        return Ok(());
    }
    let owner: Option<String> = connection
        .prepare_cached("SELECT name FROM policy WHERE guid = ?1 AND key <> ?2")?
        .query_row(params![policy.guid.as_bytes(), fold(name)], |r| r.get(0))
        .optional()?;
    if let Some(owner) = owner {
        refuse(
            counts,
            row.line,
            format!("The policy '{name}' has the GUID of the policy '{owner}'."),
        );
        return Ok(());
    }
    policies::store(connection, &policy)?;
    if stored.is_none() && !row.described {
        counts.policies_defaulted.push(name.clone());
    }
    let list = match stored {
        Some(_) => &mut counts.policies_updated,
        None => &mut counts.policies_created,
    };
    if !list.contains(name) {
        list.push(name.clone());
    }
    Ok(())
}

/// What names a row within the file, so that two rows for one mailbox show.
#[derive(PartialEq, Eq, Hash)]
enum Claim {
    Stored(i64),
    Guid(Uuid),
    Name(Probe),
}

fn match_rows<'a>(
    connection: &Connection,
    plan: &'a ImportPlan,
    counts: &mut ImportCounts,
) -> Sql<Vec<(&'a MailboxRow, Target)>> {
    let rows = &plan.mailboxes;
    let mut claimed: HashMap<Claim, u64> = HashMap::with_capacity(rows.len() * 2);
    let mut targets = Vec::with_capacity(rows.len());
    for row in rows {
        plan.cancellation.check()?;
        let target = match find_target(connection, row)? {
            Ok(target) => target,
            Err(reason) => {
                refuse(counts, row.line, reason);
                continue;
            }
        };
        let mut claims = Vec::new();
        claims.extend(target.map(Claim::Stored));
        claims.extend(row.guid.map(Claim::Guid));
        claims.extend(strongest_name(row).map(Claim::Name));
        if let Some(line) = claims.iter().find_map(|c| claimed.get(c)) {
            refuse(
                counts,
                row.line,
                format!("Line {line} already describes the mailbox '{}'.", row.name),
            );
            continue;
        }
        for claim in claims {
            claimed.insert(claim, row.line);
        }
        targets.push((row, target));
    }
    Ok(targets)
}

/// Whose row it is: by GUID, else by DN, else (a row with neither) by the strongest other name that it has.
fn find_target(connection: &Connection, row: &MailboxRow) -> Sql<Result<Target, String>> {
    if let Some(guid) = row.guid {
        let found: Target = connection
            .prepare_cached("SELECT id FROM mailbox WHERE guid = ?1")?
            .query_row([guid.as_bytes()], |r| r.get(0))
            .optional()?;
        if found.is_some() {
            return Ok(Ok(found));
        }
    }
    if let Some(dn) = &row.distinguished_name {
        let found: Option<(i64, bool)> = connection
            .prepare_cached("SELECT id, guid_given FROM mailbox WHERE dn_key = ?1")?
            .query_row([dn.comparable()], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        return Ok(Ok(match found {
            // A mailbox that came with another GUID is another one, whose place in the tree this row has taken. Its PIN must
            // not pass to the newcomer; whether it has moved, `release_names` knows.
            Some((_, true)) if row.guid.is_some() => None,
            found => found.map(|(id, _)| id),
        }));
    }
    if row.guid.is_some() {
        return Ok(Ok(None));
    }
    let Some(name) = strongest_name(row) else {
        return Ok(Err(format!("Nothing identifies the mailbox '{}'.", row.name)));
    };
    let ids = lookup::matching(connection, std::slice::from_ref(&name))?;
    Ok(match ids[..] {
        [] => Ok(None),
        [id] => Ok(Some(id)),
        _ => Err(format!(
            "The row has neither GUID nor distinguished name, and '{}' names {} mailboxes.",
            name.key,
            ids.len()
        )),
    })
}

fn strongest_name(row: &MailboxRow) -> Option<Probe> {
    let probe = |kind, key: Option<&String>| {
        key.filter(|k| !k.trim().is_empty())
            .map(|k| Probe { kind, key: fold(k) })
    };
    if let Some(dn) = &row.distinguished_name {
        return Some(Probe {
            kind: ProbeKind::DistinguishedName,
            key: dn.comparable(),
        });
    }
    if row.guid.is_some() {
        return None;
    }
    probe(ProbeKind::UserPrincipalName, row.user_principal_name.as_ref())
        .or_else(|| probe(ProbeKind::SmtpAddress, row.primary_smtp_address.as_ref()))
        .or_else(|| probe(ProbeKind::Alias, row.alias.as_ref()))
        .or_else(|| probe(ProbeKind::SamAccountName, row.sam_account_name.as_ref()))
        .or_else(|| probe(ProbeKind::Name, Some(&row.name)))
}

/// Takes their DNs from the mailboxes that get another one, so that renames within the file may swap and chain.
fn release_names(connection: &Connection, targets: &[(&MailboxRow, Target)], cancellation: &Cancellation) -> Sql<()> {
    let mut release = connection.prepare_cached("UPDATE mailbox SET dn_key = NULL WHERE id = ?1 AND dn_key <> ?2")?;
    for (row, target) in targets {
        cancellation.check()?;
        if let (Some(id), Some(dn)) = (target, &row.distinguished_name) {
            release.execute(params![id, dn.comparable()])?;
        }
    }
    Ok(())
}

fn import_mailbox(connection: &Connection, row: &MailboxRow, target: Target, counts: &mut ImportCounts) -> Sql<()> {
    let stored = match target {
        Some(id) => lookup::load(connection, &[id])?.pop(),
        None => None,
    };
    let mailbox = merged(row, stored.as_ref())?;
    if let Some(other) = other_owner(connection, &mailbox, target)? {
        refuse(
            counts,
            row.line,
            format!(
                "The distinguished name of '{}' belongs to the mailbox with the GUID {other}, which this file does not move.",
                row.name
            ),
        );
        return Ok(());
    }
    if stored.as_ref() == Some(&mailbox) {
        counts.mailboxes_unchanged += 1;
        if let (Some(id), true) = (target, row.guid.is_some()) {
            // From now on the GUID is known to name the object.
            connection
                .prepare_cached("UPDATE mailbox SET guid_given = 1 WHERE id = ?1 AND NOT guid_given")?
                .execute([id])?;
        }
        return Ok(());
    }
    match target {
        Some(_) => counts.mailboxes_updated += 1,
        None => counts.mailboxes_created += 1,
    }
    let id = store(connection, &mailbox, target, row.guid.is_some())?;
    store_parts(connection, id, &mailbox)
}

/// The mailbox as the row wants it. A row without GUID or DN keeps the stored ones: they say who it is, not how it is.
fn merged(row: &MailboxRow, stored: Option<&Mailbox>) -> Sql<Mailbox> {
    Ok(Mailbox {
        object_id: match stored {
            Some(m) => m.object_id,
            None => ObjectId(system_bytes()?),
        },
        guid: row.guid.or(stored.map(|m| m.guid)).unwrap_or_else(Uuid::new_v4),
        distinguished_name: row
            .distinguished_name
            .clone()
            .or_else(|| stored.and_then(|m| m.distinguished_name.clone())),
        name: row.name.clone(),
        display_name: row.display_name.clone(),
        alias: row.alias.clone(),
        sam_account_name: row.sam_account_name.clone(),
        user_principal_name: row.user_principal_name.clone(),
        primary_smtp_address: row.primary_smtp_address.clone(),
        email_addresses: row.email_addresses.clone(),
        legacy_exchange_dn: row.legacy_exchange_dn.clone(),
        um_enabled: row.um_enabled,
        extensions: row.extensions.clone(),
        um_mailbox_policy: row.um_mailbox_policy.clone(),
        um_mailbox_policy_link: None,
        preferred_language: row.preferred_language.clone(),
    })
}

/// The GUID of another mailbox that has this one's DN.
fn other_owner(connection: &Connection, mailbox: &Mailbox, target: Target) -> Sql<Option<Uuid>> {
    let Some(dn) = &mailbox.distinguished_name else {
        return Ok(None);
    };
    Ok(connection
        .prepare_cached("SELECT guid FROM mailbox WHERE dn_key = ?1 AND id IS NOT ?2")?
        .query_row(params![dn.comparable(), target], |r| r.get(0))
        .optional()?
        .map(Uuid::from_bytes))
}

fn store(connection: &Connection, mailbox: &Mailbox, target: Target, guid_given: bool) -> Sql<i64> {
    let dn = mailbox.distinguished_name.as_ref();
    Ok(connection
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
                target,
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
        )?)
}

fn store_parts(connection: &Connection, id: i64, mailbox: &Mailbox) -> Sql<()> {
    for table in ["email_address", "extension", "identity"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE mailbox = ?1"))?
            .execute([id])?;
    }
    let mut insert =
        connection.prepare_cached("INSERT INTO email_address (mailbox, position, value) VALUES (?1, ?2, ?3)")?;
    for (position, value) in (0_i64..).zip(&mailbox.email_addresses) {
        changed(insert.execute(params![id, position, value])?, 1)?;
    }
    let mut insert = connection
        .prepare_cached("INSERT INTO extension (mailbox, position, number, dial_plan) VALUES (?1, ?2, ?3, ?4)")?;
    for (position, extension) in (0_i64..).zip(&mailbox.extensions) {
        let rows = insert.execute(params![id, position, extension.number, extension.dial_plan])?;
        changed(rows, 1)?;
    }
    let mut insert = connection.prepare_cached("INSERT INTO identity (key, kind, mailbox) VALUES (?1, ?2, ?3)")?;
    for probe in probes_of(mailbox) {
        changed(insert.execute(params![probe.key, i64::from(probe.kind.code()), id])?, 1)?;
    }
    Ok(())
}
