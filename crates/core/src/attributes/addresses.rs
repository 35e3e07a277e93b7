//! Proxy addresses and the extensions in them.

use crate::mailbox::Extension;

/// The longest extension that a dial plan can have.
const MAX_EXTENSION_DIGITS: usize = 20;

/// The address type before the first colon, where there is one.
pub(crate) fn prefix(address: &str) -> Option<&str> {
    let (prefix, _) = address.split_once(':')?;
    let is_valid = (1..=9).contains(&prefix.len())
        && prefix.starts_with(|c: char| c.is_ascii_alphabetic())
        && prefix.bytes().all(|b| b.is_ascii_alphanumeric());
    is_valid.then_some(prefix)
}

/// Splits a cell into extensions. The error is the text that is not an extension.
pub(crate) fn extensions(cell: &str) -> Result<Vec<Extension>, String> {
    let mut pieces: Vec<String> = Vec::new();
    // `csvde` escapes a separator within a value.
    for piece in cell
        .replace("\\;", ";")
        .split([';', ',', ' ', '\t'])
        .filter(|p| !p.is_empty())
    {
        match pieces.last_mut() {
            Some(last)
                if piece
                    .get(..14)
                    .is_some_and(|p| p.eq_ignore_ascii_case("phone-context=")) =>
            {
                last.push(';');
                last.push_str(piece);
            }
            _ => pieces.push(piece.to_owned()),
        }
    }
    pieces.into_iter().map(|piece| extension(&piece).ok_or(piece)).collect()
}

fn extension(text: &str) -> Option<Extension> {
    if prefix(text).is_some() {
        return from_eum(text);
    }
    if text.contains(';') {
        return from_eum(&format!("eum:{text}"));
    }
    let (number, dial_plan) = match text.split_once('@') {
        Some((number, plan)) => (number, Some(plan)),
        None => (text, None),
    };
    checked(number, dial_plan)
}

/// The extension in `eum:4271;phone-context=dialplan.contoso.com`; `None` also for the `eum:` address of a SIP dial plan, which has no number.
pub(crate) fn from_eum(address: &str) -> Option<Extension> {
    let (kind, rest) = address.split_once(':')?;
    if !kind.eq_ignore_ascii_case("eum") {
        return None;
    }
    let mut parts = rest.split(';');
    let number = parts.next()?.trim();
    let dial_plan = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("phone-context").then_some(value)
    });
    // E.164 dial plans write the country code with `+`, which callers do not dial.
    checked(number.strip_prefix('+').unwrap_or(number), dial_plan)
}

/// Whether it is an `eum:` address with an invalid number. The address of a SIP dial plan (`eum:tony@contoso.com`) has no number.
pub(crate) fn unusable_extension(address: &str) -> bool {
    address.split_once(':').is_some_and(|(kind, rest)| {
        let user = rest.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("eum") && !user.contains('@') && from_eum(address).is_none()
    })
}

fn checked(number: &str, dial_plan: Option<&str>) -> Option<Extension> {
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    let dial_plan = match dial_plan.map(str::trim) {
        Some("") => return None,
        other => other.map(str::to_owned),
    };
    (digits && (1..=MAX_EXTENSION_DIGITS).contains(&number.len())).then(|| Extension {
        number: number.to_owned(),
        dial_plan,
    })
}

/// Adds an extension unless the list has its number; an extension with a dial plan replaces one without.
pub(crate) fn add_extension(list: &mut Vec<Extension>, new: Extension) {
    let same = |known: &&mut Extension| {
        known.number == new.number
            && match (&known.dial_plan, &new.dial_plan) {
                (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
                _ => true,
            }
    };
    match list.iter_mut().find(same) {
        Some(known) if known.dial_plan.is_none() => *known = new,
        Some(_) => {}
        None => list.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ext(number: &str, dial_plan: Option<&str>) -> Extension {
        Extension {
            number: number.to_owned(),
            dial_plan: dial_plan.map(str::to_owned),
        }
    }

    #[test]
    fn extensions_take_every_notation() {
        assert_eq!(
            extensions(r"4271; 4272@Main,eum:4273\;phone-context=Main.contoso.com 4274"),
            Ok(vec![
                ext("4271", None),
                ext("4272", Some("Main")),
                ext("4273", Some("Main.contoso.com")),
                ext("4274", None),
            ])
        );
        for bad in ["x4271", "42-71", "4271@", "123456789012345678901", "٤٢", "smtp:4271"] {
            assert_eq!(extensions(bad), Err(bad.to_owned()));
        }
    }

    #[test]
    fn eum_addresses_give_their_number() {
        assert_eq!(
            from_eum("EUM:+14255550100;phone-context=E164.contoso.com"),
            Some(ext("14255550100", Some("E164.contoso.com")))
        );
        assert_eq!(from_eum("eum:tony@contoso.com;phone-context=Sip.contoso.com"), None);
        assert_eq!(from_eum("smtp:4271@contoso.com"), None);
    }

    #[test]
    fn an_invalid_number_differs_from_an_address_without_one() {
        for unusable in [
            "eum:4x71;phone-context=Main",
            "EUM:123456789012345678901;phone-context=Main",
            "eum:42 71",
            "eum:4271;phone-context=",
        ] {
            assert!(unusable_extension(unusable), "{unusable}");
        }
        for other in [
            "eum:4271;phone-context=Main",
            "eum:tony@contoso.com;phone-context=Sip",
            "smtp:x@contoso.com",
            "x",
        ] {
            assert!(!unusable_extension(other), "{other}");
        }
    }

    #[test]
    fn the_same_extension_is_kept_once_with_its_dial_plan() {
        let mut list = vec![ext("4271", None)];
        add_extension(&mut list, ext("4271", Some("Main")));
        add_extension(&mut list, ext("4271", None));
        add_extension(&mut list, ext("4271", Some("main")));
        assert_eq!(list, [ext("4271", Some("Main"))]);
        add_extension(&mut list, ext("4271", Some("Branch")));
        assert_eq!(list.len(), 2);
    }
}
