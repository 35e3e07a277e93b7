//! An import: rows are matched with mailboxes (`matching.rs`), what becomes of each is worked out and checked against all
//! others (`unique.rs`), then it is written. Records are never touched.

mod matching;
pub(super) mod steps;
mod unique;
pub(super) mod write;

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use self::matching::{Candidate, Sign};
use super::error::{StoreError, StoreResult};
use super::{audit, lookup, policies};
use umpin_core::Error;
use umpin_core::audit::AuditBatch;
use umpin_core::directory::{ImportCounts, MailboxChange, PolicyObject};
use umpin_core::identity::fold::fold;
use umpin_core::import::merge::{differences, merged};
use umpin_core::import::{ImportPlan, MailboxRow, PolicyRow, RowError};
use umpin_core::mailbox::{Mailbox, ObjectId};
use umpin_core::random::system_bytes;

/// Rows that are looked at in one read transaction: some ten milliseconds.
const AT_ONCE: usize = 256;

/// Changed mailboxes that are told one by one.
const CHANGES_TOLD: usize = 1000;

/// A mailbox that is created or changed.
pub(super) struct Change {
    line: u64,
    /// Of a stored one.
    id: Option<i64>,
    before: Option<Mailbox>,
    after: Mailbox,
    /// Whether the file says the GUID.
    guid_given: bool,
    owners: Vec<unique::Owner>,
}

/// What an import comes to, before anything is written.
pub(super) struct Resolved {
    pub(super) counts: ImportCounts,
    pub(super) changes: Vec<Change>,
    /// Unchanged mailboxes whose GUID is known to name the object from now on.
    confirmed: Vec<i64>,
    /// Folded names of the policies that its mailboxes have.
    policies: HashSet<String>,
}

/// Reads in transactions of its caller's, one for each piece of work.
pub(super) type Reader<'r, E> = &'r dyn Fn(&mut dyn FnMut(&Connection) -> StoreResult<()>) -> Result<(), E>;

/// Carries the plan out in one transaction of the caller's, who rolls back when rows were refused, and commits otherwise.
pub(super) fn run(connection: &Connection, plan: &ImportPlan, batch: Option<&AuditBatch>) -> StoreResult<ImportCounts> {
    let mut resolved = resolve::<StoreError>(plan, &|work| work(connection))?;
    import_policies(connection, plan, &mut resolved, true)?;
    if resolved.counts.refused.is_empty() {
        write_all(connection, plan, &resolved)?;
        if let Some(batch) = batch {
            audit::append(connection, batch)?;
        }
    }
    Ok(resolved.counts)
}

/// Counts what an import would do.
pub(super) fn dry_run<E: From<Error>>(plan: &ImportPlan, read: Reader<'_, E>) -> Result<ImportCounts, E> {
    let mut resolved = resolve(plan, read)?;
    read(&mut |connection| import_policies(connection, plan, &mut resolved, false))?;
    Ok(resolved.counts)
}

/// Works out what becomes of each mailbox; writes nothing.
pub(super) fn resolve<E: From<Error>>(plan: &ImportPlan, read: Reader<'_, E>) -> Result<Resolved, E> {
    let mut resolved = Resolved {
        counts: ImportCounts::default(),
        changes: Vec::new(),
        confirmed: Vec::new(),
        policies: HashSet::new(),
    };
    // All rows are matched before any is worked out, so that the order of the file does not decide which mailbox a row means.
    let mut looked: Vec<Vec<Candidate>> = Vec::with_capacity(plan.mailboxes.len());
    for rows in plan.mailboxes.chunks(AT_ONCE) {
        plan.cancellation.check()?;
        let mut found = Vec::with_capacity(rows.len());
        read(&mut |connection| {
            found.clear();
            for row in rows {
                found.push(matching::look_up(connection, row)?);
            }
            Ok(())
        })?;
        for (row, found) in rows.iter().zip(found) {
            looked.push(found.unwrap_or_else(|reason| {
                refuse(&mut resolved.counts, row.line, reason);
                Vec::new()
            }));
        }
    }
    let refused: HashSet<u64> = resolved.counts.refused.iter().map(|problem| problem.line).collect();
    let assigned = matching::assign(&looked);
    let pairs: Vec<(&MailboxRow, Option<Candidate>)> = plan
        .mailboxes
        .iter()
        .zip(assigned)
        .filter(|(row, _)| !refused.contains(&row.line))
        .collect();
    for pairs in pairs.chunks(AT_ONCE) {
        plan.cancellation.check()?;
        let mut stored = Vec::new();
        let mut made_up = HashSet::new();
        read(&mut |connection| {
            let ids: Vec<i64> = pairs.iter().filter_map(|(_, target)| Some((*target)?.id)).collect();
            stored = lookup::load_keyed(connection, &ids)?;
            made_up.clear();
            for (row, target) in pairs {
                if let (Some(_), Some(target)) = (row.mailbox.guid, target)
                    && !matching::has_given_guid(connection, target.id)?
                {
                    made_up.insert(target.id);
                }
            }
            Ok(())
        })?;
        let begin = resolved.changes.len();
        for (row, target) in pairs {
            work_out(plan, row, *target, &stored, &made_up, &mut resolved)?;
        }
        let changes = &mut resolved.changes[begin..];
        read(&mut |connection| {
            for change in &mut *changes {
                change.owners = unique::owners(connection, change)?;
            }
            Ok(())
        })?;
    }
    for (place, reason) in unique::conflicts(&resolved.changes) {
        let line = resolved.changes[place].line;
        refuse(&mut resolved.counts, line, reason);
    }
    resolved.counts.refused.sort_by_key(|problem| problem.line);
    Ok(resolved)
}

