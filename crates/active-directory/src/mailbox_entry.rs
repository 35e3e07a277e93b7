//! Maps an LDAP entry to a mailbox with its sealed values and look-up keys.

use uuid::Uuid;

use super::connection::Entry;
use super::forest::Forest;
use super::schema::{RECORD, Schema};
use umpin_core::attributes::mailbox::{ATTRIBUTES, is_mailbox, raw_mailbox};
use umpin_core::attributes::value_errors::ValueErrors;
use umpin_core::credential::seal::is_sealed;
use umpin_core::directory::{Found, StoredCredential};
use umpin_core::identity::fold::fold;
use umpin_core::identity::{DistinguishedName, Identity, LookupKey, LookupKeyKind, lookup_keys};
use umpin_core::mailbox::ObjectId;

/// The attributes that are read of every mailbox.
pub(super) fn mailbox_attributes(schema: &Schema) -> Vec<&str> {
    let mut all = ATTRIBUTES.to_vec();
    all.extend([RECORD, &schema.counter]);
    all
}

/// The value of the record's or the counter's attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AttributeValue {
    Absent,
    /// Sealed by umpin.
    Sealed(Vec<u8>),
    /// A value of Exchange or of another application.
    Foreign(Vec<u8>),
}

impl AttributeValue {
    /// The sealed bytes.
    pub(crate) fn sealed(self) -> Option<Vec<u8>> {
        match self {
            Self::Sealed(sealed) => Some(sealed),
            Self::Absent | Self::Foreign(_) => None,
        }
    }
}

/// Combines both values, which the account may read.
pub(super) fn stored_credential(record: AttributeValue, counter: AttributeValue) -> StoredCredential {
    let (record, foreign) = match record {
        AttributeValue::Absent => (None, None),
        AttributeValue::Sealed(sealed) => (Some(sealed), None),
        AttributeValue::Foreign(value) => (None, Some(value)),
    };
    StoredCredential {
        record,
        counter: counter.sealed(),
        foreign,
    }
}

/// The value of the record's attribute.
pub(super) fn record_attribute(entry: &Entry) -> AttributeValue {
    match entry.first(&RECORD.to_ascii_lowercase()) {
        None => AttributeValue::Absent,
        Some(value) if is_sealed(value) => AttributeValue::Sealed(value.to_vec()),
        Some(value) => AttributeValue::Foreign(value.to_vec()),
    }
}

/// The value of the counter's attribute.
pub(super) fn counter_attribute(entry: &Entry, schema: &Schema) -> AttributeValue {
    match entry.first(&schema.counter.to_ascii_lowercase()) {
        None => AttributeValue::Absent,
        Some(value) => match schema.sealed_counter(value) {
            Some(sealed) => AttributeValue::Sealed(sealed),
            None => AttributeValue::Foreign(value.to_vec()),
        },
    }
}

/// A mailbox as read on one controller.
#[derive(Debug)]
pub(super) struct MailboxEntry {
    pub found: Found,
    /// NetBIOS name of its domain.
    netbios_name: Option<String>,
    /// `msExchMailboxGuid`.
    mailbox_guid: Option<Uuid>,
}

impl MailboxEntry {
    /// `None` if the entry is not a mailbox.
    pub(crate) fn of(entry: &Entry, controller: &str, forest: &Forest) -> Option<Self> {
        if !is_mailbox(entry) {
            return None;
        }
        // The schema rules malformed values out; optional attributes that cannot be parsed are ignored.
        let properties = raw_mailbox(entry).ok()?.validate(&mut ValueErrors::default());
        let guid = properties.guid?;
        let mut mailbox = properties.with_ids(ObjectId(guid.into_bytes()), guid);
        if mailbox.name.is_empty() {
            // The object lost a naming conflict: its name contains a line break and "CNF:".
            mailbox.name = entry
                .text("name")
                .ok()?
                .chars()
                .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
                .collect();
        }
        mailbox.um_mailbox_policy_link = entry
            .text("msExchUMTemplateLink")
            .ok()
            .and_then(|link| DistinguishedName::parse(&link));
        let domain = mailbox.distinguished_name.as_ref().and_then(|dn| dn.domain());
        let netbios_name = domain.as_deref().and_then(|name| forest.netbios_name(name));
        let mailbox_guid = entry.guid("msExchMailboxGuid").ok().flatten();
        let stored = match (record_attribute(entry), counter_attribute(entry, &forest.schema)) {
            // Reported when the values are read; the mailbox itself is usable.
            (_, AttributeValue::Foreign(_)) => None,
            // Whether the value is absent or not readable is decided when the values are read.
            (AttributeValue::Absent, _) | (_, AttributeValue::Absent) => None,
            (record, counter) => Some(stored_credential(record, counter)),
        };
        let found = Found {
            mailbox,
            controller: Some(controller.to_owned()),
            stored,
        };
        Some(Self {
            found,
            netbios_name: netbios_name.map(str::to_owned),
            mailbox_guid: mailbox_guid.filter(|guid| !guid.is_nil()),
        })
    }

    /// Whether the identity names this mailbox; the server's matching rules may be wider.
    pub(crate) fn matches_identity(&self, identity: &Identity) -> bool {
        let keys = self.keys();
        identity.lookup_keys().iter().any(|key| keys.contains(key))
    }

    /// The look-up keys, with the domain's NetBIOS name and the mailbox GUID.
    fn keys(&self) -> Vec<LookupKey> {
        let mailbox = &self.found.mailbox;
        let mut keys = lookup_keys(mailbox);
        if let (Some(domain), Some(account)) = (&self.netbios_name, &mailbox.sam_account_name) {
            // The first label of the DNS name may be another domain's NetBIOS name.
            keys.retain(|key| key.kind != LookupKeyKind::Account);
            keys.push(LookupKey {
                kind: LookupKeyKind::Account,
                value: format!("{}\\{}", fold(domain), fold(account)),
            });
        }
        keys.extend(self.mailbox_guid.map(|guid| LookupKey {
            kind: LookupKeyKind::Guid,
            value: guid.hyphenated().to_string(),
        }));
        keys
    }
}

#[cfg(test)]
mod tests;
