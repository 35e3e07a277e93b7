//! The error of a PIN that the policy forbids.

use crate::mailbox::Mailbox;
use crate::policy::{PinRule, UmMailboxPolicy};
use crate::{Error, ErrorCode};

/// One error that names every broken rule, but not the PIN.
pub(in crate::service) fn policy_violation(mailbox: &Mailbox, policy: &UmMailboxPolicy, rules: &[PinRule]) -> Error {
    let ids: Vec<&str> = rules.iter().map(|rule| rule.id()).collect();
    let reasons: Vec<String> = rules
        .iter()
        .map(|rule| format!("{} ({})", rule.id(), rule.explain(policy)))
        .collect();
    Error::new(
        ErrorCode::PinPolicyViolation,
        format!(
            "The PIN for \"{}\" breaks the UM mailbox policy \"{}\": {}.",
            mailbox.identity(),
            policy.name,
            reasons.join("; ")
        ),
    )
    .detail("rules", ids)
    .detail("policy", policy.name.as_str())
    .detail("identity", mailbox.identity())
}
