//! A mailbox as the directory describes it.

use uuid::Uuid;

use crate::identity::dn::DistinguishedName;

/// The immutable id of a mailbox, which a credential record is bound to.
///
/// Active Directory: `objectGUID`. Embedded store: random, created by the first import; later imports keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 16]);

/// A telephone extension in its dial plan (`eum:<number>;phone-context=<dial plan>` in Active Directory).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Extension {
    /// The digits that a caller dials.
    pub number: String,
    /// The dial plan's name, where it is known.
    pub dial_plan: Option<String>,
}

/// A mailbox as the directory describes it; property names are those of `Get-Mailbox`.
///
/// The type parameters are the types of the two identifiers: [`MailboxProperties`] has not got them all yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox<I = ObjectId, G = Uuid> {
    /// The id that credential records are bound to.
    pub object_id: I,
    /// The GUID that administrators see.
    pub guid: G,
    /// The position in the tree; a mailbox may be imported without one.
    pub distinguished_name: Option<DistinguishedName>,
    /// Common name.
    pub name: String,
    /// Display name.
    pub display_name: Option<String>,
    /// Mail nickname.
    pub alias: Option<String>,
    /// Account name without domain.
    pub sam_account_name: Option<String>,
    /// `tony@contoso.com` as a sign-in name; not necessarily an address.
    pub user_principal_name: Option<String>,
    /// The recipient of PIN messages.
    pub primary_smtp_address: Option<String>,
    /// All proxy addresses with their prefix, as in `proxyAddresses` (`SMTP:` is the primary one).
    pub email_addresses: Vec<String>,
    /// `/o=Contoso/ou=…/cn=Recipients/cn=tony`.
    pub legacy_exchange_dn: Option<String>,
    /// Whether the mailbox is enabled for Unified Messaging.
    pub um_enabled: bool,
    /// The user's extensions; a PIN must not be derived from one.
    pub extensions: Vec<Extension>,
    /// Name of the policy that applies; `None` where none is assigned.
    pub um_mailbox_policy: Option<String>,
    /// The DN of the policy, where the directory links to it (`msExchUMTemplateLink`): policies in two containers may share a name.
    pub um_mailbox_policy_link: Option<DistinguishedName>,
    /// The languages that the user reads, `de-AT, en;q=0.8` (`preferredLanguage`, RFC 2798), as imported.
    pub preferred_language: Option<String>,
}

/// The properties of a mailbox as a file or an entry gives them: without an object id, and perhaps without a GUID.
pub type MailboxProperties = Mailbox<(), Option<Uuid>>;

impl MailboxProperties {
    /// The mailbox with these identifiers.
    #[must_use]
    pub fn with_ids(self, object_id: ObjectId, guid: Uuid) -> Mailbox {
        Mailbox {
            object_id,
            guid,
            distinguished_name: self.distinguished_name,
            name: self.name,
            display_name: self.display_name,
            alias: self.alias,
            sam_account_name: self.sam_account_name,
            user_principal_name: self.user_principal_name,
            primary_smtp_address: self.primary_smtp_address,
            email_addresses: self.email_addresses,
            legacy_exchange_dn: self.legacy_exchange_dn,
            um_enabled: self.um_enabled,
            extensions: self.extensions,
            um_mailbox_policy: self.um_mailbox_policy,
            um_mailbox_policy_link: self.um_mailbox_policy_link,
            preferred_language: self.preferred_language,
        }
    }
}

impl Mailbox {
    /// The identity that messages show: the canonical name, else the name.
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

    /// The name in the greeting of a message: the display name, else the name.
    #[must_use]
    pub fn greeting_name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.name)
    }
}
