//! A PIN while it is in memory.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The longest PIN that any policy allows (documented for the original cmdlets: 4–24 digits).
pub const MAX_PIN_LENGTH: usize = 24;

/// A PIN as typed or generated: wiped on drop, and without `Debug` or `Display` so that no text can hold it by accident.
///
/// It may break any rule, even that of being numeric: [`crate::policy`] has the rules.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

impl Pin {
    /// A PIN from its text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The digits, for derivation and for the message to the user; never for a log or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it has at least one character and only ASCII digits: digits of other scripts cannot be dialled.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|b| b.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ascii_digits_are_numeric() {
        for (text, numeric) in [
            ("0", true),
            ("4271", true),
            ("", false),
            ("42 1", false),
            ("-421", false),
            ("٤٢٧١", false),
            ("４２７１", false),
        ] {
            assert_eq!(Pin::new(text.to_owned()).is_numeric(), numeric, "{text:?}");
        }
    }

    #[test]
    fn wiping_leaves_no_digit() {
        let mut pin = Pin::new("918273".to_owned());
        pin.zeroize();
        assert_eq!(pin.expose(), "");
    }
}
