//! What too many wrong PINs lead to: a new PIN by mail, and in the end the lock-out.

use super::attempt::{Attempt, Next, Step};
use super::{SignIn, SignInAnswer, SignIns};
use crate::clock::Timestamp;
use crate::credential::counter::FailureCounter;
use crate::credential::kdf::KdfContext;
use crate::credential::record::NewPin;
use crate::directory::journal::ChangeFingerprint;
use crate::notification::message::Reason;
use crate::service::announcer::Announcement;
use crate::service::audit_writer::Action;
use crate::service::commit::ProposedChange;
use crate::service::random_id;
use crate::service::reset::Notification;
use crate::service::reset::candidate::{draw, params_for};
use crate::service::reset::recipient::own_address;
use crate::{ErrorCode, Result};

impl SignIns {
    /// A locked mailbox refuses every PIN unseen. A lock that only follows from a stricter policy is written down, so that it
    /// stays until an administrator acts.
    pub(super) fn refuse_locked(&self, attempt: &Attempt<'_>, since: Timestamp) -> Result<Next> {
        let answer = attempt.answer(SignIn::Locked, &attempt.counter);
        if attempt.loaded.record.locked_at.is_some() || attempt.counter.locked_at.is_some() {
            return Ok(Next::Answer(Box::new(answer)));
        }
        let event = attempt
            .event(Action::LockOut)?
            .result("failures", attempt.counter.failures);
        Ok(Next::Write(Box::new(Step {
            proposed: ProposedChange {
                audit: self.audit.batch_of(attempt.ring, attempt.now, &[event]),
                ..ProposedChange::count(self.count(attempt, &attempt.counter.locked(since))?)
            },
            answer,
            otherwise: None,
        })))
    }

    /// The wrong PIN that was the last allowed.
    pub(super) fn lock_out(&self, attempt: &Attempt<'_>, counter: FailureCounter) -> Result<Step> {
        let events = [
            attempt.failure(&counter)?,
            attempt.event(Action::LockOut)?.result("failures", counter.failures),
        ];
        self.counted_with(attempt, SignIn::Locked, counter, &events)
    }

    /// The wrong PIN that brings a new one; without it where none can be made or written, because an attempt must be counted
    /// whatever becomes of the reset. The next wrong PIN tries again.
    pub(super) fn reset_or_counted(
        &self,
        attempt: &Attempt<'_>,
        counter: FailureCounter,
        kdf: &mut KdfContext,
    ) -> Result<Step> {
        let mut counted = self.counted(attempt, counter)?;
        match self.automatic_reset(attempt, counter, kdf) {
            Ok(Some(mut step)) => {
                step.otherwise = Some(Box::new(counted));
                Ok(step)
            }
            Ok(None) => Ok(counted),
            Err(error) => {
                let diagnostics = &mut counted.answer.diagnostics;
                diagnostics.push(format!("The PIN could not be reset: {error}"));
                Ok(counted)
            }
        }
    }

    /// `None` where nobody could be told the new PIN, or the policy leaves none: then the user keeps the old one, and counting
    /// towards the lock-out goes on.
    fn automatic_reset(
        &self,
        attempt: &Attempt<'_>,
        counter: FailureCounter,
        kdf: &mut KdfContext,
    ) -> Result<Option<Step>> {
        let (mailbox, policy, loaded) = (&attempt.mailbox, &attempt.policy.settings, &attempt.loaded);
        let Ok(recipient) = own_address(mailbox) else {
            return Ok(None);
        };
        let mut verifiers = match draw(&loaded.record, policy, &mailbox.extensions, kdf) {
            Ok(verifiers) => verifiers,
            Err(error) if error.code() == ErrorCode::NoValidPin => return Ok(None),
            Err(error) => return Err(error),
        };
        let params = params_for(&loaded.record, self.cost)?;
        let pin_id = random_id()?;
        let record = loaded.record.with_new_pin(NewPin {
            pin_id,
            verifier: verifiers.verifier(&params, kdf)?,
            params,
            set_at: attempt.now,
            expired: true,
            locked_at: None,
            by_user: false,
            // As it was: what others count meanwhile, on another controller perhaps, goes on towards the lock-out.
            epoch: loaded.record.epoch,
        });
        let context = self.records.seal_context(mailbox.object_id)?;
        let message = self.announcer.compose(
            &Announcement {
                mailbox,
                policy,
                recipient: &recipient,
                pin: verifiers.pin(),
                must_change: true,
                locked_out: false,
                reason: Reason::TooManyFailures,
            },
            attempt.now,
        )?;
        let carried_over = counter.after_automatic_reset();
        let events = [
            attempt.failure(&counter)?,
            attempt
                .action_event(Action::AutomaticReset)?
                .result("failures", counter.failures)
                .result("recipient", recipient.as_str()),
        ];
        let (entry, pending) =
            self.announcer
                .pending(message, pin_id, loaded.controller.clone(), &context, attempt.ring)?;
        let mut change = self
            .change_of(attempt)?
            .record(&record)?
            .swap_counter(&carried_over)?
            .build();
        change.message = Some(entry);
        let mut answer = attempt.answer(SignIn::ResetByFailures, &carried_over);
        answer.message = Some(pending);
        Ok(Some(Step {
            proposed: ProposedChange {
                change,
                audit: self.audit.batch_of(attempt.ring, attempt.now, &events),
                action: Some((
                    Action::AutomaticReset,
                    ChangeFingerprint::of_pin(pin_id, &loaded.record),
                )),
            },
            answer,
            otherwise: None,
        }))
    }

    /// [`Service::deliver_pending`](crate::service::Service::deliver_pending).
    pub(in crate::service) fn deliver_pending(&self, answer: &mut SignInAnswer) -> Notification {
        let Some(pending) = answer.message.take() else {
            return Notification::None;
        };
        let mut diagnostics = std::mem::take(&mut answer.diagnostics);
        let mut warnings = Vec::new();
        let notification = self
            .dispatcher
            .hand_over(&answer.mailbox, pending, &mut warnings, &mut diagnostics);
        self.deliveries.drain_outbox(None, &mut diagnostics);
        answer.diagnostics = diagnostics;
        notification
    }
}
