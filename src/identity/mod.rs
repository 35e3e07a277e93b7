//! What an administrator may type to name a mailbox.

mod dn;
pub mod fold;

pub use dn::DistinguishedName;

use crate::Result;

/// One way in which a text may name a mailbox. The folded text is in [`Probe::key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// GUID, lower case with hyphens.
    Guid,
    /// DN in its comparable form.
    DistinguishedName,
    /// `contoso.com/Sales/Tony Smith`.
    CanonicalName,
    /// `contoso\tony`: the NetBIOS domain and the account name.
    Account,
    /// User principal name.
    UserPrincipalName,
    /// Any SMTP proxy address, without prefix.
    SmtpAddress,
    /// Legacy Exchange DN.
    LegacyExchangeDn,
    /// Mail nickname.
    Alias,
    /// Account name without domain.
    SamAccountName,
    /// Common name.
    Name,
}

/// A folded value to look for in one column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probe {
    /// Which property.
    pub kind: ProbeKind,
    /// Its folded text.
    pub key: String,
}

/// A parsed identity: the text as given, and every form it may have. A mailbox that any probe matches is a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    text: String,
    probes: Vec<Probe>,
}

impl Identity {
    /// Parses what was typed: trimmed; empty or with a NUL is `InvalidIdentity`; anything else has at least the probes for
    /// alias, account name and name. No wildcards.
    ///
    /// # Errors
    /// `InvalidIdentity`.
    pub fn parse(_text: &str) -> Result<Self> {
        todo!()
    }

    /// The trimmed text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every form the text may have.
    #[must_use]
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Whether the text is a distinguished name.
    #[must_use]
    pub fn is_distinguished_name(&self) -> bool {
        self.probes
            .iter()
            .any(|p| p.kind == ProbeKind::DistinguishedName)
    }
}
