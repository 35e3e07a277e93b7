//! LDIF as `ldifde` and `ldapsearch` export it from Active Directory.

mod reader;

use super::builder::Builder;
use super::{PolicyRow, Properties, Property, invalid};
use crate::Result;
use crate::attributes::value_errors::ValueErrors;
use crate::attributes::{Entry, mailbox, policy};

/// Reads the file's text.
pub(super) fn read(text: &str, builder: &mut Builder) -> Result<()> {
    if !reader::looks_like_ldif(text) {
        return Err(invalid("is not LDIF: it begins with neither 'dn:' nor 'version:'"));
    }
    // An export has no line for an attribute without a value. An attribute that no mailbox of the file has was not exported.
    let mut given = Properties::from_iter([Property::DistinguishedName, Property::Name]);
    for item in reader::entries(text) {
        builder.check()?;
        match item {
            Err((line, reason)) => builder.error(line, reason),
            Ok((line, entry)) if policy::is_policy(&entry) => match policy_row(line, &entry) {
                Ok(row) => builder.policy(row),
                Err(message) => builder.error(line, message),
            },
            Ok((line, entry)) if mailbox::is_mailbox(&entry) => {
                for (name, _) in &entry.attributes {
                    if let Some(property) = property(name) {
                        given.insert(property);
                    }
                }
                match mailbox::raw_mailbox(&entry) {
                    Ok(raw) => builder.mailbox(line, raw, Properties::ALL),
                    Err(message) => builder.error(line, message),
                }
            }
            // Containers, computers, groups and other objects of the subtree.
            Ok(_) => {}
        }
    }
    builder.all_given(given);
    Ok(())
}

fn property(attribute: &str) -> Option<Property> {
    Some(match attribute {
        "displayname" => Property::DisplayName,
        "mailnickname" => Property::Alias,
        "samaccountname" => Property::SamAccountName,
        "userprincipalname" => Property::UserPrincipalName,
        "mail" => Property::PrimarySmtpAddress,
        "proxyaddresses" => Property::EmailAddresses,
        "legacyexchangedn" => Property::LegacyExchangeDn,
        "objectguid" => Property::Guid,
        "msexchumenabledflags" => Property::UmEnabled,
        "msexchumtemplatelink" => Property::UmMailboxPolicy,
        "preferredlanguage" => Property::PreferredLanguage,
        _ => return None,
    })
}

pub(super) fn policy_row(line: u64, entry: &Entry) -> std::result::Result<PolicyRow, String> {
    let mut errors = ValueErrors::default();
    let policy = policy::read(entry, &mut errors)?;
    match errors.into_message() {
        Some(message) => Err(message),
        None => Ok(PolicyRow {
            line,
            guid: policy.guid,
            distinguished_name: policy.distinguished_name.map(|dn| dn.as_str().to_owned()),
            settings: policy.settings,
            described: true,
        }),
    }
}
