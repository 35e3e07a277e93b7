//! What only one mailbox may have: otherwise a reset or a sign-in would not know whom it is about.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;

use super::super::error::StoreResult;
use super::super::lookup;
use super::Change;
use umpin_core::identity::fold::fold;
use umpin_core::identity::{LookupKey, LookupKeyKind, lookup_keys};
use umpin_core::mailbox::Mailbox;

/// One such value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Value {
    Name(LookupKey),
    /// In its dial plan; those whose plan is unknown share one.
    Extension(String, Option<String>),
}

/// A stored mailbox that has the value today.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    value: Value,
    id: i64,
    identity: String,
}

/// The values of a mailbox.
fn values(mailbox: &Mailbox) -> BTreeSet<Value> {
    let names = lookup_keys(mailbox).into_iter().filter(|key| {
        matches!(
            key.kind,
            LookupKeyKind::Guid
                | LookupKeyKind::DistinguishedName
                | LookupKeyKind::UserPrincipalName
                | LookupKeyKind::SmtpAddress
                | LookupKeyKind::LegacyExchangeDn
        )
    });
    let extensions = mailbox
        .extensions
        .iter()
        .map(|e| Value::Extension(e.number.clone(), e.dial_plan.as_deref().map(fold)));
    names.map(Value::Name).chain(extensions).collect()
}

/// What the change gives to a mailbox that did not have it.
fn gained(change: &Change) -> impl Iterator<Item = Value> {
    let had = change.before.as_ref().map(values).unwrap_or_default();
    values(&change.after)
        .into_iter()
        .filter(move |value| !had.contains(value))
}

/// The other mailboxes that have now what the change gives.
pub(super) fn owners(connection: &Connection, change: &Change) -> StoreResult<Vec<Owner>> {
    let mut found = Vec::new();
    let wanted: Vec<Value> = gained(change).collect();
    let keys: Vec<LookupKey> = wanted
        .iter()
        .filter_map(|value| match value {
            Value::Name(key) => Some(key.clone()),
            Value::Extension(..) => None,
        })
        .collect();
    let other = |id: &i64| Some(*id) != change.id;
    // One question for all of them; mostly nobody has any.
    let none = !lookup::matching(connection, &keys)?.iter().any(other);
    for value in wanted {
        let ids = match &value {
            Value::Name(_) if none => continue,
            Value::Name(key) => lookup::matching(connection, std::slice::from_ref(key))?,
            Value::Extension(number, plan) => with_extension(connection, number, plan.as_deref())?,
        };
        for (id, mailbox) in lookup::load_keyed(connection, &ids.into_iter().filter(other).collect::<Vec<_>>())? {
            found.push(Owner {
                value: value.clone(),
                id,
                identity: mailbox.identity(),
            });
        }
    }
    Ok(found)
}

fn with_extension(connection: &Connection, number: &str, plan: Option<&str>) -> StoreResult<Vec<i64>> {
    let matches = lookup::with_extension(connection, number)?;
    Ok(matches
        .into_iter()
        .filter(|(_, of)| of.as_deref().map(fold).as_deref() == plan)
        .map(|(id, _)| id)
        .collect())
}

/// Why changes cannot be made, by their place among them; the first of two that want the same has it.
pub(super) fn conflicts(changes: &[Change]) -> Vec<(usize, String)> {
    let by_id: HashMap<i64, &Change> = changes.iter().filter_map(|c| Some((c.id?, c))).collect();
    let mut claimed: HashMap<Value, &Change> = HashMap::new();
    let mut refused = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        let keeps = |owner: &&Owner| {
            by_id
                .get(&owner.id)
                .is_none_or(|other| values(&other.after).contains(&owner.value))
        };
        if let Some(owner) = change.owners.iter().find(keeps) {
            refused.push((
                place,
                match by_id.get(&owner.id) {
                    Some(first) => given(first, &owner.value, change),
                    None => owned_by_another(change, owner),
                },
            ));
            continue;
        }
        let wanted: Vec<Value> = gained(change).collect();
        let other = wanted.iter().find_map(|value| Some((value, *claimed.get(value)?)));
        if let Some((value, first)) = other {
            refused.push((place, given(first, value, change)));
            continue;
        }
        claimed.extend(wanted.into_iter().map(|value| (value, change)));
    }
    refused
}

fn given(first: &Change, value: &Value, change: &Change) -> String {
    format!(
        "Line {} already gives {} to '{}', so '{}' cannot have it.",
        first.line,
        shown(value),
        first.after.identity(),
        change.after.identity()
    )
}

fn owned_by_another(change: &Change, owner: &Owner) -> String {
    format!(
        "{} of '{}' belongs to the mailbox '{}', which would keep it. If that is the same user, give the row its GUID or its \
         distinguished name; if that user has left, remove the mailbox with Remove-UMDirectoryMailbox.",
        capitalized(&shown(&owner.value)),
        change.after.identity(),
        owner.identity
    )
}

fn shown(value: &Value) -> String {
    match value {
        Value::Extension(number, None) => format!("the extension '{number}'"),
        Value::Extension(number, Some(plan)) => format!("the extension '{number}' of the dial plan '{plan}'"),
        Value::Name(key) => {
            let what = match key.kind {
                LookupKeyKind::Guid => "the GUID",
                LookupKeyKind::DistinguishedName => return "the distinguished name".to_owned(),
                LookupKeyKind::UserPrincipalName => "the user principal name",
                LookupKeyKind::LegacyExchangeDn => "the legacyExchangeDN",
                _ => "the address",
            };
            format!("{what} '{}'", key.value)
        }
    }
}

fn capitalized(text: &str) -> String {
    text.replacen("the ", "The ", 1)
}
