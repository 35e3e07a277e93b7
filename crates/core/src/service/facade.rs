//! All use cases of one session, each made of the parts that it uses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::time::Duration;

use super::announcer::Announcer;
use super::audit::{AuditExport, AuditExported, AuditPage, AuditQuery, AuditReader};
use super::audit_writer::AuditWriter;
use super::check::{CheckRequest, Checks, Installation};
use super::clearing::{ClearOutcome, ClearRequest, Clearing};
use super::commit::{Commit, Journaled, Transactional};
use super::import::{ImportOutcome, ImportRequest, Imports};
use super::info::{PinInfo, PinInfoItem, PinStates};
use super::key_update::{KeyUpdate, KeyUpdateRequest, KeyUpdates};
use super::keyed_mutex::KeyedMutex;
use super::outbox::{Deliveries, Dispatcher, NotificationItem, Queue, SendReport, SendRequest};
use super::policies::{PolicyChanges, PolicyOutcome, PolicyRequest};
use super::records::Records;
use super::removal::{RemovalOutcome, RemovalRequest, Removals};
use super::reset::{Notification, ResetOutcome, ResetPlan, ResetRequest, Resets};
use super::resolve::{Lookup, Resolver};
use super::signin::{ChangePinRequest, SignInAnswer, SignInRequest, SignIns};
use super::status::Status;
use super::{Ports, Settings};
use crate::Result;
use crate::check::Check;
use crate::credential::kdf::KdfContext;
use crate::directory::{MailboxFilter, Page, PolicyObject};
use crate::mailbox::Mailbox;

/// All use cases of one session.
pub struct Service {
    ports: Ports,
    answer_floor: Duration,
    dispatcher: Arc<Dispatcher>,
    resolver: Arc<Resolver>,
    resets: Resets,
    sign_ins: SignIns,
    states: PinStates,
    clearing: Clearing,
    removals: Removals,
    imports: Imports,
    policies: PolicyChanges,
    deliveries: Arc<Deliveries>,
    audit: AuditReader,
    key_updates: KeyUpdates,
    checks: Checks,
}

