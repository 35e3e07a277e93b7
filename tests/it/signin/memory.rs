//! All ports in memory: another adapter, which shows that signing in needs nothing but the ports.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use umpin::audit::{AuditBatch, AuditLog, Ending, LogCursor, LogKind, LogPage};
use umpin::clock::{Clock, Timestamp};
use umpin::credential::keyring::KeyRing;
use umpin::credential::master_key::MasterKey;
use umpin::directory::{
    Applied, CounterChange, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page,
    PolicyObject, Route, StoredCredential,
};
use umpin::identity::Identity;
use umpin::import::ImportPlan;
use umpin::keys::Keys;
use umpin::mailbox::{Mailbox, ObjectId};
use umpin::notification::outbox::{Lease, Outbox, OutboxEntry};
use umpin::notification::{DeliveryError, Notifier, OutgoingMessage};
use umpin::{Error, ErrorCode, Result};
use uuid::Uuid;

#[derive(Default)]
struct Content {
    mailboxes: Vec<Mailbox>,
    /// What each is called, in the same order.
    names: Vec<Vec<Identity>>,
    policies: Vec<PolicyObject>,
    credentials: HashMap<ObjectId, StoredCredential>,
    outbox: Vec<OutboxEntry>,
    audit: Vec<AuditBatch>,
}

/// A directory that forgets everything.
#[derive(Default)]
pub struct Memory(Mutex<Content>);

impl Memory {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn matching(&self, matches: impl Fn(&Mailbox) -> bool) -> Matches {
        let found: Vec<Found> = self
            .content()
            .mailboxes
            .iter()
            .filter(|m| matches(m))
            .cloned()
            .map(Found::from)
            .collect();
        Matches {
            count: found.len(),
            found,
        }
    }
}

impl Directory for Memory {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn location(&self) -> String {
        "the memory of a test".to_owned()
    }

    fn store_id(&self) -> Result<[u8; 16]> {
        Ok([0x5d; 16])
    }

    fn find(&self, identity: &Identity, _: Route<'_>) -> Result<Matches> {
        let content = self.content();
        let named = content.mailboxes.iter().zip(&content.names);
        let found: Vec<Found> = named
            .filter(|(_, names)| names.contains(identity))
            .map(|(mailbox, _)| Found::from(mailbox.clone()))
            .collect();
        Ok(Matches {
            count: found.len(),
            found,
        })
    }

    fn find_by_extension(&self, number: &str, _dial_plan: Option<&str>, _: Route<'_>) -> Result<Matches> {
        Ok(self.matching(|m| m.extensions.iter().any(|extension| extension.number == number)))
    }

    fn find_by_object_id(&self, id: ObjectId, _: Route<'_>) -> Result<Option<Found>> {
        Ok(self.matching(|m| m.object_id == id).found.pop())
    }

    fn mailboxes(
        &self,
        filter: MailboxFilter,
        _: Route<'_>,
        _after: Option<&str>,
        _limit: usize,
    ) -> Result<Page<Found>> {
        Ok(Page {
            items: self.matching(|m| m.um_enabled || !filter.um_enabled_only).found,
            next: None,
        })
    }

    fn policy(&self, name: &str, _: Route<'_>) -> Result<Option<PolicyObject>> {
        let content = self.content();
        let mut named = content
            .policies
            .iter()
            .filter(|p| p.settings.name.eq_ignore_ascii_case(name));
        Ok(named.next().cloned())
    }

    fn policies(&self, _: Route<'_>) -> Result<Vec<PolicyObject>> {
        Ok(self.content().policies.clone())
    }

    fn holds_sealed_data(&self) -> Result<bool> {
        Ok(!self.content().credentials.is_empty())
    }

