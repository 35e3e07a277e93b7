//! Lists of proxy addresses as exports write them into one cell.

use crate::attributes::addresses::prefix;

/// Stands for a separator that is none; text with a control character is refused later.
const ESCAPED: &str = "\u{2}";

/// Splits a cell into proxy addresses.
///
/// Separated by `;` as asked for, or by white space or commas as PowerShell and Exchange join collections. `;` also stands
/// *inside* `eum:` and `X400:` addresses: a piece that begins no address continues the one before it, and one after `\;`
/// (`csvde`) always does.
pub(super) fn split(cell: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let cell = cell.replace("\\;", ESCAPED);
    for piece in cell.split(';') {
        for (i, part) in at_prefixes(piece).into_iter().enumerate() {
            let part = part.trim().trim_end_matches(',').trim_end();
            match out.last_mut() {
                Some(last) if i == 0 && continues(last, part) => {
                    last.push(';');
                    last.push_str(part);
                }
                _ if part.is_empty() => {}
                _ => out.push(part.to_owned()),
            }
        }
    }
    for address in &mut out {
        // `X400:…;G=Tony;;` and lists that end in `;`.
        *address = address.replace(ESCAPED, ";");
        let end = address.trim_end_matches(';').len();
        address.truncate(end);
    }
    out
}

fn continues(last: &str, part: &str) -> bool {
    match prefix(last).map(str::to_ascii_lowercase).as_deref() {
        Some("eum") => part.get(..14).is_some_and(|p| p.eq_ignore_ascii_case("phone-context=")),
        Some("x400") => prefix(part).is_none(),
        _ => false,
    }
}

/// Cuts before every prefix that follows white space or a comma.
fn at_prefixes(piece: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut word = 0;
    for (i, c) in piece.char_indices() {
        match c {
            ' ' | ',' | '\t' => word = i + 1,
            // The length keeps this linear whatever the cell holds.
            ':' if word > start && i - word <= 9 && prefix(&piece[word..=i]).is_some() => {
                out.push(&piece[start..word]);
                start = word;
            }
            _ => {}
        }
    }
    out.push(&piece[start..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_split_where_addresses_begin() {
        let expected = ["SMTP:tony@contoso.com", "smtp:ts@contoso.com"];
        for cell in [
            "SMTP:tony@contoso.com;smtp:ts@contoso.com",
            " SMTP:tony@contoso.com ; smtp:ts@contoso.com; ",
            "SMTP:tony@contoso.com smtp:ts@contoso.com",
            "SMTP:tony@contoso.com, smtp:ts@contoso.com",
            "SMTP:tony@contoso.com,smtp:ts@contoso.com",
        ] {
            assert_eq!(split(cell), expected, "{cell}");
        }
        assert_eq!(
            split("tony@contoso.com;ts@contoso.com"),
            ["tony@contoso.com", "ts@contoso.com"]
        );
        assert_eq!(split(" ; "), Vec::<String>::new());
    }

    #[test]
    fn an_escaped_separator_is_none() {
        assert_eq!(
            split(
                r"SMTP:tony@contoso.com;eum:42710\;phone-context=Redmond.contoso.com;X400:C=US\;A=\;P=Contoso\;S=Smith\;"
            ),
            [
                "SMTP:tony@contoso.com",
                "eum:42710;phone-context=Redmond.contoso.com",
                "X400:C=US;A=;P=Contoso;S=Smith",
            ]
        );
    }

    #[test]
    fn separators_inside_addresses_stay() {
        assert_eq!(
            split(
                "X400:C=US;A= ;P=Contoso;O=Exchange;S=Smith;G=Tony;;eum:4271;phone-context=Main.contoso.com;X500:/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=tony;SIP:tony@contoso.com"
            ),
            [
                "X400:C=US;A=;P=Contoso;O=Exchange;S=Smith;G=Tony",
                "eum:4271;phone-context=Main.contoso.com",
                "X500:/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=tony",
                "SIP:tony@contoso.com",
            ]
        );
    }
}