fn refuse(counts: &mut ImportCounts, line: u64, message: impl Into<String>) {
    counts.refused.push(RowError {
        line,
        message: message.into(),
    });
}

fn work_out(
    plan: &ImportPlan,
    row: &MailboxRow,
    target: Option<Candidate>,
    stored: &[(i64, Mailbox)],
    made_up: &HashSet<i64>,
    resolved: &mut Resolved,
) -> umpin_core::Result<()> {
    let counts = &mut resolved.counts;
    let before = target
        .and_then(|t| stored.iter().find(|(id, _)| *id == t.id))
        .map(|(_, mailbox)| mailbox);
    if before.is_none() && row.mailbox.name.is_empty() {
        let message = format!(
            "No mailbox of the directory is that of '{}', and a new one needs a Name.",
            row.label()
        );
        refuse(counts, row.line, message);
        return Ok(());
    }
    let new_id = || system_bytes().map(ObjectId);
    let after = merged(row, before, new_id, &plan.default_policy)?;
    resolved.policies.extend(after.um_mailbox_policy.as_deref().map(fold));
    match (before, target) {
        (Some(before), Some(target)) => {
            let properties = differences(before, &after);
            if properties.is_empty() {
                counts.mailboxes_unchanged += 1;
                if made_up.contains(&target.id) {
                    resolved.confirmed.push(target.id);
                }
                return Ok(());
            }
            counts.mailboxes_updated += 1;
            for property in properties.iter() {
                *counts.properties.entry(property).or_default() += 1;
            }
            if counts.changes.len() < CHANGES_TOLD {
                counts.changes.push(MailboxChange {
                    line: row.line,
                    identity: before.identity(),
                    properties,
                });
            }
            tell_followed(row, target, before, &after, counts);
        }
        _ => counts.mailboxes_created += 1,
    }
    resolved.changes.push(Change {
        line: row.line,
        id: before.and(target).map(|target| target.id),
        before: before.cloned(),
        after,
        guid_given: row.mailbox.guid.is_some(),
        owners: Vec::new(),
    });
    Ok(())
}

/// A mailbox that has another place in the tree than before was recognized by something else.
fn tell_followed(row: &MailboxRow, target: Candidate, before: &Mailbox, after: &Mailbox, counts: &mut ImportCounts) {
    let keys = |mailbox: &Mailbox| mailbox.distinguished_name.as_ref().map(|dn| dn.comparable());
    if keys(before) == keys(after) && target.sign != Sign::Address {
        return;
    }
    let message = format!(
        "The mailbox '{}' was recognized by its {} and becomes '{}'.",
        before.identity(),
        target.sign.name(),
        after.identity()
    );
    let list = match target.sign {
        // Addresses pass from one user to the next: whoever imports should look.
        Sign::Address => &mut counts.notices,
        _ => &mut counts.followed,
    };
    list.push(RowError {
        line: row.line,
        message,
    });
}

/// Creates and changes the policies that the file describes, and those that it only names and that its mailboxes need.
pub(super) fn import_policies(
    connection: &Connection,
    plan: &ImportPlan,
    resolved: &mut Resolved,
    write: bool,
) -> StoreResult<()> {
    let mut guids = HashMap::new();
    for row in &plan.policies {
        plan.cancellation.check()?;
        if row.described || resolved.policies.contains(&fold(&row.settings.name)) {
            import_policy(connection, row, &mut guids, &mut resolved.counts, write)?;
        }
    }
    Ok(())
}

/// `guids`: the policies of the file so far.
fn import_policy<'a>(
    connection: &Connection,
    row: &'a PolicyRow,
    guids: &mut HashMap<Uuid, &'a str>,
    counts: &mut ImportCounts,
    write: bool,
) -> StoreResult<()> {
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
    let owner = owner.as_deref().or_else(|| guids.get(&policy.guid).copied());
    if let Some(owner) = owner {
        refuse(
            counts,
            row.line,
            format!("The policy '{name}' has the GUID of the policy '{owner}'."),
        );
        return Ok(());
    }
    guids.insert(policy.guid, name);
    if write {
        policies::store(connection, &policy)?;
    }
    if stored.is_none() && !row.described {
        counts.policies_defaulted.push(name.clone());
    }
    let list = match stored {
        Some(_) => &mut counts.policies_updated,
        None => &mut counts.policies_created,
    };
    list.push(name.clone());
    Ok(())
}

/// The GUIDs of these are known to name the object from now on.
pub(super) fn confirm_guids(connection: &Connection, ids: &[i64]) -> StoreResult<()> {
    let mut confirm =
        connection.prepare_cached("UPDATE mailbox SET guid_given = 1 WHERE id = ?1 AND NOT guid_given")?;
    for id in ids {
        confirm.execute([id])?;
    }
    Ok(())
}

/// Writes every change.
pub(super) fn write_all(connection: &Connection, plan: &ImportPlan, resolved: &Resolved) -> StoreResult<()> {
    for change in &resolved.changes {
        if let (Some(id), Some(before)) = (change.id, &change.before)
            && before.distinguished_name != change.after.distinguished_name
        {
            write::release_dn(connection, id)?;
        }
    }
    for change in &resolved.changes {
        plan.cancellation.check()?;
        write::store(
            connection,
            change.id,
            change.before.as_ref(),
            &change.after,
            change.guid_given,
        )?;
    }
    confirm_guids(connection, &resolved.confirmed)
}
