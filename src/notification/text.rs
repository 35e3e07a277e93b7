//! Text for messages: names without surprises, HTML to text and text to HTML.

/// Characters that hide or reorder what is read (bidirectional controls, zero-width and other format characters).
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}'
    )
}

/// A name on one line: control and invisible characters out, runs of white space as one space, of bounded length.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 256;
    let cleaned: String = text
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_invisible(*c))
        .take(LONGEST)
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

/// The words of simple HTML: tags out, block ends as line breaks, entities decoded, the target of a link after its words.
///
/// Lines are trimmed and at most one empty line stays between others. Plain text goes through as it is.
pub(super) fn html_to_text(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut link: Option<String> = None;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('&') {
            let (decoded, length) = entity(rest);
            out.push(decoded);
            rest = &rest[length..];
            continue;
        }
        let Some((tag, after)) = tag(rest) else {
            out.push('<');
            rest = &rest[1..];
            continue;
        };
        rest = after;
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        match (name.as_str(), tag.starts_with('/')) {
            ("script" | "style" | "head" | "title", false) => rest = after_closing(rest, &name),
            ("a", false) => link = href(tag),
            ("a", true) => {
                if let Some(target) = link.take()
                    && !out.ends_with(&target)
                {
                    out.push_str(" (");
                    out.push_str(&target);
                    out.push(')');
                }
            }
            ("li", false) => out.push_str("\n- "),
            ("td" | "th", true) => out.push(' '),
            ("p" | "div" | "ul" | "ol" | "table" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6", true) => {
                out.push_str("\n\n")
            }
            ("br" | "tr" | "hr", _) | ("p" | "div", false) => out.push('\n'),
            _ => {}
        }
    }
    out.push_str(rest);
    tidy(&out)
}

fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(one_line) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}

/// The inside of the tag or comment at the start, and what follows; `None` where `<` begins neither.
fn tag(text: &str) -> Option<(&str, &str)> {
    let inner = &text[1..];
    if let Some(comment) = inner.strip_prefix("!--") {
        let end = comment.find("-->")?;
        return Some(("", &comment[end + 3..]));
    }
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        return None;
    }
    let mut quote = None;
    for (i, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => return Some((&inner[..i], &inner[i + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// What follows the closing tag of an element whose content is no text.
fn after_closing<'a>(text: &'a str, name: &str) -> &'a str {
    let closing = format!("</{name}");
    text.to_ascii_lowercase()
        .find(&closing)
        .and_then(|at| text[at..].split_once('>'))
        .map_or("", |(_, after)| after)
}

/// The target of a link that a reader may follow.
fn href(tag: &str) -> Option<String> {
    let at = tag.to_ascii_lowercase().find("href")?;
    let value = tag[at + 4..].trim_start().strip_prefix('=')?.trim_start();
    let target = match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next()?,
        _ => value.split_whitespace().next()?,
    };
    let known = ["https:", "http:", "mailto:"].iter().any(|scheme| {
        target
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    known.then(|| target.replace("&amp;", "&"))
}

/// The character of the entity at the start and how long it is; a lone `&` is itself.
fn entity(text: &str) -> (char, usize) {
    const LONGEST: usize = 10;
    let decoded = text.bytes().take(LONGEST).position(|b| b == b';').and_then(|end| {
        let c = match &text[1..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "ndash" => '–',
            "mdash" => '—',
            "hellip" => '…',
            name => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        };
        Some((c, end + 1))
    });
    decoded.unwrap_or(('&', 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn html_becomes_its_words() {
        for (html, text) in [
            ("Call 4000.", "Call 4000."),
            ("Call <b>4000</b><br>or 4001", "Call 4000\nor 4001"),
            ("<p>One</p><p>Two</p>", "One\n\nTwo"),
            ("<ul><li>One<li>Two</ul>", "- One\n- Two"),
            (
                "See <a href=\"https://help.contoso.com/pin?a=1&amp;b=2\">help</a>.",
                "See help (https://help.contoso.com/pin?a=1&b=2).",
            ),
            ("<a href='javascript:alert(1)'>x</a>", "x"),
            (
                "<a href=https://contoso.com>https://contoso.com</a>",
                "https://contoso.com",
            ),
            (
                "Tom &amp; Jerry &lt;3 &#65;&#x42; &nbsp;&bogus; &",
                "Tom & Jerry <3 AB &bogus; &",
            ),
            ("1 < 2 > 0 <- x", "1 < 2 > 0 <- x"),
            ("<script>alert('</b>')</script>after<style>p{}</style>", "after"),
            ("a<!-- <b>hidden</b> -->b", "ab"),
            ("<img alt=\"a > b\">x", "x"),
            ("open <b", "open <b"),
            ("<script>never closed", ""),
        ] {
            assert_eq!(html_to_text(html), text, "{html}");
        }
    }

    #[test]
    fn names_stay_on_one_line() {
        assert_eq!(one_line(" Tony\r\nBcc: x\t\u{202E}Smith\u{0} "), "Tony Bcc: x Smith");
    }

    proptest! {
        #[test]
        fn any_input_is_taken(html in "[<>/&;#x!a-z0-9\"'= é\n-]{0,80}") {
            let text = html_to_text(&html);
            prop_assert!(!text.contains('\r'));
            let escaped = escape_html(&text);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        }
    }
}
