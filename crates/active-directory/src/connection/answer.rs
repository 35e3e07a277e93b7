//! What a server sends as an entry, and which parts of it are still missing.

use ldap3::ResultEntry;

use super::Entry;

/// An attribute of which the server gave only the first values (MS-ADTS 3.1.1.3.1.3.3).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Remainder {
    /// In lower case, without options.
    pub attribute: String,
    /// The number of the first value that is missing.
    pub next: u64,
}

/// `None`: it is no entry (RFC 4511, 4.5.2).
pub(crate) fn entry(raw: ResultEntry) -> Option<(Entry, Vec<Remainder>)> {
    let mut parts = raw.0.match_id(4)?.expect_constructed()?.into_iter();
    let dn = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
    let mut attributes = Vec::new();
    let mut remainders = Vec::new();
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let description = String::from_utf8(parts.next()?.expect_primitive()?).ok()?;
        let (name, next) = described(&description);
        for value in parts.next()?.expect_constructed()? {
            attributes.push((name.clone(), value.expect_primitive()?));
        }
        if let Some(next) = next {
            remainders.push(Remainder { attribute: name, next });
        }
    }
    Some((Entry { dn, attributes }, remainders))
}

/// Name, and with `;range=0-1499` the number of the first value that is not in it.
fn described(description: &str) -> (String, Option<u64>) {
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

/// Adds the values behind those that the entry has of this attribute.
pub(crate) fn append(entry: &mut Entry, name: &str, values: impl Iterator<Item = Vec<u8>>) {
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
    fn options_tell_what_is_missing() {
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
            assert_eq!(described(description), (name.to_owned(), next), "{description}");
        }
    }

    #[test]
    fn values_of_an_attribute_stay_together() {
        let value = |name: &str, value: u8| (name.to_owned(), vec![value]);
        let mut entry = Entry {
            dn: String::new(),
            attributes: vec![value("member", 1), value("cn", 9)],
        };
        append(&mut entry, "member", [vec![2], vec![3]].into_iter());
        append(&mut entry, "mail", [vec![4]].into_iter());
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
