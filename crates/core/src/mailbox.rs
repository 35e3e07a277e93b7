//! A mailbox as the directory describes it.

use uuid::Uuid;

use crate::identity::dn::DistinguishedName;

/// The identity of a mailbox that nothing ever changes: what a credential record is bound to.
///
/// Active Directory: `objectGUID`. Embedded store: random, made when the mailbox is first imported; later imports keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 16]);

/// A telephone extension in its dial plan (`eum:<number>;phone-context=<dial plan>` in Active Directory).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Extension {
    /// The digits that a caller keys.
    pub number: String,
    /// The dial plan's name, where it is known.
    pub dial_plan: Option<String>,
}

/// A mailbox as the directory describes it; property names are those of `Get-Mailbox`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// What credential records are bound to.
    pub object_id: ObjectId,
    /// The GUID that administrators see.
    pub guid: Uuid,
    /// Where the object stands in the tree; a mailbox imported without one has none.
    pub distinguished_name: Option<DistinguishedName>,
    /// Common name.
    pub name: String,
    /// What people call the user; falls back to the name.
    pub display_name: Option<String>,
    /// Mail nickname.
    pub alias: Option<String>,
    /// Account name without domain.
    pub sam_account_name: Option<String>,
    /// `tony@contoso.com` as a sign-in name; not necessarily an address.
    pub user_principal_name: Option<String>,
    /// Where the PIN is mailed to.
    pub primary_smtp_address: Option<String>,
    /// All proxy addresses with their prefix, as in `proxyAddresses` (`SMTP:` is the primary one).
    pub email_addresses: Vec<String>,
    /// `/o=Contoso/ou=…/cn=Recipients/cn=tony`.
    pub legacy_exchange_dn: Option<String>,
    /// Whether the mailbox has Unified Messaging at all.
    pub um_enabled: bool,
    /// The user's extensions; a PIN must not be derived from one.
    pub extensions: Vec<Extension>,
    /// Name of the policy that applies; `None` where none is assigned.
    pub um_mailbox_policy: Option<String>,
    /// Its DN, where the directory links to it (`msExchUMTemplateLink`): names of policies may be the same in two containers.
    pub um_mailbox_policy_link: Option<DistinguishedName>,
    /// Which languages the user reads, `de-AT, en;q=0.8` (`preferredLanguage`, RFC 2798), as imported.
    pub preferred_language: Option<String>,
}

impl Mailbox {
    /// The text that names this mailbox to an administrator: its canonical name, else its name.
    #[must_use]
    pub fn identity(&self) -> String {
        self.distinguished_name
            .as_ref()
            .and_then(DistinguishedName::canonical_name)
            .unwrap_or_else(|| self.name.clone())
    }

    /// `UserID` of `Get-UMMailboxPIN`: the primary SMTP address, else the UPN, else the name.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.primary_smtp_address
            .as_deref()
            .or(self.user_principal_name.as_deref())
            .unwrap_or(&self.name)
    }

    /// How the user is greeted.
    #[must_use]
    pub fn greeting_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.name)
    }
}
