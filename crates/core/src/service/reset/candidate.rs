//! The new record of a reset: the PIN, its verifier, its place in the history.

use super::ResetPlan;
use super::violation::policy_violation;
use crate::Result;
use crate::clock::Timestamp;
use crate::credential::kdf::{Cost, KdfContext, KdfParams, PinVerifiers};
use crate::credential::record::{CredentialRecord, NewPin};
use crate::generate::PinSpace;
use crate::mailbox::Extension;
use crate::pin::Pin;
use crate::policy::{PinRule, UmMailboxPolicy};
use crate::random::system_rng;
use crate::service::random_id;

/// A record ready to be sealed, and the PIN that it stands for.
pub(super) struct Candidate {
    pub record: CredentialRecord,
    /// The PIN to announce and its id; `None` when it is kept.
    pub announced: Option<(Pin, [u8; 16])>,
    /// Whether the failed sign-ins counted so far no longer count.
    pub voids_failures: bool,
}

impl Candidate {
    /// Applies the plan to the record that was last seen. `generated` is the PIN that an earlier attempt made up, with what
    /// has been derived from it: a retry after a lost race uses it again, unless the policy has changed and would not give it.
    pub(super) fn build(
        plan: &mut ResetPlan,
        generated: &mut Option<PinVerifiers>,
        cost: Cost,
        now: Timestamp,
        kdf: &mut KdfContext,
    ) -> Result<Self> {
        if plan.request.keep_pin {
            return Self::kept(plan, now);
        }
        let (expired, lock) = (plan.will_expire(), plan.will_lock());
        let record = &plan.loaded.record;
        let policy = &plan.policy.settings;
        let verifiers = match &mut plan.given {
            Some(given) => {
                if record.is_reused(given, kdf, policy.pin_history_count)? {
                    return Err(policy_violation(&plan.mailbox, policy, &[PinRule::History]));
                }
                given
            }
            None => {
                let serves = match generated {
                    Some(earlier) => {
                        is_as_drawn(earlier.pin(), policy, &plan.mailbox.extensions)
                            && !record.is_reused(earlier, kdf, policy.pin_history_count)?
                    }
                    None => false,
                };
                if serves {
                    generated.as_mut().expect("an earlier attempt made it")
                } else {
                    generated.insert(draw(record, policy, &plan.mailbox.extensions, kdf)?)
                }
            }
        };
        let params = params_for(record, cost)?;
        let pin_id = random_id()?;
        let record = record.with_new_pin(NewPin {
            pin_id,
            verifier: verifiers.verifier(&params, kdf)?,
            params,
            set_at: now,
            expired,
            locked_at: lock.then(|| record.locked_at.unwrap_or(now)),
            by_user: false,
            epoch: random_id()?,
        });
        Ok(Self {
            record,
            announced: Some((verifiers.pin().clone(), pin_id)),
            voids_failures: true,
        })
    }

    fn kept(plan: &ResetPlan, now: Timestamp) -> Result<Self> {
        let lock = plan.will_lock();
        let loaded = &plan.loaded.record;
        let mut record = if lock {
            loaded.locked(now)
        } else {
            loaded.unlocked(random_id()?)
        };
        if let Some(expired) = plan.request.pin_expired {
            record.expired = expired;
        }
        Ok(Self {
            record,
            announced: None,
            voids_failures: !lock,
        })
    }
}

/// Whether the policy as it is by now could have given this PIN.
fn is_as_drawn(pin: &Pin, policy: &UmMailboxPolicy, extensions: &[Extension]) -> bool {
    u32::try_from(pin.expose().len()) == Ok(policy.min_pin_length) && policy.check(pin, extensions).is_empty()
}

/// How a new PIN is derived: as the ones before it, unless the cost has been raised since.
pub(in crate::service) fn params_for(record: &CredentialRecord, cost: Cost) -> Result<KdfParams> {
    match record.params_for(cost) {
        Some(known) => Ok(*known),
        None => KdfParams::generate(cost, &mut system_rng()),
    }
}

/// A PIN that is not in the history. Drawn without replacement, so that this ends after at most one draw more than the
/// history has PINs, and nearly always after the first.
pub(in crate::service) fn draw(
    record: &CredentialRecord,
    policy: &UmMailboxPolicy,
    extensions: &[Extension],
    kdf: &mut KdfContext,
) -> Result<PinVerifiers> {
    let mut space = PinSpace::new(policy, extensions)?;
    loop {
        let mut verifiers = PinVerifiers::new(space.draw(&mut system_rng())?);
        if !record.is_reused(&mut verifiers, kdf, policy.pin_history_count)? {
            return Ok(verifiers);
        }
    }
}
