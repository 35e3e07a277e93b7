//! The store's own locks.
//!
//! SQLite's POSIX locks belong to the process: they all vanish when *any* descriptor of the file is closed in it, and the
//! administrator's `Get-FileHash` or `Copy-Item` runs in the same process as we do. So SQLite's locks are taken for nothing here;
//! what keeps processes and threads apart is `<db>.lock`, locked with `flock` (on Windows `LockFileEx`), which belongs to the open
//! file description. Each connection has a description of its own.
//!
//! `<db>.gate` is a turnstile: whoever wants the lock, shared or exclusive, first takes the gate and keeps it until he has the lock.
//! So a writer that waits for the readers inside lets no new ones in, and the readers behind it have the same chance as any writer.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{busy, io};
use umpin_core::Result;

/// How the lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// With other readers.
    Shared,
    /// Alone: writing, checkpoints, opening a connection.
    Exclusive,
}

/// When waiting ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    allowed: Duration,
    at: Instant,
}

impl Deadline {
    pub(super) fn after(allowed: Duration) -> Self {
        // A time-out beyond what the clock can count is "for ever": a year.
        let at = Instant::now()
            .checked_add(allowed)
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(31_536_000));
        Self { allowed, at }
    }
}

/// The two lock files, opened once per connection.
#[derive(Debug)]
pub(super) struct StoreLock {
    main: File,
    gate: File,
}

impl StoreLock {
    pub(super) fn new(main: File, gate: File) -> Self {
        Self { main, gate }
    }

    /// The open lock file, to see whether it still is the one at its path.
    pub(super) fn file(&self) -> &File {
        &self.main
    }

    /// Waits for the lock. `flock` itself would wait for ever on a stopped process, hence asking again after jittered pauses.
    pub(super) fn acquire(self: &Arc<Self>, mode: Mode, deadline: Deadline, store: &Path) -> Result<Held> {
        let mut pause = Pause::new(deadline);
        while !try_lock(&self.gate, Mode::Exclusive, store)? {
            pause.wait(store)?;
        }
        let _gate = Gate(&self.gate);
        let mut pause = Pause::new(deadline);
        while !try_lock(&self.main, mode, store)? {
            pause.wait(store)?;
        }
        Ok(Held(Arc::clone(self)))
    }

    /// The exclusive lock if it is free at once.
    pub(super) fn try_exclusive(self: &Arc<Self>, store: &Path) -> Result<Option<Held>> {
        Ok(try_lock(&self.main, Mode::Exclusive, store)?.then(|| Held(Arc::clone(self))))
    }
}

fn try_lock(file: &File, mode: Mode, store: &Path) -> Result<bool> {
    let answer = match mode {
        Mode::Shared => file.try_lock_shared(),
        Mode::Exclusive => file.try_lock(),
    };
    match answer {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(io(error, "lock the directory", store)),
    }
}

/// The lock while it is held. (Releasing cannot fail; the system would release it with the descriptor anyway.)
#[derive(Debug)]
pub(super) struct Held(Arc<StoreLock>);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.main.unlock();
    }
}

struct Gate<'a>(&'a File);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Ever longer pauses: a lock is held for microseconds by a reader and for one sync by a writer.
struct Pause {
    deadline: Deadline,
    round: u32,
}

impl Pause {
    fn new(deadline: Deadline) -> Self {
        Self { deadline, round: 0 }
    }

    fn wait(&mut self, store: &Path) -> Result<()> {
        let now = Instant::now();
        if now >= self.deadline.at {
            return Err(busy(store, self.deadline.allowed));
        }
        self.round += 1;
        let micros = match self.round {
            1..=8 => rand::random_range(50..=300),
            _ => rand::random_range(1_000..=10_000),
        };
        std::thread::sleep(Duration::from_micros(micros).min(self.deadline.at - now));
        Ok(())
    }
}
