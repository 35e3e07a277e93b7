//! The log as JSON lines: what the check needs, and nothing else.
//!
//! The first line names the format. A chain whose first entries were removed has a start line before its
//! entries; its head follows them. The body of an entry is text, not an object: the MAC binds its exact bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::chain::{ChainLink, Head};
use super::entry::{AuditEntry, Binding, Mac, StoredEntry};
use super::report::{Ending, LogKind};
use super::{AuditLog, LogCursor, LogItem, LogPage};
use crate::clock::Timestamp;
use crate::{Error, ErrorCode, Result};
use umpin_platform::files::open_regular;

/// The first line.
pub(crate) const FORMAT: &str = r#"{"umpinAudit":1}"#;
/// The longest line; a wrong file must not exhaust the memory.
const MAX_LINE: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EntryLine {
    seq: i64,
    host: String,
    #[serde(rename = "bound")]
    binding: Binding,
    #[serde(with = "hex")]
    operation: [u8; 16],
    at: Timestamp,
    body: String,
    #[serde(with = "hex")]
    mac: Mac,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartLine {
    host: String,
    base: ChainLink,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Entry(EntryLine),
    Start { chain: StartLine },
    Head { head: Head },
}

/// Writes a log as JSON lines.
pub struct LogWriter<W>(W);

impl<W: Write> LogWriter<W> {
    /// Writes the line that names the format.
    ///
    /// # Errors
    /// As the writer's.
    pub fn new(mut writer: W) -> io::Result<Self> {
        writeln!(writer, "{FORMAT}")?;
        Ok(Self(writer))
    }

    /// Writes one line. Skips malformed lines, and the start of a complete chain.
    ///
    /// # Errors
    /// As the writer's.
    pub fn write(&mut self, item: &LogItem) -> io::Result<()> {
        let line = match item {
            LogItem::Entry(stored) => Line::Entry(EntryLine {
                seq: stored.seq,
                host: stored.host.clone(),
                binding: stored.binding,
                operation: stored.entry.operation,
                at: stored.entry.at,
                body: stored.entry.body.clone(),
                mac: stored.mac,
            }),
            LogItem::Start { host, base } if *base != ChainLink::default() => Line::Start {
                chain: StartLine {
                    host: host.clone(),
                    base: *base,
                },
            },
            LogItem::Head(head) => Line::Head { head: head.clone() },
            LogItem::Start { .. } | LogItem::Malformed { .. } => return Ok(()),
        };
        serde_json::to_writer(&mut self.0, &line)?;
        self.0.write_all(b"\n")
    }

    /// The writer.
    pub fn into_inner(self) -> W {
        self.0
    }
}

/// A log in a file of JSON lines.
#[derive(Clone, Debug)]
pub struct FileLog {
    path: PathBuf,
    kind: LogKind,
}

impl FileLog {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(path: PathBuf, kind: LogKind) -> Self {
        Self { path, kind }
    }

    fn open(&self, cursor: LogCursor) -> Result<BufReader<File>> {
        let (mut file, _) = open_regular(&self.path).map_err(|e| unusable(&self.path, "cannot be read", Some(e)))?;
        file.seek(SeekFrom::Start(cursor.offset))
            .map_err(|e| unusable(&self.path, "cannot be read", Some(e)))?;
        Ok(BufReader::with_capacity(1 << 16, file))
    }
}

/// The error for a file that cannot be used as a log; `what` completes "The audit file … ".
pub fn unusable(path: &Path, what: &str, cause: Option<io::Error>) -> Error {
    let code = ErrorCode::AuditFileUnusable;
    let path = path.display();
    match cause {
        None => Error::new(code, format!("The audit file '{path}' {what}.")),
        Some(cause) => Error::new(code, format!("The audit file '{path}' {what}: {cause}.")).caused_by(cause),
    }
}

impl AuditLog for FileLog {
    fn log_kind(&self) -> LogKind {
        self.kind
    }

    fn source(&self) -> String {
        self.path.display().to_string()
    }

    fn page(&self, mut cursor: LogCursor, limit: usize) -> Result<LogPage> {
        let mut reader = self.open(cursor)?;
        let mut items = Vec::new();
        let mut bytes = Vec::new();
        while items.len() < limit {
            bytes.clear();
            let read = (&mut reader)
                .take(MAX_LINE)
                .read_until(b'\n', &mut bytes)
                .map_err(|e| unusable(&self.path, "cannot be read", Some(e)))?;
            let first = cursor == LogCursor::default();
            cursor.offset += read as u64;
            cursor.line += 1;
            let is_complete = bytes.pop_if(|byte| *byte == b'\n').is_some();
            bytes.pop_if(|byte| *byte == b'\r');
            if first {
                if bytes != FORMAT.as_bytes() {
                    return Err(unusable(&self.path, "is not an audit log that umpin wrote", None));
                }
                continue;
            }
            if read == 0 {
                return Ok(LogPage {
                    items,
                    next: None,
                    ending: Ending::Complete,
                });
            }
            match parse(&bytes) {
                Some(item) => items.push(item),
                None if is_complete || read as u64 == MAX_LINE => items.push(LogItem::Malformed { line: cursor.line }),
                None => {
                    return Ok(LogPage {
                        items,
                        next: None,
                        ending: Ending::Truncated,
                    });
                }
            }
        }
        Ok(LogPage {
            items,
            next: Some(cursor),
            ending: Ending::Complete,
        })
    }
}

fn parse(bytes: &[u8]) -> Option<LogItem> {
    Some(match serde_json::from_slice(bytes).ok()? {
        Line::Entry(line) => LogItem::Entry(StoredEntry {
            seq: line.seq,
            host: line.host,
            binding: line.binding,
            entry: AuditEntry {
                operation: line.operation,
                at: line.at,
                body: line.body,
            },
            mac: line.mac,
        }),
        Line::Start { chain } => LogItem::Start {
            host: chain.host,
            base: chain.base,
        },
        Line::Head { head } => LogItem::Head(head),
    })
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) mod hex {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(crate) fn text(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        let digits = text.as_bytes();
        if digits.len() != 2 * N {
            return Err(D::Error::custom("a number of hexadecimal digits is wrong"));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let value = |digit: u8| match digit {
                b'0'..=b'9' => Some(digit - b'0'),
                b'a'..=b'f' => Some(digit - b'a' + 10),
                _ => None,
            };
            *byte = match (value(pair[0]), value(pair[1])) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(D::Error::custom("a hexadecimal digit is wrong")),
            };
        }
        Ok(bytes)
    }
}
