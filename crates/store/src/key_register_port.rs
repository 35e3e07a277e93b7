//! The port to the keys that were replaced, implemented by the store.

use super::command::Command;
use super::key_register::{self, all, messages};
use super::{EmbeddedDirectory, LocalOutbox};
use umpin_core::Result;
use umpin_core::audit::AuditBatch;
use umpin_core::credential::master_key::KeyId;
use umpin_core::directory::key_register::{KeyRegister, RetiredKey, Retirement, SealedMessage};

impl KeyRegister for EmbeddedDirectory {
    fn retired_keys(&self) -> Result<Vec<RetiredKey>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(all)
    }

    fn retire(&self, step: Retirement) -> Result<()> {
        self.write(Command::new(move |c| key_register::retire(c, &step)))
    }

    fn messages_under_others(&self, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<SealedMessage>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(|c| messages(c, key, after, limit))
    }

    fn reseal_message(&self, message: &SealedMessage, new: Vec<u8>) -> Result<bool> {
        let (id, sealed) = (message.id, message.sealed.clone());
        self.write(Command::new(move |c| {
            key_register::reseal_message(c, id, &sealed, &new)
        }))
    }

    fn conclude(&self, operation: [u8; 16], is_done: bool, audit: Option<AuditBatch>) -> Result<()> {
        self.write(Command::new(move |c| {
            key_register::conclude(c, operation, is_done, audit.as_ref())
        }))
    }
}

impl KeyRegister for LocalOutbox {
    fn retired_keys(&self) -> Result<Vec<RetiredKey>> {
        self.store().retired_keys()
    }

    fn retire(&self, step: Retirement) -> Result<()> {
        // There is no file before the first change.
        self.store().ensure()?;
        self.store().retire(step)
    }

    fn messages_under_others(&self, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<SealedMessage>> {
        self.store().messages_under_others(key, after, limit)
    }

    fn reseal_message(&self, message: &SealedMessage, new: Vec<u8>) -> Result<bool> {
        self.store().reseal_message(message, new)
    }

    fn conclude(&self, operation: [u8; 16], is_done: bool, audit: Option<AuditBatch>) -> Result<()> {
        self.store().conclude(operation, is_done, audit)
    }
}
