//! What a relay answers.

use umpin_platform::text::one_line;

/// No sound answer is longer; one that is must not fill the memory.
const LONGEST: usize = 16 * 1024;

/// One answer, its lines joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    /// What follows the code, a line each.
    pub lines: Vec<String>,
}

/// The answer at the start of the bytes and how many of them it is; `Ok(None)` while it is incomplete.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Reply, usize)>, NotSmtp> {
    let mut code = None;
    let mut lines = Vec::new();
    let mut at = 0;
    loop {
        let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') else {
            return if bytes.len() > LONGEST { Err(NotSmtp) } else { Ok(None) };
        };
        let line = &bytes[at..at + length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += length + 1;
        if at > LONGEST {
            return Err(NotSmtp);
        }
        let (digits, rest) = line.split_at_checked(3).ok_or(NotSmtp)?;
        if !(digits.iter().all(u8::is_ascii_digit) && (b'2'..=b'5').contains(&digits[0])) {
            return Err(NotSmtp);
        }
        let number = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        if *code.get_or_insert(number) != number {
            return Err(NotSmtp);
        }
        let (last, text) = match rest {
            [] => (true, rest),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(NotSmtp),
        };
        lines.push(String::from_utf8_lossy(text).into_owned());
        if last {
            return Ok(Some((Reply { code: number, lines }, at)));
        }
    }
}

/// The bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotSmtp;

impl Reply {
    pub(super) fn is_positive(&self) -> bool {
        self.code < 400
    }

    pub(super) fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// For people: one line, of bounded length, without what hides or breaks it, and without what was sent in confidence. A
    /// relay may repeat what it objects to, so every number of the content is left out: one of them is the PIN.
    pub(super) fn shown(&self, confidential: &[u8]) -> String {
        let text = one_line(&format!("{} {}", self.code, self.lines.join(" ")));
        let text = text.trim_end_matches('.');
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
            shown.push_str(&rest[..start]);
            let digits = &rest[start..];
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            let (number, after) = digits.split_at(end);
            if number.len() >= SHORTEST_PIN && contains_number(confidential, number.as_bytes()) {
                shown.push('…');
            } else {
                shown.push_str(number);
            }
            rest = after;
        }
        shown.push_str(rest);
        shown
    }
}

const SHORTEST_PIN: usize = 4;

/// Whether a number of the confidential bytes is in this one: a relay may glue digits of its own to it.
fn contains_number(confidential: &[u8], number: &[u8]) -> bool {
    confidential
        .split(|byte| !byte.is_ascii_digit())
        .filter(|digits| digits.len() >= SHORTEST_PIN)
        .any(|digits| {
            number.windows(digits.len()).any(|window| window == digits)
                || digits.windows(number.len()).any(|window| window == number)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> Reply {
        let (reply, length) = parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!(length, text.len());
        reply
    }

    #[test]
    fn answers_of_one_and_of_many_lines() {
        assert_eq!(whole("250 Ok\r\n").lines, ["Ok"]);
        assert_eq!(whole("250\r\n").lines, [""]);
        let many = whole("250-mail.contoso.com\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n");
        assert_eq!((many.code, many.lines.len()), (250, 3));
        assert_eq!(parse(b"250-a\r\n250 b").unwrap(), None);
        let (_, length) = parse(b"220 go\r\n250 injected\r\n").unwrap().unwrap();
        assert_eq!(length, 8);
    }

    #[test]
    fn what_is_no_answer() {
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
            assert_eq!(parse(text.as_bytes()), Err(NotSmtp), "{text:?}");
        }
        assert_eq!(parse(&[b'2'; LONGEST + 1]), Err(NotSmtp));
        assert_eq!(parse("250-x\r\n".repeat(LONGEST).as_bytes()), Err(NotSmtp));
    }

    #[test]
    fn it_is_shown_on_one_short_line() {
        let reply = whole("550-5.1.1 no\u{1b}[31m such\u{202e} user\r\n550 here. \r\n");
        assert_eq!(reply.shown(b""), "550 5.1.1 no [31m such user here");
        let long = whole(&format!("550 {}\r\n", "x".repeat(5000)));
        assert!(long.shown(b"").len() < 300);
    }

    #[test]
    fn numbers_of_the_content_are_left_out() {
        let reply = whole("554 5.7.1 id 77120: spam: 'PIN 1985848', 19858482, 198584\r\n");
        assert_eq!(
            reply.shown(b"Your PIN is:\r\n\r\n1985848\r\n"),
            "554 5.7.1 id 77120: spam: 'PIN …', …, …"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(b"2345 -\r\nx\xff".to_vec()), 0..60)) {
            if let Ok(Some((reply, length))) = parse(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert!(!reply.shown(&bytes).chars().any(char::is_control));
            }
        }
    }
}
