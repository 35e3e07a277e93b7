//! Compare-and-swap against other writers: how long and how often it is tried.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Service, random_id};
use crate::directory::{Found, Route};
use crate::mailbox::{Mailbox, ObjectId};
use crate::service::resolve::require_um_enabled;
use crate::{Error, ErrorCode, Result};

/// How long a change keeps trying when other writers are faster.
const DEADLINE: Duration = Duration::from_secs(10);

/// Who gives way. Constant guessing must not keep an administrator waiting: with automatic resets it changes the record again
/// and again.
#[derive(Clone, Copy)]
pub(super) enum RetryPriority {
    /// An administrator's change: retries after up to 5 ms.
    Administrator,
    /// An attempt to sign in: retries after up to 80 ms in the end.
    SignIn,
}

/// One change's attempts.
pub(super) struct CasRetry {
    priority: RetryPriority,
    deadline: Instant,
    lost: u32,
}

impl CasRetry {
    pub(super) fn begin(priority: RetryPriority) -> Self {
        Self {
            priority,
            deadline: Instant::now() + DEADLINE,
            lost: 0,
        }
    }

    /// The number of the attempt that is under way, from 1.
    pub(super) fn attempt(&self) -> u32 {
        self.lost + 1
    }

    /// Another writer was first, or the controller was out of reach: waits a random moment, or gives up.
    pub(super) fn retry(&mut self, mailbox: &Mailbox) -> Result<()> {
        self.lost += 1;
        if Instant::now() >= self.deadline {
            return Err(Error::new(
                ErrorCode::WriteConflict,
                format!(
                    "Other writers changed the PIN record of \"{}\" {} times while it was being changed; nothing was changed.",
                    mailbox.identity(),
                    self.lost
                ),
            ));
        }
        std::thread::sleep(self.jitter()?);
        Ok(())
    }

    /// A random moment; for whoever gives way up to twice as long after each lost race.
    fn jitter(&self) -> Result<Duration> {
        let doubled = match self.priority {
            RetryPriority::Administrator => 0,
            RetryPriority::SignIn => self.lost.min(5).saturating_sub(1),
        };
        let range = 5_000_u64 << doubled;
        let [low, high, ..] = random_id()?;
        Ok(Duration::from_micros(
            u64::from(u16::from_le_bytes([low, high])) * range / 65_536,
        ))
    }
}

/// What attempts to sign in take mutex at.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
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
/// Names that are no mailbox's have mutex as well, because waiting takes time, and time tells.
#[derive(Default)]
pub(super) struct KeyedMutex {
    /// No more than there are threads that sign in.
    taken: Mutex<HashSet<Subject>>,
    given_back: Condvar,
    key: RandomState,
}

/// One subject's turn, given back when dropped.
pub(super) struct KeyedGuard<'a> {
    mutex: &'a KeyedMutex,
    subject: Subject,
}

impl KeyedMutex {
    /// What attempts at a name that is no mailbox's take mutex at.
    pub(super) fn nobody(&self, name: impl Hash) -> Subject {
        Subject::Nobody(self.key.hash_one(name))
    }

    /// The turn if it is free at once.
    pub(super) fn try_lock(&self, subject: Subject) -> Option<KeyedGuard<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(subject).then(|| KeyedGuard { mutex: self, subject })
    }

    /// Waits for the turn, but no longer than a change may take. An error calls the subject by `name`.
    pub(super) fn take(&self, subject: Subject, name: &str) -> Result<KeyedGuard<'_>> {
        let deadline = Instant::now() + DEADLINE;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while !taken.insert(subject) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    ErrorCode::WriteConflict,
                    format!("Other attempts at \"{name}\" were before this one for too long; no attempt was made."),
                ));
            }
            taken = self
                .given_back
                .wait_timeout(taken, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(KeyedGuard { mutex: self, subject })
    }
}

impl Drop for KeyedGuard<'_> {
    fn drop(&mut self) {
        let mut taken = self.mutex.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.subject);
        drop(taken);
        self.mutex.given_back.notify_all();
    }
}

impl Service {
    /// The same object as it is by now, by its immutable id and never by what was typed.
    pub(super) fn again(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<Found> {
        let found = self.directory().find_by_object_id(mailbox.object_id, route)?;
        let found = found.ok_or_else(|| {
            Error::new(
                ErrorCode::ManagementObjectNotFound,
                format!(
                    "The mailbox \"{}\" was removed from {} while its PIN was being changed.",
                    mailbox.identity(),
                    self.directory().location()
                ),
            )
        })?;
        require_um_enabled(&found.mailbox)?;
        Ok(found)
    }
}
