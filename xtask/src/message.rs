//! A message with a PIN as people see it.

/// Sender, recipient, subject and the text part.
pub fn shown(message: &str) -> String {
    let message = message.replace("\r\n", "\n");
    let boundary = message
        .split_once("boundary=\"")
        .and_then(|(_, rest)| rest.split('"').next())
        .unwrap_or_default();
    let delimiter = format!("\n--{boundary}");
    let mut parts = message.split(&delimiter);
    let headers = parts.next().unwrap_or_default();
    let text = parts
        .next()
        .and_then(|part| part.split_once("\n\n"))
        .map_or("", |(_, text)| text);
    let mut shown: String = headers
        .lines()
        .filter(|line| ["From:", "To:", "Subject:"].iter().any(|name| line.starts_with(name)))
        .flat_map(|line| [line, "\n"])
        .collect();
    shown.push('\n');
    shown.push_str(decoded(text).trim());
    shown
}

/// Quoted-printable: `=` and two digits are a byte, `=` at the end of a line continues it.
fn decoded(text: &str) -> String {
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, others @ ..] = rest {
        let byte = others
            .get(..2)
            .filter(|_| *first == b'=')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn shows_headers_and_text_and_leaves_the_rest() {
        let message = "Date: today\r\nFrom: um@contoso.com\r\nSubject: PIN\r\nContent-Type: multipart/alternative;\r\n boundary=\"b\"\r\n\r\n\
                       --b\r\nContent-Type: text/plain\r\n\r\nGr=C3=BC=\r\n=C3=9Fe 1 =3D 1\r\n\r\n--b\r\n\r\n<p>html</p>\r\n--b--\r\n";
        assert_eq!(
            shown(message),
            "From: um@contoso.com\nSubject: PIN\n\nGr\u{fc}\u{df}e 1 = 1"
        );
    }
}
