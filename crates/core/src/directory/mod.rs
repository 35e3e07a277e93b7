//! The port to whatever holds the mailboxes, their policies and their credential records.

pub mod journal;
pub mod key_register;

use std::collections::BTreeMap;

use crate::audit::AuditBatch;
use crate::cancellation::Cancellation;
use crate::check::{Check, Subject};
use crate::credential::master_key::KeyId;
use crate::credential::seal;
use crate::identity::Identity;
use crate::import::{ImportPlan, Properties, Property};
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::entry::OutboxEntry;
use crate::policy::UmMailboxPolicy;
use crate::random::system_bytes;
use crate::{Error, ErrorCode, Result};

/// Where a question is put to a directory that has several controllers; the others have but one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Route<'a> {
    /// Where the directory prefers, and elsewhere when that cannot be reached.
    #[default]
    Preferred,
    /// This controller and no other.
    Controller(&'a str),
    /// The whole forest: the global catalog finds the object, a controller of the object's own domain describes it.
    Forest,
}

/// A mailbox as it was found, and what was read with it at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// The controller that it was read on, and the only one on which what was read there may be changed; none where there is
    /// but one place.
    pub controller: Option<String>,
    /// Its sealed values; `None`: not read yet, or not known to be absent, which [`Directory::credential`] finds out.
    pub stored: Option<StoredCredential>,
}

impl From<Mailbox> for Found {
    fn from(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            controller: None,
            stored: None,
        }
    }
}

/// A policy together with what names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyObject {
    /// The policy's GUID.
    pub guid: uuid::Uuid,
    /// Its DN, where it was imported with one.
    pub distinguished_name: Option<String>,
    /// Its settings, the name among them.
    pub settings: UmMailboxPolicy,
}

/// The sealed values of one mailbox as they are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredCredential {
    /// The sealed credential record; none while the mailbox never had a PIN nor a lock.
    pub record: Option<Vec<u8>>,
    /// The sealed counter of failed sign-ins; none means no failures.
    pub counter: Option<Vec<u8>>,
    /// Where there is no record: what another program left in its place, which the first record replaces.
    pub foreign: Option<Vec<u8>>,
}

impl StoredCredential {
    /// What a new record replaces, and a swap compares with.
    #[must_use]
    pub fn replaced(&self) -> Option<Vec<u8>> {
        self.record.as_ref().or(self.foreign.as_ref()).cloned()
    }
}

/// A compare-and-swap: the change is refused when anything but `expected` is stored by then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The sealed value that the new one was computed from, or what stood in its place ([`StoredCredential::replaced`]); `None`: nothing
    /// was there.
    pub expected: Option<Vec<u8>>,
    /// The new sealed value; empty, as no sealed value is: there is none afterwards.
    pub new: Vec<u8>,
}

impl Swap {
    /// Removes the value that was seen.
    #[must_use]
    pub fn removal(seen: Vec<u8>) -> Self {
        Self {
            expected: Some(seen),
            new: Vec::new(),
        }
    }

    /// Whether there is no value afterwards.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.new.is_empty()
    }

    /// The value afterwards.
    fn result(&self) -> Option<&Vec<u8>> {
        Some(&self.new).filter(|_| !self.removes())
    }
}

/// What a change does to the sealed counter of failed sign-ins. It is never removed but together with the record that it counts under: a
/// counter that was once written and then gone could not be told from one that never was, and a swap that is late by an unlock would go
/// through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterChange {
    /// Leaves it as it is by then: failures counted meanwhile must not be lost.
    Keep,
    /// Sets it, whatever it is by then: the failures counted so far no longer count.
    Set(Vec<u8>),
    /// Counts, or makes the count void, but only from the value that was seen.
    Swap(Swap),
}

/// A change of a mailbox's sealed values, with everything that must become durable together with it.
pub struct CredentialChange {
    /// Whose values.
    pub mailbox: ObjectId,
    /// The controller to write to, and no other ([`Found::controller`]).
    pub controller: Option<String>,
    /// The record; `None` leaves it as it is by then.
    pub record: Option<Swap>,
    /// The counter of failed sign-ins. A mailbox without a record has none.
    pub counter: CounterChange,
    /// The message that announces the new PIN, recorded only if the change is; never given to a remote directory.
    pub message: Option<OutboxEntry>,
    /// Audit entries, recorded only if the change is; none when auditing is switched off, and never given to a remote
    /// directory.
    pub audit: Option<AuditBatch>,
    /// Whether it is still wanted: asked immediately before the change can no longer be taken back.
    pub cancellation: Cancellation,
    /// What it was decided on. The embedded directory compares it in the transaction of the change; a remote one cannot.
    pub premise: Option<Box<Premise>>,
}

