//! Between sealed bytes and records: which key, which context, and what a failure means.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::random_id;
use crate::audit::{AuditBatch, AuditLog, ChainKeys};
use crate::credential::counter::FailureCounter;
use crate::credential::keyring::KeyRing;
use crate::credential::master_key::Purpose;
use crate::credential::record::CredentialRecord;
use crate::credential::seal::{OpenError, SealContext};
use crate::directory::key_register::{RetiredKey, is_replaced};
use crate::directory::{Directory, Found, StoredCredential};
use crate::keys::Keys;
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::Outbox;
use crate::{Error, ErrorCode, Result};

const RIGHT_KEY: &str =
    "Restore the key file that belongs to this directory, or add it to \"keys\" in the configuration.";

/// How often keys are loaded while others replace them.
const RING_ATTEMPTS: u32 = 5;

/// Records that a key is tried on before it is used.
const KEY_SAMPLES: usize = 8;

/// A mailbox's record as it was read.
#[derive(Clone)]
pub(super) struct LoadedRecord {
    /// Where it was read, and where alone it can be changed.
    pub controller: Option<String>,
    pub stored: StoredCredential,
    pub record: CredentialRecord,
}

/// Opens and seals records, counters and messages; knows the keys.
pub(super) struct Records {
    directory: Arc<dyn Directory>,
    keys: Arc<dyn Keys>,
    /// Keeps which keys were replaced.
    outbox: Arc<dyn Outbox>,
    log: Arc<dyn AuditLog>,
    /// The key ring, loaded at first need and kept for the session.
    loaded: Mutex<Option<Arc<KeyRing>>>,
}

impl Records {
    pub(super) fn new(
        directory: Arc<dyn Directory>,
        keys: Arc<dyn Keys>,
        outbox: Arc<dyn Outbox>,
        log: Arc<dyn AuditLog>,
    ) -> Self {
        Self {
            directory,
            keys,
            outbox,
            log,
            loaded: Mutex::default(),
        }
    }

