//! Carrying a reset out: compare-and-swap until it succeeds or the deadline passes, then the message.

use super::candidate::Candidate;
use super::failed::{self, AskedReset};
use super::{Notification, ResetOutcome, ResetPlan, Resets};
use crate::Result;
use crate::clock::Timestamp;
use crate::credential::counter::FailureCounter;
use crate::credential::kdf::KdfContext;
use crate::credential::keyring::KeyRing;
use crate::directory::journal::ChangeFingerprint;
use crate::directory::{Applied, Premise};
use crate::notification::message::Reason;
use crate::service::announcer::Announcement;
use crate::service::audit_writer::{Event, Target};
use crate::service::cas_retry::{CasRetry, RetryPriority};
use crate::service::commit::builder::ChangeBuilder;
use crate::service::commit::{Operation, ProposedChange};
use crate::service::outbox::PendingMessage;

impl Resets {
    /// [`Service::commit_reset`](crate::service::Service::commit_reset).
    pub(in crate::service) fn commit_reset(&self, plan: ResetPlan, kdf: &mut KdfContext) -> Result<ResetOutcome> {
        let mut operation = Operation::new()?;
        let asked = AskedReset::of_plan(&plan);
        let cancellation = plan.request.cancellation.clone();
        self.carry_out(plan, &mut operation, kdf).map_err(|error| {
            self.commits.abandon(&mut operation, error.code());
            // What the intent is recorded of has its outcome by now.
            self.failed(asked, !operation.is_recorded() && !cancellation.is_requested(), error)
        })
    }

    fn carry_out(&self, mut plan: ResetPlan, operation: &mut Operation, kdf: &mut KdfContext) -> Result<ResetOutcome> {
        // Those of the look-up have been told with the target, and so have the warnings.
        plan.diagnostics.clear();
        plan.request.cancellation.check()?;
        let mut ring = self.records.ring_for_change()?;
        for intent in std::mem::take(&mut plan.conflicts) {
            self.commits.acknowledge_conflict(&intent);
        }
        if self.is_stale(&plan) {
            self.directory.forget_policies();
            self.look_again(&mut plan)?;
        }
        let mut retry = CasRetry::begin(RetryPriority::Administrator);
        let mut generated = plan.generated.take();
        loop {
            plan.request.cancellation.check()?;
            let now = self.clock.now();
            let candidate = Candidate::build(&mut plan, &mut generated, self.cost, now, kdf)?;
            let (proposed, mut pending) = self.change(&plan, &candidate, &ring, operation.id, now)?;
            if let Some(pending) = &mut pending {
                self.dispatcher.begin_delivery(pending);
            }
            match self.commits.commit(proposed, operation, pending.as_mut())? {
                Applied::Committed => return Ok(self.finish(plan, candidate, pending, operation, now)),
                refused => {
                    retry.retry(&plan.mailbox)?;
                    let name = plan.mailbox.identity();
                    let why = match refused {
                        Applied::Unreached => "The controller could not be reached to change",
                        _ => "Another writer was first to change",
                    };
                    plan.diagnostics
                        .push(format!("{why} \"{name}\"; attempt {}.", retry.attempt()));
                }
            }
            self.look_again(&mut plan)?;
            // Perhaps it was the key that was replaced.
            ring = self.records.ring_for_change()?;
        }
    }

    fn change(
        &self,
        plan: &ResetPlan,
        candidate: &Candidate,
        ring: &KeyRing,
        operation: [u8; 16],
        now: Timestamp,
    ) -> Result<(ProposedChange, Option<PendingMessage>)> {
        let context = self.records.seal_context(plan.mailbox.object_id)?;
        let controller = &plan.loaded.controller;
        let mut changing = ChangeBuilder::new(ring, context, &plan.loaded.stored, controller.as_deref());
        changing = changing.record(&candidate.record)?;
        if candidate.voids_failures {
            changing = changing.set_counter(&FailureCounter::zero(candidate.record.epoch))?;
        }
        let mut change = changing.build();
        let mut entry = None;
        let mut pending = None;
        if let (Some((pin, pin_id)), Some(recipient)) = (&candidate.announced, &plan.recipient) {
            let composed = self.announcer.compose(
                &Announcement {
                    mailbox: &plan.mailbox,
                    policy: &plan.policy.settings,
                    recipient,
                    pin,
                    must_change: plan.will_expire(),
                    locked_out: plan.will_lock(),
                    reason: Reason::Administrator,
                },
                now,
            )?;
            let recorded = self
                .announcer
                .pending(composed, *pin_id, controller.clone(), &context, ring)?;
            (entry, pending) = (Some(recorded.0), Some(recorded.1));
        }
        let event = Self::event(plan, operation);
        let (action, audit) = (event.action, self.audit.batch_of(ring, now, &[event]));
        let fingerprint = match &candidate.announced {
            Some((_, id)) => ChangeFingerprint::of_pin(*id, &plan.loaded.record),
            None => ChangeFingerprint::of_record(&change),
        };
        change.message = entry;
        change.cancellation = plan.request.cancellation.clone();
        change.premise = Some(Box::new(Premise {
            mailbox: plan.mailbox.clone(),
            policy: plan.policy.clone(),
        }));
        let proposed = ProposedChange {
            change,
            audit,
            action: Some((action, fingerprint)),
        };
        Ok((proposed, pending))
    }

    /// What was asked for. That a PIN was given is worth knowing; which one never is.
    fn event<'a>(plan: &'a ResetPlan, operation: [u8; 16]) -> Event<'a> {
        let request = &plan.request;
        Event {
            operation,
            action: failed::action(request),
            cmdlet: request.cmdlet.as_deref().unwrap_or("Set-UMMailboxPIN"),
            target: Target::Mailbox(&plan.mailbox),
            parameters: failed::parameters(request, plan.given.is_some()),
            result: serde_json::Map::new(),
        }
    }

    /// The change is durable. From here on nothing is an error any more.
    fn finish(
        &self,
        plan: ResetPlan,
        candidate: Candidate,
        pending: Option<PendingMessage>,
        operation: &mut Operation,
        now: Timestamp,
    ) -> ResetOutcome {
        let mut warnings: Vec<_> = operation.warn_unrecorded(&plan.mailbox).into_iter().collect();
        let mut diagnostics = plan.diagnostics;
        diagnostics.push(format!(
            "Changed \"{}\" in {}.",
            plan.mailbox.identity(),
            plan.loaded
                .controller
                .clone()
                .unwrap_or_else(|| self.directory.location())
        ));
        let notification = match pending {
            None => Notification::None,
            Some(pending) => self
                .dispatcher
                .hand_over(&plan.mailbox, pending, &mut warnings, &mut diagnostics),
        };
        warnings.extend(self.audit.report_retention());
        // Whoever asked to stop hears of his own reset, and waits for no other's message.
        if !plan.request.cancellation.is_requested() {
            self.deliveries.drain_outbox(Some(&mut warnings), &mut diagnostics);
        }
        diagnostics.extend(self.directory.take_diagnostics());
        ResetOutcome {
            pin_expired: candidate.record.is_expired(&plan.policy.settings, now),
            locked_out: candidate.record.locked_at.is_some(),
            generated: candidate.announced.map(|(pin, _)| pin).filter(|_| plan.given.is_none()),
            mailbox: plan.mailbox,
            notification,
            recipient: plan.recipient,
            warnings,
            diagnostics,
        }
    }
}
