//! Text of others on one line, without surprises: names, and what servers answer.

/// Characters that hide or reorder what is read (bidirectional controls, zero-width and other format characters).
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// A name on one line, of bounded length.
pub(crate) fn one_line(text: &str) -> String {
    const LONGEST: usize = 256;
    let line = tidy_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => line[..at].trim_end().to_owned(),
        None => line,
    }
}

/// Text on one line: control and invisible characters out, runs of white space as one space.
pub(crate) fn tidy_line(text: &str) -> String {
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
}
