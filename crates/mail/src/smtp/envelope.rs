//! The envelope (reverse-path and forward-path) and dot-stuffing.

use lettre::Address;

/// A reverse-path or forward-path (RFC 5321, 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub address: Address,
    /// The local part is not ASCII, so the relay needs SMTPUTF8. A domain has an ASCII form.
    pub needs_utf8: bool,
}

/// `None` if the text is not an address.
pub(super) fn parse_path(text: &str) -> Option<Path> {
    let address = umpin_core::notification::address::parse_address(text)?;
    Some(Path {
        needs_utf8: !address.local_part().is_ascii(),
        address: address.to_lettre()?,
    })
}

/// The content with dot-stuffing and the final dot (RFC 5321, 4.5.2); `None` if its line endings are not valid. The buffer is allocated
/// at its final size: a growing one would leave copies of the PIN behind.
pub(super) fn dot_stuffed(content: &[u8]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    const END: &[u8] = b"\r\n.\r\n";
    if !has_valid_line_ends(content) {
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
    // The content's own last line ending precedes the dot.
    out.extend_from_slice(if content.ends_with(b"\r\n") { &END[2..] } else { END });
    Some(out)
}

/// Some relays take a lone CR or LF for a line ending: text for one relay is a command for the next (SMTP smuggling).
fn has_valid_line_ends(content: &[u8]) -> bool {
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
        let found = parse_path("tony@bücher.example").unwrap();
        assert_eq!(found.address.to_string(), "tony@xn--bcher-kva.example");
        assert!(!found.needs_utf8);
        let found = parse_path("zoë@bücher.example").unwrap();
        assert_eq!(found.address.to_string(), "zoë@bücher.example");
        assert!(found.needs_utf8);
        assert_eq!(
            parse_path("\"tony smith\"@contoso.com").unwrap().address.to_string(),
            "\"tony smith\"@contoso.com"
        );
        for text in [
            "tony@contoso.com>\r\nRCPT TO:<x@fabrikam.com",
            "tony@contoso.com SIZE=1",
            "",
        ] {
            assert_eq!(parse_path(text), None, "{text:?}");
        }
    }

    #[test]
    fn dot_stuffing_does_not_reallocate() {
        for (content, sent) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            (".\r\n..\r\nb.\r\n", "..\r\n...\r\nb.\r\n.\r\n"),
            (
                "a\r\n.\r\nRCPT TO:<x@fabrikam.com>\r\n",
                "a\r\n..\r\nRCPT TO:<x@fabrikam.com>\r\n.\r\n",
            ),
        ] {
            let out = dot_stuffed(content.as_bytes()).unwrap();
            assert_eq!(std::str::from_utf8(&out).unwrap(), sent);
            assert!(out.capacity() <= content.len() + 10);
        }
        for content in ["a\nb", "a\rb", "a\r\n.\n", "\n", "a\r", "a\r\r\n", "a\n\r\n"] {
            assert!(dot_stuffed(content.as_bytes()).is_none(), "{content:?}");
        }
    }
}
