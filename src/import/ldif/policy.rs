//! UM mailbox policies in an export of the configuration partition (class `msExchUMRecipientTemplate`).

use super::reader::Entry;
use super::{guid, has_class, text};
use crate::identity::DistinguishedName;
use crate::import::PolicyRow;
use crate::import::draft::{Faults, check_policy_name, guid as checked_guid, leaf_value};
use crate::policy::{Limit, UmMailboxPolicy};

/// How Exchange stores `Unlimited` in an integer attribute that must have a value.
const UNLIMITED: i64 = i32::MAX as i64;

/// Whether the entry is a policy.
pub(super) fn is_policy(entry: &Entry) -> bool {
    has_class(entry, "msExchUMRecipientTemplate")
        || (entry.first("objectclass").is_none()
            && entry
                .attributes
                .iter()
                .any(|(name, _)| name.starts_with("msexchumpinpolicy")))
}

/// The policy with its settings.
///
/// An attribute that is absent has the documented default rather than "unlimited": exports of chosen attributes leave some
/// out, and the default is the safer reading.
pub(super) fn row(entry: &Entry) -> Result<PolicyRow, String> {
    let mut faults = Faults::default();
    let f = &mut faults;
    let dn = DistinguishedName::parse(&entry.dn);
    if dn.is_none() {
        f.add("The policy's distinguished name cannot be parsed");
    }
    let cn = text(entry, "cn")?.trim().to_owned();
    let name = if cn.is_empty() {
        dn.as_ref().and_then(leaf_value).unwrap_or_default()
    } else {
        cn
    };
    if let Err(fault) = check_policy_name(&name) {
        f.add(fault);
    }
    let mut settings = UmMailboxPolicy::with_defaults(&name);
    number(
        f,
        entry,
        "msExchUMPinPolicyMinPasswordLength",
        4..=24,
        &mut settings.min_pin_length,
    );
    number(
        f,
        entry,
        "msExchUMPinPolicyNumberOfPreviousPasswordsDisallowed",
        1..=20,
        &mut settings.pin_history_count,
    );
    // In the administration pages 0 means that PINs do not expire.
    limit(
        f,
        entry,
        "msExchUMPinPolicyExpiryDays",
        999,
        true,
        &mut settings.pin_lifetime_days,
    );
    limits_of_failures(f, entry, &mut settings);
    match text(entry, "msExchUMPinPolicyDisallowCommonPatterns")?
        .trim()
        .to_ascii_uppercase()
        .as_str()
    {
        "" => {}
        // The attribute says what is forbidden, the setting what is allowed.
        "TRUE" => settings.allow_common_patterns = false,
        "FALSE" => settings.allow_common_patterns = true,
        _ => f.add("msExchUMPinPolicyDisallowCommonPatterns is neither TRUE nor FALSE"),
    }
    settings.reset_pin_text = text(entry, "msExchUMResetPINText")?;
    if settings.reset_pin_text.chars().count() > 512 {
        f.add("msExchUMResetPINText is longer than 512 characters");
    }
    let guid = guid(entry)?.and_then(|guid| checked_guid(f, &guid.to_string()));
    match faults.into_message() {
        Some(message) => Err(message),
        None => Ok(PolicyRow {
            line: entry.line,
            guid,
            distinguished_name: dn.map(|dn| dn.as_str().to_owned()),
            settings,
            described: true,
        }),
    }
}

/// The failures before a reset must stay below those before lock-out; a default gives way to what the export says.
fn limits_of_failures(f: &mut Faults, entry: &Entry, settings: &mut UmMailboxPolicy) {
    const RESET: &str = "msExchUMLogonFailuresBeforePINReset";
    const LOCK: &str = "msExchUMPinPolicyAccountLockoutFailures";
    // 0 switches the automatic reset off in the administration pages. Lock-out has no such switch: 0 there is a mistake.
    let reset_given = limit(
        f,
        entry,
        RESET,
        998,
        true,
        &mut settings.logon_failures_before_pin_reset,
    );
    let lock_given = limit(f, entry, LOCK, 999, false, &mut settings.max_logon_attempts);
    if let (Limit::Of(reset), Limit::Of(lock)) = (settings.logon_failures_before_pin_reset, settings.max_logon_attempts)
        && reset >= lock
    {
        match (reset_given, lock_given) {
            (true, true) => f.add(format!("{RESET} is not below {LOCK}")),
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

fn integer(f: &mut Faults, entry: &Entry, name: &str) -> Option<i64> {
    let value = text(entry, name).unwrap_or_else(|_| "?".to_owned());
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    let parsed = value.parse().ok();
    if parsed.is_none() {
        f.add(format!("{name} is not a number"));
    }
    parsed
}

fn number(f: &mut Faults, entry: &Entry, name: &str, range: std::ops::RangeInclusive<u32>, setting: &mut u32) {
    if let Some(value) = integer(f, entry, name) {
        match u32::try_from(value).ok().filter(|v| range.contains(v)) {
            Some(value) => *setting = value,
            None => f.add(format!("{name} is not {} to {}", range.start(), range.end())),
        }
    }
}

/// Whether the export has the value.
fn limit(f: &mut Faults, entry: &Entry, name: &str, most: u32, zero_is_unlimited: bool, setting: &mut Limit) -> bool {
    let Some(value) = integer(f, entry, name) else {
        return false;
    };
    match u32::try_from(value) {
        _ if value == UNLIMITED => *setting = Limit::Unlimited,
        Ok(0) if zero_is_unlimited => *setting = Limit::Unlimited,
        Ok(value) if (1..=most).contains(&value) => *setting = Limit::Of(value),
        _ => f.add(format!("{name} is neither 1 to {most} nor unlimited")),
    }
    true
}
