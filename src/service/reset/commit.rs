//! Carrying a reset out: compare-and-swap until it succeeds or the deadline passes, then the message.

use std::time::{Duration, Instant};

use super::candidate::Candidate;
use super::prepare::policy_violation;
use super::{Notification, ResetOutcome, ResetPlan};
use crate::audit::{AuditEntry, AuditTrail};
use crate::clock::Timestamp;
use crate::credential::derive::Deriver;
use crate::credential::keyring::KeyRing;
use crate::credential::keyring::Purpose;
use crate::directory::{Applied, CredentialChange};
use crate::notification::OutgoingMessage;
use crate::random::system_rng;
use crate::service::resolve::require_um_enabled;
use crate::service::{Service, random_id};
use crate::{Error, ErrorCode, Result};

/// How long a reset keeps trying when other writers are faster.
const DEADLINE: Duration = Duration::from_secs(10);

impl Service {
    /// Makes the change. Once it is durable this returns `Ok`, whatever happens to the message.
    ///
    /// # Errors
    /// Nothing was changed, save for `OutcomeUnknown`, when that cannot be known.
    pub fn commit_reset(&self, mut plan: ResetPlan, deriver: &mut Deriver) -> Result<ResetOutcome> {
        // Those of the look-up have been told with the target.
        plan.diagnostics.clear();
        let ring = self.ring_for_change()?;
        let operation = random_id()?;
        let deadline = Instant::now() + DEADLINE;
        let mut generated = None;
        let mut attempt = 0_u32;
        loop {
            let now = self.now();
            let candidate = Candidate::build(&mut plan, &mut generated, self.settings.cost, now, deriver)?;
            let (change, message) = self.change(&plan, &candidate, &ring, operation, now)?;
            match self.directory().apply(change)? {
                Applied::Committed => return Ok(self.finish(plan, candidate, message, now)),
                Applied::Conflict => attempt += 1,
            }
            if Instant::now() >= deadline {
                return Err(Error::new(
                    ErrorCode::WriteConflict,
                    format!(
                        "Other writers changed the PIN record of \"{}\" {attempt} times while it was being reset; nothing was changed.",
                        plan.mailbox.identity()
                    ),
                ));
            }
            plan.diagnostics.push(format!(
                "Another writer changed \"{}\" first; attempt {}.",
                plan.mailbox.identity(),
                attempt + 1
            ));
            std::thread::sleep(jitter(attempt)?);
            self.look_again(&mut plan)?;
        }
    }

    /// After a lost race: the same object by its immutable id, never by what was typed.
    fn look_again(&self, plan: &mut ResetPlan) -> Result<()> {
        let mailbox = self
            .directory()
            .find_by_object_id(plan.mailbox.object_id)?
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::ManagementObjectNotFound,
                    format!(
                        "The mailbox \"{}\" was removed from {} while its PIN was being reset.",
                        plan.mailbox.identity(),
                        self.directory().location()
                    ),
                )
            })?;
        require_um_enabled(&mailbox)?;
        plan.policy = self.policy_of(&mailbox)?;
        if let Some(given) = &plan.given {
            let rules = plan.policy.settings.check(given.pin(), &mailbox.extensions);
            if !rules.is_empty() {
                return Err(policy_violation(&mailbox, &plan.policy.settings, &rules));
            }
        }
        plan.seen = self.read_record(&mailbox)?;
        plan.mailbox = mailbox;
        Ok(())
    }

    fn change(
        &self,
        plan: &ResetPlan,
        candidate: &Candidate,
        ring: &KeyRing,
        operation: [u8; 16],
        now: Timestamp,
    ) -> Result<(CredentialChange, Option<OutgoingMessage>)> {
        let context = self.seal_context(plan.mailbox.object_id)?;
        let record = ring.seal(Purpose::Record, &context, &candidate.record.encode(), &mut system_rng())?;
        let mut entry = None;
        let mut message = None;
        if let (Some((pin, pin_id)), Some(recipient)) = (&candidate.announced, &plan.recipient) {
            let composed = self.compose(plan, recipient, pin, now)?;
            entry = Some(self.outbox_entry(&composed, *pin_id, &context, ring)?);
            message = Some(composed);
        }
        let change = CredentialChange {
            mailbox: plan.mailbox.object_id,
            expected: plan.seen.stored.record.clone(),
            record,
            counter: candidate.counter,
            message: entry,
            audit: self.audit_trail(plan, ring, operation, now),
        };
        Ok((change, message))
    }

    fn audit_trail(&self, plan: &ResetPlan, ring: &KeyRing, operation: [u8; 16], now: Timestamp) -> Option<AuditTrail> {
        if !self.settings.audit {
            return None;
        }
        let request = &plan.request;
        let mut parameters = serde_json::Map::new();
        let mut given = |name: &str, value: Option<serde_json::Value>| {
            if let Some(value) = value {
                parameters.insert(name.to_owned(), value);
            }
        };
        given("Identity", Some(request.identity.as_str().into()));
        // That a PIN was given is worth knowing; which one never is.
        given("Pin", plan.given.as_ref().map(|_| "*".into()));
        given("PinExpired", request.pin_expired.map(Into::into));
        given("LockedOut", request.locked_out.map(Into::into));
        given("NotifyEmail", request.notify_email.as_deref().map(Into::into));
        given("SendEmail", request.send_email.map(Into::into));
        given("DomainController", request.domain_controller.as_deref().map(Into::into));
        given("IgnoreDefaultScope", request.ignore_default_scope.then(|| true.into()));
        given("KeepPin", request.keep_pin.then(|| true.into()));
        let caller = &self.settings.caller;
        let intent = serde_json::json!({
            "kind": "intent",
            "cmdlet": request.cmdlet.as_deref().unwrap_or("Set-UMMailboxPIN"),
            "caller": caller.user,
            "host": caller.host,
            "application": caller.application,
            "target": plan.mailbox.identity(),
            "targetGuid": plan.mailbox.guid.to_string(),
            "parameters": parameters,
        });
        let outcome = serde_json::json!({ "kind": "outcome", "host": caller.host, "succeeded": true });
        let entry = |body: serde_json::Value| AuditEntry {
            operation,
            at: now,
            body: body.to_string(),
        };
        let entries = vec![entry(intent), entry(outcome)];
        Some(AuditTrail::new(&caller.host, entries, ring.chain_keys()).retaining_since(self.audit_retain_since()))
    }

    /// The change is durable. From here on nothing is an error any more.
    fn finish(
        &self,
        plan: ResetPlan,
        candidate: Candidate,
        message: Option<OutgoingMessage>,
        now: Timestamp,
    ) -> ResetOutcome {
        let mut warnings = Vec::new();
        let mut diagnostics = plan.diagnostics;
        diagnostics.push(format!(
            "Changed \"{}\" in {}.",
            plan.mailbox.identity(),
            self.directory().location()
        ));
        let notification = match message {
            None => Notification::None,
            Some(message) => self.hand_over(&plan.mailbox, &message, &mut warnings, &mut diagnostics),
        };
        self.drain_outbox(&mut diagnostics);
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

/// Up to 5 ms after the first lost race, up to 80 ms after the fifth and later ones.
fn jitter(attempt: u32) -> Result<Duration> {
    let [low, high, ..] = random_id()?;
    let range = 5_000_u64 << attempt.min(5).saturating_sub(1);
    Ok(Duration::from_micros(
        u64::from(u16::from_le_bytes([low, high])) * range / 65_536,
    ))
}
