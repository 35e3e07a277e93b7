//! Reading and checking the audit log: who changed what, and whether the log is whole.

mod export;
mod filter;
mod item;

pub use export::{AuditExport, AuditExported};
pub use filter::AuditFilter;
pub use item::AuditItem;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::filter::Matcher;
use self::item::Pending;
use super::records::Records;
use super::resolve::Resolver;
use crate::audit::file::FileLog;
use crate::audit::{
    AuditLog, ChainError, ChainErrorKind, ChainKeys, ChainReport, ChainStatus, LogCursor, LogItem, LogKind, Verifier,
};
use crate::{Error, ErrorCode, Result};

/// Entries that one request reads at most, however few of them are wanted.
const MOST_READ: usize = 20_000;

/// What `Get-UMPinAudit` asks for.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// An export to read instead of the directory's own log; absolute.
    pub path: Option<PathBuf>,
    /// Which operations.
    pub filter: AuditFilter,
    /// What the page before said in `next`.
    pub after: Option<String>,
    /// About how many operations a page has at most.
    pub page_size: usize,
}

/// A page of the log.
#[derive(Debug)]
pub struct AuditPage {
    /// The operations that the filter lets through; there may be none although another page follows.
    pub items: Vec<AuditItem>,
    /// The errors found in this page: the first one of each chain, once.
    pub errors: Vec<Error>,
    /// The report on each chain, on the last page.
    pub chains: Vec<ChainReport>,
    /// Pass it as `after`; `None` on the last page.
    pub next: Option<String>,
}

/// Between two pages; the caller keeps it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    position: LogCursor,
    verifier: Verifier,
    pending: Pending,
}

/// Reads and exports the audit log.
pub(super) struct AuditReader {
    pub log: Arc<dyn AuditLog>,
    pub records: Arc<Records>,
    pub resolver: Arc<Resolver>,
}

impl AuditReader {
    /// [`Service::audit_entries`](crate::service::Service::audit_entries).
    pub(in crate::service) fn audit_entries(&self, query: &AuditQuery) -> Result<AuditPage> {
        let file = query.path.clone().map(|path| FileLog::new(path, LogKind::Export));
        let log: &dyn AuditLog = match &file {
            Some(file) => file,
            None => &*self.log,
        };
        let mut cursor = match &query.after {
            None => Cursor {
                position: LogCursor::default(),
                verifier: Verifier::new(log.log_kind()),
                pending: Pending::default(),
            },
            Some(text) => serde_json::from_str(text).map_err(|_| {
                Error::new(
                    ErrorCode::InvalidRequest,
                    "The value of \"after\" is not one that a page gave.",
                )
            })?,
        };
        let matcher = self.matcher(query)?;
        let mut read_any = false;
        let mut page = AuditPage {
            items: Vec::new(),
            errors: Vec::new(),
            chains: Vec::new(),
            next: None,
        };
        let mut read = 0;
        while read < MOST_READ && page.items.len() < query.page_size {
            let limit = (query.page_size - page.items.len()).min(MOST_READ - read);
            let part = log.page(cursor.position, limit)?;
            // A log without anything in it needs no key, and a fresh directory may have none.
            if !read_any && part.items.is_empty() && query.after.is_none() {
                return Ok(page);
            }
            read_any = true;
            // After the page, so that a key that was replaced meanwhile is known.
            let keys = &ChainKeys::new(self.records.ring_on_disk()?.chain_keys());
            read += part.items.len().max(1);
            for item in &part.items {
                let is_valid = cursor.verifier.add(keys, item);
                if let LogItem::Entry(entry) = item {
                    let done = cursor.pending.add(entry, is_valid);
                    page.items.extend(done.filter(|item| matcher.admits(item)));
                }
            }
            page.errors.extend(errors(&mut cursor.verifier, log));
            match part.next {
                Some(position) => cursor.position = position,
                None => {
                    let rest = std::mem::take(&mut cursor.pending).rest();
                    let counted = log.omitted_failures()?;
                    let rest = rest.chain(counted.iter().map(AuditItem::of_omitted));
                    page.items.extend(rest.filter(|item| matcher.admits(item)));
                    page.chains = cursor.verifier.clone().finish(keys, part.ending);
                    page.errors.extend(final_errors(&cursor.verifier, &page.chains, log));
                    return Ok(page);
                }
            }
        }
        page.next = Some(
            serde_json::to_string(&cursor)
                .map_err(|e| Error::new(ErrorCode::NativeFault, format!("The cursor cannot be written: {e}.")))?,
        );
        Ok(page)
    }

    fn matcher(&self, query: &AuditQuery) -> Result<Matcher> {
        let mut guids = Vec::new();
        for name in query.filter.target.iter().chain(&query.filter.alternatives) {
            match self.resolver.guids_of(name) {
                Ok(found) => guids = found,
                // A file can be read where there is no directory.
                Err(_) if query.path.is_some() => {}
                Err(error) => return Err(error),
            }
            if !guids.is_empty() {
                break;
            }
        }
        Ok(Matcher::new(query.filter.clone(), guids))
    }
}

fn errors(verifier: &mut Verifier, log: &dyn AuditLog) -> Vec<Error> {
    verifier.take_errors().iter().map(|error| broken(error, log)).collect()
}

/// What only the end of the log shows.
fn final_errors(verifier: &Verifier, chains: &[ChainReport], log: &dyn AuditLog) -> Vec<Error> {
    chains
        .iter()
        .filter_map(|chain| match &chain.status {
            ChainStatus::Broken(error) if !verifier.has_reported(error) => Some(broken(error, log)),
            _ => None,
        })
        .collect()
}

/// The chain error as the error of the operation.
fn broken(chain_error: &ChainError, log: &dyn AuditLog) -> Error {
    let path = log.source();
    let chain = match (chain_error.line, chain_error.host.as_str()) {
        (Some(line), _) => format!("The audit log in {path} is broken in line {line}"),
        (None, host) => format!("The audit chain of host \"{host}\" in {path} is broken"),
    };
    let at = match (chain_error.seq, chain_error.kind) {
        (Some(seq), ChainErrorKind::Truncated) => format!(" after entry {seq}"),
        (Some(seq), ChainErrorKind::HeadMissing | ChainErrorKind::HeadAltered) => format!(" at its end (entry {seq})"),
        (Some(seq), _) => format!(" at entry {seq}"),
        (None, _) => String::new(),
    };
    let what = match chain_error.kind {
        ChainErrorKind::Changed => "the entry is not as it was written, or not after the one that it followed",
        ChainErrorKind::Missing => "entries before it were removed",
        ChainErrorKind::Truncated => "the entries that followed were removed",
        ChainErrorKind::Reordered => "entries were moved or repeated",
        ChainErrorKind::HeadMissing => "the record of where the chain ends was removed",
        ChainErrorKind::HeadAltered => "the record of where the chain begins and ends was changed, or is an older one",
        ChainErrorKind::UnknownKey => "it is bound with a key that is not configured",
        ChainErrorKind::Malformed => "the line is not an audit entry",
    };
    let mut error = Error::new(ErrorCode::AuditChainBroken, format!("{chain}{at}: {what}."))
        .detail("host", chain_error.host.as_str())
        .detail("kind", serde_json::to_value(chain_error.kind).unwrap_or_default());
    if let Some(seq) = chain_error.seq {
        error = error.detail("seq", seq);
    }
    if let Some(line) = chain_error.line {
        error = error.detail("line", line);
    }
    if chain_error.kind == ChainErrorKind::UnknownKey {
        error = error.action("Add the key that was used before to \"keys\" in the configuration, then check again.");
    }
    error
}
