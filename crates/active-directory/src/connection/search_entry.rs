//! Parses search result entries, and tells which value ranges are missing.

use ldap3::ResultEntry;

use super::Entry;

/// An attribute of which the server returned only a range of values (MS-ADTS 3.1.1.3.1.3.3).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MissingRange {
    /// In lower case, without options.
    pub attribute: String,
    /// Index of the first missing value.
    pub next: u64,
}

/// `None` if the message is not a `SearchResultEntry` (RFC 4511, 4.5.2).
pub(crate) fn parse(raw: ResultEntry) -> Option<(Entry, Vec<MissingRange>)> {
    let mut parts = raw.0.match_id(4)?.expect_constructed()?.into_iter();
    let dn = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
    let mut attributes = Vec::new();
    let mut missing_ranges = Vec::new();
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let description = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
        let (name, next) = parse_description(&description);
        for value in parts.next()?.expect_constructed()? {
            attributes.push((name.clone(), value.expect_primitive()?));
        }
        if let Some(next) = next {
            missing_ranges.push(MissingRange { attribute: name, next });
        }
    }
    Some((Entry { dn, attributes }, missing_ranges))
}

/// The attribute's name and, for `;range=0-1499`, the index of the first value after the range.
fn parse_description(description: &str) -> (String, Option<u64>) {
    let mut parts = description.split(';');
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let next = parts.find_map(|option| {
        let (kind, range) = option.split_once('=')?;
        let (_, last) = range.split_once('-')?;
        let last: u64 = kind.eq_ignore_ascii_case("range").then(|| last.parse().ok())??;
        last.checked_add(1)
    });
    (name, next)
}

/// Inserts values after the attribute's present ones.
pub(crate) fn append_values(entry: &mut Entry, name: &str, values: impl Iterator<Item = Vec<u8>>) {
    let end = entry
        .attributes
        .iter()
        .rposition(|(known, _)| known == name)
        .map_or(entry.attributes.len(), |last| last + 1);
    let values: Vec<_> = values.map(|value| (name.to_owned(), value)).collect();
    entry.attributes.splice(end..end, values);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_option_gives_the_next_index() {
        for (description, name, next) in [
            ("mail", "mail", None),
            ("sAMAccountName", "samaccountname", None),
            ("userCertificate;binary", "usercertificate", None),
            ("member;range=0-1499", "member", Some(1500)),
            ("Member;Range=1500-2999", "member", Some(3000)),
            ("member;range=3000-*", "member", None),
            ("member;range=0-18446744073709551615", "member", None),
            ("member;range=", "member", None),
            ("", "", None),
        ] {
            assert_eq!(parse_description(description), (name.to_owned(), next), "{description}");
        }
    }

    #[test]
    fn values_of_an_attribute_stay_together() {
        let value = |name: &str, value: u8| (name.to_owned(), vec![value]);
        let mut entry = Entry {
            dn: String::new(),
            attributes: vec![value("member", 1), value("cn", 9)],
        };
        append_values(&mut entry, "member", [vec![2], vec![3]].into_iter());
        append_values(&mut entry, "mail", [vec![4]].into_iter());
        assert_eq!(
            entry.attributes,
            [
                value("member", 1),
                value("member", 2),
                value("member", 3),
                value("cn", 9),
                value("mail", 4)
            ]
        );
    }
}
