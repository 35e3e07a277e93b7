//! The columns of a CSV file: Exchange's names, and the names of the LDAP attributes that hold the same.

use super::proxy;
use super::{Properties, Property};
use crate::attributes::mailbox::{MAILBOX_ATTRIBUTES, enabled};
use crate::attributes::raw_mailbox::{self, RawMailbox};
use crate::attributes::{hex, octets_as_guid, policy, quoted_hex};

/// Sets a property from a cell.
type Set = fn(&mut RawMailbox, &str) -> Result<(), String>;

/// A known column.
#[derive(Clone, Copy)]
pub(super) struct Column {
    name: &'static str,
    pub(super) property: Property,
    set: Set,
}

const fn column(name: &'static str, property: Property, set: Set) -> Column {
    Column { name, property, set }
}

macro_rules! text {
    ($field:ident) => {
        |raw, value| {
            value.clone_into(&mut raw.$field);
            Ok(())
        }
    };
}

/// Of several columns for one property, the first in this order that has a value is used.
const COLUMNS: &[Column] = &[
    column(
        "DistinguishedName",
        Property::DistinguishedName,
        text!(distinguished_name),
    ),
    column("DN", Property::DistinguishedName, text!(distinguished_name)),
    column("Name", Property::Name, text!(name)),
    column("CN", Property::Name, text!(name)),
    column("DisplayName", Property::DisplayName, text!(display_name)),
    column("Alias", Property::Alias, text!(alias)),
    column("mailNickname", Property::Alias, text!(alias)),
    column("SamAccountName", Property::SamAccountName, text!(sam_account_name)),
    column(
        "UserPrincipalName",
        Property::UserPrincipalName,
        text!(user_principal_name),
    ),
    column(
        "PrimarySmtpAddress",
        Property::PrimarySmtpAddress,
        text!(primary_smtp_address),
    ),
    column("mail", Property::PrimarySmtpAddress, text!(fallback_smtp_address)),
    column(
        "EmailAddress",
        Property::PrimarySmtpAddress,
        text!(fallback_smtp_address),
    ),
    column("EmailAddresses", Property::EmailAddresses, addresses),
    column("proxyAddresses", Property::EmailAddresses, addresses),
    column(
        "LegacyExchangeDN",
        Property::LegacyExchangeDn,
        text!(legacy_exchange_dn),
    ),
    column("Guid", Property::Guid, |raw, value| guid(raw, value, false)),
    column("objectGUID", Property::Guid, |raw, value| guid(raw, value, true)),
    column("UMEnabled", Property::UmEnabled, text!(um_enabled)),
    column("msExchUMEnabledFlags", Property::UmEnabled, |raw, value| {
        raw.um_enabled = enabled(value)?.to_string();
        Ok(())
    }),
    column("Extensions", Property::Extensions, text!(extensions)),
    column("UMMailboxPolicy", Property::UmMailboxPolicy, text!(um_mailbox_policy)),
    column(
        "msExchUMTemplateLink",
        Property::UmMailboxPolicy,
        text!(um_mailbox_policy),
    ),
    column(
        "PreferredLanguage",
        Property::PreferredLanguage,
        text!(preferred_language),
    ),
];

fn addresses(raw: &mut RawMailbox, value: &str) -> Result<(), String> {
    raw.email_addresses = proxy::split(value);
    Ok(())
}

/// `octets`: digits without hyphens are the bytes of the attribute. In Exchange's `Guid` they are a GUID without its hyphens.
fn guid(raw: &mut RawMailbox, value: &str, octets: bool) -> Result<(), String> {
    let plain = value.len() == 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    raw.guid = match octets_as_guid(value) {
        Some(guid) if octets || !plain => guid.to_string(),
        _ => value.to_owned(),
    };
    Ok(())
}

/// The column of that name, without regard to case.
pub(super) fn find(name: &str) -> Option<Column> {
    let name = name.trim();
    COLUMNS
        .iter()
        .find(|known| known.name.eq_ignore_ascii_case(name))
        .copied()
}

/// Whether the column distinguishes mailboxes from other objects without being a property.
pub(super) fn is_marker(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    name == "objectclass"
        || policy::ATTRIBUTES.iter().any(|known| known.eq_ignore_ascii_case(&name))
        || (MAILBOX_ATTRIBUTES.contains(&name.as_str()) && find(&name).is_none())
}

/// The columns of a header.
pub(super) struct Columns {
    /// Position and column, in order of precedence.
    known: Vec<(usize, Column)>,
    pub(super) given: Properties,
}

impl Columns {
    /// The known columns of a header.
    ///
    /// # Errors
    /// The name of a column that the header has twice.
    pub(super) fn new<'a>(header: impl Iterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut known: Vec<(usize, Column)> = Vec::new();
        for (at, name) in header.enumerate() {
            if let Some(column) = find(name) {
                if known.iter().any(|(_, other)| other.name == column.name) {
                    return Err(column.name);
                }
                known.push((at, column));
            }
        }
        let order = |column: &Column| COLUMNS.iter().position(|known| known.name == column.name);
        known.sort_by_key(|(_, column)| order(column));
        let mut given: Properties = known.iter().map(|(_, column)| column.property).collect();
        // The name is the DN's first component where it has no column.
        if given.contains(Property::DistinguishedName) {
            given.insert(Property::Name);
        }
        Ok(Self { known, given })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether any column identifies a mailbox.
    pub(super) fn identify(&self) -> bool {
        [
            Property::DistinguishedName,
            Property::Guid,
            Property::UserPrincipalName,
            Property::PrimarySmtpAddress,
            Property::EmailAddresses,
        ]
        .into_iter()
        .any(|property| self.given.contains(property))
    }

    /// The values of a record; the errors of its cells are added to the list.
    pub(super) fn raw_mailbox<'a>(&self, cell: impl Fn(usize) -> &'a str, errors: &mut Vec<String>) -> RawMailbox {
        let mut raw = RawMailbox::default();
        let mut set = Properties::default();
        for (at, column) in &self.known {
            let value = cell(*at).trim();
            if value.is_empty() || set.contains(column.property) {
                continue;
            }
            let decoded = text_of_octets(value, column.property);
            match (column.set)(&mut raw, decoded.as_deref().unwrap_or(value)) {
                Ok(()) => set.insert(column.property),
                Err(error) => errors.push(error),
            }
        }
        raw
    }
}

/// `csvde` writes text that is not ASCII as its UTF-8 bytes: `X'5a6fc3ab'`.
fn text_of_octets(value: &str, property: Property) -> Option<String> {
    if property == Property::Guid {
        return None;
    }
    String::from_utf8(hex(quoted_hex(value)?)?).ok()
}

/// The classes in a cell, as `csvde` separates them or PowerShell joins them; none in one that holds the name of a type.
pub(super) fn classes(cell: &str) -> Vec<&str> {
    if raw_mailbox::is_type_name(cell.trim()) {
        return Vec::new();
    }
    cell.split([';', ',', ' ']).filter(|class| !class.is_empty()).collect()
}
