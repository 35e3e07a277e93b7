//! A PIN while it is in memory.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The longest PIN that any policy allows (documented for the original cmdlets: 4–24 digits).
pub const MAX_PIN_LENGTH: usize = 24;

/// A PIN as typed or generated: wiped on drop, and without `Debug` or `Display` so that no text can hold it by accident.
///
/// It may break any rule, even that of being numeric: [`crate::policy`] tells.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

impl Pin {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The digits, for derivation and for the message to the user; never for a log or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}
