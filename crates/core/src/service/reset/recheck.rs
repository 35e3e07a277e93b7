//! What prepare read is read and decided again: after a question, after a while, after a lost race.
//!
//! The object stays the one that was found: a name that has passed to another mailbox since changes nothing. Of everything else the new
//! state counts, and where it forbids the reset, that is the usual error. Only what somebody was shown, and may have agreed to, must
//! not become something else: which mailbox, and who receives the message.

use super::violation::policy_violation;
use super::{ResetPlan, Resets, recipient};
use crate::mailbox::Mailbox;
use crate::{Error, ErrorCode, Result};

/// How long what prepare read is good without a second look, where it is not compared in the transaction of the change.
const FRESH_FOR_MILLIS: i64 = 5_000;

impl Resets {
    /// Whether what prepare read may be old: somebody was asked meanwhile, it waited, or the clock was set.
    pub(super) fn is_stale(&self, plan: &ResetPlan) -> bool {
        let age = self.clock.now().0.saturating_sub(plan.read_at.0);
        plan.is_confirmed() || !(0..FRESH_FOR_MILLIS).contains(&age)
    }

    /// Reads the same object, by its immutable id and never by what was typed, and decides again.
    pub(super) fn look_again(&self, plan: &mut ResetPlan) -> Result<()> {
        let lookup = plan.request.lookup();
        let read_at = self.clock.now();
        let found = self.resolver.again(&plan.mailbox, lookup.route())?;
        let mailbox = &found.mailbox;
        if !self.resolver.is_visible(mailbox, lookup) {
            return Err(self.resolver.not_found(&[mailbox.identity()]));
        }
        plan.policy = self.resolver.policy_of(mailbox, lookup.route())?;
        if let Some(given) = &plan.given {
            let rules = plan.policy.settings.check(given.pin(), &mailbox.extensions);
            if !rules.is_empty() {
                return Err(policy_violation(mailbox, &plan.policy.settings, &rules));
            }
        }
        // What it warns of depends on the request alone, and was told.
        let recipient = recipient::decide(&plan.request, mailbox, &mut Vec::new())?;
        if plan.is_confirmed() {
            check_as_shown(plan, mailbox, recipient.as_deref())?;
        }
        plan.loaded = self.records.read_record(&found)?;
        plan.recipient = recipient;
        plan.mailbox = found.mailbox;
        plan.read_at = read_at;
        Ok(())
    }
}

fn check_as_shown(plan: &ResetPlan, mailbox: &Mailbox, recipient: Option<&str>) -> Result<()> {
    let (shown, now) = (plan.mailbox.identity(), mailbox.identity());
    if shown != now {
        return Err(Error::new(
            ErrorCode::TargetChanged,
            format!("The mailbox \"{shown}\" has become \"{now}\" since it was shown; nothing was changed."),
        )
        .detail("shown", shown)
        .detail("identity", now));
    }
    let (before, after) = (plan.recipient.as_deref(), recipient);
    if before != after {
        let name = |address: Option<&str>| address.map_or_else(|| "nobody".to_owned(), str::to_owned);
        return Err(Error::new(
            ErrorCode::TargetChanged,
            format!(
                "The message for \"{now}\" would go to {} and not to {}, as was shown; nothing was changed.",
                name(after),
                name(before)
            ),
        )
        .detail("identity", now)
        .detail("shown", before)
        .detail("recipient", after));
    }
    Ok(())
}
