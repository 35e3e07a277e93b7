//! Applies a row to a stored mailbox: properties without a column stay as they are, and an empty value clears one.

use uuid::Uuid;

use super::{MailboxRow, Properties, Property};
use crate::attributes::addresses::{add_extension, from_eum};
use crate::identity::fold::fold;
use crate::mailbox::{Extension, Mailbox, ObjectId};

/// The mailbox after the import, new or updated.
///
/// Name, DN and GUID identify it: a row without one of them keeps the stored one.
pub fn merged(
    row: &MailboxRow,
    stored: Option<&Mailbox>,
    new_id: impl FnOnce() -> crate::Result<ObjectId>,
    default_policy: &str,
) -> crate::Result<Mailbox> {
    let new = &row.mailbox;
    let Some(stored) = stored else {
        let guid = new.guid.unwrap_or_else(Uuid::new_v4);
        let mut mailbox = new.clone().with_ids(new_id()?, guid);
        mailbox.um_mailbox_policy = policy(mailbox.um_mailbox_policy, mailbox.um_enabled, default_policy);
        return Ok(mailbox);
    };
    let given = |property| row.given.contains(property);
    let text = |property, new: &Option<String>, old: &Option<String>| {
        if given(property) { new.clone() } else { old.clone() }
    };
    let (primary_smtp_address, email_addresses) = addresses(row, stored);
    let um_enabled = if given(Property::UmEnabled) {
        row.mailbox.um_enabled
    } else {
        stored.um_enabled
    };
    let wanted = text(
        Property::UmMailboxPolicy,
        &row.mailbox.um_mailbox_policy,
        &stored.um_mailbox_policy,
    );
    Ok(Mailbox {
        object_id: stored.object_id,
        guid: row.mailbox.guid.unwrap_or(stored.guid),
        distinguished_name: row
            .mailbox
            .distinguished_name
            .clone()
            .or_else(|| stored.distinguished_name.clone()),
        name: if given(Property::Name) && !row.mailbox.name.is_empty() {
            row.mailbox.name.clone()
        } else {
            stored.name.clone()
        },
        display_name: text(Property::DisplayName, &row.mailbox.display_name, &stored.display_name),
        alias: text(Property::Alias, &row.mailbox.alias, &stored.alias),
        sam_account_name: text(
            Property::SamAccountName,
            &row.mailbox.sam_account_name,
            &stored.sam_account_name,
        ),
        user_principal_name: text(
            Property::UserPrincipalName,
            &row.mailbox.user_principal_name,
            &stored.user_principal_name,
        ),
        legacy_exchange_dn: text(
            Property::LegacyExchangeDn,
            &row.mailbox.legacy_exchange_dn,
            &stored.legacy_exchange_dn,
        ),
        extensions: extensions(row, stored),
        primary_smtp_address,
        email_addresses,
        um_enabled,
        um_mailbox_policy: policy(wanted, um_enabled, default_policy),
        um_mailbox_policy_link: None,
        preferred_language: text(
            Property::PreferredLanguage,
            &row.mailbox.preferred_language,
            &stored.preferred_language,
        ),
    })
}

/// A mailbox with Unified Messaging always has a policy.
fn policy(wanted: Option<String>, um_enabled: bool, default_policy: &str) -> Option<String> {
    wanted.or_else(|| um_enabled.then(|| default_policy.to_owned()))
}

