//! The PIN rules of a UM mailbox policy (facts: `Set-UMMailboxPolicy` reference; see docs/decisions.md).

use crate::clock::Timestamp;
use crate::mailbox::Extension;
use crate::pin::{MAX_PIN_LENGTH, Pin};

/// The least `MinPINLength` that a policy may have.
pub const LEAST_MIN_PIN_LENGTH: u32 = 4;

const MAX_NAME_CHARS: usize = 64;
const MAX_TEXT_CHARS: usize = 512;

/// A limit or `Unlimited`, as Exchange's `Unlimited<T>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// This many.
    Of(u32),
}

impl Limit {
    /// The number, unless unlimited.
    #[must_use]
    pub const fn number(self) -> Option<u32> {
        match self {
            Self::Unlimited => None,
            Self::Of(number) => Some(number),
        }
    }
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

    /// Every rule but [`PinRule::History`] that the PIN breaks, each once, in the order of [`PinRule`].
    ///
    /// The history is left out because each comparison with it costs a key derivation.
    #[must_use]
    pub fn check(&self, pin: &Pin, extensions: &[Extension]) -> Vec<PinRule> {
        let text = pin.expose();
        let length = text.chars().count();
        let numeric = pin.is_numeric();
        let mut broken = Vec::new();
        let mut rule = |rule, is_broken: bool| {
            if is_broken {
                broken.push(rule);
            }
        };
        rule(
            PinRule::TooShort,
            length < usize::try_from(self.min_pin_length).unwrap_or(usize::MAX),
        );
        rule(PinRule::TooLong, length > MAX_PIN_LENGTH);
        // An empty PIN is only too short.
        rule(PinRule::NotNumeric, !numeric && !text.is_empty());
        if numeric {
            let common = !self.allow_common_patterns;
            rule(PinRule::Sequential, common && is_sequential(text));
            rule(PinRule::Repeated, common && is_repeated(text));
            let reveals = extensions
                .iter()
                .filter_map(dialled_digits)
                .any(|digits| digits.ends_with(text) || text.contains(&digits));
            rule(PinRule::Extension, reveals);
        }
        broken
    }

    /// When a PIN set at that time expires under this policy; `None` when never.
    #[must_use]
    pub fn expires_at(&self, set_at: Timestamp) -> Option<Timestamp> {
        self.pin_lifetime_days.number().map(|days| set_at.plus_days(days))
    }

    /// Whether the settings are within their documented ranges.
    ///
    /// # Errors
    /// One phrase that names the first setting out of range, and the range.
    pub fn validate(&self) -> Result<(), String> {
        let name_length = self.name.chars().count();
        if self.name.trim().is_empty() || name_length > MAX_NAME_CHARS {
            return Err(format!("Name must have 1 to {MAX_NAME_CHARS} characters"));
        }
        if self.name.chars().any(char::is_control) {
            return Err("Name must not contain control characters".to_owned());
        }
        let longest = u32::try_from(MAX_PIN_LENGTH).unwrap_or(u32::MAX);
        within("MinPINLength", self.min_pin_length, LEAST_MIN_PIN_LENGTH, longest)?;
        within_or_unlimited("PINLifetime", self.pin_lifetime_days, 999)?;
        within("PINHistoryCount", self.pin_history_count, 1, 20)?;
        within_or_unlimited("LogonFailuresBeforePINReset", self.logon_failures_before_pin_reset, 998)?;
        within_or_unlimited("MaxLogonAttempts", self.max_logon_attempts, 999)?;
        if let (Limit::Of(failures), Limit::Of(attempts)) =
            (self.logon_failures_before_pin_reset, self.max_logon_attempts)
            && failures >= attempts
        {
            return Err(format!(
                "LogonFailuresBeforePINReset ({failures}) must be less than MaxLogonAttempts ({attempts})"
            ));
        }
        if self.reset_pin_text.chars().count() > MAX_TEXT_CHARS {
            return Err(format!("ResetPINText must have at most {MAX_TEXT_CHARS} characters"));
        }
        Ok(())
    }
}

fn within(setting: &str, value: u32, least: u32, most: u32) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{setting} must be from {least} to {most}, not {value}"))
    }
}

fn within_or_unlimited(setting: &str, value: Limit, most: u32) -> Result<(), String> {
    match value {
        Limit::Unlimited => Ok(()),
        Limit::Of(number) if (1..=most).contains(&number) => Ok(()),
        Limit::Of(number) => Err(format!("{setting} must be from 1 to {most} or Unlimited, not {number}")),
    }
}

/// Consecutive from the first digit to the last, in one direction and without wrap-around.
fn is_sequential(digits: &str) -> bool {
    let digits = digits.as_bytes();
    let steps = |by: i16| {
        digits
            .windows(2)
            .all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by)
    };
    digits.len() > 1 && (steps(1) || steps(-1))
}

fn is_repeated(digits: &str) -> bool {
    let digits = digits.as_bytes();
    digits.len() > 1 && digits.iter().all(|digit| *digit == digits[0])
}

/// The digits of an extension, without separators (`+1 (425) 555-0100`).
///
/// `None` for an extension without digits and for a SIP address, which callers do not dial.
pub fn dialled_digits(extension: &Extension) -> Option<String> {
    let is_mark = |c: char| c.is_whitespace() || matches!(c, '+' | '-' | '.' | '(' | ')' | '/');
    let number = &extension.number;
    if !number.chars().all(|c| c.is_ascii_digit() || is_mark(c)) {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
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

impl PinRule {
    /// Every rule, in the order in which they are reported.
    pub const ALL: [Self; 7] = [
        Self::TooShort,
        Self::TooLong,
        Self::NotNumeric,
        Self::Sequential,
        Self::Repeated,
        Self::Extension,
        Self::History,
    ];

    /// The fixed name that scripts may match on.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::TooShort => "TooShort",
            Self::TooLong => "TooLong",
            Self::NotNumeric => "NotNumeric",
            Self::Sequential => "Sequential",
            Self::Repeated => "Repeated",
            Self::Extension => "Extension",
            Self::History => "History",
        }
    }

    /// What is wrong, as the end of a sentence that begins with "the PIN"; names the limit, never the PIN.
    #[must_use]
    pub fn explain(self, policy: &UmMailboxPolicy) -> String {
        match self {
            Self::TooShort => format!("has fewer than {} digits", policy.min_pin_length),
            Self::TooLong => format!("has more than {MAX_PIN_LENGTH} digits"),
            Self::NotNumeric => "contains something other than the digits 0 to 9".to_owned(),
            Self::Sequential => "consists of consecutive digits only".to_owned(),
            Self::Repeated => "consists of one repeated digit".to_owned(),
            Self::Extension => "is the end of, or contains, an extension of the user".to_owned(),
            Self::History if policy.pin_history_count == 1 => "is the current PIN".to_owned(),
            Self::History => format!("is among the last {} PINs", policy.pin_history_count),
        }
    }
}
