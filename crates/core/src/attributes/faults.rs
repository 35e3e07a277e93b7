//! What is wrong with values, collected for one sentence.

use std::fmt;

/// Every fault of one row or entry, for one sentence.
#[derive(Default)]
pub struct Faults(Vec<String>);

impl Faults {
    pub(crate) fn add(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` when there is none.
    pub fn into_message(self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("{}.", self.0.join("; ")))
    }
}

/// A value for a message: quoted, short, on one line.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 60;
        let text: String = self
            .0
            .chars()
            .take(LONGEST)
            .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
            .collect();
        let more = if self.0.chars().nth(LONGEST).is_some() {
            "…"
        } else {
            ""
        };
        write!(f, "'{text}{more}'")
    }
}