/// A mailbox whose values are not all sealed under the key that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedOtherwise {
    /// The mailbox.
    pub mailbox: ObjectId,
    /// Where the values were read, and where alone they may be changed.
    pub controller: Option<String>,
    /// The values, or why they cannot be read.
    pub stored: std::result::Result<StoredCredential, String>,
}

impl StoredCredential {
    /// Whether one of the values is sealed under another key than this.
    #[must_use]
    pub fn is_under_another(&self, key: KeyId) -> bool {
        let values = [&self.record, &self.counter];
        values
            .into_iter()
            .flatten()
            .any(|value| seal::key_id(value) != Some(key))
    }
}

/// What a change was decided on: where it is no longer so, the change has to be decided again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Premise {
    /// The mailbox as it was read.
    pub mailbox: Mailbox,
    /// Its policy as it was read.
    pub policy: PolicyObject,
}

impl CredentialChange {
    /// A change that leaves all values as they are.
    #[must_use]
    pub fn new(mailbox: ObjectId, controller: Option<String>) -> Self {
        Self {
            mailbox,
            controller,
            record: None,
            counter: CounterChange::Keep,
            message: None,
            audit: None,
            cancellation: Cancellation::default(),
            premise: None,
        }
    }

    /// Whether these are the values that the change was to write. Sealed values are never the same twice, so one of them tells.
    pub fn is_in_force(&self, stored: &StoredCredential) -> bool {
        match (&self.record, &self.counter) {
            (Some(swap), _) => stored.record.as_ref() == swap.result(),
            (None, CounterChange::Set(new)) => stored.counter.as_ref() == Some(new),
            (None, CounterChange::Swap(swap)) => stored.counter.as_ref() == swap.result(),
            (None, CounterChange::Keep) => false,
        }
    }
}

/// A mailbox that is to be removed, with everything that is kept about it but the audit.
pub struct Removal {
    /// As it was when that was decided.
    pub mailbox: Mailbox,
    /// Audit entries, recorded only if it is removed.
    pub audit: Option<AuditBatch>,
    /// Whether it is still wanted: asked immediately before it can no longer be taken back.
    pub cancellation: Cancellation,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Durable: acknowledged only after the data is synced.
    Committed,
    /// Another writer was first, of the sealed values or of the premise; nothing was changed.
    Conflict,
    /// The controller could not be reached, so nothing was sent. Another may serve, but only after the mailbox was read there.
    Unreached,
}

/// A change of a policy: a compare-and-swap of the whole object.
#[derive(Clone)]
pub struct PolicyChange {
    /// As it was read; `None`: there was none of this name.
    pub expected: Option<PolicyObject>,
    /// As it is to be, under the same name; `None`: it is removed.
    pub new: Option<PolicyObject>,
    /// Audit entries, recorded only if the change is made.
    pub audit: Option<AuditBatch>,
    /// Whether it is still wanted: asked immediately before the change can no longer be taken back.
    pub cancellation: Cancellation,
}

impl PolicyChange {
    /// The name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        let object = self.new.as_ref().or(self.expected.as_ref());
        object.map_or("", |policy| policy.settings.name.as_str())
    }
}

/// Which mailboxes a listing wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailboxFilter {
    /// Only those with Unified Messaging.
    pub um_enabled_only: bool,
}

/// One page of a listing.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items, in a stable order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// A mailbox that an import changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxChange {
    /// The row that changes it.
    pub line: u64,
    /// What named it before.
    pub identity: String,
    /// What changes.
    pub properties: Properties,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Mailboxes that were new.
    pub mailboxes_created: u64,
    /// Mailboxes whose properties changed.
    pub mailboxes_updated: u64,
    /// Mailboxes found as they are.
    pub mailboxes_unchanged: u64,
    /// Names of policies that were new.
    pub policies_created: Vec<String>,
    /// Those of them that are only named and not described, so that they have the default settings.
    pub policies_defaulted: Vec<String>,
    /// Names of policies whose settings changed.
    pub policies_updated: Vec<String>,
    /// How many mailboxes change in each property; new ones are not counted.
    pub properties: BTreeMap<Property, u64>,
    /// The first thousand mailboxes that change, and in what.
    pub changes: Vec<MailboxChange>,
    /// Mailboxes that were found under another name than the file has for them.
    pub followed: Vec<crate::import::RowError>,
    /// What should be looked at although the rows are imported.
    pub notices: Vec<crate::import::RowError>,
    /// Rows left out because the directory refused them (line, reason), e.g. a GUID given twice.
    pub refused: Vec<crate::import::RowError>,
}

/// A directory. Every method may block; none may be called while holding a lock of the caller's.
pub trait Directory: Send + Sync {
    /// Its `directory.type` in the configuration, e.g. `embedded`.
    fn kind(&self) -> &'static str;

    /// Where it is, for messages: a path or a server's name.
    fn location(&self) -> String;

