//! The PIN rules of a UM mailbox policy (facts: `Set-UMMailboxPolicy` reference; see docs/decisions.md).

use crate::pin::Pin;

/// A limit that can be switched off, as Exchange's `Unlimited<T>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// This many.
    Of(u32),
}

/// The settings of a UM mailbox policy that concern PINs; names, defaults and ranges are Exchange's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UmMailboxPolicy {
    /// 1–64 characters, unique.
    pub name: String,
    /// 4–24 digits; default 6.
    pub min_pin_length: u32,
    /// 1–999 days or unlimited; default 60.
    pub pin_lifetime_days: Limit,
    /// 1–20, the current PIN included; default 5.
    pub pin_history_count: u32,
    /// Whether consecutive and repeated digits are allowed; default false.
    pub allow_common_patterns: bool,
    /// 1–998 or unlimited, below `max_logon_attempts`; default 5.
    pub logon_failures_before_pin_reset: Limit,
    /// 1–999 or unlimited; default 15.
    pub max_logon_attempts: Limit,
    /// At most 512 characters of simple HTML for the message; default empty.
    pub reset_pin_text: String,
}

impl UmMailboxPolicy {
    /// A policy with the documented defaults.
    #[must_use]
    pub fn with_defaults(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            min_pin_length: 6,
            pin_lifetime_days: Limit::Of(60),
            pin_history_count: 5,
            allow_common_patterns: false,
            logon_failures_before_pin_reset: Limit::Of(5),
            max_logon_attempts: Limit::Of(15),
            reset_pin_text: String::new(),
        }
    }
}

/// A rule that a PIN breaks; the names are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinRule {
    /// Shorter than `MinPINLength`.
    TooShort,
    /// Longer than 24 digits.
    TooLong,
    /// Holds something that is not an ASCII digit.
    NotNumeric,
    /// Nothing but consecutive digits, up or down.
    Sequential,
    /// One digit repeated.
    Repeated,
    /// A suffix of an extension of the user, or contains a whole one.
    Extension,
    /// Among the last `PINHistoryCount` PINs.
    History,
}
