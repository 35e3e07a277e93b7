//! One attempt: state, comparison, compare-and-swap, answer.

use std::sync::Arc;

use super::SignIns;

use super::{SignIn, SignInAnswer, SignInRequest, Subscriber};
use crate::clock::Timestamp;
use crate::credential::counter::FailureCounter;
use crate::credential::kdf::{KdfContext, PinVerifiers};
use crate::credential::keyring::KeyRing;
use crate::credential::lockout::{self as rules, Consequence};
use crate::directory::{Applied, CredentialChange, Found, PolicyObject};
use crate::mailbox::Mailbox;
use crate::service::audit_writer::{Action, Event, Target};
use crate::service::cas_retry::{CasRetry, RetryPriority};
use crate::service::commit::builder::ChangeBuilder;
use crate::service::commit::{Operation, ProposedChange};
use crate::service::keyed_mutex::LockKey;
use crate::service::records::LoadedRecord;
use crate::service::resolve::require_um_enabled;
use crate::{Error, ErrorCode, Result};

/// A mailbox as an attempt finds it.
pub(super) struct Attempt<'a> {
    pub request: &'a SignInRequest,
    pub mailbox: Mailbox,
    pub policy: PolicyObject,
    pub loaded: LoadedRecord,
    pub counter: FailureCounter,
    pub ring: &'a KeyRing,
    /// The id of what is done to the record.
    pub operation: [u8; 16],
    pub now: Timestamp,
}

/// What to write for an attempt, and what to answer when it is written.
pub(super) struct Step {
    pub proposed: ProposedChange,
    pub answer: SignInAnswer,
    /// Less to write, for when this cannot be written. A wrong PIN ends with what takes exactly the space of the right one: else
    /// a disk too full to count wrong PINs would allow any number of guesses at the one that is accepted.
    pub otherwise: Option<Box<Step>>,
}

impl SignIns {
    /// [`Service::sign_in`](crate::service::Service::sign_in).
    pub(in crate::service) fn sign_in(&self, request: SignInRequest, kdf: &mut KdfContext) -> Result<SignInAnswer> {
        let mut verifiers = PinVerifiers::new(request.pin.clone());
        self.attempt(&request, &mut verifiers, kdf, |service, attempt, _| {
            let policy = &attempt.policy.settings;
            let outcome = if attempt.loaded.record.is_expired(policy, attempt.now) {
                SignIn::ChangeRequired
            } else {
                SignIn::Accepted
            };
            let cleared = FailureCounter::zero(attempt.loaded.record.epoch);
            let proposed = ProposedChange::count(service.count(attempt, &cleared)?);
            let answer = attempt.answer(outcome, &cleared);
            Ok(Next::Write(Box::new(Step {
                proposed,
                answer,
                otherwise: None,
            })))
        })
        .and_then(AttemptEnd::into_result)
    }

