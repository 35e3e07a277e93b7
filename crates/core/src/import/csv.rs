//! CSV as `Export-Csv` and spreadsheets write it.

use csv::{ReaderBuilder, StringRecord};

use super::builder::Builder;
use super::columns::{self, Columns};
use super::{invalid, ldif};
use crate::Result;
use crate::attributes::mailbox::{MAILBOX_ATTRIBUTES, is_mailbox};
use crate::attributes::policy::is_policy;
use crate::attributes::{Entry, hex, quoted_hex};

/// The only field of the last record, unless a quotation mark is still open there; the reader does not report that.
const END: &str = "\u{1}umpin-end-of-file";

/// Reads the file's text.
pub(super) fn read(text: &str, builder: &mut Builder) -> Result<()> {
    let (text, lines_before) = without_type_line(text);
    let delimiter = detect_delimiter(text);
    let whole = format!("{text}\r\n{END}\r\n");
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(whole.as_bytes());
    let header = reader.headers().map_err(unreadable)?.clone();
    let header = Header::new(header, builder)?;

    let mut lines = LineCounter::new(&whole, lines_before);
    let mut pending: Option<(u64, StringRecord)> = None;
    let mut ended = false;
    let mut last_line = 1 + lines_before;
    for record in reader.records() {
        builder.check()?;
        let record = record.map_err(unreadable)?;
        if let Some((line, record)) = pending.take() {
            header.row(line, &record, builder);
        }
        last_line = lines.line_of(&record);
        ended = record.len() == 1 && record.get(0) == Some(END);
        pending = (!ended).then_some((last_line, record));
    }
    if !ended {
        return Err(invalid(format!(
            "has a quotation mark that is never closed; the row begins in line {last_line}"
        )));
    }
    Ok(())
}

/// Determines the lines of records from their offset in the text: the reader counts wrong between CR and LF, and before
/// empty lines.
struct LineCounter<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str, lines_before: u64) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            line: 1 + lines_before,
        }
    }

    /// The line of a record; records come in order.
    fn line_of(&mut self, record: &StringRecord) -> u64 {
        let start = record
            .position()
            .and_then(|p| usize::try_from(p.byte()).ok())
            .unwrap_or(self.at);
        while let Some(byte) = self.text.get(self.at)
            && (self.at < start || matches!(byte, b'\r' | b'\n'))
        {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// The header.
struct Header {
    header: StringRecord,
    columns: Columns,
    /// The column of the object class.
    classes: Option<usize>,
    /// Whether the file has attributes of mailboxes: then a row without any of them is not a mailbox.
    marked: bool,
}

impl Header {
    fn new(header: StringRecord, builder: &mut Builder) -> Result<Self> {
        if header.iter().any(|name| name.contains(END)) {
            return Err(invalid("has no complete header line"));
        }
        let columns = Columns::new(header.iter()).map_err(|name| invalid(format!("has the column {name} twice")))?;
        if columns.is_empty() {
            return Err(invalid(
                "has no header line with the names of columns such as DistinguishedName",
            ));
        }
        if !columns.identify() {
            return Err(invalid(
                "has no column that identifies a mailbox; it needs the column DistinguishedName (DN), Guid (objectGUID), \
                 UserPrincipalName, PrimarySmtpAddress (mail) or EmailAddresses (proxyAddresses)",
            ));
        }
        let name = |name: &str| name.trim().to_ascii_lowercase();
        let ignored = header
            .iter()
            .filter(|name| !name.trim().is_empty() && columns::find(name).is_none() && !columns::is_marker(name));
        builder.ignored_columns(ignored.map(|name| name.trim().to_owned()).collect());
        Ok(Self {
            classes: header.iter().position(|column| name(column) == "objectclass"),
            marked: header
                .iter()
                .any(|column| MAILBOX_ATTRIBUTES.contains(&name(column).as_str())),
            columns,
            header,
        })
    }

    fn row(&self, line: u64, record: &StringRecord, builder: &mut Builder) {
        // Spreadsheets export empty rows as bare delimiters.
        if record.iter().all(|field| field.trim().is_empty()) {
            return;
        }
        if record.len() != self.header.len() {
            builder.error(
                line,
                format!(
                    "The row has {} fields, the header has {}.",
                    record.len(),
                    self.header.len()
                ),
            );
            return;
        }
        let mut errors = Vec::new();
        let cell = |at| record.get(at).unwrap_or_default();
        let raw = self.columns.raw_mailbox(cell, &mut errors);
        if let Some(entry) = self.entry(record, &raw.distinguished_name) {
            if is_policy(&entry) {
                match ldif::policy_row(line, &entry) {
                    Ok(row) => builder.policy(row),
                    Err(message) => builder.error(line, message),
                }
                return;
            }
            let person = Entry {
                // Without attributes of mailboxes in the file, every user is a mailbox.
                attributes: match self.marked {
                    true => entry.attributes,
                    false => [entry.attributes, vec![("mail".to_owned(), Vec::new())]].concat(),
                },
                ..entry
            };
            if !is_mailbox(&person) {
                builder.skipped(line);
                return;
            }
        }
        if errors.is_empty() {
            builder.mailbox(line, raw, self.columns.given);
        } else {
            builder.error(line, errors.join(" "));
        }
    }

    /// The row as an LDAP entry, if it has an object class.
    fn entry(&self, record: &StringRecord, dn: &str) -> Option<Entry> {
        let classes = columns::classes(record.get(self.classes?)?);
        if classes.is_empty() {
            return None;
        }
        let class = |class: &str| ("objectclass".to_owned(), class.as_bytes().to_vec());
        let mut attributes: Vec<_> = classes.into_iter().map(class).collect();
        for (name, value) in self.header.iter().zip(record.iter().map(str::trim)) {
            let name = name.trim().to_ascii_lowercase();
            if !value.is_empty() && name != "objectclass" {
                let octets = quoted_hex(value).and_then(hex);
                attributes.push((name, octets.unwrap_or_else(|| value.as_bytes().to_vec())));
            }
        }
        Some(Entry {
            dn: dn.to_owned(),
            attributes,
        })
    }
}

/// Windows PowerShell's `Export-Csv` begins with the type of the objects.
fn without_type_line(text: &str) -> (&str, u64) {
    if !text.starts_with("#TYPE") {
        return (text, 0);
    }
    match text.split_once('\n') {
        Some((_, rest)) => (rest, 1),
        None => ("", 1),
    }
}

/// The comma, or the separator of localized exports that gives more known columns.
fn detect_delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let known = |delimiter: char| {
        header
            .split(delimiter)
            .filter(|name| columns::find(name.trim().trim_matches('"')).is_some())
            .count()
    };
    let mut best = (',', known(','));
    for candidate in [';', '\t'] {
        let count = known(candidate);
        if count > best.1 {
            best = (candidate, count);
        }
    }
    u8::try_from(best.0).unwrap_or(b',')
}

fn unreadable(error: csv::Error) -> crate::Error {
    invalid(format!("cannot be read as CSV: {error}")).caused_by(error)
}
