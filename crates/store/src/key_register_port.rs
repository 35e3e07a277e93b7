//! The port to the keys that were replaced.

use super::key_register::{KeyTask, all, messages};
use super::task::{Done, Task};
use super::{EmbeddedDirectory, LocalOutbox, misunderstood};
use umpin_core::Result;
use umpin_core::audit::AuditBatch;
use umpin_core::credential::keyring::KeyId;
use umpin_core::directory::key_register::{KeyRegister, RetiredKey, Retirement, SealedMessage};

impl EmbeddedDirectory {
    fn key_task(&self, task: KeyTask) -> Result<bool> {
        match self.write(Task::Key(Box::new(task)))? {
            Done::Key(changed) => Ok(changed),
            _ => Err(misunderstood()),
        }
    }
}

impl KeyRegister for EmbeddedDirectory {
    fn retired_keys(&self) -> Result<Vec<RetiredKey>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(all)
    }

    fn retire(&self, step: Retirement) -> Result<()> {
        self.key_task(KeyTask::Retire(step)).map(drop)
    }

    fn messages_under_others(&self, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<SealedMessage>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(|c| messages(c, key, after, limit))
    }

    fn reseal_message(&self, message: &SealedMessage, new: Vec<u8>) -> Result<bool> {
        let message = SealedMessage {
            id: message.id,
            mailbox: message.mailbox,
            sealed: message.sealed.clone(),
        };
        self.key_task(KeyTask::ResealMessage { message, new })
    }

    fn conclude(&self, operation: [u8; 16], is_done: bool, audit: Option<AuditBatch>) -> Result<()> {
        let task = KeyTask::Conclude {
            operation,
            is_done,
            audit,
        };
        self.key_task(task).map(drop)
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
