//! Filling the directory from a file: all of it, or nothing.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::directory::Directory;
use crate::service::audit_writer::AuditWriter;
use crate::service::records::Records;

use super::audit_writer::{Action, Event, PendingAudit, Target};
use crate::audit::AuditBatch;
use crate::cancellation::Cancellation;
use crate::directory::{ImportCounts, Route};
use crate::identity::fold::fold;
use crate::import::{self, Format, ImportOptions, ImportPlan, RowError};
use crate::policy::{Limit, UmMailboxPolicy};
use crate::{Error, ErrorCode, Result};

/// An import file larger than this is refused rather than read into memory: bytes.
const MAX_FILE_SIZE: u64 = 1 << 30;
/// Bytes that are read before it is asked again whether they are still wanted.
const READ_AT_ONCE: u64 = 1 << 22;
/// Who fills a directory, for the audit.
const CMDLET: &str = "Import-UMDirectory";
/// Problems that an error names.
const PROBLEMS_SHOWN: usize = 20;

/// How often rows that were refused are left out and the rest is tried again.
const ROUNDS: usize = 20;

/// What `Import-UMDirectory` was asked for.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// `None`: by the file's extension.
    pub format: Option<Format>,
    /// For UM-enabled rows that name no policy; `None`: `Default`.
    pub default_policy: Option<String>,
    /// Leave out rows that cannot be used, instead of changing nothing.
    pub skip_invalid: bool,
    /// Count only.
    pub what_if: bool,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

/// What an import did, or would do.
#[derive(Clone, Debug)]
pub struct ImportOutcome {
    /// Numbers and names.
    pub counts: ImportCounts,
    /// Rows that were left out, by line.
    pub skipped: Vec<RowError>,
    /// What should be looked at although the rows were imported, by line.
    pub notices: Vec<RowError>,
    /// Columns of the file that have no meaning here.
    pub ignored_columns: Vec<String>,
    /// The directory.
    pub location: String,
}

/// Fills the directory from a file.
pub(super) struct Imports {
    pub directory: Arc<dyn Directory>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub clock: Arc<dyn Clock>,
}

impl Imports {
    /// [`Service::import`](crate::service::Service::import).
    pub(in crate::service) fn import(&self, request: &ImportRequest) -> Result<ImportOutcome> {
        let format = match request.format {
            Some(format) => format,
            None => Format::from_extension(&request.path)?,
        };
        let bytes = read(request)?;
        let options = ImportOptions {
            default_policy: request.default_policy.clone(),
            cancellation: request.cancellation.clone(),
        };
        let mut plan = import::parse(&bytes, format, &options).map_err(|e| {
            if e.code() == ErrorCode::Cancelled {
                return e;
            }
            let message = format!(
                "The import file {} cannot be used: {}",
                request.path.display(),
                e.message()
            );
            let mut error = Error::new(e.code(), message).action("Correct the file, then import it again.");
            for (name, value) in e.details() {
                error = error.detail(name, value.clone());
            }
            error.caused_by(e)
        })?;
        let ignored_columns = std::mem::take(&mut plan.ignored_columns);
        if !request.skip_invalid {
            refuse(request, &plan.errors)?;
        }
        let mut skipped = std::mem::take(&mut plan.errors);
        let mut rounds = 0;
        let trial = loop {
            let trial = self.directory.import(&plan, None, true)?;
            if trial.refused.is_empty() {
                break trial;
            }
            // What one row gives up another may need: without it, the other is refused as well.
            if !request.skip_invalid || rounds == ROUNDS {
                refuse(request, &trial.refused)?;
            }
            rounds += 1;
            leave_out(&mut plan, &trial.refused);
            skipped.extend(trial.refused);
        };
        skipped.sort_by_key(|problem| problem.line);
        let mut notices = std::mem::take(&mut plan.notices);
        notices.retain(|notice| !skipped.iter().any(|problem| problem.line == notice.line));
        let mut counts = if request.what_if {
            trial
        } else {
            request.cancellation.check()?;
            let trail = self.import_trail(request, &plan, &trial)?;
            let counts = self.directory.import(&plan, trail.as_ref(), false)?;
            // Another import came between the trial and this one: the transaction left everything as it was.
            refuse(request, &counts.refused)?;
            counts
        };
        notices.append(&mut counts.notices);
        notices.sort_by_key(|notice| notice.line);
        Ok(ImportOutcome {
            counts,
            notices,
            skipped,
            ignored_columns,
            location: self.directory.location(),
        })
    }