impl Service {
    /// Puts the parts together; touches nothing.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let (directory, outbox, clock) = (
            || Arc::clone(&ports.directory),
            || Arc::clone(&ports.outbox),
            || Arc::clone(&ports.clock),
        );
        let (notifier, keys, log) = (
            || Arc::clone(&ports.notifier),
            || Arc::clone(&ports.keys),
            || Arc::clone(&ports.audit),
        );
        let cost = settings.cost;
        let host = settings.caller.host.clone();
        let resolver = Arc::new(Resolver {
            directory: directory(),
            scope: settings.scope,
            netbios_name: settings.netbios_name,
        });
        let records = Arc::new(Records::new(directory(), keys(), outbox(), log()));
        let audit = Arc::new(AuditWriter {
            enabled: settings.audit,
            retention_days: settings.audit_retention_days,
            caller: settings.caller,
            log: log(),
            clock: clock(),
            retention_reported: AtomicBool::new(false),
        });
        let queue = Arc::new(Queue {
            outbox: outbox(),
            notifier: notifier(),
            resolver: Arc::clone(&resolver),
            records: Arc::clone(&records),
            audit: Arc::clone(&audit),
            clock: clock(),
            lifetime: settings.expire_notifications_after,
        });
        let commits: Arc<dyn Commit> = match &ports.journal {
            None => Arc::new(Transactional {
                directory: directory(),
                records: Arc::clone(&records),
            }),
            Some(journal) => Arc::new(Journaled {
                journal: Arc::clone(journal),
                directory: directory(),
                outbox: outbox(),
                queue: Arc::clone(&queue),
                records: Arc::clone(&records),
                resolver: Arc::clone(&resolver),
                audit: Arc::clone(&audit),
                clock: clock(),
            }),
        };
        let announcer = Arc::new(Announcer {
            notifier: notifier(),
            settings: settings.message,
            clock: clock(),
        });
        let dispatcher = Arc::new(Dispatcher::new(notifier(), outbox(), clock()));
        let deliveries = Arc::new(Deliveries {
            outbox: outbox(),
            queue: Arc::clone(&queue),
            dispatcher: Arc::clone(&dispatcher),
            commits: Arc::clone(&commits),
            records: Arc::clone(&records),
            resolver: Arc::clone(&resolver),
            clock: clock(),
            last_drain: AtomicI64::new(i64::MIN),
        });
        Self {
            answer_floor: settings.answer_floor,
            resets: Resets {
                directory: directory(),
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                audit: Arc::clone(&audit),
                commits: Arc::clone(&commits),
                announcer: Arc::clone(&announcer),
                dispatcher: Arc::clone(&dispatcher),
                deliveries: Arc::clone(&deliveries),
                notifier: notifier(),
                clock: clock(),
                cost,
            },
            sign_ins: SignIns {
                directory: directory(),
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                audit: Arc::clone(&audit),
                commits: Arc::clone(&commits),
                announcer,
                dispatcher: Arc::clone(&dispatcher),
                deliveries: Arc::clone(&deliveries),
                clock: clock(),
                cost,
                locks: KeyedMutex::default(),
            },
            states: PinStates {
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                commits: Arc::clone(&commits),
                clock: clock(),
            },
            clearing: Clearing {
                directory: directory(),
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                audit: Arc::clone(&audit),
                commits: Arc::clone(&commits),
                outbox: outbox(),
                queue,
                clock: clock(),
            },
            removals: Removals {
                directory: directory(),
                outbox: outbox(),
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                audit: Arc::clone(&audit),
                clock: clock(),
            },
            imports: Imports {
                directory: directory(),
                records: Arc::clone(&records),
                audit: Arc::clone(&audit),
                clock: clock(),
            },
            policies: PolicyChanges {
                directory: directory(),
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                audit: Arc::clone(&audit),
                clock: clock(),
            },
            audit: AuditReader {
                log: log(),
                records: Arc::clone(&records),
                resolver: Arc::clone(&resolver),
            },
            key_updates: KeyUpdates {
                directory: directory(),
                outbox: outbox(),
                resolver: Arc::clone(&resolver),
                records: Arc::clone(&records),
                audit,
                commits,
                keys: keys(),
                clock: clock(),
            },
            checks: Checks {
                directory: directory(),
                resolver: Arc::clone(&resolver),
                records,
                keys: keys(),
                log: log(),
                notifier: notifier(),
                clock: clock(),
                host,
                installation: None,
            },
            dispatcher,
            resolver,
            deliveries,
            ports,
        }
    }

    /// Names the files that belong together on this computer, whose owners and modes are looked at.
    #[must_use]
    pub fn with_installation(mut self, installation: Installation) -> Self {
        self.checks.installation = Some(installation);
        self
    }

    /// Starts a thread of each kind that the use cases cannot do without; touches nothing else.
    ///
    /// # Errors
    /// `NativeFault`: the system has none to give.
    pub fn start_threads(&self) -> Result<()> {
        self.ports.directory.start_threads()?;
        self.ports.outbox.start_threads()?;
        self.dispatcher.start_thread()
    }

    /// [`Settings::answer_floor`].
    #[must_use]
    pub fn answer_floor(&self) -> Duration {
        self.answer_floor
    }

    /// Looks the mailbox up and checks everything but the PIN's history.
    ///
    /// # Errors
    /// Every error of section "errors" that concerns one mailbox; nothing has been changed.
    pub fn prepare_reset(&self, request: ResetRequest, kdf: &mut KdfContext) -> Result<ResetPlan> {
        self.resets.prepare_reset(request, kdf)
    }

    /// Checks the rest: the history of a given PIN, or that policy and history leave a PIN to generate.
    ///
    /// # Errors
    /// `PinPolicyViolation`, `NoValidPin`.
    pub fn validate_reset(&self, plan: &mut ResetPlan, kdf: &mut KdfContext) -> Result<()> {
        self.resets.validate_reset(plan, kdf)
    }

    /// Makes the change. Once it is durable this returns `Ok`, whatever happens to the message.
    ///
    /// # Errors
    /// Nothing was changed, save for `OutcomeUnknown`, when that cannot be known.
    pub fn commit_reset(&self, plan: ResetPlan, kdf: &mut KdfContext) -> Result<ResetOutcome> {
        self.resets.commit_reset(plan, kdf)
    }

    /// Checks a PIN. A wrong one is counted before this returns.
    ///
    /// # Errors
    /// As for a reset: nothing was compared, or nobody hears what the comparison gave.
    pub fn sign_in(&self, request: SignInRequest, kdf: &mut KdfContext) -> Result<SignInAnswer> {
        self.sign_ins.sign_in(request, kdf)
    }

    /// Sets the new PIN if the old one is right. A wrong one counts as in [`Service::sign_in`] and is answered alike.
    ///
    /// # Errors
    /// As for a sign-in; `PinPolicyViolation` with every broken rule, which only whoever knows the old PIN gets to hear.
    pub fn change_pin(&self, request: ChangePinRequest, kdf: &mut KdfContext) -> Result<SignInAnswer> {
        self.sign_ins.change_pin(request, kdf)
    }

    /// Hands the message of a reset by failures over. Apart from the attempt, so that a slow relay keeps nobody waiting for an
    /// answer: the message is durable already, and what fails here is tried again later.
    pub fn deliver_pending(&self, answer: &mut SignInAnswer) -> Notification {
        self.sign_ins.deliver_pending(answer)
    }

    /// The state of one mailbox's PIN.
    ///
    /// # Errors
    /// As for a reset.
    pub fn pin_info(&self, identity: &str, lookup: Lookup<'_>) -> Result<PinInfo> {
        self.states.pin_info(identity, lookup)
    }

    /// The state of all UM-enabled mailboxes in scope, page by page.
    ///
    /// # Errors
    /// As for [`Self::mailboxes`].
    pub fn pin_infos(&self, lookup: Lookup<'_>, after: Option<&str>, limit: usize) -> Result<Page<PinInfoItem>> {
        self.states.pin_infos(lookup, after, limit)
    }

    /// Removes record and counter of a mailbox, damaged ones too, and drops its queued messages. Values of other programs stay.
    ///
    /// # Errors
    /// As for a reset, but that the mailbox need not have Unified Messaging. Nothing was changed, save for `OutcomeUnknown`.
    pub fn clear_pin(&self, request: &ClearRequest) -> Result<ClearOutcome> {
        self.clearing.clear_pin(request)
    }

    /// Removes a mailbox with its PIN and its queued messages.
    ///
    /// # Errors
    /// Those of a look-up; `WriteConflict` where somebody changed it meanwhile; `ConfigurationInvalid` for a directory whose mailboxes are
    /// managed elsewhere. Nothing was changed.
    pub fn remove_mailbox(&self, request: &RemovalRequest) -> Result<RemovalOutcome> {
        self.removals.remove_mailbox(request)
    }

    /// Imports a file in one transaction. Never touches a PIN.
    ///
    /// # Errors
    /// `ImportInvalid` with the lines at fault; those of the directory. Nothing was changed.
    pub fn import(&self, request: &ImportRequest) -> Result<ImportOutcome> {
        self.imports.import(request)
    }

    /// Creates, changes or removes a policy, with its audit entries in the same transaction.
    ///
    /// # Errors
    /// `ManagementObjectNotFound`, `ManagementObjectExists`, `ManagementObjectInUse`, `InvalidPolicySetting`; `WriteConflict`
    /// where the policy is not in the revision given; `ConfigurationInvalid` for a directory whose policies are changed
    /// elsewhere; those of the directory. Nothing was changed.
    pub fn change_policy(&self, request: &PolicyRequest) -> Result<PolicyOutcome> {
        self.policies.change_policy(request)
    }

    /// Lists the outbox, oldest first; of one mailbox, or of all. Changes nothing.
    ///
    /// # Errors
    /// Those of the look-up and of the store; `InvalidRequest` for a cursor that is not one.
    pub fn notifications(
        &self,
        identity: Option<&str>,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<NotificationItem>> {
        self.deliveries.notifications(identity, lookup, after, limit)
    }

    /// Tries what is queued.
    ///
    /// # Errors
    /// Those of the look-up and of the store; `Cancelled` before the first message. What concerns one message is told with that,
    /// and so is what was sent until the request was called off.
    pub fn send_notifications(&self, request: &SendRequest<'_>) -> Result<SendReport> {
        self.deliveries.send_notifications(request)
    }

    /// One page of the audit log, checked on the way. Whoever reads to the last page has checked the whole log.
    ///
    /// # Errors
    /// `KeyUnavailable`; those of the directory; `AuditFileUnusable`; `InvalidRequest` for a cursor that is not one.
    pub fn audit_entries(&self, query: &AuditQuery) -> Result<AuditPage> {
        self.audit.audit_entries(query)
    }

    /// Writes the audit log to a new file, as JSON lines that tell whether they were changed.
    ///
    /// # Errors
    /// `AuditFileUnusable` for a file that exists or cannot be written; `KeyUnavailable`; those of the directory.
    pub fn audit_export(&self, request: &AuditExport) -> Result<AuditExported> {
        self.audit.audit_export(request)
    }

    /// One step of an update of the key: the first where the request has no `after`, and then until `next` is `None`. Each lasts
    /// about a second at most and locks the store for some milliseconds.
    ///
    /// # Errors
    /// `KeyUnavailable`, `ConfigurationInvalid` for keys that cannot be replaced; those of the directory and of the store. What was
    /// sealed anew by then stays so, and the next update goes on.
    pub fn update_key(&self, request: &KeyUpdateRequest) -> Result<KeyUpdate> {
        self.key_updates.update_key(request)
    }

    /// Tries everything, and says of each thing how it is; faults of the installation are results and no errors.
    ///
    /// # Errors
    /// `Cancelled`; `InvalidNotifyEmail`.
    pub fn check_configuration(&self, request: &CheckRequest) -> Result<Vec<Check>> {
        self.checks.check_configuration(request)
    }

    /// Begins a command: reaches for the directory afresh and, where it holds sealed data, the key: what fails here would fail for every mailbox.
    ///
    /// # Errors
    /// `DirectoryUnavailable` where there is no store, `KeyUnavailable`, `StoreCorrupt`, `AccessDenied`.
    pub fn status(&self) -> Result<Status> {
        self.checks.status()
    }

    /// One mailbox.
    ///
    /// # Errors
    /// `ManagementObjectNotFound`, `ManagementObjectAmbiguous`; `MailboxNotUmEnabled` if only enabled ones are wanted.
    pub fn mailbox(&self, identity: &str, filter: MailboxFilter, lookup: Lookup<'_>) -> Result<Mailbox> {
        self.resolver.mailbox(identity, filter, lookup)
    }

    /// All mailboxes in scope, page by page. A page may be short although another follows.
    ///
    /// # Errors
    /// Those of the directory; `InvalidParameterCombination`.
    pub fn mailboxes(
        &self,
        filter: MailboxFilter,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Mailbox>> {
        self.resolver.mailboxes(filter, lookup, after, limit)
    }

    /// All policies, or the one with this name, GUID or DN.
    ///
    /// # Errors
    /// `ManagementObjectNotFound`.
    pub fn policies(&self, identity: Option<&str>, lookup: Lookup<'_>) -> Result<Vec<PolicyObject>> {
        self.resolver.policies(identity, lookup)
    }
}
