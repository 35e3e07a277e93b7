//! Import files: CSV and LDIF, parsed into rows. Pure: bytes in, rows and errors out.

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

use crate::attributes::raw_mailbox::check_policy_name;
use crate::cancellation::Cancellation;
use crate::mailbox::MailboxProperties;
use crate::policy::UmMailboxPolicy;
use crate::{Error, ErrorCode, Result};

pub use property::{Properties, Property};

/// The policy of rows that name none, unless the caller names another.
const DEFAULT_POLICY: &str = "Default";

/// A mailbox as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// 1-based line where the row or entry begins.
    pub line: u64,
    /// The properties that the file has columns for; the others stay as they are stored.
    pub given: Properties,
    /// The properties. A `guid` of `None` keeps the stored one, or creates one; the name may be empty in a row without a DN; a
    /// UM-enabled row always has a policy ([`ImportPlan::default_policy`]).
    pub mailbox: MailboxProperties,
}

impl MailboxRow {
    /// The text that names the row in messages.
    pub fn label(&self) -> String {
        let texts = [
            Some(&self.mailbox.name).filter(|name| !name.is_empty()),
            self.mailbox.display_name.as_ref(),
            self.mailbox.user_principal_name.as_ref(),
            self.mailbox.primary_smtp_address.as_ref(),
        ];
        match (texts.into_iter().flatten().next(), &self.mailbox.guid) {
            (Some(text), _) => text.clone(),
            (None, Some(guid)) => guid.to_string(),
            (None, None) => self.mailbox.email_addresses.first().cloned().unwrap_or_default(),
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

/// An error or a notice about a row of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
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
    /// Rows that are left out, by line; one error per row, with everything that is invalid in it.
    pub errors: Vec<RowError>,
    /// Notices about rows that are imported without one of their values, such as an address that is not an extension.
    pub notices: Vec<RowError>,
    /// The policy of UM-enabled mailboxes for which neither file nor directory has one (`-DefaultPolicy`, else `Default`).
    pub default_policy: String,
    /// Unknown columns of a CSV file. An LDIF export always has other attributes, which are not listed.
    pub ignored_columns: Vec<String>,
    /// Checked before each row and immediately before the commit.
    pub cancellation: Cancellation,
}

impl Default for ImportPlan {
    fn default() -> Self {
        Self {
            mailboxes: Vec::new(),
            policies: Vec::new(),
            errors: Vec::new(),
            notices: Vec::new(),
            default_policy: DEFAULT_POLICY.to_owned(),
            ignored_columns: Vec::new(),
            cancellation: Cancellation::default(),
        }
    }
}

/// The format of a file.
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
            .action("Give the file the extension .csv or .ldf, according to its format.")),
        }
    }
}

/// What the caller decides about an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The policy of UM-enabled mailboxes for which the file names none; `Default` unless given.
    pub default_policy: Option<String>,
    /// Also passed on in the plan.
    pub cancellation: Cancellation,
}

/// Parses a file. Rows that cannot be used are in [`ImportPlan::errors`]; the rest of the plan is valid without them.
///
/// # Errors
/// `ImportInvalid` when the file as a whole cannot be used: empty, binary, in an unknown encoding, without header or
/// without the columns that every row needs, cut off inside quotation marks. `Cancelled`.
pub fn parse(bytes: &[u8], format: Format, options: &ImportOptions) -> Result<ImportPlan> {
    let default_policy = options.default_policy.as_deref().unwrap_or(DEFAULT_POLICY).trim();
    check_policy_name(default_policy).map_err(|error| {
        Error::new(
            ErrorCode::ImportInvalid,
            format!("The default policy cannot be used: {error}."),
        )
        .action("Pass the name of a policy.")
    })?;
    let text = text::decode(bytes).map_err(|error| invalid(error.to_string()))?;
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
