//! Sender and recipient, in a form that the relay understands.

use lettre::Address;

/// What an address needs of the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub address: Address,
    /// The part before the `@` has letters beyond ASCII; those of a domain alone have an ASCII form.
    pub needs_utf8: bool,
}

/// `None` where it is no address.
pub(super) fn path(text: &str) -> Option<Path> {
    let address = umpin_core::notification::address::parse_address(text)?;
    Some(Path {
        needs_utf8: !address.local_part().is_ascii(),
        address: address.to_lettre()?,
    })
}

/// The content as it goes over the line: a dot is put before every line that begins with one, and the last line is a dot.
/// One buffer of the right size from the start: one that grew would leave copies of the PIN behind.
pub(super) fn stuffed(content: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    const END: &[u8] = b"\r\n.\r\n";
    if !has_sound_line_ends(content) {
        return None;
    }
    let dots = content.windows(3).filter(|window| *window == b"\r\n.").count() + 1;
    let mut out = zeroize::Zeroizing::new(Vec::with_capacity(content.len() + dots + END.len()));
    let mut at_start = true;
    for &byte in content {
        if at_start && byte == b'.' {
            out.push(b'.');
        }
        out.push(byte);
        at_start = byte == b'\n';
    }
    // The line end before the dot is the content's own where it has one.
    out.extend_from_slice(if content.ends_with(b"\r\n") { &END[2..] } else { END });
    Some(out)
}

/// A lone CR or LF is a line end to some relays and not to others: what one takes for text is a command to the next.
fn has_sound_line_ends(content: &[u8]) -> bool {
    let mut last = 0;
    for &byte in content {
        if (byte == b'\n') != (last == b'\r') {
            return false;
        }
        last = byte;
    }
    last != b'\r'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_an_ascii_form() {
        let found = path("tony@bücher.example").unwrap();
        assert_eq!(found.address.to_string(), "tony@xn--bcher-kva.example");
        assert!(!found.needs_utf8);
        let found = path("zoë@bücher.example").unwrap();
        assert_eq!(found.address.to_string(), "zoë@bücher.example");
        assert!(found.needs_utf8);
        assert_eq!(
            path("\"tony smith\"@contoso.com").unwrap().address.to_string(),
            "\"tony smith\"@contoso.com"
        );
        for text in [
            "tony@contoso.com>\r\nRCPT TO:<x@fabrikam.com",
            "tony@contoso.com SIZE=1",
            "",
        ] {
            assert_eq!(path(text), None, "{text:?}");
        }
    }

    #[test]
    fn dots_are_doubled_and_nothing_grows() {
        for (content, sent) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".\r\n..\r\nb.\r\n", "..\r\n...\r\nb.\r\n.\r\n"),
            (
                "a\r\n.\r\nRCPT TO:<x@fabrikam.com>\r\n",
                "a\r\n..\r\nRCPT TO:<x@fabrikam.com>\r\n.\r\n",
            ),
        ] {
            let out = stuffed(content.as_bytes()).unwrap();
            assert_eq!(std::str::from_utf8(&out).unwrap(), sent);
            assert!(out.capacity() <= content.len() + 10);
        }
        for content in ["a\nb", "a\rb", "a\r\n.\n", "\n", "a\r", "a\r\r\n", "a\n\r\n"] {
            assert!(stuffed(content.as_bytes()).is_none(), "{content:?}");
        }
    }
}