/// The primary address is also in the list, so that each of the two columns affects both properties.
fn addresses(row: &MailboxRow, stored: &Mailbox) -> (Option<String>, Vec<String>) {
    let primary_given = row.given.contains(Property::PrimarySmtpAddress);
    match (primary_given, row.given.contains(Property::EmailAddresses)) {
        (true, true) => (
            row.mailbox.primary_smtp_address.clone(),
            row.mailbox.email_addresses.clone(),
        ),
        (false, false) => (
            stored.primary_smtp_address.clone(),
            without_lost_extensions(row, stored.email_addresses.clone()),
        ),
        // The list replaces the stored one; the primary address stays unless the list marks another.
        (false, true) => {
            let kept = stored
                .primary_smtp_address
                .as_ref()
                .filter(|_| row.mailbox.primary_smtp_address.is_none());
            let listed = kept.and_then(|kept| row.mailbox.email_addresses.iter().position(|a| is_smtp(a, kept)));
            match (kept, listed) {
                (Some(kept), Some(at)) => {
                    let mut list = row.mailbox.email_addresses.clone();
                    list.remove(at);
                    list.insert(0, format!("SMTP:{kept}"));
                    (Some(kept.clone()), list)
                }
                _ => (
                    row.mailbox.primary_smtp_address.clone(),
                    row.mailbox.email_addresses.clone(),
                ),
            }
        }
        // The primary address is replaced; the others stay.
        (true, false) => {
            let new = &row.mailbox.primary_smtp_address;
            let mut list = without_lost_extensions(row, stored.email_addresses.clone());
            for gone in [&stored.primary_smtp_address, new].into_iter().flatten() {
                list.retain(|address| !is_smtp(address, gone));
            }
            if let Some(new) = new {
                list.insert(0, format!("SMTP:{new}"));
            }
            (new.clone(), list)
        }
    }
}

fn is_smtp(address: &str, value: &str) -> bool {
    address
        .get(..5)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("smtp:"))
        && fold(&address[5..]) == fold(value)
}

/// An `eum:` address is an extension, too: when only the extensions are given, other `eum:` addresses are removed.
fn without_lost_extensions(row: &MailboxRow, mut list: Vec<String>) -> Vec<String> {
    if row.given.contains(Property::Extensions) {
        list.retain(|address| {
            from_eum(address).is_none_or(|old| row.mailbox.extensions.iter().any(|new| new.number == old.number))
        });
    }
    list
}

fn extensions(row: &MailboxRow, stored: &Mailbox) -> Vec<Extension> {
    let addresses_given = row.given.contains(Property::EmailAddresses);
    if row.given.contains(Property::Extensions) {
        // Without dial plans in the row, extensions that stay keep theirs.
        return row
            .mailbox
            .extensions
            .iter()
            .map(|new| {
                let known = new
                    .dial_plan
                    .is_none()
                    .then(|| only_with_number(&stored.extensions, &new.number));
                known.flatten().unwrap_or(new).clone()
            })
            .collect();
    }
    if !addresses_given {
        return stored.extensions.clone();
    }
    // The extensions of the new addresses replace those of the old ones; other extensions stay.
    let mut list = row.mailbox.extensions.clone();
    let from_addresses: Vec<Extension> = stored.email_addresses.iter().filter_map(|a| from_eum(a)).collect();
    for old in &stored.extensions {
        if !from_addresses.iter().any(|known| known.number == old.number) {
            add_extension(&mut list, old.clone());
        }
    }
    list
}

/// The one extension of that number.
fn only_with_number<'a>(list: &'a [Extension], number: &str) -> Option<&'a Extension> {
    let mut found = list.iter().filter(|extension| extension.number == number);
    found.next().filter(|_| found.next().is_none())
}

/// The properties in which the two differ.
pub fn differences(before: &Mailbox, after: &Mailbox) -> Properties {
    let compared = [
        (
            Property::DistinguishedName,
            before.distinguished_name != after.distinguished_name,
        ),
        (Property::Name, before.name != after.name),
        (Property::DisplayName, before.display_name != after.display_name),
        (Property::Alias, before.alias != after.alias),
        (
            Property::SamAccountName,
            before.sam_account_name != after.sam_account_name,
        ),
        (
            Property::UserPrincipalName,
            before.user_principal_name != after.user_principal_name,
        ),
        (
            Property::PrimarySmtpAddress,
            before.primary_smtp_address != after.primary_smtp_address,
        ),
        (
            Property::EmailAddresses,
            before.email_addresses != after.email_addresses,
        ),
        (
            Property::LegacyExchangeDn,
            before.legacy_exchange_dn != after.legacy_exchange_dn,
        ),
        (Property::Guid, before.guid != after.guid),
        (Property::UmEnabled, before.um_enabled != after.um_enabled),
        (Property::Extensions, before.extensions != after.extensions),
        (
            Property::UmMailboxPolicy,
            before.um_mailbox_policy != after.um_mailbox_policy,
        ),
        (
            Property::PreferredLanguage,
            before.preferred_language != after.preferred_language,
        ),
    ];
    compared
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(property, _)| property)
        .collect()
}
