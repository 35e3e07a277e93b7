//! What an identity is looked up by: pairs of a property and its folded text, compared for plain equality.

use uuid::Uuid;

use super::fold::fold;
use super::{canonical, strip_prefix_ignoring_case};
use crate::mailbox::Mailbox;

/// One way in which a text may name a mailbox. The folded text is in [`Probe::key`].
///
/// The numbers are stored by the embedded directory: never change or reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ProbeKind {
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

impl ProbeKind {
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

    /// The kind with that number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A folded value to look for in one column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probe {
    /// Which property.
    pub kind: ProbeKind,
    /// Its folded text.
    pub key: String,
}

impl Probe {
    pub(super) fn new(kind: ProbeKind, key: String) -> Self {
        Self { kind, key }
    }

    pub(super) fn guid(guid: Uuid) -> Self {
        Self::new(ProbeKind::Guid, guid.hyphenated().to_string())
    }

    pub(super) fn account(domain: &str, account: &str) -> Self {
        let key = format!("{}\\{}", fold(domain), fold(account));
        Self::new(ProbeKind::Account, key)
    }
}

/// Everything that names this mailbox, sorted, each once: an identity names it when one of its probes is among these.
#[must_use]
pub fn probes_of(mailbox: &Mailbox) -> Vec<Probe> {
    let mut probes = vec![
        Probe::guid(mailbox.guid),
        Probe::new(ProbeKind::Name, fold(&mailbox.name)),
    ];
    if let Some(dn) = &mailbox.distinguished_name {
        probes.push(Probe::new(ProbeKind::DistinguishedName, dn.comparable()));
        if let Some(name) = dn.canonical_name() {
            probes.push(Probe::new(ProbeKind::CanonicalName, canonical::key(&name)));
        }
        if let (Some(domain), Some(account)) = (dn.first_domain_component(), &mailbox.sam_account_name) {
            probes.push(Probe::account(&domain, account));
        }
    }
    for (kind, value) in [
        (ProbeKind::UserPrincipalName, &mailbox.user_principal_name),
        (ProbeKind::SmtpAddress, &mailbox.primary_smtp_address),
        (ProbeKind::LegacyExchangeDn, &mailbox.legacy_exchange_dn),
        (ProbeKind::Alias, &mailbox.alias),
        (ProbeKind::SamAccountName, &mailbox.sam_account_name),
    ] {
        probes.extend(value.iter().map(|text| Probe::new(kind, fold(text))));
    }
    for address in &mailbox.email_addresses {
        for (prefix, kind) in [
            ("smtp:", ProbeKind::SmtpAddress),
            ("x500:", ProbeKind::LegacyExchangeDn),
        ] {
            if let Some(value) = strip_prefix_ignoring_case(address.trim(), prefix) {
                probes.push(Probe::new(kind, fold(value)));
            }
        }
    }
    // An empty property names nothing.
    probes.retain(|probe| !probe.key.is_empty());
    probes.sort_unstable();
    probes.dedup();
    probes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_in_stores() {
        let codes: Vec<u8> = ProbeKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        for kind in ProbeKind::ALL {
            assert_eq!(ProbeKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(ProbeKind::from_code(0), None);
        assert_eq!(ProbeKind::from_code(11), None);
    }
}
