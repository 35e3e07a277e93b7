//! UM mailbox policies in the configuration partition.

use uuid::Uuid;

use super::Entry;
use super::raw_mailbox::{check_policy_name, guid as checked_guid, leaf_value};
use super::value_errors::ValueErrors;
use crate::identity::DistinguishedName;
use crate::policy::{Limit, UmMailboxPolicy};

/// The object class of policies.
pub const CLASS: &str = "msExchUMRecipientTemplate";

/// The attributes to request from a server.
pub const ATTRIBUTES: &[&str] = &[
    "objectClass",
    "objectGUID",
    "cn",
    MIN_LENGTH,
    HISTORY,
    LIFETIME,
    PATTERNS,
    FAILURES_BEFORE_RESET,
    FAILURES_BEFORE_LOCK_OUT,
    RESET_TEXT,
];

const MIN_LENGTH: &str = "msExchUMPinPolicyMinPasswordLength";
const HISTORY: &str = "msExchUMPinPolicyNumberOfPreviousPasswordsDisallowed";
const LIFETIME: &str = "msExchUMPinPolicyExpiryDays";
const PATTERNS: &str = "msExchUMPinPolicyDisallowCommonPatterns";
const FAILURES_BEFORE_RESET: &str = "msExchUMLogonFailuresBeforePINReset";
const FAILURES_BEFORE_LOCK_OUT: &str = "msExchUMPinPolicyAccountLockoutFailures";
const RESET_TEXT: &str = "msExchUMResetPINText";

/// How Exchange stores `Unlimited` in an integer attribute that must have a value.
const UNLIMITED: i64 = i32::MAX as i64;

/// Whether the entry is a policy.
pub(crate) fn is_policy(entry: &Entry) -> bool {
    entry.has_class(CLASS)
        || (entry.first("objectclass").is_none()
            && entry
                .attributes
                .iter()
                .any(|(name, _)| name.starts_with("msexchumpinpolicy")))
}

/// A policy as an entry describes it.
pub struct Policy {
    /// Its GUID.
    pub guid: Option<Uuid>,
    /// Its DN.
    pub distinguished_name: Option<DistinguishedName>,
    /// Its settings, the name among them.
    pub settings: UmMailboxPolicy,
}

/// The policy of an entry. Each invalid value adds an error to `errors`; a number out of range is read all the same if the setting
/// can hold it.
///
/// An attribute that is absent has the documented default rather than "unlimited": exports of chosen attributes leave some
/// out, and the default is safer.
///
/// # Errors
/// A sentence for a value that its attribute cannot have.
pub fn read(entry: &Entry, errors: &mut ValueErrors) -> Result<Policy, String> {
    let dn = DistinguishedName::parse(&entry.dn);
    if dn.is_none() {
        errors.add("The policy's distinguished name cannot be parsed");
    }
    let cn = entry.text("cn")?.trim().to_owned();
    let name = if cn.is_empty() {
        dn.as_ref().and_then(leaf_value).unwrap_or_default()
    } else {
        cn
    };
    if let Err(error) = check_policy_name(&name) {
        errors.add(error);
    }
    let mut settings = UmMailboxPolicy::with_defaults(&name);
    number(errors, entry, MIN_LENGTH, 4..=24, &mut settings.min_pin_length);
    number(errors, entry, HISTORY, 1..=20, &mut settings.pin_history_count);
    // In the administration pages 0 means that PINs do not expire.
    limit(errors, entry, LIFETIME, 999, true, &mut settings.pin_lifetime_days);
    limits_of_failures(errors, entry, &mut settings);
    match entry.text(PATTERNS)?.trim().to_ascii_uppercase().as_str() {
        "" => {}
        // The attribute says what is forbidden, the setting what is allowed.
        "TRUE" => settings.allow_common_patterns = false,
        "FALSE" => settings.allow_common_patterns = true,
        _ => errors.add(format!("{PATTERNS} is neither TRUE nor FALSE")),
    }
    settings.reset_pin_text = entry.text(RESET_TEXT)?;
    if settings.reset_pin_text.chars().count() > 512 {
        errors.add(format!("{RESET_TEXT} is longer than 512 characters"));
    }
    let guid = entry
        .guid("objectGUID")?
        .and_then(|guid| checked_guid(errors, &guid.to_string()));
    Ok(Policy {
        guid,
        distinguished_name: dn,
        settings,
    })
}

/// The failures before a reset must be below those before the lock-out; a default is adapted to the limit that the entry has.
fn limits_of_failures(errors: &mut ValueErrors, entry: &Entry, settings: &mut UmMailboxPolicy) {
    const RESET: &str = FAILURES_BEFORE_RESET;
    const LOCK: &str = FAILURES_BEFORE_LOCK_OUT;
    // 0 switches the automatic reset off in the administration pages. Lock-out has no such switch: 0 there is a mistake.
    let reset_given = limit(
        errors,
        entry,
        RESET,
        998,
        true,
        &mut settings.logon_failures_before_pin_reset,
    );
    let lock_given = limit(errors, entry, LOCK, 999, false, &mut settings.max_logon_attempts);
    if let (Limit::Of(reset), Limit::Of(lock)) = (settings.logon_failures_before_pin_reset, settings.max_logon_attempts)
        && reset >= lock
    {
        match (reset_given, lock_given) {
            (true, true) => errors.add(format!("{RESET} is not below {LOCK}")),
            (true, false) => settings.max_logon_attempts = Limit::Of(reset + 1),
            (false, _) => {
                settings.logon_failures_before_pin_reset = match lock {
                    0 | 1 => Limit::Unlimited,
                    more => Limit::Of(more - 1),
                };
            }
        }
    }
}

fn integer(errors: &mut ValueErrors, entry: &Entry, name: &str) -> Option<i64> {
    let value = entry.text(name).unwrap_or_else(|_| "?".to_owned());
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let parsed = value.parse().ok();
    if parsed.is_none() {
        errors.add(format!("{name} is not a number"));
    }
    parsed
}

fn number(
    errors: &mut ValueErrors,
    entry: &Entry,
    name: &str,
    range: std::ops::RangeInclusive<u32>,
    setting: &mut u32,
) {
    if let Some(value) = integer(errors, entry, name) {
        let number = u32::try_from(value).ok();
        if !number.is_some_and(|number| range.contains(&number)) {
            errors.add(format!("{name} is not {} to {}", range.start(), range.end()));
        }
        *setting = number.unwrap_or(*setting);
    }
}

/// Returns whether the entry has a value.
fn limit(
    errors: &mut ValueErrors,
    entry: &Entry,
    name: &str,
    most: u32,
    zero_is_unlimited: bool,
    setting: &mut Limit,
) -> bool {
    let Some(value) = integer(errors, entry, name) else {
        return false;
    };
    match u32::try_from(value) {
        _ if value == UNLIMITED => *setting = Limit::Unlimited,
        Ok(0) if zero_is_unlimited => *setting = Limit::Unlimited,
        Ok(value) if (1..=most).contains(&value) => *setting = Limit::Of(value),
        other => {
            errors.add(format!("{name} is neither 1 to {most} nor unlimited"));
            *setting = other.map_or(*setting, Limit::Of);
        }
    }
    true
}
