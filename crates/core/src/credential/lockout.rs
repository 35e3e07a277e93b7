//! The consequences of wrong PINs: the rules of `LogonFailuresBeforePINReset` and `MaxLogonAttempts` (facts: `Set-UMMailboxPolicy`
//! reference), computed from record, counter and the policy that applies now.

use super::counter::FailureCounter;
use super::record::CredentialRecord;
use crate::clock::Timestamp;
use crate::policy::UmMailboxPolicy;

/// The consequence of a wrong PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// It is only counted.
    Counted,
    /// A new PIN is due; counting towards the lock-out goes on.
    ResetDue,
    /// The mailbox is locked until an administrator resets or unlocks it. A reset that is due as well is not made, because its PIN could
    /// not be used.
    LockedOut,
}

/// The number of wrong PINs left; `None`: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptsLeft {
    /// Until the PIN is reset.
    pub until_reset: Option<u32>,
    /// Until the mailbox is locked.
    pub until_lock: Option<u32>,
}

/// Since when the mailbox refuses every PIN: an administrator locked it, too many failures did, or the policy that applies now
/// allows fewer than have been counted.
#[must_use]
pub fn locked_since(
    record: &CredentialRecord,
    counter: &FailureCounter,
    policy: &UmMailboxPolicy,
) -> Option<Timestamp> {
    let by_policy = counter.last_failure_at.filter(|_| is_exhausted(counter, policy));
    [record.locked_at, counter.locked_at.or(by_policy)]
        .into_iter()
        .flatten()
        .min()
}

/// The counter after one more wrong PIN, and the consequence.
#[must_use]
pub fn after_failure(
    counter: FailureCounter,
    policy: &UmMailboxPolicy,
    now: Timestamp,
) -> (FailureCounter, Consequence) {
    let counter = counter.after_failure(now);
    if is_exhausted(&counter, policy) {
        return (counter.locked(now), Consequence::LockedOut);
    }
    let reset_due = policy
        .logon_failures_before_pin_reset
        .number()
        .is_some_and(|limit| counter.failures_since_reset >= limit);
    let consequence = if reset_due {
        Consequence::ResetDue
    } else {
        Consequence::Counted
    };
    (counter, consequence)
}

/// The attempts left under the policy that applies now. A limit that was lowered below the count leaves one more wrong PIN until the
/// reset; the lock-out is already in force then.
#[must_use]
pub fn attempts_left(counter: &FailureCounter, policy: &UmMailboxPolicy) -> AttemptsLeft {
    AttemptsLeft {
        until_reset: policy
            .logon_failures_before_pin_reset
            .number()
            .map(|limit| limit.saturating_sub(counter.failures_since_reset).max(1)),
        until_lock: policy
            .max_logon_attempts
            .number()
            .map(|limit| limit.saturating_sub(counter.failures)),
    }
}

fn is_exhausted(counter: &FailureCounter, policy: &UmMailboxPolicy) -> bool {
    policy
        .max_logon_attempts
        .number()
        .is_some_and(|limit| counter.failures >= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Limit;

    fn policy(reset: Limit, lock: Limit) -> UmMailboxPolicy {
        let mut policy = UmMailboxPolicy::with_defaults("Default");
        policy.logon_failures_before_pin_reset = reset;
        policy.max_logon_attempts = lock;
        policy
    }

    fn failures(policy: &UmMailboxPolicy, count: i64) -> Vec<Consequence> {
        let mut counter = FailureCounter::zero([0; 16]);
        (1..=count)
            .map(|n| {
                let (next, consequence) = after_failure(counter, policy, Timestamp(n));
                counter = match consequence {
                    Consequence::ResetDue => next.after_automatic_reset(),
                    _ => next,
                };
                consequence
            })
            .collect()
    }

    #[test]
    fn every_fifth_failure_resets_and_the_fifteenth_locks() {
        use Consequence::{Counted, LockedOut, ResetDue};
        let run = failures(&UmMailboxPolicy::with_defaults("Default"), 15);
        for (index, consequence) in run.iter().enumerate() {
            let expected = match index + 1 {
                15 => LockedOut,
                5 | 10 => ResetDue,
                _ => Counted,
            };
            assert_eq!(*consequence, expected, "failure {}", index + 1);
        }
    }

    #[test]
    fn unlimited_means_never() {
        let run = failures(&policy(Limit::Unlimited, Limit::Unlimited), 2_000);
        assert!(run.iter().all(|c| *c == Consequence::Counted));
        let left = attempts_left(
            &FailureCounter::zero([0; 16]),
            &policy(Limit::Unlimited, Limit::Unlimited),
        );
        assert_eq!((left.until_reset, left.until_lock), (None, None));
    }

    #[test]
    fn a_lock_stays_when_the_policy_becomes_more_generous() {
        let record = CredentialRecord::never_set([0; 16]);
        let mut counter = FailureCounter::zero([0; 16]);
        for n in 1..=3 {
            counter = after_failure(counter, &policy(Limit::Of(1), Limit::Of(3)), Timestamp(n)).0;
        }
        assert_eq!(
            locked_since(&record, &counter, &policy(Limit::Of(5), Limit::Of(15))),
            Some(Timestamp(3))
        );
    }

    #[test]
    fn a_policy_that_becomes_stricter_locks_at_once() {
        let record = CredentialRecord::never_set([0; 16]);
        let counter = FailureCounter::zero([0; 16])
            .after_failure(Timestamp(1))
            .after_failure(Timestamp(2));
        assert_eq!(
            locked_since(&record, &counter, &policy(Limit::Of(1), Limit::Of(3))),
            None
        );
        assert_eq!(
            locked_since(&record, &counter, &policy(Limit::Of(1), Limit::Of(2))),
            Some(Timestamp(2))
        );
    }
}