    fn some_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        let content = self.content();
        let records = content.credentials.iter().filter_map(|(id, stored)| {
            let record = stored.record.clone()?;
            Some((*id, record))
        });
        Ok(records.take(limit).collect())
    }

    fn credential(&self, id: ObjectId, _: Option<&str>) -> Result<StoredCredential> {
        Ok(self.content().credentials.get(&id).cloned().unwrap_or_default())
    }

    fn apply(&self, change: CredentialChange) -> Result<Applied> {
        let mut content = self.content();
        if !content.mailboxes.iter().any(|m| m.object_id == change.mailbox) {
            return Err(Error::new(ErrorCode::ManagementObjectNotFound, "The mailbox is gone."));
        }
        let stored = content.credentials.entry(change.mailbox).or_default();
        let counter_holds = match &change.counter {
            CounterChange::Swap(swap) => swap.expected == stored.counter,
            CounterChange::Keep | CounterChange::Set(_) => true,
        };
        let record_holds = match &change.record {
            Some(swap) => swap.expected == stored.record,
            None => stored.record.is_some(),
        };
        if !(counter_holds && record_holds) {
            return Ok(Applied::Conflict);
        }
        if let Some(swap) = change.record {
            stored.record = Some(swap.new);
        }
        match change.counter {
            CounterChange::Keep => {}
            CounterChange::Set(new) => stored.counter = Some(new),
            CounterChange::Swap(swap) => stored.counter = Some(swap.new),
        }
        content.outbox.extend(change.message);
        content.audit.extend(change.audit);
        Ok(Applied::Committed)
    }

    fn import(&self, plan: &ImportPlan, _audit: Option<&AuditBatch>, _dry_run: bool) -> Result<ImportCounts> {
        let mut content = self.content();
        for row in &plan.policies {
            content.policies.retain(|p| p.settings.name != row.settings.name);
            content.policies.push(PolicyObject {
                guid: Uuid::new_v4(),
                distinguished_name: None,
                settings: row.settings.clone(),
            });
        }
        for row in plan.mailboxes.iter().cloned() {
            let mailbox = row.mailbox;
            let names = mailbox.primary_smtp_address.iter().chain([&mailbox.name]);
            let names = names.filter_map(|name| Identity::parse(name).ok()).collect();
            content.names.push(names);
            let guid = mailbox.guid.unwrap_or_else(Uuid::new_v4);
            content
                .mailboxes
                .push(mailbox.with_ids(ObjectId(*Uuid::new_v4().as_bytes()), guid));
        }
        Ok(ImportCounts::default())
    }
}

/// Keeps no entries, so it has none to show.
impl AuditLog for Memory {
    fn log_kind(&self) -> LogKind {
        LogKind::Store
    }

    fn source(&self) -> String {
        "memory".to_owned()
    }

    fn page(&self, _: LogCursor, _: usize) -> Result<LogPage> {
        Ok(LogPage {
            items: Vec::new(),
            next: None,
            ending: Ending::default(),
        })
    }
}

/// Shares its lock, as a store shares its transaction, with the change. Nothing here gives a message up or asks for one alone.
impl Outbox for Memory {
    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        let held = self.defer(lease, until, "")?;
        Ok(held.then_some(Lease { until, ..lease }))
    }

    fn lease_due(
        &self,
        due: Timestamp,
        _: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>> {
        let mut content = self.content();
        let due = content.outbox.iter_mut().filter(|entry| entry.leased_until <= due);
        let lease = |entry: &mut OutboxEntry| {
            entry.leased_until = lease_until;
            entry.clone()
        };
        Ok(due.take(limit).map(lease).collect())
    }

    fn lease(&self, id: [u8; 16], _: Timestamp, _: Timestamp) -> Result<Option<OutboxEntry>> {
        panic!("nobody asks for the message {id:?} alone")
    }

    fn remove(&self, id: [u8; 16]) -> Result<()> {
        self.content().outbox.retain(|entry| entry.id != id);
        Ok(())
    }

    fn discard(&self, id: [u8; 16], audit: Option<AuditBatch>) -> Result<()> {
        self.content().audit.extend(audit);
        self.remove(id)
    }

    fn defer(&self, lease: Lease, until: Timestamp, _: &str) -> Result<bool> {
        let mut content = self.content();
        let entry = content.outbox.iter_mut().find(|entry| entry.lease() == lease);
        Ok(entry.map(|entry| entry.leased_until = until).is_some())
    }

    fn fail(&self, lease: Lease, _: Timestamp, error: &str, _: Option<AuditBatch>) -> Result<bool> {
        panic!("the message {:?} was given up: {error}", lease.id)
    }

    fn take_failures(&self) -> Result<Vec<OutboxEntry>> {
        Ok(Vec::new())
    }

    fn entries(&self, _: Option<ObjectId>, _: Option<&str>, _: usize) -> Result<Page<OutboxEntry>> {
        Ok(Page {
            items: self.content().outbox.clone(),
            next: None,
        })
    }
}

/// Keeps what it delivers: recipient and content.
#[derive(Default)]
pub struct Mails(Mutex<Vec<(String, String)>>);

impl Mails {
    pub fn delivered(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notifier for Mails {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError> {
        let content = String::from_utf8(message.content.to_vec()).expect("a message is ASCII");
        self.delivered().push((message.recipient.clone(), content));
        Ok(())
    }

    fn uncollected(&self) -> Option<usize> {
        None
    }

    fn from(&self) -> &'static str {
        "Unified Messaging <um@contoso.com>"
    }
}

/// A clock that is set by hand.
pub struct Watch(pub AtomicI64);

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Always the same key.
pub struct OneKey;

impl Keys for OneKey {
    fn exists(&self) -> bool {
        true
    }

    fn load(&self) -> Result<KeyRing> {
        Ok(KeyRing::new(&MasterKey::new(&[0x6b; 32]), &[]))
    }

    fn create_active(&self) -> Result<KeyRing> {
        self.load()
    }
}
