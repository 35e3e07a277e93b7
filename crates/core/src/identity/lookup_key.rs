//! Lookup keys: pairs of a property and its folded text, compared for equality.

use uuid::Uuid;

use super::fold::fold;
use super::{canonical, strip_prefix_ignoring_case};
use crate::mailbox::Mailbox;

/// The property of a lookup key. The folded text is in [`LookupKey::value`].
///
/// The numbers are stored by the embedded directory: never change or reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LookupKeyKind {
    /// GUID, lower case with hyphens.
    Guid = 1,
    /// DN in its comparable form.
    DistinguishedName = 2,
    /// `contoso.com/Sales/Tony Smith`.
    CanonicalName = 3,
    /// `contoso\tony`: the NetBIOS domain and the account name.
    Account = 4,
    /// User principal name.
    UserPrincipalName = 5,
    /// Any SMTP proxy address, without prefix.
    SmtpAddress = 6,
    /// Legacy Exchange DN.
    LegacyExchangeDn = 7,
    /// Mail nickname.
    Alias = 8,
    /// Account name without domain.
    SamAccountName = 9,
    /// Common name.
    Name = 10,
}

impl LookupKeyKind {
    /// Every kind, by number.
    pub const ALL: [Self; 10] = [
        Self::Guid,
        Self::DistinguishedName,
        Self::CanonicalName,
        Self::Account,
        Self::UserPrincipalName,
        Self::SmtpAddress,
        Self::LegacyExchangeDn,
        Self::Alias,
        Self::SamAccountName,
        Self::Name,
    ];

    /// The number for storage.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A property and its folded value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupKey {
    /// The property.
    pub kind: LookupKeyKind,
    /// Its folded text.
    pub value: String,
}

impl LookupKey {
    pub(super) fn new(kind: LookupKeyKind, value: String) -> Self {
        Self { kind, value }
    }

    pub(super) fn guid(guid: Uuid) -> Self {
        Self::new(LookupKeyKind::Guid, guid.hyphenated().to_string())
    }

    pub(super) fn account(domain: &str, account: &str) -> Self {
        let value = format!("{}\\{}", fold(domain), fold(account));
        Self::new(LookupKeyKind::Account, value)
    }
}

/// The keys of a mailbox, sorted, each once: an identity matches it if they share a key.
#[must_use]
pub fn lookup_keys(mailbox: &Mailbox) -> Vec<LookupKey> {
    let mut keys = vec![
        LookupKey::guid(mailbox.guid),
        LookupKey::new(LookupKeyKind::Name, fold(&mailbox.name)),
    ];
    if let Some(dn) = &mailbox.distinguished_name {
        keys.push(LookupKey::new(LookupKeyKind::DistinguishedName, dn.comparable()));
        if let Some(name) = dn.canonical_name() {
            keys.push(LookupKey::new(LookupKeyKind::CanonicalName, canonical::key(&name)));
        }
        if let (Some(domain), Some(account)) = (dn.first_domain_component(), &mailbox.sam_account_name) {
            keys.push(LookupKey::account(&domain, account));
        }
    }
    for (kind, value) in [
        (LookupKeyKind::UserPrincipalName, &mailbox.user_principal_name),
        (LookupKeyKind::SmtpAddress, &mailbox.primary_smtp_address),
        (LookupKeyKind::LegacyExchangeDn, &mailbox.legacy_exchange_dn),
        (LookupKeyKind::Alias, &mailbox.alias),
        (LookupKeyKind::SamAccountName, &mailbox.sam_account_name),
    ] {
        keys.extend(value.iter().map(|text| LookupKey::new(kind, fold(text))));
    }
    for address in &mailbox.email_addresses {
        for (prefix, kind) in [
            ("smtp:", LookupKeyKind::SmtpAddress),
            ("x500:", LookupKeyKind::LegacyExchangeDn),
        ] {
            if let Some(value) = strip_prefix_ignoring_case(address.trim(), prefix) {
                keys.push(LookupKey::new(kind, fold(value)));
            }
        }
    }
    // An empty property names nothing.
    keys.retain(|key| !key.value.is_empty());
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_in_stores() {
        let codes: Vec<u8> = LookupKeyKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }
}
