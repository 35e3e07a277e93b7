//! Case folding for comparisons.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// Canonical caseless form (Unicode 3.13, D145): NFD, full case folding, NFC; surrounding white space trimmed.
#[must_use]
pub fn fold(text: &str) -> String {
    let text = text.trim();
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfc().collect()
}

/// As [`fold`], and every run of white space is one space (RFC 4518, insignificant spaces): for the values of a DN.
pub(super) fn fold_and_squeeze(text: &str) -> String {
    let folded = fold(text);
    let mut squeezed = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_fold_equal() {
        for (one, other) in [
            ("  Tony Smith\t", "tony smith"),
            ("STRASSE", "Straße"),
            ("ÅSA", "a\u{30a}sa"),
            ("ΌΣΟΣ", "όσος"),
            ("ﬁona", "FIONA"),
            ("ᾼ", "αι"),
            // Only full folding after decomposition makes these equal.
            ("\u{345}\u{313}", "\u{313}\u{399}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [("resume", "résumé"), ("a b", "ab"), ("i", "ı"), ("1", "１")] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
    }

    #[test]
    fn inner_space_counts_except_in_dn_values() {
        assert_ne!(fold("a  b"), fold("a b"));
        assert_eq!(fold_and_squeeze(" a \t\u{a0} b "), "a b");
    }
}
