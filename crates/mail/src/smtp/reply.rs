//! SMTP replies (RFC 5321, 4.2).

use umpin_platform::text::one_line;

/// Longer replies are rejected, so that they do not fill the memory.
const MAX_REPLY_LENGTH: usize = 16 * 1024;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    /// The text of each line.
    pub lines: Vec<String>,
}

/// Parses the reply at the start of the bytes and returns its length; `Ok(None)` if it is incomplete.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Reply, usize)>, InvalidReply> {
    let mut code = None;
    let mut lines = Vec::new();
    let mut at = 0;
    loop {
        let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') else {
            return if bytes.len() > MAX_REPLY_LENGTH {
                Err(InvalidReply)
            } else {
                Ok(None)
            };
        };
        let line = &bytes[at..at + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += length + 1;
        if at > MAX_REPLY_LENGTH {
            return Err(InvalidReply);
        }
        let (digits, rest) = line.split_at_checked(3).ok_or(InvalidReply)?;
        if !(digits.iter().all(u8::is_ascii_digit) && (b'2'..=b'5').contains(&digits[0])) {
            return Err(InvalidReply);
        }
        let number = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        if *code.get_or_insert(number) != number {
            return Err(InvalidReply);
        }
        let (last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(InvalidReply),
        };
        lines.push(String::from_utf8_lossy(text).into_owned());
        if last {
            return Ok(Some((Reply { code: number, lines }, at)));
        }
    }
}

/// The bytes are not an SMTP reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidReply;

impl Reply {
    pub(super) fn is_positive(&self) -> bool {
        self.code < 400
    }

    pub(super) fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The reply on one line of bounded length, without control characters. Numbers of the confidential content are masked: a relay may
    /// quote the content, and one of its numbers is the PIN.
    pub(super) fn for_display(&self, confidential: &[u8]) -> String {
        let text = one_line(&format!("{} {}", self.code, self.lines.join(" ")));
        let text = text.trim_end_matches('.');
        let mut for_display = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            for_display.push_str(&rest[..start]);
            let digits = &rest[start..];
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            let (number, after) = digits.split_at(end);
            if number.len() >= MIN_PIN_LENGTH && contains_number(confidential, number.as_bytes()) {
                for_display.push('…');
            } else {
                for_display.push_str(number);
            }
            rest = after;
        }
        for_display.push_str(rest);
        for_display
    }
}

const MIN_PIN_LENGTH: usize = 4;

/// Whether this number contains, or is part of, a number in the confidential bytes.
fn contains_number(confidential: &[u8], number: &[u8]) -> bool {
    confidential
        .split(|byte| !byte.is_ascii_digit())
        .filter(|digits| digits.len() >= MIN_PIN_LENGTH)
        .any(|digits| {
            number.windows(digits.len()).any(|window| window == digits)
                || digits.windows(number.len()).any(|window| window == number)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse_all(text: &str) -> Reply {
        let (reply, length) = parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!(length, text.len());
        reply
    }

    #[test]
    fn parses_replies_of_one_and_several_lines() {
        assert_eq!(parse_all("250 Ok\r\n").lines, ["Ok"]);
        assert_eq!(parse_all("250\r\n").lines, [""]);
        let many = parse_all("250-mail.contoso.com\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n");
        assert_eq!((many.code, many.lines.len()), (250, 3));
        assert_eq!(parse(b"250-a\r\n250 b").unwrap(), None);
        let (_, length) = parse(b"220 go\r\n250 injected\r\n").unwrap().unwrap();
        assert_eq!(length, 8);
    }

    #[test]
    fn rejects_input_that_is_not_a_reply() {
        for text in [
            "HTTP/1.1 400 Bad Request\r\n",
            "\r\n",
            "99 x\r\n",
            "150 x\r\n",
            "600 x\r\n",
            "250_x\r\n",
            "250-a\r\n251 b\r\n",
            "\u{16}\u{3}\u{1}\n",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(InvalidReply), "{text:?}");
        }
        assert_eq!(parse(&[b'2'; MAX_REPLY_LENGTH + 1]), Err(InvalidReply));
        assert_eq!(
            parse("250-x\r\n".repeat(MAX_REPLY_LENGTH).as_bytes()),
            Err(InvalidReply)
        );
    }

    #[test]
    fn display_is_one_short_line() {
        let reply = parse_all("550-5.1.1 no\u{1b}[31m such\u{202e} user\r\n550 here. \r\n");
        assert_eq!(reply.for_display(b""), "550 5.1.1 no [31m such user here");
        let long = parse_all(&format!("550 {}\r\n", "x".repeat(5000)));
        assert!(long.for_display(b"").len() < 300);
    }

    #[test]
    fn display_masks_numbers_of_the_content() {
        let reply = parse_all("554 5.7.1 id 77120: spam: 'PIN 1985848', 19858482, 198584\r\n");
        assert_eq!(
            reply.for_display(b"Your PIN is:\r\n\r\n1985848\r\n"),
            "554 5.7.1 id 77120: spam: 'PIN …', …, …"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"2345 -\r\nx\xff".to_vec()), 0..60)) {
            if let Ok(Some((reply, length))) = parse(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert!(!reply.for_display(&bytes).chars().any(char::is_control));
            }
        }
    }
}
