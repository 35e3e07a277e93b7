//! Compare-and-swap against other writers: how long and how often it is tried.

use std::time::{Duration, Instant};

use super::random_id;
use crate::mailbox::Mailbox;
use crate::{Error, ErrorCode, Result};

/// How long a change keeps trying when other writers are faster.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

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
