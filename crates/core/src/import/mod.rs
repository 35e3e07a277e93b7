//! Import files: CSV and LDIF parsed into what a directory is to hold. Pure: bytes in, rows and problems out.

mod builder;
mod columns;
mod csv;
mod ldif;
pub mod merge;
mod property;
mod proxy;
pub mod text;

use std::path::Path;

use uuid::Uuid;

use crate::attributes::draft::check_policy_name;
use crate::cancellation::Cancellation;
use crate::identity::DistinguishedName;
use crate::mailbox::Extension;
use crate::policy::UmMailboxPolicy;
use crate::{Error, ErrorCode, Result};

pub use property::{Properties, Property};

/// The policy of those that name none, unless the caller says otherwise.
const DEFAULT_POLICY: &str = "Default";

/// A mailbox as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// 1-based line where the row or entry begins.
    pub line: u64,
    /// What the file speaks of: all else stays as it is stored.
    pub given: Properties,
    /// `None`: keep the one that is stored, else make one.
    pub guid: Option<Uuid>,
    /// Position in the tree.
    pub distinguished_name: Option<DistinguishedName>,
    /// Common name; from the DN's first RDN where the file has no own value, and empty where it has no DN either.
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
    /// Name of the policy; for a UM-enabled row always filled ([`ImportPlan::default_policy`]).
    pub um_mailbox_policy: Option<String>,
    /// Which languages the user reads.
    pub preferred_language: Option<String>,
}

impl MailboxRow {
    /// What names the row to whoever wrote the file.
    pub fn label(&self) -> String {
        let texts = [
            Some(&self.name).filter(|name| !name.is_empty()),
            self.display_name.as_ref(),
            self.user_principal_name.as_ref(),
            self.primary_smtp_address.as_ref(),
        ];
        match (texts.into_iter().flatten().next(), &self.guid) {
            (Some(text), _) => text.clone(),
            (None, Some(guid)) => guid.to_string(),
            (None, None) => self.email_addresses.first().cloned().unwrap_or_default(),
        }
    }
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
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// Mailboxes, in the order of the file.
    pub mailboxes: Vec<MailboxRow>,
    /// Policies, described ones first.
    pub policies: Vec<PolicyRow>,
    /// Rows that were left out, by line; one problem per row, with everything that is wrong with it.
    pub problems: Vec<Problem>,
    /// Rows that are imported, and what of them is not: an address that is no extension.
    pub notices: Vec<Problem>,
    /// The policy of UM-enabled mailboxes for which neither file nor directory has one (`-DefaultPolicy`, else `Default`).
    pub default_policy: String,
    /// Columns of a CSV file that mean nothing here; an LDIF export always has such attributes and lists none.
    pub ignored_columns: Vec<String>,
    /// Whether it is still wanted: asked before each row and immediately before the commit.
    pub cancellation: Cancellation,
}

impl Default for ImportPlan {
    fn default() -> Self {
        Self {
            mailboxes: Vec::new(),
            policies: Vec::new(),
            problems: Vec::new(),
            notices: Vec::new(),
            default_policy: DEFAULT_POLICY.to_owned(),
            ignored_columns: Vec::new(),
            cancellation: Cancellation::default(),
        }
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line per mailbox under a header line.
    Csv,
    /// LDAP Data Interchange Format (RFC 2849).
    Ldif,
}

impl Format {
    /// By the file's extension: `.csv`, `.ldf` or `.ldif`.
    ///
    /// # Errors
    /// `ImportInvalid` for any other.
    pub fn from_extension(path: &Path) -> Result<Self> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("ldf" | "ldif") => Ok(Self::Ldif),
            _ => Err(Error::new(
                ErrorCode::ImportInvalid,
                format!(
                    "The file '{}' has none of the extensions .csv, .ldf and .ldif.",
                    path.display()
                ),
            )
            .action("Name the file .csv or .ldf, whichever it is.")),
        }
    }
}

/// What the caller decides about an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The policy of UM-enabled mailboxes for which the file names none; `Default` unless given.
    pub default_policy: Option<String>,
    /// Whether it is still wanted; the plan has it, too.
    pub cancellation: Cancellation,
}

/// Reads a file. Rows that cannot be used are in [`ImportPlan::problems`]; the rest of the plan is sound without them.
///
/// # Errors
/// `ImportInvalid` where the file as a whole cannot be used: empty, binary, in an unknown encoding, without header or
/// without the columns that every row needs, cut off inside quotation marks. `Cancelled`.
pub fn parse(bytes: &[u8], format: Format, options: &ImportOptions) -> Result<ImportPlan> {
    let default_policy = options.default_policy.as_deref().unwrap_or(DEFAULT_POLICY).trim();
    check_policy_name(default_policy).map_err(|fault| {
        Error::new(
            ErrorCode::ImportInvalid,
            format!("The default policy cannot be used: {fault}."),
        )
        .action("Pass the name of a policy.")
    })?;
    let text = text::decode(bytes).map_err(|fault| invalid(fault.to_string()))?;
    options.cancellation.check()?;
    let mut builder = builder::Builder::new(default_policy, options.cancellation.clone());
    match format {
        Format::Csv => csv::read(&text, &mut builder)?,
        Format::Ldif => ldif::read(&text, &mut builder)?,
    }
    builder.finish()
}

/// The file as a whole cannot be used; `what` completes "The file … ".
fn invalid(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::ImportInvalid, format!("The file {what}."))
        .action("Correct the file, or export it again as CSV or LDIF in UTF-8.")
}
