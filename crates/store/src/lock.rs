//! The store's own locks.
//!
//! POSIX locks, which SQLite uses, belong to the process: all of them are released when *any* descriptor of the file is closed, and
//! `Get-FileHash` or `Copy-Item` of an administrator run in the process of this library. So SQLite's locks cannot be relied on.
//! Processes and threads exclude each other by `<db>.lock`, locked with `flock` (on Windows `LockFileEx`), which belongs to the open
//! file description. Each connection has its own description.
//!
//! `<db>.gate` is a turnstile: whoever acquires the lock, shared or exclusive, first takes the turnstile and keeps it until the lock is
//! acquired. So a writer that waits for readers lets no new ones pass, and the readers behind it have the same chance as any writer.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{busy, io};
use umpin_core::Result;

/// The mode of the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// With other readers.
    Shared,
    /// Alone: writing, checkpoints, opening a connection.
    Exclusive,
}

/// The end of a wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    allowed: Duration,
    at: Instant,
}

impl Deadline {
    pub(super) fn after(allowed: Duration) -> Self {
        // A timeout beyond the range of the clock is a year.
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
    turnstile: File,
}

impl StoreLock {
    pub(super) fn new(main: File, turnstile: File) -> Self {
        Self { main, turnstile }
    }

    /// The open lock file, for comparison with the one at its path.
    pub(super) fn file(&self) -> &File {
        &self.main
    }

    /// Waits for the lock. Polls with random delays, because `flock` would wait forever for a stopped process.
    pub(super) fn acquire(self: &Arc<Self>, mode: Mode, deadline: Deadline, store: &Path) -> Result<LockGuard> {
        let mut backoff = Backoff::new(deadline);
        while !try_lock(&self.turnstile, Mode::Exclusive, store)? {
            backoff.wait(store)?;
        }
        let _turnstile = TurnstileGuard(&self.turnstile);
        let mut backoff = Backoff::new(deadline);
        while !try_lock(&self.main, mode, store)? {
            backoff.wait(store)?;
        }
        Ok(LockGuard(Arc::clone(self)))
    }

    /// The exclusive lock, if it is free.
    pub(super) fn try_exclusive(self: &Arc<Self>, store: &Path) -> Result<Option<LockGuard>> {
        Ok(try_lock(&self.main, Mode::Exclusive, store)?.then(|| LockGuard(Arc::clone(self))))
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

/// The held lock. Closing the descriptor would release it, too, so an error of unlocking is ignored.
#[derive(Debug)]
pub(super) struct LockGuard(Arc<StoreLock>);

impl Drop for LockGuard {
    fn drop(&mut self) {
        let _ = self.0.main.unlock();
    }
}

struct TurnstileGuard<'a>(&'a File);

impl Drop for TurnstileGuard<'_> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Delays between attempts: short at first, because a reader holds the lock for microseconds, then as long as a sync of a writer.
struct Backoff {
    deadline: Deadline,
    round: u32,
}

impl Backoff {
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
