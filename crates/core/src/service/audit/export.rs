//! The whole log as a file that can be checked without the store.

use std::fs;
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};

use super::{AuditReader, final_errors};
use crate::audit::file::{FORMAT, LogWriter, unusable};
use crate::audit::{ChainKeys, ChainReport, Ending, LogCursor, LogItem, Verifier};
use crate::cancellation::Cancellation;
use crate::{Error, ErrorCode, Result};
use umpin_platform::files::{open_regular, write_streamed};

/// Entries that are in memory at a time.
const PAGE: usize = 2_000;
/// How often an export begins anew because retention was faster.
const ATTEMPTS: usize = 5;

/// What `Export-UMPinAudit` asks for.
#[derive(Clone, Debug)]
pub struct AuditExport {
    /// Absolute path of the new file.
    pub path: PathBuf,
    /// An export that is there already may be replaced.
    pub force: bool,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

/// What was exported.
#[derive(Debug)]
pub struct AuditExported {
    /// The file.
    pub path: PathBuf,
    /// Entries in it.
    pub entries: u64,
    /// What the check on the way says of each chain.
    pub chains: Vec<ChainReport>,
    /// Where chains are broken. The log is exported as it is: broken ones are evidence.
    pub errors: Vec<Error>,
}

/// Why writing ended.
enum Stop {
    Io(io::Error),
    Log(Error),
    /// Entries were removed before they were read.
    Overtaken,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Log(error)
    }
}

impl AuditReader {
    /// [`Service::audit_export`](crate::service::Service::audit_export).
    pub(in crate::service) fn audit_export(&self, request: &AuditExport) -> Result<AuditExported> {
        let path = &request.path;
        // Looked at first, so that a long log is not read for nothing; the file system decides in the end.
        check_destination(request)?;
        self.records.ring()?;
        for _ in 0..ATTEMPTS {
            let written = write_streamed(path, request.force, |writer| {
                self.write_log(writer, &request.cancellation)
            });
            match written {
                Ok((entries, chains, verifier)) => {
                    return Ok(AuditExported {
                        path: path.clone(),
                        entries,
                        errors: final_errors(&verifier, &chains, &*self.log),
                        chains,
                    });
                }
                Err(Stop::Overtaken) => {}
                Err(Stop::Log(error)) => return Err(error),
                Err(Stop::Io(error)) if error.kind() == io::ErrorKind::AlreadyExists => return Err(exists(path)),
                Err(Stop::Io(error)) => {
                    return Err(unusable(path, "cannot be written", Some(error))
                        .action("Pass the path of a new file in a folder that this account may write."));
                }
            }
        }
        Err(Error::new(
            ErrorCode::DirectoryUnavailable,
            "The audit log could not be exported, because old entries were removed faster than they could be read.",
        )
        .action("Run the command again when fewer PINs are being changed."))
    }

    fn write_log(
        &self,
        writer: &mut BufWriter<&fs::File>,
        cancellation: &Cancellation,
    ) -> Result<(u64, Vec<ChainReport>, Verifier), Stop> {
        let log = &*self.log;
        let mut verifier = Verifier::new(log.log_kind());
        let mut lines = LogWriter::new(writer)?;
        let mut position = LogCursor::default();
        let mut entries = 0;
        let mut heads = Vec::new();
        let mut begun = std::collections::BTreeSet::new();
        let keys = loop {
            cancellation.check()?;
            let page = log.page(position, PAGE)?;
            // After the page, so that a key that was replaced meanwhile is known.
            let keys = ChainKeys::new(self.records.ring_on_disk()?.chain_keys());
            for item in page.items {
                verifier.add(&keys, &item);
                match item {
                    LogItem::Start { ref host, .. } => {
                        if begun.insert(host.clone()) {
                            lines.write(&item)?;
                        }
                    }
                    LogItem::Head(head) => heads.push(head),
                    entry => {
                        entries += u64::from(matches!(entry, LogItem::Entry(_)));
                        lines.write(&entry)?;
                    }
                }
            }
            if verifier.has_gap() {
                return Err(Stop::Overtaken);
            }
            match page.next {
                Some(next) => position = next,
                None => break keys,
            }
        };
        let chains = verifier.clone().finish(&keys, Ending::Complete);
        // Only what is whole gets a new seal.
        let whole = |host: &str| {
            chains
                .iter()
                .any(|chain| chain.host == host && chain.status == crate::audit::ChainStatus::Intact)
        };
        for mut head in verifier.heads_as_read() {
            if let (Some(key), true) = (keys.active(), whole(&head.host)) {
                key.seal(&mut head);
                heads.retain(|known| known.host != head.host);
                heads.push(head);
            }
        }
        for head in heads {
            lines.write(&LogItem::Head(head))?;
        }
        // What follows gives the file its name.
        cancellation.enter_commit()?;
        Ok((entries, chains, verifier))
    }
}

fn exists(path: &Path) -> Error {
    unusable(path, "exists already", None)
        .action("Pass the path of a new file, or use -Force to replace an older export.")
}

/// Only an export may be replaced: a slip of the finger must not cost the directory or its key.
fn check_destination(request: &AuditExport) -> Result<()> {
    let path = &request.path;
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unusable(path, "cannot be written", Some(error))),
        Ok(_) if !request.force => Err(exists(path)),
        Ok(_) => {
            let mut start = Vec::new();
            let read = open_regular(path).and_then(|(file, _)| file.take(FORMAT.len() as u64).read_to_end(&mut start));
            match read {
                Ok(_) if start.is_empty() || start == FORMAT.as_bytes() => Ok(()),
                Ok(_) => Err(unusable(path, "is not an audit log, and is not replaced", None)
                    .action("Pass the path of a new file.")),
                Err(error) => {
                    Err(unusable(path, "cannot be replaced", Some(error)).action("Pass the path of a new file."))
                }
            }
        }
    }
}