    /// One event for the import, and one for each policy that it makes or changes, with the settings before and after.
    fn import_trail(
        &self,
        request: &ImportRequest,
        plan: &ImportPlan,
        trial: &ImportCounts,
    ) -> Result<Option<AuditBatch>> {
        if !self.audit.enabled {
            return Ok(None);
        }
        let ring = self.records.ring_for_change()?;
        let mut import = Event::new(Action::Import, CMDLET, Target::Directory)?
            .result("mailboxes", plan.mailboxes.len())
            .result("policies", plan.policies.len());
        import
            .parameter("Path", Some(request.path.display().to_string()))
            .parameter("DefaultPolicy", request.default_policy.as_deref())
            .parameter("SkipInvalid", request.skip_invalid.then_some(true));
        let mut events = vec![import];
        // There may be no directory to ask yet where every policy is new.
        let created = trial.policies_created.iter().map(|name| (name, None));
        let updated = trial.policies_updated.iter().map(|name| (name, Some(name)));
        for (name, known) in created.chain(updated) {
            let mut change = Event::new(Action::PolicyChange, CMDLET, Target::Policy(name))?;
            if let Some(before) = known
                .map(|name| self.directory.policy(name, Route::Preferred))
                .transpose()?
                .flatten()
            {
                change = change.result("before", settings_for_audit(&before.settings));
            }
            if let Some(row) = plan.policies.iter().find(|row| fold(&row.settings.name) == fold(name)) {
                change = change.result("after", settings_for_audit(&row.settings));
            }
            events.push(change);
        }
        Ok(self
            .audit
            .batch_of(&ring, self.clock.now(), &events)
            .map(PendingAudit::whole))
    }
}

/// A policy's settings under Exchange's names.
pub(super) fn settings_for_audit(policy: &UmMailboxPolicy) -> serde_json::Value {
    let limit = |limit: Limit| limit.number().map_or("Unlimited".into(), serde_json::Value::from);
    serde_json::json!({
        "MinPINLength": policy.min_pin_length,
        "PINLifetime": limit(policy.pin_lifetime_days),
        "PINHistoryCount": policy.pin_history_count,
        "AllowCommonPatterns": policy.allow_common_patterns,
        "LogonFailuresBeforePINReset": limit(policy.logon_failures_before_pin_reset),
        "MaxLogonAttempts": limit(policy.max_logon_attempts),
        "ResetPINText": policy.reset_pin_text,
    })
}

fn read(request: &ImportRequest) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| unusable(request, "cannot be read", Some(e));
    let metadata = std::fs::metadata(&request.path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(unusable(request, "is not a regular file", None));
    }
    if metadata.len() > MAX_FILE_SIZE {
        return Err(unusable(request, "is larger than 1 GiB", None));
    }
    let mut file = std::fs::File::open(&request.path).map_err(failed)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    loop {
        request.cancellation.check()?;
        if (&mut file).take(READ_AT_ONCE).read_to_end(&mut bytes).map_err(failed)? == 0 {
            return Ok(bytes);
        }
    }
}

fn unusable(request: &ImportRequest, why: &str, cause: Option<std::io::Error>) -> Error {
    let path = request.path.display();
    let error = match cause {
        None => Error::new(ErrorCode::ImportInvalid, format!("The import file {path} {why}.")),
        Some(cause) => Error::new(
            ErrorCode::ImportInvalid,
            format!("The import file {path} {why}: {cause}."),
        )
        .caused_by(cause),
    };
    error.action("Pass the path of a CSV or LDIF file.")
}

fn refuse(request: &ImportRequest, problems: &[RowError]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let shown: Vec<serde_json::Value> = problems
        .iter()
        .take(PROBLEMS_SHOWN)
        .map(|p| serde_json::json!({ "line": p.line, "message": p.message }))
        .collect();
    let line = problems.iter().map(|problem| problem.line).min().unwrap_or_default();
    let what = match problems.len() {
        1 => format!("the row in line {line} cannot be used"),
        count => format!("{count} rows cannot be used, the first in line {line}"),
    };
    Err(Error::new(
        ErrorCode::ImportInvalid,
        format!("Nothing was imported from {}: {what}.", request.path.display()),
    )
    .detail("problems", shown)
    .detail("count", problems.len()))
}

fn leave_out(plan: &mut ImportPlan, refused: &[RowError]) {
    let lines: HashSet<u64> = refused.iter().map(|problem| problem.line).collect();
    plan.mailboxes.retain(|row| !lines.contains(&row.line));
    plan.policies.retain(|row| !lines.contains(&row.line) || !row.described);
}
