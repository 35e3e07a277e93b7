//! Text for messages: text to HTML, directions.

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
