//! Waiting for other threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A value with a condition variable.
#[derive(Default)]
pub(super) struct Monitor<T> {
    value: Mutex<T>,
    changed: Condvar,
}

impl<T> Monitor<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            value: Mutex::new(value),
            changed: Condvar::new(),
        }
    }

    /// Ignores poisoning: a panic under the lock cannot leave an inconsistent value, because each holder changes one field.
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value and wakes every waiter.
    pub(super) fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Waits until `ready` returns a value, for at most `timeout`.
    pub(super) fn wait<R>(&self, timeout: Duration, mut ready: impl FnMut(&mut T) -> Option<R>) -> Option<R> {
        let deadline = Instant::now() + timeout;
        let mut value = self.lock();
        loop {
            if let Some(result) = ready(&mut value) {
                return Some(result);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            value = self
                .changed
                .wait_timeout(value, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits without a timeout.
    pub(super) fn wait_for<R>(&self, mut ready: impl FnMut(&mut T) -> Option<R>) -> R {
        let mut value = self.lock();
        loop {
            if let Some(result) = ready(&mut value) {
                return result;
            }
            value = self.changed.wait(value).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Counts running work whose handle was freed.
#[derive(Default)]
pub(super) struct WaitGroup(Monitor<usize>);

impl WaitGroup {
    pub(super) fn add(&self, count: usize) {
        self.0.update(|running| *running += count);
    }

    pub(super) fn done(&self) {
        self.0.update(|running| *running -= 1);
    }

    /// Waits until the count is 0.
    pub(super) fn wait_until_idle(&self) {
        self.0.wait_for(|running| (*running == 0).then_some(()));
    }
}
