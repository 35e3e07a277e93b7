//! Compare-and-swap against other writers: how long and how often it is tried.

use std::time::{Duration, Instant};

use super::{Service, random_id};
use crate::mailbox::Mailbox;
use crate::service::resolve::require_um_enabled;
use crate::{Error, ErrorCode, Result};

/// How long a change keeps trying when other writers are faster.
const DEADLINE: Duration = Duration::from_secs(10);

/// One change's attempts.
pub(super) struct Race {
    deadline: Instant,
    lost: u32,
}

impl Race {
    pub fn begin() -> Self {
        Self {
            deadline: Instant::now() + DEADLINE,
            lost: 0,
        }
    }

    /// The number of the attempt that is under way, from 1.
    pub fn attempt(&self) -> u32 {
        self.lost + 1
    }

    /// Another writer was first: waits a random moment, or gives up.
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
        std::thread::sleep(jitter(self.lost)?);
        Ok(())
    }
}

/// Up to 5 ms after the first lost race, up to 80 ms after the fifth and later ones.
fn jitter(lost: u32) -> Result<Duration> {
    let [low, high, ..] = random_id()?;
    let range = 5_000_u64 << lost.min(5).saturating_sub(1);
    Ok(Duration::from_micros(
        u64::from(u16::from_le_bytes([low, high])) * range / 65_536,
    ))
}

impl Service {
    /// The same object as it is by now, by its immutable id and never by what was typed.
    pub(super) fn again(&self, mailbox: &Mailbox) -> Result<Mailbox> {
        let found = self.directory().find_by_object_id(mailbox.object_id)?.ok_or_else(|| {
            Error::new(
                ErrorCode::ManagementObjectNotFound,
                format!(
                    "The mailbox \"{}\" was removed from {} while its PIN was being changed.",
                    mailbox.identity(),
                    self.directory().location()
                ),
            )
        })?;
        require_um_enabled(&found)?;
        Ok(found)
    }
}
