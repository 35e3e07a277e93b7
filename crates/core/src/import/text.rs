//! Bytes of a text file to text: UTF-8 with or without byte-order mark, UTF-16 with one (`Export-Csv -Encoding Unicode`,
//! `ldifde -u`, a configuration saved by Windows PowerShell's `>`).

/// Why bytes are not text. The wording completes "The file … ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextFault {
    /// It has no bytes.
    #[error("is empty")]
    Empty,
    /// It holds a NUL.
    #[error("is not text: it contains a NUL byte")]
    Binary,
    /// The line with the first byte that is not UTF-8.
    #[error("is neither UTF-8 nor UTF-16 with a byte-order mark; the first wrong byte is in line {0}")]
    NotUtf8(u64),
    /// UTF-16 with a lone surrogate or half a unit.
    #[error("begins as UTF-16 but is cut off or damaged")]
    BrokenUtf16,
}

/// Decodes a whole file.
pub fn decode(bytes: &[u8]) -> Result<String, TextFault> {
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest)?,
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes)?,
        _ => utf8(bytes)?,
    };
    if text.contains('\0') {
        return Err(TextFault::Binary);
    }
    if text.trim().is_empty() {
        return Err(TextFault::Empty);
    }
    Ok(text)
}

fn utf8(bytes: &[u8]) -> Result<String, TextFault> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        // NUL tells a spreadsheet or UTF-16 without mark from a file in a legacy code page.
        Err(_) if bytes.contains(&0) => Err(TextFault::Binary),
        Err(e) => {
            let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count();
            Err(TextFault::NotUtf8(line as u64 + 1))
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, TextFault> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(TextFault::BrokenUtf16);
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| TextFault::BrokenUtf16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(mark: [u8; 2], text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mut out = mark.to_vec();
        out.extend(text.encode_utf16().flat_map(bytes));
        out
    }

    #[test]
    fn every_supported_encoding_gives_the_same_text() {
        let text = "Name\r\nZoë 😀\r\n";
        let mut marked = vec![0xEF, 0xBB, 0xBF];
        marked.extend(text.bytes());
        for bytes in [
            text.as_bytes().to_vec(),
            marked,
            utf16_bytes([0xFF, 0xFE], text, u16::to_le_bytes),
            utf16_bytes([0xFE, 0xFF], text, u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_not_text_is_told_apart() {
        assert_eq!(decode(b""), Err(TextFault::Empty));
        assert_eq!(decode(b" \r\n\t"), Err(TextFault::Empty));
        assert_eq!(decode(b"\xEF\xBB\xBF"), Err(TextFault::Empty));
        assert_eq!(decode(b"a\0b"), Err(TextFault::Binary));
        assert_eq!(decode(b"\xD0\xCF\x11\xE0\0"), Err(TextFault::Binary));
        assert_eq!(decode(b"Name\nZo\xEB\n"), Err(TextFault::NotUtf8(2)));
        assert_eq!(decode(b"\xFF\xFEN"), Err(TextFault::BrokenUtf16));
        assert_eq!(decode(b"\xFF\xFE\x00\xD8"), Err(TextFault::BrokenUtf16));
    }
}
