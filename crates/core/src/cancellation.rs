//! Cancellation of operations: possible until the commit point; after it the operation finishes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::{Error, ErrorCode, Result};

/// Cancellation was requested.
const REQUESTED: u8 = 1;
/// The operation is at, or past, its commit point.
const COMMITTING: u8 = 2;

/// The cancellation flag of one operation. Clones share the flag; the default one is never set.
///
/// Request and commit point exclude each other in one atomic step: once [`Self::cancel`] has returned true, the operation changes
/// nothing, and the caller need not wait for it.
#[derive(Clone, Default)]
pub struct Cancellation(Option<Arc<Flag>>);

#[derive(Default)]
struct Flag {
    state: AtomicU8,
    #[cfg(any(test, feature = "test-hooks"))]
    at_commit_point: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Cancellation {
    /// The flag of an operation that may be cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self(Some(Arc::default()))
    }

    /// Requests cancellation. True: the operation will change nothing. False: it is past its commit point, or cannot be
    /// cancelled; if its change is refused, it does not try again.
    pub fn cancel(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|flag| flag.state.fetch_or(REQUESTED, Ordering::AcqRel) & COMMITTING == 0)
    }

    /// Whether cancellation was requested, in time or not: further work is not begun.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.state() & REQUESTED != 0
    }

    /// Checks for cancellation, before each expensive step.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn check(&self) -> Result<()> {
        if self.state() == REQUESTED {
            return Err(cancelled());
        }
        Ok(())
    }

    /// Passes the commit point, immediately before the change: after it the operation cannot be cancelled.
    ///
    /// # Errors
    /// `Cancelled`: the change must not be made.
    pub fn enter_commit(&self) -> Result<()> {
        let Some(flag) = &self.0 else { return Ok(()) };
        #[cfg(any(test, feature = "test-hooks"))]
        flag.run_hook();
        match flag
            .state
            .compare_exchange(0, COMMITTING, Ordering::AcqRel, Ordering::Acquire)
        {
            Err(REQUESTED) => Err(cancelled()),
            _ => Ok(()),
        }
    }

    /// Leaves the commit point, because the change was refused: until the next attempt the operation may be cancelled again.
    pub fn leave_commit(&self) {
        if let Some(flag) = &self.0 {
            flag.state.fetch_and(!COMMITTING, Ordering::AcqRel);
        }
    }

    /// Sets a hook that runs once, immediately before the commit point.
    #[cfg(any(test, feature = "test-hooks"))]
    pub fn at_commit_point(&self, hook: impl FnOnce() + Send + 'static) {
        if let Some(flag) = &self.0 {
            *flag.hook() = Some(Box::new(hook));
        }
    }

    fn state(&self) -> u8 {
        self.0.as_ref().map_or(0, |flag| flag.state.load(Ordering::Acquire))
    }
}

#[cfg(any(test, feature = "test-hooks"))]
impl Flag {
    fn hook(&self) -> std::sync::MutexGuard<'_, Option<Box<dyn FnOnce() + Send>>> {
        self.at_commit_point
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn run_hook(&self) {
        let hook = self.hook().take();
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancellation").field(&self.state()).finish()
    }
}

/// Two are equal when they are the same flag.
impl PartialEq for Cancellation {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Cancellation {}

/// The error of an operation that was cancelled in time.
pub fn cancelled() -> Error {
    Error::new(
        ErrorCode::Cancelled,
        "The operation was cancelled; nothing was changed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_before_the_commit_point_stops_and_one_after_it_does_not() {
        let early = Cancellation::new();
        assert!(early.check().is_ok());
        assert!(early.cancel());
        assert_eq!(early.check().unwrap_err().code(), ErrorCode::Cancelled);
        assert_eq!(early.enter_commit().unwrap_err().code(), ErrorCode::Cancelled);

        let late = Cancellation::new();
        late.enter_commit().unwrap();
        assert!(!late.cancel());
        assert!(late.check().is_ok() && late.enter_commit().is_ok());
        assert!(late.is_requested());
    }

    #[test]
    fn a_refused_change_may_be_cancelled_again() {
        let flag = Cancellation::new();
        flag.enter_commit().unwrap();
        flag.leave_commit();
        assert!(flag.enter_commit().is_ok(), "no cancellation was requested");
        assert!(!flag.cancel());
        flag.leave_commit();
        assert_eq!(flag.check().unwrap_err().code(), ErrorCode::Cancelled);
        assert!(flag.enter_commit().is_err());
    }

    #[test]
    fn an_operation_without_a_flag_cannot_be_cancelled() {
        let none = Cancellation::default();
        assert!(!none.cancel() && !none.is_requested());
        assert!(none.check().is_ok() && none.enter_commit().is_ok());
    }

    /// Of one canceller and one committer exactly one wins, however they meet.
    #[test]
    fn exactly_one_side_wins() {
        for _ in 0..2_000 {
            let flag = Cancellation::new();
            let (cancelled, committed) = std::thread::scope(|scope| {
                let canceller = scope.spawn(|| flag.cancel());
                let committer = scope.spawn(|| flag.enter_commit().is_ok());
                (canceller.join().unwrap(), committer.join().unwrap())
            });
            assert_ne!(cancelled, committed);
        }
    }
}
