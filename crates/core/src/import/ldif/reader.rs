//! LDIF (RFC 2849) into entries: comments, folded lines, base64 values. Knows nothing of what the attributes mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::attributes::Entry;

/// What comes out: entries with the line of their `dn:`, and those that cannot be read with line and reason.
pub(super) type Item = Result<(u64, Entry), (u64, String)>;

/// Whether the text begins as LDIF does.
pub(super) fn looks_like_ldif(text: &str) -> bool {
    Lines::new(text).next().is_some_and(|(_, line)| {
        ["version:", "dn:"]
            .iter()
            .any(|start| line.get(..start.len()).is_some_and(|s| s.eq_ignore_ascii_case(start)))
    })
}

/// Reads entry by entry.
pub(super) fn entries(text: &str) -> impl Iterator<Item = Item> {
    let mut records = Lines::new(text);
    std::iter::from_fn(move || {
        loop {
            let mut record = Vec::new();
            let begun = loop {
                match records.next() {
                    Some((_, line)) if line.is_empty() => {
                        if !record.is_empty() {
                            break true;
                        }
                    }
                    Some(line) => record.push(line),
                    None => break !record.is_empty(),
                }
            };
            if !begun {
                return None;
            }
            if let Some(item) = entry(record) {
                return Some(item);
            }
        }
    })
}

/// `None` for a record that is only the version.
fn entry(record: Vec<(u64, String)>) -> Option<Item> {
    let mut lines = record.into_iter().peekable();
    if let Some((line, text)) = lines.peek()
        && let Some((name, version)) = text.split_once(':')
        && name.eq_ignore_ascii_case("version")
    {
        if version.trim() != "1" {
            return Some(Err((*line, "The file has an LDIF version other than 1.".to_owned())));
        }
        lines.next();
    }
    let (line, first) = lines.next()?;
    Some(body(line, &first, lines).map_err(|(at, reason)| (at, reason.to_owned())))
}

fn body(
    line: u64,
    first: &str,
    lines: impl Iterator<Item = (u64, String)>,
) -> Result<(u64, Entry), (u64, &'static str)> {
    let (name, value) = attribute(first).map_err(|reason| (line, reason))?;
    if name != "dn" {
        return Err((line, "The entry does not begin with 'dn:'."));
    }
    let dn = String::from_utf8(value).map_err(|_| (line, "The entry's name is not UTF-8."))?;
    let mut attributes = Vec::new();
    for (at, text) in lines {
        let (name, value) = attribute(&text).map_err(|reason| (at, reason))?;
        match name.as_str() {
            "changetype" if value.eq_ignore_ascii_case(b"add") => {}
            "changetype" => {
                return Err((at, "The entry is a change other than 'changetype: add'."));
            }
            "control" => {}
            _ => attributes.push((name, value)),
        }
    }
    Ok((line, Entry { dn, attributes }))
}

fn attribute(line: &str) -> Result<(String, Vec<u8>), &'static str> {
    let (name, rest) = line.split_once(':').ok_or("The line is not 'attribute: value'.")?;
    let mut parts = name.split(';');
    let base = parts.next().unwrap_or("");
    if base.is_empty()
        || !base
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    {
        return Err("The line is not 'attribute: value'.");
    }
    // `proxyAddresses;range=0-1499` and `objectGUID;binary` are the attribute itself; `cn;lang-de` is another value.
    let same = parts.all(|option| {
        option.eq_ignore_ascii_case("binary") || option.get(..6).is_some_and(|o| o.eq_ignore_ascii_case("range="))
    });
    let name = if same { base } else { name }.to_ascii_lowercase();
    let value = if let Some(encoded) = rest.strip_prefix(':') {
        STANDARD
            .decode(encoded.trim())
            .map_err(|_| "The value after '::' is not base64.")?
    } else if rest.starts_with('<') {
        return Err("The value is a reference to another file or server ('<'), which is not followed.");
    } else {
        rest.trim_start_matches(' ').as_bytes().to_vec()
    };
    Ok((name, value))
}

/// Logical lines: folded ones joined, comments left out, empty ones kept as separators; with the number of their first line.
struct Lines<'a> {
    physical: std::iter::Peekable<std::iter::Zip<std::ops::RangeFrom<u64>, std::str::Lines<'a>>>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let mut lines = Self {
            physical: (1..).zip(text.lines()).peekable(),
        };
        while lines.physical.next_if(|(_, line)| line.is_empty()).is_some() {}
        lines
    }
}

impl Iterator for Lines<'_> {
    type Item = (u64, String);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (number, first) = self.physical.next()?;
            let mut line = first.to_owned();
            if !line.is_empty() {
                while let Some((_, more)) = self.physical.next_if(|(_, l)| l.starts_with(' ')) {
                    line.push_str(&more[1..]);
                }
            }
            if !line.starts_with('#') {
                return Some((number, line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Item> {
        entries(text).collect()
    }

    #[test]
    fn folded_lines_comments_and_base64_are_undone() {
        let items = read(
            "version: 1\r\n\r\n# a comment\r\n  that goes on\r\ndn: CN=Tony Smith,OU=Sa\r\n les,DC=contoso,DC=com\r\nchangetype: add\r\ncn:: WsOrZQ==\r\ndescription:\r\nproxyAddresses;range=0-1: smtp:a@contoso.com\r\n# in between\r\ncn;lang-de: other\r\n",
        );
        let [Ok((line, entry))] = items.as_slice() else {
            panic!("one entry expected");
        };
        assert_eq!(*line, 5);
        assert_eq!(entry.dn, "CN=Tony Smith,OU=Sales,DC=contoso,DC=com");
        assert_eq!(entry.first("cn"), Some("Zëe".as_bytes()));
        assert_eq!(entry.first("description"), Some(&b""[..]));
        assert_eq!(entry.first("proxyaddresses"), Some(&b"smtp:a@contoso.com"[..]));
        assert_eq!(entry.values("cn").count(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        let items = read(
            "dn: CN=a\ncn: a\n\ndn: CN=b\nchangetype: modify\nreplace: cn\n\ndn: CN=c\njpegPhoto:< file:///etc/passwd\n\ndn: CN=d\ncn:: !!!\n\ncn: e\n\ndn: CN=f\nno colon\n\n\n\ndn: CN=g\n",
        );
        let lines: Vec<_> = items
            .iter()
            .map(|item| match item {
                Ok((line, _)) => (*line, "ok"),
                Err((line, reason)) => (*line, reason.as_str()),
            })
            .collect();
        assert_eq!(
            lines,
            [
                (1, "ok"),
                (5, "The entry is a change other than 'changetype: add'."),
                (
                    9,
                    "The value is a reference to another file or server ('<'), which is not followed."
                ),
                (12, "The value after '::' is not base64."),
                (14, "The entry does not begin with 'dn:'."),
                (17, "The line is not 'attribute: value'."),
                (21, "ok"),
            ]
        );
    }
}
