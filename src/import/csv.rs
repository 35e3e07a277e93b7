//! CSV as `Export-Csv` and spreadsheets write it.

use csv::{ReaderBuilder, StringRecord};

use super::builder::Builder;
use super::{invalid, proxy};
use crate::Result;
use crate::attributes::draft::Draft;

type Column = (&'static str, fn(&mut Draft, &str));

/// The columns, and where their values go. Names are compared without regard to case.
const COLUMNS: &[Column] = &[
    ("DistinguishedName", |d, v| v.clone_into(&mut d.distinguished_name)),
    ("Name", |d, v| v.clone_into(&mut d.name)),
    ("DisplayName", |d, v| v.clone_into(&mut d.display_name)),
    ("Alias", |d, v| v.clone_into(&mut d.alias)),
    ("SamAccountName", |d, v| v.clone_into(&mut d.sam_account_name)),
    ("UserPrincipalName", |d, v| v.clone_into(&mut d.user_principal_name)),
    ("PrimarySmtpAddress", |d, v| v.clone_into(&mut d.primary_smtp_address)),
    ("EmailAddresses", |d, v| d.email_addresses = proxy::split(v)),
    ("LegacyExchangeDN", |d, v| v.clone_into(&mut d.legacy_exchange_dn)),
    ("Guid", |d, v| v.clone_into(&mut d.guid)),
    ("UMEnabled", |d, v| v.clone_into(&mut d.um_enabled)),
    ("Extensions", |d, v| v.clone_into(&mut d.extensions)),
    ("UMMailboxPolicy", |d, v| v.clone_into(&mut d.um_mailbox_policy)),
    ("PreferredLanguage", |d, v| v.clone_into(&mut d.preferred_language)),
];

/// Stands alone in the last record unless a quotation mark is still open there; the reader itself does not tell.
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
    let targets = targets(&header, builder)?;

    let mut lines = LineCounter::new(&whole, lines_before);
    let mut pending: Option<(u64, StringRecord)> = None;
    let mut ended = false;
    let mut last_line = 1 + lines_before;
    for record in reader.records() {
        builder.check()?;
        let record = record.map_err(unreadable)?;
        if let Some((line, record)) = pending.take() {
            row(line, &record, &header, &targets, builder);
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

/// Tells the lines of records from their place in the text: the reader's own count stands between CR and LF, and before
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

    /// For records in their order.
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

fn row(line: u64, record: &StringRecord, header: &StringRecord, targets: &[Option<Column>], builder: &mut Builder) {
    // Spreadsheets export empty rows as bare delimiters.
    if record.iter().all(|field| field.trim().is_empty()) {
        return;
    }
    if record.len() != header.len() {
        builder.problem(
            line,
            format!("The row has {} fields, the header has {}.", record.len(), header.len()),
        );
        return;
    }
    let mut draft = Draft::default();
    for (field, target) in record.iter().zip(targets) {
        if let Some((_, set)) = target {
            set(&mut draft, field);
        }
    }
    builder.mailbox(line, draft);
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

/// Comma, or what localized exports use, by the columns that the header has with it.
fn detect_delimiter(text: &str) -> u8 {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let known = |delimiter: char| {
        header
            .split(delimiter)
            .filter(|name| column(name.trim().trim_matches('"')).is_some())
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

fn column(name: &str) -> Option<Column> {
    let name = name.trim();
    COLUMNS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .copied()
}

fn targets(header: &StringRecord, builder: &mut Builder) -> Result<Vec<Option<Column>>> {
    if header.iter().any(|name| name.contains(END)) {
        return Err(invalid("has no complete header line"));
    }
    let mut found: Vec<Option<Column>> = Vec::with_capacity(header.len());
    let mut ignored = Vec::new();
    for name in header {
        let known = column(name);
        if let Some((name, _)) = known
            && found.iter().flatten().any(|(other, _)| *other == name)
        {
            return Err(invalid(format!("has the column {name} twice")));
        }
        if known.is_none() && !name.trim().is_empty() {
            ignored.push(name.trim().to_owned());
        }
        found.push(known);
    }
    let has = |name: &str| found.iter().flatten().any(|(known, _)| *known == name);
    if found.iter().all(Option::is_none) {
        return Err(invalid(
            "has no header line with the names of columns such as DistinguishedName",
        ));
    }
    let identifies = has("DistinguishedName") || (has("UserPrincipalName") && has("Name"));
    if !identifies {
        return Err(invalid(
            "needs the column DistinguishedName, or the columns UserPrincipalName and Name",
        ));
    }
    builder.ignored_columns(ignored);
    Ok(found)
}

fn unreadable(error: csv::Error) -> crate::Error {
    invalid(format!("cannot be read as CSV: {error}")).caused_by(error)
}
