//! Import files: CSV and LDIF parsed into what a directory is to hold. Pure: bytes in, rows and problems out.

pub mod csv;
pub mod ldif;

use uuid::Uuid;

use crate::identity::DistinguishedName;
use crate::mailbox::Extension;
use crate::policy::UmMailboxPolicy;

/// A mailbox as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// 1-based line where the row or entry begins.
    pub line: u64,
    /// `None`: keep the one that is stored, else make one.
    pub guid: Option<Uuid>,
    /// Position in the tree.
    pub distinguished_name: Option<DistinguishedName>,
    /// Common name; from the DN's first RDN where the file has no own value.
    pub name: String,
    /// See [`crate::mailbox::Mailbox`]; so are the following.
    pub display_name: Option<String>,
    /// Mail nickname.
    pub alias: Option<String>,
    /// Account name.
    pub sam_account_name: Option<String>,
    /// Sign-in name.
    pub user_principal_name: Option<String>,
    /// Primary address; always also in `email_addresses`.
    pub primary_smtp_address: Option<String>,
    /// With prefix, the primary one as `SMTP:`.
    pub email_addresses: Vec<String>,
    /// Legacy Exchange DN.
    pub legacy_exchange_dn: Option<String>,
    /// UM-enabled.
    pub um_enabled: bool,
    /// Extensions.
    pub extensions: Vec<Extension>,
    /// Name of the policy; for a UM-enabled row always filled (`-DefaultPolicy`, else `Default`).
    pub um_mailbox_policy: Option<String>,
}

/// A policy that the file describes (LDIF) or only names (then with default settings and `described` false).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    /// Line of its entry, or of the row that first names it.
    pub line: u64,
    /// From the file.
    pub guid: Option<Uuid>,
    /// From the file.
    pub distinguished_name: Option<String>,
    /// Settings with the name.
    pub settings: UmMailboxPolicy,
    /// Whether the file gives the settings: an existing policy is updated only then.
    pub described: bool,
}

/// Something in the file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// 1-based line.
    pub line: u64,
    /// One sentence.
    pub message: String,
}

/// A parsed file.
#[derive(Clone, Debug, Default)]
pub struct ImportPlan {
    /// Mailboxes, in the order of the file.
    pub mailboxes: Vec<MailboxRow>,
    /// Policies, described ones first.
    pub policies: Vec<PolicyRow>,
    /// Rows that were left out.
    pub problems: Vec<Problem>,
}
