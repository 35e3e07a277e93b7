//! Compare-and-swap against other writers: how long and how often it is tried.

use std::collections::HashSet;
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
pub(super) enum Manners {
    /// An administrator: comes again at once, after up to 5 ms.
    First,
    /// An attempt to sign in: after up to 80 ms in the end.
    GiveWay,
}

/// One change's attempts.
pub(super) struct Race {
    manners: Manners,
    deadline: Instant,
    lost: u32,
}

impl Race {
    pub fn begin(manners: Manners) -> Self {
        Self {
            manners,
            deadline: Instant::now() + DEADLINE,
            lost: 0,
        }
    }

    /// The number of the attempt that is under way, from 1.
    pub fn attempt(&self) -> u32 {
        self.lost + 1
    }

    /// Another writer was first, or the controller was out of reach: waits a random moment, or gives up.
    pub fn lost(&mut self, mailbox: &Mailbox) -> Result<()> {
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
        let doubled = match self.manners {
            Manners::First => 0,
            Manners::GiveWay => self.lost.min(5).saturating_sub(1),
        };
        let range = 5_000_u64 << doubled;
        let [low, high, ..] = random_id()?;
        Ok(Duration::from_micros(
            u64::from(u16::from_le_bytes([low, high])) * range / 65_536,
        ))
    }
}

/// At most one attempt to sign in at a time at each mailbox, as far as this process goes. So as many attackers as there are
/// processes compete with an administrator's change, and not as many as there are threads; and they lose no races among
/// themselves, each of which would cost them a write.
#[derive(Default)]
pub(super) struct Turns {
    taken: Mutex<HashSet<ObjectId>>,
    given_back: Condvar,
}

/// One mailbox's turn, given back when dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    mailbox: ObjectId,
}

impl Turns {
    /// The turn if it is free at once.
    pub fn try_take(&self, mailbox: &Mailbox) -> Option<Turn<'_>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(mailbox.object_id).then(|| self.turn(mailbox))
    }

    fn turn(&self, mailbox: &Mailbox) -> Turn<'_> {
        Turn {
            turns: self,
            mailbox: mailbox.object_id,
        }
    }

    /// Waits for the turn, but no longer than a change may take.
    pub fn take(&self, mailbox: &Mailbox) -> Result<Turn<'_>> {
        let deadline = Instant::now() + DEADLINE;
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while !taken.insert(mailbox.object_id) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::new(
                    ErrorCode::WriteConflict,
                    format!(
                        "Other attempts at \"{}\" were before this one for too long; no attempt was made.",
                        mailbox.identity()
                    ),
                ));
            }
            taken = self
                .given_back
                .wait_timeout(taken, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        Ok(self.turn(mailbox))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.turns.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.mailbox);
        drop(taken);
        self.turns.given_back.notify_all();
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
