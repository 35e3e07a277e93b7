//! Everything about a reset that can be decided without deriving a key.

use super::candidate::draw;
use super::failed::AskedReset;
use super::violation::policy_violation;
use super::{ResetPlan, ResetRequest, Resets, recipient};
use crate::credential::kdf::{KdfContext, PinVerifiers};
use crate::generate::PinSpace;
use crate::policy::PinRule;
use crate::service::commit::conflict_warning;
use crate::service::resolve::require_um_enabled;
use crate::{Error, ErrorCode, Result};

impl Resets {
    /// [`Service::prepare_reset`](crate::service::Service::prepare_reset).
    pub(in crate::service) fn prepare_reset(
        &self,
        mut request: ResetRequest,
        kdf: &mut KdfContext,
    ) -> Result<ResetPlan> {
        request.pin = request.pin.filter(|pin| !pin.expose().is_empty());
        let mut asked = AskedReset::new(&request);
        let plan = self.planned(&mut request, &mut asked, kdf);
        plan.map_err(|error| self.failed(asked, !request.cancellation.is_requested(), error))
    }

    fn planned(&self, request: &mut ResetRequest, asked: &mut AskedReset, kdf: &mut KdfContext) -> Result<ResetPlan> {
        check_combination(request)?;
        let read_at = self.clock.now();
        let found = self.resolver.resolve(&request.identity, request.lookup())?;
        asked.of_mailbox(&found.mailbox, request);
        require_um_enabled(&found.mailbox)?;
        let mailbox = &found.mailbox;
        let mut diagnostics = vec![format!(
            "Found \"{}\" ({}) in {}.",
            mailbox.identity(),
            mailbox.guid,
            found.controller.clone().unwrap_or_else(|| self.directory.location())
        )];
        let policy = self.resolver.policy_of(mailbox, request.lookup().route())?;
        diagnostics.push(format!("The UM mailbox policy is \"{}\".", policy.settings.name));
        let mut warnings = Vec::new();
        let recipient = recipient::decide(request, mailbox, &mut warnings)?;
        let loaded = self.records.read_record(&found)?;
        let conflicts = self
            .commits
            .conflicts_of(mailbox.object_id, found.controller.as_deref(), &loaded.record);
        let conflicts = conflicts.unwrap_or_else(|error| {
            diagnostics.push(format!("The journal could not be read: {error}"));
            Vec::new()
        });
        warnings.extend(conflicts.iter().map(|note| conflict_warning(mailbox, note)));
        let mut given = request.pin.take().map(PinVerifiers::new);
        if let Some(verifiers) = &mut given {
            let mut rules = policy.settings.check(verifiers.pin(), &mailbox.extensions);
            if !rules.is_empty() {
                // The PIN is refused already; the derivation tells the whole truth in one answer.
                if loaded
                    .record
                    .is_reused(verifiers, kdf, policy.settings.pin_history_count)?
                {
                    rules.push(PinRule::History);
                }
                return Err(policy_violation(mailbox, &policy.settings, &rules));
            }
        }
        if recipient.is_some() {
            self.notifier.check()?;
        }
        diagnostics.extend(self.directory.take_diagnostics());
        Ok(ResetPlan {
            request: std::mem::take(request),
            mailbox: found.mailbox,
            policy,
            recipient,
            loaded,
            given,
            generated: None,
            conflicts,
            warnings,
            diagnostics,
            read_at,
            shown: false,
            failure_recorded: false,
        })
    }

    /// [`Service::validate_reset`](crate::service::Service::validate_reset).
    pub(in crate::service) fn validate_reset(&self, plan: &mut ResetPlan, kdf: &mut KdfContext) -> Result<()> {
        let valid = self.check_rest(plan, kdf);
        valid.map_err(|error| {
            let asked = AskedReset::of_plan(plan);
            plan.failure_recorded = true;
            self.failed(asked, !plan.request.cancellation.is_requested(), error)
        })
    }

    fn check_rest(&self, plan: &mut ResetPlan, kdf: &mut KdfContext) -> Result<()> {
        let policy = &plan.policy.settings;
        match &mut plan.given {
            Some(verifiers) => {
                if plan.loaded.record.is_reused(verifiers, kdf, policy.pin_history_count)? {
                    return Err(policy_violation(&plan.mailbox, policy, &[PinRule::History]));
                }
            }
            None if plan.request.keep_pin => {}
            None => {
                let record = &plan.loaded.record;
                let remembered = record.history_length(policy.pin_history_count);
                let left = PinSpace::new(policy, &plan.mailbox.extensions)?.remaining();
                // Mostly there are more than the history can have; else only a draw tells, and what it gives is kept for commit.
                if left <= u128::try_from(remembered).unwrap_or(u128::MAX) {
                    plan.generated = Some(draw(record, policy, &plan.mailbox.extensions, kdf)?);
                }
            }
        }
        if plan.recipient.is_some() {
            self.notifier.check()?;
        }
        Ok(())
    }
}

fn check_combination(request: &ResetRequest) -> Result<()> {
    if !request.keep_pin {
        return Ok(());
    }
    let message = if request.pin.is_some() {
        "KeepPin cannot be combined with Pin: either the PIN is kept or it is changed."
    } else if request
        .notify_email
        .as_deref()
        .is_some_and(|text| !text.trim().is_empty())
    {
        "KeepPin cannot be combined with NotifyEmail, because no message is sent."
    } else if request.locked_out.is_none() {
        return Err(Error::new(
            ErrorCode::InvalidParameterCombination,
            "KeepPin needs LockedOut, which says whether to lock or to unlock.",
        )
        .action("Add -LockedOut $true or -LockedOut $false."));
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorCode::InvalidParameterCombination, message))
}
