//! Attempts to sign in at one mailbox run one at a time in this process.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::cas_retry::DEADLINE;
use crate::mailbox::ObjectId;
use crate::{Error, ErrorCode, Result};

/// What a lock is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum LockKey {
    /// A mailbox, by whichever of its names.
    Mailbox(ObjectId),
    /// A name that is no mailbox's, hashed under a key of this process: its length costs nothing, and nobody can make two names
    /// wait for each other.
    Nobody(u64),
}

/// At most one attempt to sign in at a time at each mailbox, as far as this process goes. So as many attackers as there are
/// processes compete with an administrator's change, and not as many as there are threads; and they lose no races among
/// themselves, each of which would cost them a write.
///
/// Names that are no mailbox's are locked as well, because waiting takes time, and time tells.
#[derive(Default)]
pub(super) struct KeyedMutex {
    /// No more than there are threads that sign in.
    locked: Mutex<HashSet<LockKey>>,
    released: Condvar,
    key: RandomState,
}

/// Holds the lock of one key until it is dropped.
pub(super) struct KeyedGuard<'a> {
    mutex: &'a KeyedMutex,
    subject: LockKey,
}

impl KeyedMutex {
    /// The key for a name that is no mailbox's.
    pub(super) fn key_of_name(&self, name: impl Hash) -> LockKey {
        LockKey::Nobody(self.key.hash_one(name))
    }

    /// The lock, if it is free now.
    pub(super) fn try_lock(&self, subject: LockKey) -> Option<KeyedGuard<'_>> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.insert(subject).then(|| KeyedGuard { mutex: self, subject })
    }

    /// Waits for the lock, but no longer than a change may take. An error calls the subject by `name`.
    pub(super) fn lock(&self, subject: LockKey, name: &str) -> Result<KeyedGuard<'_>> {
        let deadline = Instant::now() + DEADLINE;
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        while !locked.insert(subject) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    ErrorCode::WriteConflict,
                    format!("Other attempts at \"{name}\" were before this one for too long; no attempt was made."),
                ));
            }
            locked = self
                .released
                .wait_timeout(locked, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(KeyedGuard { mutex: self, subject })
    }
}

impl Drop for KeyedGuard<'_> {
    fn drop(&mut self) {
        let mut locked = self.mutex.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.remove(&self.subject);
        drop(locked);
        self.mutex.released.notify_all();
    }
}