    /// Identifies this directory for the seal of its records; never changes.
    ///
    /// # Errors
    /// `DirectoryUnavailable` where there is no store.
    fn store_id(&self) -> Result<[u8; 16]>;

    /// Every mailbox that the identity matches (at most 11 are returned; the count is exact), in a stable order.
    ///
    /// # Errors
    /// `DirectoryUnavailable`, `StoreCorrupt`, `AccessDenied`.
    fn find(&self, identity: &Identity, route: Route<'_>) -> Result<Matches>;

    /// Every mailbox that has this extension (digits; marks between them are not compared), in the dial plan of that name
    /// (case-insensitive) or in any.
    ///
    /// # Errors
    /// As `find`.
    fn find_by_extension(&self, number: &str, dial_plan: Option<&str>, route: Route<'_>) -> Result<Matches>;

    /// The mailbox with this immutable id.
    ///
    /// # Errors
    /// As `find`.
    fn find_by_object_id(&self, id: ObjectId, route: Route<'_>) -> Result<Option<Found>>;

    /// Mailboxes in pages of `limit`, ordered by an internal key, beginning after `after`.
    ///
    /// # Errors
    /// As `find`; `InvalidRequest` for a cursor that is not one.
    fn mailboxes(
        &self,
        filter: MailboxFilter,
        route: Route<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>>;

    /// The policy of this name (case-insensitive).
    ///
    /// # Errors
    /// As `find`.
    fn policy(&self, name: &str, route: Route<'_>) -> Result<Option<PolicyObject>>;

    /// The policy that applies to a mailbox.
    ///
    /// # Errors
    /// As `find`.
    fn policy_of(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<Option<PolicyObject>> {
        match &mailbox.um_mailbox_policy {
            Some(name) => self.policy(name, route),
            None => Ok(None),
        }
    }

    /// All policies, by name.
    ///
    /// # Errors
    /// As `find`.
    fn policies(&self, route: Route<'_>) -> Result<Vec<PolicyObject>>;

    /// Whether policies can be changed here at all, asked before one is looked up.
    ///
    /// # Errors
    /// `ConfigurationInvalid` for a directory whose policies are changed elsewhere.
    fn check_policies_changeable(&self) -> Result<()> {
        Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!("The UM mailbox policies in {} are not changed here.", self.location()),
        )
        .action("Change the policy where it is managed."))
    }

    /// Creates, changes or removes a policy; durable when this returns. A `dry_run` checks the same and writes nothing.
    ///
    /// # Errors
    /// As `find`; `Cancelled`; `ManagementObjectInUse` for the removal of a policy that mailboxes have; those of
    /// [`Self::check_policies_changeable`].
    fn change_policy(&self, _change: PolicyChange, _dry_run: bool) -> Result<Applied> {
        self.check_policies_changeable()?;
        Ok(Applied::Conflict)
    }

    /// Starts a thread of each kind that it cannot do without; touches nothing else.
    ///
    /// # Errors
    /// `NativeFault`: the system has none to give.
    fn start_threads(&self) -> Result<()> {
        Ok(())
    }

    /// A new command begins: what is kept from questions of earlier ones, such as policies, is asked for anew.
    fn refresh(&self) {}

    /// Policies that are kept from earlier questions of this command are asked for anew, too.
    fn forget_policies(&self) {}

    /// What happened on the way since the last time, such as a controller that was left for another: a sentence each, for
    /// administrators who want to know.
    fn take_diagnostics(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tries what this directory needs, and says of each thing how it is; changes nothing.
    ///
    /// # Errors
    /// `Cancelled` alone: what fails is a result.
    fn examine(&self, _cancellation: &Cancellation) -> Result<Vec<Check>> {
        Ok(Vec::new())
    }

    /// What may be done to this mailbox.
    fn examine_mailbox(&self, found: &Found) -> Vec<Check> {
        let name = found.mailbox.identity();
        vec![
            match self.credential(found.mailbox.object_id, found.controller.as_deref()) {
                Ok(_) => Check::passed(Subject::ReadRights, name, "The values of this mailbox can be read."),
                Err(error) => Check::failed(Subject::ReadRights, name, &error),
            },
        ]
    }

    /// Whether anything is stored that was sealed under a key: then a missing key is a loss, not a first use.
    /// A directory that does not exist yet holds none.
    ///
    /// # Errors
    /// As `find`.
    fn holds_sealed_data(&self) -> Result<bool>;

    /// A few sealed records of any mailboxes, to see whether a key is the right one; none only where none can be read at all. A
    /// directory that does not exist yet has none. Asked for once with each key of a session: it may look through everything.
    ///
    /// # Errors
    /// As `find`.
    fn some_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>>;

    /// The sealed values of a mailbox as that controller has them; nobody else is asked when it cannot be reached. Without one,
    /// as the preferred controller has them.
    ///
    /// # Errors
    /// As `find`; `ManagementObjectNotFound` when the mailbox is gone there; `AccessDenied` where a value may be there that the
    /// account may not read, because then it is not known to be absent.
    fn credential(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential>;

    /// As [`Self::credential`], for many mailboxes with few questions: one answer for each, in their order.
    ///
    /// # Errors
    /// Where no answer came for any of them.
    fn credentials(&self, ids: &[ObjectId], controller: Option<&str>) -> Result<Vec<Result<StoredCredential>>> {
        Ok(ids.iter().map(|id| self.credential(*id, controller)).collect())
    }

    /// The sealed values of a mailbox as other controllers than this one have them: a few of those that can be asked.
    ///
    /// # Errors
    /// `AccessDenied`: one of them has values that may not be read.
    fn elsewhere(&self, _id: ObjectId, _controller: Option<&str>) -> Result<Vec<StoredCredential>> {
        Ok(Vec::new())
    }

    /// Compare-and-swap of a mailbox's record and counter, both or neither; with them, in the same transaction where the
    /// directory can (there is no [`journal::Journal`] then), message and audit.
    ///
    /// The change is asked for at most once: whoever repeated it after a lost answer would take his own success for another's.
    ///
    /// # Errors
    /// As `find`; `Cancelled`; `OutcomeUnknown` when the answer was lost, and then alone the change may have been made or may yet be;
    /// `ManagementObjectNotFound` when the mailbox is gone.
    fn apply(&self, change: CredentialChange) -> Result<Applied>;

    /// As [`Self::apply`], for changes of different mailboxes that need not wait for each other: one answer for each, in their order.
    fn apply_all(&self, changes: Vec<CredentialChange>) -> Vec<Result<Applied>> {
        changes.into_iter().map(|change| self.apply(change)).collect()
    }

    /// A page of the mailboxes whose record or counter is sealed under another key than this, whether they have Unified Messaging
    /// or not. A page may have fewer items than `limit` although another follows.
    ///
    /// # Errors
    /// As `mailboxes`.
    fn sealed_otherwise(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        let page = self.mailboxes(MailboxFilter::default(), Route::Preferred, after, limit)?;
        let mut items = Vec::new();
        for found in page.items {
            let (mailbox, controller) = (found.mailbox.object_id, found.controller);
            let stored = match found.stored {
                Some(stored) => Ok(stored),
                None => self
                    .credential(mailbox, controller.as_deref())
                    .map_err(|e| e.to_string()),
            };
            if !stored.as_ref().is_ok_and(|stored| !stored.is_under_another(key)) {
                items.push(SealedOtherwise {
                    mailbox,
                    controller,
                    stored,
                });
            }
        }
        Ok(Page { items, next: page.next })
    }

    /// How many mailboxes have a record; `None` where that would take long to find out.
    ///
    /// # Errors
    /// As `mailboxes`.
    fn record_count(&self) -> Result<Option<u64>> {
        Ok(None)
    }

    /// Changes nothing, and takes about as long as counting a wrong PIN does: for attempts to sign in that count nothing, so
    /// that their time does not tell. Without an implementation of its own: a question to the same server.
    ///
    /// # Errors
    /// As `apply`, where the directory could not be changed either.
    fn dummy_write(&self, route: Route<'_>) -> Result<()> {
        self.find_by_object_id(ObjectId(system_bytes()?), route).map(drop)
    }

    /// Creates or updates mailboxes and policies in one transaction; `dry_run` only counts. Never touches records.
    ///
    /// # Errors
    /// As `find`; `Cancelled`; `ConfigurationInvalid` for a directory that is not filled by import.
    fn import(&self, plan: &ImportPlan, audit: Option<&AuditBatch>, dry_run: bool) -> Result<ImportCounts>;

    /// Whether mailboxes are removed here.
    ///
    /// # Errors
    /// `ConfigurationInvalid` for a directory whose mailboxes are managed elsewhere.
    fn check_removable(&self) -> Result<()> {
        Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!("The mailboxes of {} are not removed here.", self.location()),
        )
        .action("Remove the user where the directory is managed."))
    }

    /// Removes a mailbox, its sealed values and its messages in one transaction.
    ///
    /// # Errors
    /// As `find` and [`Self::check_removable`]; `Cancelled`; `OutcomeUnknown`; `ManagementObjectNotFound` when it is gone already.
    fn remove_mailbox(&self, _removal: Removal) -> Result<Applied> {
        self.check_removable()?;
        Ok(Applied::Unreached)
    }
}

/// What an identity matched.
#[derive(Clone, Debug)]
pub struct Matches {
    /// How many mailboxes match.
    pub count: usize,
    /// The first of them, at most 11.
    pub found: Vec<Found>,
}
