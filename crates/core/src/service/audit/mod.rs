//! Reading and checking the audit log: who changed what, and whether the log is whole.

mod export;
mod filter;
mod item;

pub use export::{AuditExport, AuditExported};
pub use filter::AuditFilter;
pub use item::AuditItem;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use self::filter::Matcher;
use self::item::Pending;
use super::{Service, Warning};
use crate::audit::file::FileLog;
use crate::audit::{
    AuditLog, ChainError, ChainErrorKind, ChainKeys, ChainReport, ChainStatus, LogCursor, LogItem, LogKind, Verifier,
};
use crate::clock::Timestamp;
use crate::directory::Route;
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

impl Service {
    /// One page of the audit log, checked on the way. Whoever reads to the last page has checked the whole log.
    ///
    /// # Errors
    /// `KeyUnavailable`; those of the directory; `AuditFileUnusable`; `InvalidRequest` for a cursor that is not one.
    pub fn audit_entries(&self, query: &AuditQuery) -> Result<AuditPage> {
        let file = query.path.clone().map(|path| FileLog::new(path, LogKind::Export));
        let log: &dyn AuditLog = match &file {
            Some(file) => file,
            None => &*self.ports.audit,
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
            let keys = &ChainKeys::new(self.ring_on_disk()?.chain_keys());
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

    /// Entries written before this may be removed.
    pub(super) fn audit_retain_since(&self) -> Option<Timestamp> {
        let days = self.settings.audit_retention_days?;
        Some(self.now().plus_millis(-(i64::from(days) * 86_400_000)))
    }

    /// Says, once in a session, that the removal of old entries is paused.
    pub(super) fn report_retention(&self) -> Option<Warning> {
        let since = self.audit_retain_since().filter(|_| self.settings.audit)?;
        if self.retention_reported.load(Ordering::Relaxed) {
            return None;
        }
        // What cannot be read is told by whoever needs it.
        let pause = self.ports.audit.retention_pause(self.now(), since).ok()??;
        self.retention_reported.store(true, Ordering::Relaxed);
        let days = (pause.since.0 - pause.newest.0) / 86_400_000;
        let text = format!(
            "Old audit entries are not removed until {}: the clock of this computer went on by {days} days between two entries, \
             from {} to {}.",
            pause.until, pause.newest, pause.since
        );
        Some(
            Warning::new("RetentionPaused", text)
                .action("Check the clock of this computer; if it is right, nothing has to be done."),
        )
    }

    fn matcher(&self, query: &AuditQuery) -> Result<Matcher> {
        let mut guids = Vec::new();
        for name in query.filter.target.iter().chain(&query.filter.alternatives) {
            match self.guids_of(name) {
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

    /// The GUIDs of the mailboxes that the text names today.
    fn guids_of(&self, text: &str) -> Result<Vec<String>> {
        let Ok(identity) = crate::identity::Identity::parse_with(text, self.settings.netbios_name.as_deref()) else {
            return Ok(Vec::new());
        };
        let matches = self.directory().find(&identity, Route::Preferred)?;
        Ok(matches
            .found
            .iter()
            .map(|found| found.mailbox.guid.to_string())
            .collect())
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
