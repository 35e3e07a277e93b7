//! Makes foreign text, such as names and server responses, safe for one line.

use std::fmt::Write as _;

/// Characters that hide or reorder text (bidirectional controls, zero-width and other format characters).
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// Text for one line of a log or a terminal. Line breaks, control characters and bidirectional controls are escaped as UTF-8 bytes, as in
/// a distinguished name, where a line break is `\0A`.
pub fn escaped(text: String) -> String {
    let breaks = |c: char| {
        c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(breaks) {
        return text;
    }
    let mut line = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if breaks(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(line, "\\{byte:02X}");
            }
        } else {
            line.push(c);
        }
    }
    line
}

/// Text on one line of bounded length.
pub fn one_line(text: &str) -> String {
    const LONGEST: usize = 256;
    let line = tidy_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => line[..at].trim_end().to_owned(),
        None => line,
    }
}

/// Text on one line: control and invisible characters are removed, runs of white space become one space.
pub fn tidy_line(text: &str) -> String {
    let cleaned: String = text
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .collect();
    cleaned
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(one_line(" Tony\r\nBcc: x\t\u{202E}Smith\u{0} "), "Tony Bcc: x Smith");
        assert_eq!(one_line(&"a".repeat(1000)).len(), 256);
        assert_eq!(tidy_line(&"a ".repeat(1000)).len(), 1999);
    }

    #[test]
    fn escaped_text_has_no_line_breaks() {
        assert_eq!(escaped("Tony Smith, \u{e4}".to_owned()), "Tony Smith, \u{e4}");
        assert_eq!(
            escaped("Tony\nCNF:1\r\n\u{1b}[2J".to_owned()),
            "Tony\\0ACNF:1\\0D\\0A\\1B[2J"
        );
        assert_eq!(
            escaped("a\u{85}\u{2028}\u{202e}".to_owned()),
            "a\\C2\\85\\E2\\80\\A8\\E2\\80\\AE"
        );
    }
}
