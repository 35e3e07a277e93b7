//! The user's own change of the PIN: the old one opens, the policy decides, and expiry and first-time use are over.

use super::attempt::{Attempt, AttemptEnd, Next, Step};
use super::{ChangePinRequest, SignIn, SignInAnswer, SignIns};
use crate::Result;
use crate::credential::counter::FailureCounter;
use crate::credential::kdf::{KdfContext, PinVerifiers};
use crate::credential::record::NewPin;
use crate::directory::journal::ChangeFingerprint;
use crate::policy::PinRule;
use crate::service::audit_writer::Action;
use crate::service::commit::ProposedChange;
use crate::service::random_id;
use crate::service::reset::candidate::params_for;
use crate::service::reset::violation::policy_violation;

impl SignIns {
    /// [`Service::change_pin`](crate::service::Service::change_pin).
    pub(in crate::service) fn change_pin(
        &self,
        request: ChangePinRequest,
        kdf: &mut KdfContext,
    ) -> Result<SignInAnswer> {
        let ChangePinRequest { attempt, new_pin } = request;
        let mut old = PinVerifiers::new(attempt.pin.clone());
        let mut new = PinVerifiers::new(new_pin);
        self.attempt(&attempt, &mut old, kdf, |service, attempt, kdf| {
            service.replace(attempt, &mut new, kdf)
        })
        .and_then(AttemptEnd::into_result)
    }

    fn replace(&self, attempt: &Attempt<'_>, new: &mut PinVerifiers, kdf: &mut KdfContext) -> Result<Next> {
        let (mailbox, policy, loaded) = (&attempt.mailbox, &attempt.policy.settings, &attempt.loaded);
        let mut rules = policy.check(new.pin(), &mailbox.extensions);
        if loaded.record.is_reused(new, kdf, policy.pin_history_count)? {
            rules.push(PinRule::History);
        }
        if !rules.is_empty() {
            return Ok(Next::Refuse(policy_violation(mailbox, policy, &rules)));
        }
        let params = params_for(&loaded.record, self.cost)?;
        let (pin_id, epoch) = (random_id()?, random_id()?);
        let record = loaded.record.with_new_pin(NewPin {
            pin_id,
            verifier: new.verifier(&params, kdf)?,
            params,
            set_at: attempt.now,
            expired: false,
            locked_at: None,
            by_user: true,
            epoch,
        });
        let cleared = FailureCounter::zero(epoch);
        let event = attempt.action_event(Action::ChangePin)?;
        let change = self
            .change_of(attempt)?
            .record(&record)?
            .swap_counter(&cleared)?
            .build();
        let answer = SignInAnswer::new(mailbox.clone(), SignIn::Accepted, &record, &cleared, policy);
        Ok(Next::Write(Box::new(Step {
            proposed: ProposedChange {
                change,
                audit: self.audit.batch_of(attempt.ring, attempt.now, &[event]),
                action: Some((Action::ChangePin, ChangeFingerprint::of_pin(pin_id, &loaded.record))),
            },
            answer,
            otherwise: None,
        })))
    }
}
