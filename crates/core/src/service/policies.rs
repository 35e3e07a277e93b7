//! Changing the UM mailbox policies of a directory that keeps them itself.

use std::sync::Arc;

use super::audit_writer::{Action, Event, PendingAudit, Target};
use super::import::settings_for_audit;
use super::random_id;
use super::resolve::{Lookup, shortened};
use crate::audit::AuditBatch;
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::credential::master_key::keyed_hash;
use crate::directory::{Applied, Directory, PolicyChange, PolicyObject, Route};
use crate::policy::{Limit, UmMailboxPolicy};
use crate::service::audit_writer::AuditWriter;
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::{Error, ErrorCode, Result};

/// Other writers may be first so often before the change is given up.
const ATTEMPTS: u32 = 20;

/// Settings that are given; `None` leaves a setting as it is, or at its default where the policy is new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySettings {
    /// 4–24 digits.
    pub min_pin_length: Option<u32>,
    /// 1–999 days.
    pub pin_lifetime_days: Option<Limit>,
    /// 1–20, the current PIN included.
    pub pin_history_count: Option<u32>,
    /// Whether consecutive and repeated digits are allowed.
    pub allow_common_patterns: Option<bool>,
    /// 1–998, below `max_logon_attempts`.
    pub logon_failures_before_pin_reset: Option<Limit>,
    /// 1–999.
    pub max_logon_attempts: Option<Limit>,
    /// At most 512 characters.
    pub reset_pin_text: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum PolicyEdit {
    /// A new policy of this name.
    New {
        /// 1–64 characters, unique.
        name: String,
        /// The others have their defaults.
        settings: PolicySettings,
    },
    /// Other settings for one that exists.
    Set {
        /// Which one.
        policy: PolicyName,
        /// The others stay.
        settings: PolicySettings,
    },
    /// Away with one that no mailbox has.
    Remove {
        /// Which one.
        policy: PolicyName,
    },
}

/// Names an existing policy.
#[derive(Clone, Debug, Default)]
pub struct PolicyName {
    /// Name, GUID or DN.
    pub identity: String,
    /// Further texts that name it.
    pub alternatives: Vec<String>,
    /// The [`revision`] that the caller has seen: with another one nothing is changed. `None`: whatever it is by then.
    pub revision: Option<String>,
}

