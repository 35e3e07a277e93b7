//! Requests for the audit log, and their answers.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::{bytes, error_value};
use super::rules::{check_version, invalid, require_identity};
use crate::audit::{ChainReport, ChainStatus};
use crate::cancellation::Cancellation;
use crate::clock::Timestamp;
use crate::service::audit::{AuditExport, AuditExported, AuditFilter, AuditItem, AuditPage, AuditQuery};
use crate::{Error, ErrorCode, Result};

/// The default and the largest size of a page.
const PAGE_SIZE: usize = 500;
const MAX_PAGE_SIZE: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Audit {
    v: u64,
    path: Option<PathBuf>,
    after: Option<String>,
    page_size: Option<usize>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    target: Option<String>,
    #[serde(default)]
    alternatives: Vec<String>,
    caller: Option<String>,
    cmdlet: Option<String>,
    action: Option<String>,
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Succeeded,
    Failed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Export {
    v: u64,
    path: PathBuf,
    #[serde(default)]
    force: bool,
}

impl Audit {
    pub(super) fn check(self) -> Result<AuditQuery> {
        check_version(self.v)?;
        require_identity(self.target.as_deref(), &self.alternatives)?;
        if self.path.as_ref().is_some_and(|path| !path.is_absolute()) {
            return Err(invalid("The path of the audit log must be absolute."));
        }
        let page_size = self.page_size.unwrap_or(PAGE_SIZE);
        if !(1..=MAX_PAGE_SIZE).contains(&page_size) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("The pageSize must be between 1 and {MAX_PAGE_SIZE}."),
            ));
        }
        Ok(AuditQuery {
            path: self.path,
            filter: AuditFilter {
                since: self.since,
                until: self.until,
                target: self.target,
                alternatives: self.alternatives,
                caller: self.caller,
                cmdlet: self.cmdlet,
                action: self.action,
                succeeded: self.outcome.map(|outcome| outcome == Outcome::Succeeded),
            },
            after: self.after,
            page_size,
        })
    }
}

impl Export {
    pub(super) fn check(self) -> Result<AuditExport> {
        check_version(self.v)?;
        if !self.path.is_absolute() {
            return Err(invalid("The path of the export must be absolute."));
        }
        Ok(AuditExport {
            path: self.path,
            force: self.force,
            cancellation: Cancellation::default(),
        })
    }
}

fn item(item: &AuditItem) -> Value {
    json!({
        "seq": item.seq,
        "host": item.host,
        "operationId": item.operation,
        "at": item.at,
        "kind": item.kind,
        "cmdlet": item.cmdlet,
        "action": item.action,
        "caller": item.caller,
        "runAs": item.run_as,
        "application": item.application,
        "target": item.target,
        "targetGuid": item.target_guid,
        "parameters": item.parameters,
        "succeeded": item.succeeded,
        "result": item.result,
        "details": item.details,
        "chainState": if item.genuine { "intact" } else { "broken" },
    })
}

fn chain(report: &ChainReport) -> Value {
    json!({
        "host": report.host,
        "state": match report.status {
            ChainStatus::Intact => "intact",
            ChainStatus::TornTail => "tornTail",
            ChainStatus::Broken(_) => "broken",
        },
        "entries": report.entries,
        "removed": report.removed,
        "removedUntil": report.removed_until,
    })
}

fn errors(errors: &[Error]) -> Vec<Value> {
    errors.iter().map(error_value).collect()
}

pub(in crate::session) fn audit(page: &AuditPage) -> Vec<u8> {
    bytes(json!({
        "items": page.items.iter().map(item).collect::<Vec<_>>(),
        "faults": errors(&page.errors),
        "chains": page.chains.iter().map(chain).collect::<Vec<_>>(),
        "next": page.next,
    }))
}

pub(in crate::session) fn audit_exported(exported: &AuditExported) -> Vec<u8> {
    bytes(json!({
        "path": exported.path,
        "entries": exported.entries,
        "faults": errors(&exported.errors),
        "chains": exported.chains.iter().map(chain).collect::<Vec<_>>(),
    }))
}
