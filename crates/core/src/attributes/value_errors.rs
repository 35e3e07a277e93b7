//! The errors of the values of a row or an entry.

use std::fmt;

/// The errors of one row or entry, for one sentence.
#[derive(Default)]
pub struct ValueErrors(Vec<String>);

impl ValueErrors {
    pub(crate) fn add(&mut self, error: impl Into<String>) {
        self.0.push(error.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as one sentence; `None` when there are none.
    pub fn into_message(self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("{}.", self.0.join("; ")))
    }
}

/// A value in a message: quoted, shortened, on one line.
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 60;
        let text: String = self
            .0
            .chars()
            .take(MAX_CHARS)
            .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
            .collect();
        let more = if self.0.chars().nth(MAX_CHARS).is_some() {
            "…"
        } else {
            ""
        };
        write!(f, "'{text}{more}'")
    }
}