/// What a change of a policy was asked for.
#[derive(Clone, Debug)]
pub struct PolicyRequest {
    /// What is to be done.
    pub edit: PolicyEdit,
    /// For the audit.
    pub cmdlet: Option<String>,
    /// Check only.
    pub what_if: bool,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

/// What a change of a policy did, or would do.
#[derive(Clone, Debug)]
pub struct PolicyOutcome {
    /// As it was; `None`: it is new.
    pub before: Option<PolicyObject>,
    /// As it is; `None`: it is gone.
    pub after: Option<PolicyObject>,
}

/// Tells one state of a policy from every other: for changes that are to be made only from the state that was seen.
#[must_use]
pub fn revision(policy: &PolicyObject) -> String {
    let mut hash = [0; 32];
    // Every field in a form that no other values have.
    let text = format!("{policy:?}");
    keyed_hash(&[0; 32], &[b"umpin policy revision v1", text.as_bytes()], &mut hash);
    hash[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Creates, changes and removes policies.
pub(super) struct PolicyChanges {
    pub directory: Arc<dyn Directory>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub clock: Arc<dyn Clock>,
}

impl PolicyChanges {
    /// [`Service::change_policy`](crate::service::Service::change_policy).
    pub(in crate::service) fn change_policy(&self, request: &PolicyRequest) -> Result<PolicyOutcome> {
        self.directory.check_policies_changeable()?;
        for _ in 0..ATTEMPTS {
            request.cancellation.check()?;
            let outcome = self.decide(&request.edit)?;
            if outcome.before == outcome.after {
                return Ok(outcome);
            }
            let audit = if request.what_if {
                None
            } else {
                self.policy_trail(request, &outcome)?
            };
            let change = PolicyChange {
                expected: outcome.before.clone(),
                new: outcome.after.clone(),
                audit,
                cancellation: request.cancellation.clone(),
            };
            let applied = self.directory.change_policy(change, request.what_if);
            if !matches!(applied, Ok(Applied::Committed)) {
                request.cancellation.leave_commit();
            }
            if applied? == Applied::Committed {
                return Ok(outcome);
            }
        }
        Err(conflict(
            "Other writers kept changing the UM mailbox policies; nothing was changed.",
        ))
    }

    /// What the policy is, and what it is to be.
    fn decide(&self, edit: &PolicyEdit) -> Result<PolicyOutcome> {
        let (before, after) = match edit {
            PolicyEdit::New { name, settings } => {
                let name = name.trim();
                if let Some(known) = self.directory.policy(name, Route::Preferred)? {
                    return Err(exists(&known.settings.name, &self.directory.location()));
                }
                let policy = PolicyObject {
                    guid: uuid::Builder::from_random_bytes(random_id()?).into_uuid(),
                    distinguished_name: None,
                    settings: settings.applied_to(UmMailboxPolicy::with_defaults(name)),
                };
                (None, Some(policy))
            }
            PolicyEdit::Set { policy, settings } => {
                let before = self.policy_to_change(policy)?;
                let after = PolicyObject {
                    settings: settings.applied_to(before.settings.clone()),
                    ..before.clone()
                };
                (Some(before), Some(after))
            }
            PolicyEdit::Remove { policy } => (Some(self.policy_to_change(policy)?), None),
        };
        if let Some(policy) = &after {
            policy.settings.validate().map_err(|fault| {
                Error::new(
                    ErrorCode::InvalidPolicySetting,
                    format!(
                        "The settings for the UM mailbox policy \"{}\" are refused: {fault}.",
                        shortened(&policy.settings.name)
                    ),
                )
            })?;
        }
        Ok(PolicyOutcome { before, after })
    }

    fn policy_to_change(&self, name: &PolicyName) -> Result<PolicyObject> {
        let lookup = Lookup {
            alternatives: &name.alternatives,
            ..Lookup::default()
        };
        let found = self.resolver.policies(Some(&name.identity), lookup)?;
        let policy = found.into_iter().next().ok_or_else(|| {
            // `policies` gives the one that is named, or this error.
            Error::new(
                ErrorCode::ManagementObjectNotFound,
                "The UM mailbox policy was not found.",
            )
        })?;
        if name.revision.as_ref().is_some_and(|seen| *seen != revision(&policy)) {
            return Err(conflict(&format!(
                "The UM mailbox policy \"{}\" was changed since it was read; nothing was changed.",
                policy.settings.name
            ))
            .action("Read the policy again, then decide whether the change is still wanted."));
        }
        Ok(policy)
    }

    fn policy_trail(&self, request: &PolicyRequest, outcome: &PolicyOutcome) -> Result<Option<AuditBatch>> {
        if !self.audit.enabled {
            return Ok(None);
        }
        let ring = self.records.ring_for_change()?;
        let object = outcome.after.as_ref().or(outcome.before.as_ref());
        let name = object.map_or("", |policy| policy.settings.name.as_str());
        let (default, settings) = match &request.edit {
            PolicyEdit::New { settings, .. } => ("New-UMMailboxPolicy", Some(settings)),
            PolicyEdit::Set { settings, .. } => ("Set-UMMailboxPolicy", Some(settings)),
            PolicyEdit::Remove { .. } => ("Remove-UMMailboxPolicy", None),
        };
        let cmdlet = request.cmdlet.as_deref().unwrap_or(default);
        let mut event = Event::new(Action::PolicyChange, cmdlet, Target::Policy(name))?;
        if let Some(settings) = settings {
            settings.record_in(&mut event);
        }
        for (side, policy) in [("before", &outcome.before), ("after", &outcome.after)] {
            if let Some(policy) = policy {
                event = event.result(side, settings_for_audit(&policy.settings));
            }
        }
        Ok(self
            .audit
            .batch_of(&ring, self.clock.now(), &[event])
            .map(PendingAudit::whole))
    }
}

impl PolicySettings {
    fn applied_to(&self, mut policy: UmMailboxPolicy) -> UmMailboxPolicy {
        fn set<T: Clone>(setting: &mut T, given: &Option<T>) {
            if let Some(value) = given {
                setting.clone_from(value);
            }
        }
        set(&mut policy.min_pin_length, &self.min_pin_length);
        set(&mut policy.pin_lifetime_days, &self.pin_lifetime_days);
        set(&mut policy.pin_history_count, &self.pin_history_count);
        set(&mut policy.allow_common_patterns, &self.allow_common_patterns);
        set(
            &mut policy.logon_failures_before_pin_reset,
            &self.logon_failures_before_pin_reset,
        );
        set(&mut policy.max_logon_attempts, &self.max_logon_attempts);
        set(&mut policy.reset_pin_text, &self.reset_pin_text);
        policy
    }

    /// As they were given, for the audit.
    fn record_in(&self, event: &mut Event<'_>) {
        let limit = |limit: Limit| limit.number().map_or("Unlimited".into(), serde_json::Value::from);
        event
            .parameter("MinPINLength", self.min_pin_length)
            .parameter("PINLifetime", self.pin_lifetime_days.map(limit))
            .parameter("PINHistoryCount", self.pin_history_count)
            .parameter("AllowCommonPatterns", self.allow_common_patterns)
            .parameter(
                "LogonFailuresBeforePINReset",
                self.logon_failures_before_pin_reset.map(limit),
            )
            .parameter("MaxLogonAttempts", self.max_logon_attempts.map(limit))
            .parameter("ResetPINText", self.reset_pin_text.as_deref());
    }
}

fn exists(name: &str, location: &str) -> Error {
    Error::new(
        ErrorCode::ManagementObjectExists,
        format!("A UM mailbox policy \"{name}\" exists already in {location}."),
    )
    .detail("identity", name)
}

fn conflict(message: &str) -> Error {
    Error::new(ErrorCode::WriteConflict, message)
}
