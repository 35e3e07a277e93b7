//! Text for messages: names without surprises, text to HTML, directions.

/// Characters that hide or reorder what is read (bidirectional controls, zero-width and other format characters).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// A name on one line, of bounded length.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 256;
    let line = tidy_line(text);
    match line.char_indices().nth(LONGEST) {
        Some((at, _)) => line[..at].trim_end().to_owned(),
        None => line,
    }
}

/// Text on one line: control and invisible characters out, runs of white space as one space.
pub(super) fn tidy_line(text: &str) -> String {
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

/// Escapes for element content and quoted attributes.
pub(super) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Whether the text has letters that are written from right to left.
fn has_right_to_left(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
            | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
    })
}

/// The text between marks (FIRST STRONG ISOLATE, POP DIRECTIONAL ISOLATE) that keep its direction from reordering what stands
/// beside it; without marks where both are written the same way.
pub(super) fn isolated(text: &str, beside: &str) -> String {
    if has_right_to_left(text) == has_right_to_left(beside) {
        text.to_owned()
    } else {
        format!("\u{2068}{text}\u{2069}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(one_line(" Tony\r\nBcc: x\t\u{202E}Smith\u{0} "), "Tony Bcc: x Smith");
        assert_eq!(one_line(&"a".repeat(1000)).len(), 256);
        assert_eq!(tidy_line(&"a ".repeat(1000)).len(), 1999);
    }

    #[test]
    fn only_a_foreign_direction_is_isolated() {
        assert_eq!(isolated("Tony", "Hello {name},"), "Tony");
        assert_eq!(isolated("טוני", "Hello {name},"), "\u{2068}טוני\u{2069}");
        assert_eq!(isolated("טוני", "שלום {name},"), "טוני");
        assert_eq!(isolated("4271", "שלום {extensions},"), "\u{2068}4271\u{2069}");
    }

    proptest! {
        #[test]
        fn escaped_text_has_no_markup(text in any::<String>()) {
            prop_assert!(!escape_html(&text).contains(['<', '>', '"', '\'']));
        }
    }
}
