//! A circuit breaker: after a delivery that timed out, later ones fail at once for a while, so that a relay that discards packets does not
//! delay each of a thousand resets by its timeout.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::SmtpError;

/// Timeouts that took less do not open the circuit.
const SLOW: Duration = Duration::from_secs(1);
/// The circuit stays open for this many times as long as the delivery took.
const OPEN_FACTOR: u32 = 4;
const MAX_OPEN: Duration = Duration::from_secs(120);

#[derive(Default)]
pub(super) struct CircuitBreaker(Mutex<Option<(Instant, SmtpError)>>);

impl CircuitBreaker {
    /// The error that opened the circuit, while it is open.
    pub(super) fn open_error(&self) -> Option<SmtpError> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .as_ref()
            .filter(|(until, _)| Instant::now() < *until)
            .map(|(_, error)| error.clone())
    }

    /// Opens the circuit after a slow timeout, and closes it otherwise.
    pub(super) fn record(&self, elapsed: Duration, error: Option<&SmtpError>) {
        let open = error
            .filter(|error| error.timed_out && elapsed >= SLOW)
            .map(|error| (Instant::now() + (elapsed * OPEN_FACTOR).min(MAX_OPEN), error.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }
}