    /// The keys, for reading: loaded once. Never makes one.
    pub(super) fn ring(&self) -> Result<Arc<KeyRing>> {
        let slot = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ring) = &*slot {
            return Ok(Arc::clone(ring));
        }
        drop(slot);
        self.ring_on_disk()
    }

    /// The keys, for a change; the first change of a fresh or future store makes one.
    ///
    /// A store that already holds sealed data never gets a new key: its own is missing, which is `KeyUnavailable`.
    pub(super) fn ring_for_change(&self) -> Result<Arc<KeyRing>> {
        if !self.keys.exists() && !self.directory.holds_sealed_data()? {
            self.keys.create_active()?;
        }
        self.ring_on_disk()
    }

    /// The keys as they lie on the disk now: a long session must not go on sealing under a key that is gone, was replaced or
    /// can be read by others since.
    pub(super) fn ring_on_disk(&self) -> Result<Arc<KeyRing>> {
        let mut slot = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slot.take();
        let mut attempt = 1;
        let ring = loop {
            let ring = self.load_ring()?;
            if let Some(known) = known.as_ref().filter(|known| known.is_same(&ring)) {
                break Arc::clone(known);
            }
            match self.check_ring(&ring) {
                Ok(()) => break Arc::new(ring),
                // What was looked at is perhaps sealed under a key that has become active since the keys were loaded.
                Err(_) if attempt < RING_ATTEMPTS && !self.load_ring()?.is_same(&ring) => attempt += 1,
                Err(error) => return Err(error),
            }
        };
        *slot = Some(Arc::clone(&ring));
        Ok(ring)
    }

    /// The keys, for an attempt to sign in, which asks for them before it looks anybody up: a lost key is told to everybody, and
    /// not only to those whose mailbox has a record. `None`: nothing was sealed yet.
    pub(super) fn ring_for_attempts(&self) -> Result<Option<Arc<KeyRing>>> {
        if !self.keys.exists() && !self.directory.holds_sealed_data()? {
            return Ok(None);
        }
        self.ring_on_disk().map(Some)
    }

    /// The keys as they lie on the disk, not compared with what is stored.
    pub(super) fn unchecked_ring(&self) -> Result<Arc<KeyRing>> {
        self.keys.load().map(Arc::new)
    }

    /// Records audit entries; where the key was replaced since, under the new one.
    pub(super) fn with_current_keys<T>(
        &self,
        batch: AuditBatch,
        record: impl Fn(&AuditBatch) -> Result<T>,
    ) -> Result<T> {
        match record(&batch) {
            Err(error) if is_replaced(&error) => record(&self.rekeyed(batch)?),
            recorded => recorded,
        }
    }

    /// The same entries, to be bound by the key that is active now.
    pub(super) fn rekeyed(&self, batch: AuditBatch) -> Result<AuditBatch> {
        let keys = ChainKeys::new(self.ring_on_disk()?.chain_keys());
        Ok(AuditBatch { keys, ..batch })
    }

    /// The keys, with what the store says of those that were replaced: under these nothing is sealed any more, whatever the
    /// configuration calls active.
    fn load_ring(&self) -> Result<KeyRing> {
        let Some(register) = self.outbox.key_register() else {
            return self.keys.load();
        };
        let mut attempt = 1;
        loop {
            // First the store: the file of a key that it knows as a successor was there before.
            let retired = register.retired_keys()?;
            let ring = self.load_led_ring(&retired);
            // Another key may have become active since, and this one's file be gone.
            if ring.is_ok() || attempt == RING_ATTEMPTS || register.retired_keys()? == retired {
                return ring;
            }
            attempt += 1;
        }
    }

    fn load_led_ring(&self, retired: &[RetiredKey]) -> Result<KeyRing> {
        let mut ring = self.keys.load()?;
        let mut active = ring.active();
        // As often as there are replacements at most: whoever writes a circle into the store stops there.
        for _ in 0..retired.len() {
            match retired.iter().find(|key| key.id == active) {
                Some(key) => active = key.successor,
                None => break,
            }
        }
        if !ring.activate(active) {
            return Err(Error::new(
                ErrorCode::KeyUnavailable,
                format!(
                    "The key {} in use was replaced by a key that is not configured (key id {active}).",
                    ring.active()
                ),
            )
            .action("Copy the key file with this key id beside the one in use, under its name with '.' and the key id added.")
            .detail("keyId", active.to_string()));
        }
        for key in retired {
            ring.add_former(key.id, &key.audit_key)?;
        }
        Ok(ring)
    }

    /// Opens a sealed value; where its key is not known, under the keys as they lie on the disk by now.
    pub(super) fn open_sealed(
        &self,
        purpose: Purpose,
        context: &SealContext,
        sealed: &[u8],
    ) -> Result<std::result::Result<Zeroizing<Vec<u8>>, OpenError>> {
        match self.ring()?.open(purpose, context, sealed) {
            Err(OpenError::UnknownKey(_)) => Ok(self.ring_on_disk()?.open(purpose, context, sealed)),
            opened => Ok(opened),
        }
    }

    /// A key that opens nothing of what is there is not this store's: sealing under it would divide the store between two
    /// keys, and putting the right one back would then lose what was sealed meanwhile.
    fn check_ring(&self, ring: &KeyRing) -> Result<()> {
        let samples = self.directory.some_records(KEY_SAMPLES)?;
        let mut unknown = None;
        for (object_id, sealed) in samples {
            let context = self.seal_context(object_id)?;
            match ring.open(Purpose::Record, &context, &sealed) {
                Ok(_) => return Ok(()),
                Err(OpenError::UnknownKey(id)) => unknown = Some(id),
                // One record's fault is told when that record is wanted.
                Err(OpenError::Damaged | OpenError::UnsupportedVersion(_)) => {}
            }
        }
        match unknown {
            None => self.check_ring_by_audit(ring),
            Some(id) => Err(Error::new(
                ErrorCode::KeyUnavailable,
                format!(
                    "The PIN records in {} are sealed under a key that is not configured (key id {id}).",
                    self.directory.location()
                ),
            )
            .action(RIGHT_KEY)),
        }
    }

    /// Where no record tells, such as after imports alone, the audit log does: every entry names the key that binds it.
    fn check_ring_by_audit(&self, ring: &KeyRing) -> Result<()> {
        // A log that cannot be read tells nothing here; whoever must write to it is told why that fails.
        let Ok(Some((id, _))) = self.log.newest() else {
            return Ok(());
        };
        if ring.chain_keys().iter().any(|key| key.id() == id) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::KeyUnavailable,
            format!(
                "The audit log in {} is bound with a key that is not configured (audit key id {id}).",
                self.log.source()
            ),
        )
        .action(RIGHT_KEY))
    }

    pub(super) fn seal_context(&self, object_id: ObjectId) -> Result<SealContext> {
        Ok(SealContext {
            store_id: self.directory.store_id()?,
            object_id,
        })
    }

    /// Opens the record that was read with the mailbox, or else reads it; a mailbox without one has never had a PIN.
    pub(super) fn read_record(&self, found: &Found) -> Result<LoadedRecord> {
        let (mailbox, controller) = (&found.mailbox, found.controller.clone());
        let stored = match &found.stored {
            Some(stored) => stored.clone(),
            None => self.directory.credential(mailbox.object_id, controller.as_deref())?,
        };
        let record = match &stored.record {
            None => CredentialRecord::never_set(random_id()?),
            Some(sealed) => {
                let context = self.seal_context(mailbox.object_id)?;
                let plain = self
                    .open_sealed(Purpose::Record, &context, sealed)?
                    .map_err(|e| self.cannot_open(mailbox, e))?;
                CredentialRecord::decode(&plain).map_err(|e| self.damaged(mailbox).caused_by(e))?
            }
        };
        Ok(LoadedRecord {
            controller,
            stored,
            record,
        })
    }

    /// The record on that controller and on no other: another one may not have the latest change yet. `None`: the mailbox is gone.
    pub(super) fn look(
        &self,
        mailbox: ObjectId,
        controller: Option<&str>,
    ) -> Result<Option<(StoredCredential, CredentialRecord)>> {
        let stored = match self.directory.credential(mailbox, controller) {
            Ok(stored) => stored,
            Err(error) if error.code() == ErrorCode::ManagementObjectNotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let record = match &stored.record {
            // A first PIN: a fence writes a record without one, so that a late request finds something where it expects nothing.
            None => CredentialRecord::never_set(random_id()?),
            Some(sealed) => self.unsealed(mailbox, sealed)?,
        };
        Ok(Some((stored, record)))
    }

    pub(super) fn unsealed(&self, mailbox: ObjectId, sealed: &[u8]) -> Result<CredentialRecord> {
        let context = self.seal_context(mailbox)?;
        let plain = self.open_sealed(Purpose::Record, &context, sealed)??;
        CredentialRecord::decode(&plain)
            .map_err(|e| Error::new(ErrorCode::StoreCorrupt, "The PIN record is damaged.").caused_by(e))
    }

    /// Reads what was not read with the mailboxes, for all of them together: what fails for one of them is told of that one.
    pub(super) fn with_values(&self, found: Vec<Found>) -> Result<Vec<(Found, Result<()>)>> {
        let mut unread: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
        for (index, found) in found.iter().enumerate().filter(|(_, found)| found.stored.is_none()) {
            unread.entry(found.controller.clone()).or_default().push(index);
        }
        let mut all: Vec<_> = found.into_iter().map(|found| (found, Ok(()))).collect();
        for (controller, indexes) in unread {
            let ids: Vec<ObjectId> = indexes.iter().map(|&index| all[index].0.mailbox.object_id).collect();
            let values = self.directory.credentials(&ids, controller.as_deref())?;
            for (index, stored) in indexes.into_iter().zip(values) {
                let (found, read) = &mut all[index];
                match stored {
                    Ok(stored) => found.stored = Some(stored),
                    Err(error) => *read = Err(error),
                }
            }
        }
        Ok(all)
    }

    /// The failed sign-ins that count under a record. Read apart from it, because a reset must not fail for what it replaces.
    pub(super) fn counter_of(&self, mailbox: &Mailbox, loaded: &LoadedRecord) -> Result<FailureCounter> {
        let epoch = loaded.record.epoch;
        let Some(sealed) = &loaded.stored.counter else {
            return Ok(FailureCounter::zero(epoch));
        };
        let context = self.seal_context(mailbox.object_id)?;
        let plain = self
            .open_sealed(Purpose::Counter, &context, sealed)?
            .map_err(|e| self.cannot_open(mailbox, e))?;
        let counter = FailureCounter::decode(&plain).map_err(|e| self.damaged(mailbox).caused_by(e))?;
        Ok(counter.under(epoch))
    }

    fn cannot_open(&self, mailbox: &Mailbox, error: OpenError) -> Error {
        match error {
            OpenError::UnknownKey(id) => Error::new(
                ErrorCode::KeyUnavailable,
                format!(
                    "The PIN record of \"{}\" in {} is sealed under a key that is not configured (key id {}).",
                    mailbox.identity(),
                    self.directory.location(),
                    id
                ),
            )
            .action(RIGHT_KEY),
            OpenError::Damaged => self.damaged(mailbox),
            OpenError::UnsupportedVersion(_) => Error::new(
                ErrorCode::StoreCorrupt,
                format!(
                    "The PIN record of \"{}\" in {} has a format that this version does not know.",
                    mailbox.identity(),
                    self.directory.location()
                ),
            )
            .action("Use a newer version of umpin, or restore the directory from a backup."),
        }
        .detail("identity", mailbox.identity())
    }

    fn damaged(&self, mailbox: &Mailbox) -> Error {
        Error::new(
            ErrorCode::StoreCorrupt,
            format!(
                "The PIN record of \"{}\" in {} is damaged or belongs to another mailbox.",
                mailbox.identity(),
                self.directory.location()
            ),
        )
        .action("Restore the record, or clear it with Clear-UMMailboxPIN, then reset the PIN.")
    }
}