    /// Attempts until the compare-and-swap succeeds. `right` says what the right PIN leads to.
    pub(super) fn attempt<F>(
        &self,
        request: &SignInRequest,
        verifiers: &mut PinVerifiers,
        kdf: &mut KdfContext,
        right: F,
    ) -> Result<AttemptEnd>
    where
        F: FnMut(&Self, &Attempt<'_>, &mut KdfContext) -> Result<Next>,
    {
        let derived = kdf.count();
        let mut operation = Operation::new()?;
        let mut answer = self.attempts(request, verifiers, kdf, right, &mut operation);
        // Where others were first, the answer may be another than what was begun.
        let end = answer.as_ref().err().map_or(ErrorCode::WriteConflict, Error::code);
        self.commits.abandon(&mut operation, end);
        if let (Ok(AttemptEnd::Answered(answer)), Some(error)) = (&mut answer, operation.unrecorded) {
            answer
                .diagnostics
                .push(format!("The attempt could not be recorded: {error}"));
        }
        if !matches!(&answer, Ok(AttemptEnd::Answered(answer)) if answer.outcome.is_positive()) {
            self.derive_as_often(verifiers.pin(), kdf, derived);
        }
        answer
    }

    fn attempts<F>(
        &self,
        request: &SignInRequest,
        verifiers: &mut PinVerifiers,
        kdf: &mut KdfContext,
        mut right: F,
        operation: &mut Operation,
    ) -> Result<AttemptEnd>
    where
        F: FnMut(&Self, &Attempt<'_>, &mut KdfContext) -> Result<Next>,
    {
        let route = request.lookup().route();
        let mut ring_on_disk = self.records.ring_for_attempts()?;
        let mut found = match self.subscriber(request) {
            Ok(found) => found,
            Err(error) => return self.refuse(request, verifiers, kdf, error).map(AttemptEnd::Refused),
        };
        let subject = LockKey::Mailbox(found.mailbox.object_id);
        let _turn = match self.locks.try_lock(subject) {
            Some(turn) => turn,
            None => {
                // What takes long is done while waiting, and not in a row.
                self.records.read_record(&found)?.record.is_current(verifiers, kdf)?;
                let turn = self.locks.lock(subject, &found.mailbox.identity())?;
                found.stored = None;
                turn
            }
        };
        let mut retry = CasRetry::begin(RetryPriority::SignIn);
        loop {
            let policy = self.resolver.policy_of(&found.mailbox, route)?;
            let loaded = self.records.read_record(&found)?;
            let mailbox = found.mailbox;
            if loaded.stored.record.is_none() {
                let none = FailureCounter::zero(loaded.record.epoch);
                let answer = SignInAnswer::new(mailbox, SignIn::Rejected, &loaded.record, &none, &policy.settings);
                self.count_nothing(route)?;
                return Ok(AttemptEnd::Answered(Box::new(answer)));
            }
            self.commits
                .check_replication(mailbox.object_id, loaded.controller.as_deref(), &loaded.record);
            let counter = self.records.counter_of(&mailbox, &loaded)?;
            let ring = match &ring_on_disk {
                Some(ring) => Arc::clone(ring),
                None => self.records.ring_on_disk()?,
            };
            let attempt = Attempt {
                request,
                mailbox,
                policy,
                loaded,
                counter,
                ring: &ring,
                operation: operation.id,
                now: self.clock.now(),
            };
            let written = match self.step(&attempt, verifiers, kdf, &mut right)? {
                Next::Answer(answer) => {
                    self.count_nothing(route)?;
                    return Ok(AttemptEnd::Answered(answer));
                }
                Next::Write(step) => self.write(*step, operation)?.map(AttemptEnd::answered),
                Next::Refuse(error) => {
                    let cleared = FailureCounter::zero(attempt.loaded.record.epoch);
                    let proposed = ProposedChange::count(self.count(&attempt, &cleared)?);
                    match self.commits.commit(proposed, operation, None)? {
                        Applied::Committed => Some(AttemptEnd::Refused(error)),
                        Applied::Conflict | Applied::Unreached => None,
                    }
                }
            };
            match written {
                Some(answer) => return Ok(answer),
                None => retry.retry(&attempt.mailbox)?,
            }
            found = self.resolver.again(&attempt.mailbox, route)?;
            // Perhaps it was the key that was replaced.
            ring_on_disk = self.records.ring_for_attempts()?;
        }
    }

    /// The answer once the step, or the most of it that can be written, is durable; `None` where another writer was first or the
    /// controller was out of reach.
    fn write(&self, mut step: Step, operation: &mut Operation) -> Result<Option<SignInAnswer>> {
        loop {
            let written = self
                .commits
                .commit(step.proposed, operation, step.answer.message.as_mut());
            match (written, step.otherwise) {
                (Ok(Applied::Committed), _) => return Ok(Some(step.answer)),
                (Ok(Applied::Conflict | Applied::Unreached), _) => return Ok(None),
                // Where it was written after all, the next swap fails and the attempt is counted twice: better than not at all.
                (Err(_), Some(less)) => step = *less,
                (Err(error), None) => return Err(error),
            }
        }
    }

    fn step<F>(
        &self,
        attempt: &Attempt<'_>,
        verifiers: &mut PinVerifiers,
        kdf: &mut KdfContext,
        right: &mut F,
    ) -> Result<Next>
    where
        F: FnMut(&Self, &Attempt<'_>, &mut KdfContext) -> Result<Next>,
    {
        let (record, policy) = (&attempt.loaded.record, &attempt.policy.settings);
        if let Some(since) = rules::locked_since(record, &attempt.counter, policy) {
            return self.refuse_locked(attempt, since);
        }
        if record.current().is_none() {
            // There is no PIN to guess, so there is nothing to count.
            return Ok(Next::Answer(Box::new(
                attempt.answer(SignIn::Rejected, &attempt.counter),
            )));
        }
        if record.is_current(verifiers, kdf)? {
            return right(self, attempt, kdf);
        }
        let (counter, consequence) = rules::after_failure(attempt.counter, policy, attempt.now);
        let step = match consequence {
            Consequence::Counted => self.counted(attempt, counter)?,
            Consequence::ResetDue => self.reset_or_counted(attempt, counter, kdf)?,
            Consequence::LockedOut => self.lock_out(attempt, counter)?,
        };
        Ok(Next::Write(Box::new(step)))
    }

    /// A wrong PIN without further consequence.
    pub(super) fn counted(&self, attempt: &Attempt<'_>, counter: FailureCounter) -> Result<Step> {
        let failure = attempt.failure(&counter)?;
        self.counted_with(attempt, SignIn::Rejected, counter, &[failure])
    }

    /// A counted attempt with its audit entries; where these cannot be written, without. The number of failures in the next
    /// entry then tells that one is missing.
    pub(super) fn counted_with(
        &self,
        attempt: &Attempt<'_>,
        outcome: SignIn,
        counter: FailureCounter,
        events: &[Event<'_>],
    ) -> Result<Step> {
        let audit = self.audit.batch_of(attempt.ring, attempt.now, events);
        let bare = ProposedChange {
            audit: self.commits.audit_of_retry(audit.clone()),
            ..ProposedChange::count(self.count(attempt, &counter)?)
        };
        let bare = Step {
            proposed: bare,
            answer: attempt.answer(outcome, &counter),
            otherwise: None,
        };
        Ok(Step {
            proposed: ProposedChange {
                audit,
                ..ProposedChange::count(self.count(attempt, &counter)?)
            },
            answer: attempt.answer(outcome, &counter),
            otherwise: Some(Box::new(bare)),
        })
    }

    /// The counter's swap, and nothing else.
    pub(super) fn count(&self, attempt: &Attempt<'_>, counter: &FailureCounter) -> Result<CredentialChange> {
        Ok(self.change_of(attempt)?.swap_counter(counter)?.build())
    }

    /// Builds a change of what the attempt has read.
    pub(super) fn change_of<'a>(&self, attempt: &'a Attempt<'_>) -> Result<ChangeBuilder<'a>> {
        let context = self.records.seal_context(attempt.mailbox.object_id)?;
        let (stored, controller) = (&attempt.loaded.stored, attempt.loaded.controller.as_deref());
        Ok(ChangeBuilder::new(attempt.ring, context, stored, controller))
    }

    fn subscriber(&self, request: &SignInRequest) -> Result<Found> {
        match &request.subscriber {
            Subscriber::Identity(text) => self.resolver.resolve_um_enabled(text, request.lookup()),
            Subscriber::Extension { number, dial_plan } => {
                if !number.chars().any(|c| c.is_ascii_digit()) {
                    return Err(Error::new(ErrorCode::InvalidIdentity, "The extension has no digits.")
                        .action("Pass the extension as digits."));
                }
                let route = request.lookup().route();
                let matches = self.directory.find_by_extension(number, dial_plan.as_deref(), route)?;
                let name = match dial_plan {
                    None => format!("extension {number}"),
                    Some(plan) => format!("extension {number} in dial plan {plan}"),
                };
                let found = self.resolver.only(matches, &name, request.lookup())?;
                require_um_enabled(&found.mailbox)?;
                Ok(found)
            }
        }
    }
}

/// How an attempt ended that could be counted.
pub(super) enum AttemptEnd {
    Answered(Box<SignInAnswer>),
    /// The error is told; an attempt with the right PIN has cleared the counter.
    Refused(Error),
}

impl AttemptEnd {
    fn answered(answer: SignInAnswer) -> Self {
        Self::Answered(Box::new(answer))
    }

    pub(super) fn into_result(self) -> Result<SignInAnswer> {
        match self {
            Self::Answered(answer) => Ok(*answer),
            Self::Refused(error) => Err(error),
        }
    }
}

/// What follows from what was found.
pub(super) enum Next {
    /// Nothing is to be written.
    Answer(Box<SignInAnswer>),
    /// The answer holds once this is written.
    Write(Box<Step>),
    /// The right PIN, but what it was to bring is refused.
    Refuse(Error),
}

impl Attempt<'_> {
    pub(super) fn answer(&self, outcome: SignIn, counter: &FailureCounter) -> SignInAnswer {
        let policy = &self.policy.settings;
        SignInAnswer::new(self.mailbox.clone(), outcome, &self.loaded.record, counter, policy)
    }

    /// A failed attempt, for the audit.
    pub(super) fn failure(&self, counter: &FailureCounter) -> Result<Event<'_>> {
        Ok(self.event(Action::SignInFailure)?.result("failures", counter.failures))
    }

    /// What is done to the record, for the audit.
    pub(super) fn action_event(&self, action: Action) -> Result<Event<'_>> {
        let mut event = self.event(action)?;
        event.operation = self.operation;
        Ok(event)
    }

    pub(super) fn event(&self, action: Action) -> Result<Event<'_>> {
        let cmdlet = self.request.cmdlet.as_deref().unwrap_or("umpin_signin");
        let mut event = Event::new(action, cmdlet, Target::Mailbox(&self.mailbox))?;
        match &self.request.subscriber {
            Subscriber::Identity(text) => event.parameter("Identity", Some(text.as_str())),
            Subscriber::Extension { number, dial_plan } => event
                .parameter("Extension", Some(number.as_str()))
                .parameter("DialPlan", dial_plan.as_deref()),
        };
        Ok(event)
    }
}
