//! From an entry to a mailbox, its sealed values and everything that names it.

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

/// What is asked for with every mailbox.
pub(super) fn attributes(schema: &Schema) -> Vec<&str> {
    let mut all = ATTRIBUTES.to_vec();
    all.extend([RECORD, &schema.counter]);
    all
}

/// A value in one of the two attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    /// Sealed by us.
    Ours(Vec<u8>),
    /// As it stands there: Exchange's checksum, or what another application keeps in an attribute for custom use.
    Foreign(Vec<u8>),
}

impl Value {
    /// Ours.
    pub(crate) fn sealed(self) -> Option<Vec<u8>> {
        match self {
            Self::Ours(sealed) => Some(sealed),
            Self::None | Self::Foreign(_) => None,
        }
    }
}

/// Both values, neither of which is hidden.
pub(super) fn stored(record: Value, counter: Value) -> StoredCredential {
    let (record, foreign) = match record {
        Value::None => (None, None),
        Value::Ours(sealed) => (Some(sealed), None),
        Value::Foreign(value) => (None, Some(value)),
    };
    StoredCredential {
        record,
        counter: counter.sealed(),
        foreign,
    }
}

/// The value of the record's attribute.
pub(super) fn record(entry: &Entry) -> Value {
    match entry.first(&RECORD.to_ascii_lowercase()) {
        None => Value::None,
        Some(value) if is_sealed(value) => Value::Ours(value.to_vec()),
        Some(value) => Value::Foreign(value.to_vec()),
    }
}

/// The value of the counter's attribute.
pub(super) fn counter(entry: &Entry, schema: &Schema) -> Value {
    match entry.first(&schema.counter.to_ascii_lowercase()) {
        None => Value::None,
        Some(value) => match schema.sealed_counter(value) {
            Some(sealed) => Value::Ours(sealed),
            None => Value::Foreign(value.to_vec()),
        },
    }
}

/// A mailbox as one controller described it.
#[derive(Debug)]
pub(super) struct Reading {
    pub found: Found,
    /// NetBIOS name of its domain.
    netbios_name: Option<String>,
    /// `msExchMailboxGuid`, which Exchange gives the mailbox itself.
    own_guid: Option<Uuid>,
}

impl Reading {
    /// `None` for an entry that is no mailbox.
    pub(crate) fn of(entry: &Entry, controller: &str, forest: &Forest) -> Option<Self> {
        if !is_mailbox(entry) {
            return None;
        }
        // What the schema would not allow is not there; what cannot be understood is left out, as far as the rest can do without.
        let properties = raw_mailbox(entry).ok()?.validate(&mut ValueErrors::default());
        let guid = properties.guid?;
        let mut mailbox = properties.with_ids(ObjectId(guid.into_bytes()), guid);
        if mailbox.name.is_empty() {
            // Two objects that were given one name on two controllers: the loser's has a line break in it.
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
        let own_guid = entry.guid("msExchMailboxGuid").ok().flatten();
        let stored = match (record(entry), counter(entry, &forest.schema)) {
            // Told when the values are asked for: the mailbox can be looked at all the same.
            (_, Value::Foreign(_)) => None,
            // Whether it is absent or may not be read, likewise.
            (Value::None, _) | (_, Value::None) => None,
            (record, counter) => Some(stored(record, counter)),
        };
        let found = Found {
            mailbox,
            controller: Some(controller.to_owned()),
            stored,
        };
        Some(Self {
            found,
            netbios_name: netbios_name.map(str::to_owned),
            own_guid: own_guid.filter(|guid| !guid.is_nil()),
        })
    }

    /// Whether the identity names it by our rule: a server's comparison may be wider.
    pub(crate) fn is_named_by(&self, identity: &Identity) -> bool {
        let keys = self.keys();
        identity.lookup_keys().iter().any(|key| keys.contains(key))
    }

    /// As for every directory, but with the domain's real NetBIOS name, and with the mailbox's own GUID.
    fn keys(&self) -> Vec<LookupKey> {
        let mailbox = &self.found.mailbox;
        let mut keys = lookup_keys(mailbox);
        if let (Some(domain), Some(account)) = (&self.netbios_name, &mailbox.sam_account_name) {
            // Another domain may have the first label of this one's DNS name as its NetBIOS name.
            keys.retain(|key| key.kind != LookupKeyKind::Account);
            keys.push(LookupKey {
                kind: LookupKeyKind::Account,
                value: format!("{}\\{}", fold(domain), fold(account)),
            });
        }
        keys.extend(self.own_guid.map(|guid| LookupKey {
            kind: LookupKeyKind::Guid,
            value: guid.hyphenated().to_string(),
        }));
        keys
    }
}

#[cfg(test)]
mod tests;
