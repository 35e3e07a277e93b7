//! A pool of connections to the relay.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;

/// Relays limit the connections of a client (Exchange 20, Postfix 50), and one connection keeps up with the key derivations of several
/// processors.
const MAX_CONNECTIONS: usize = 4;

/// Relays close idle connections after minutes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// At most [`MAX_CONNECTIONS`] connections, in use or idle.
#[derive(Default)]
pub(super) struct Pool {
    state: Mutex<PoolState>,
    released: Condvar,
}

#[derive(Default)]
struct PoolState {
    idle: Vec<(Instant, Connection)>,
    in_use: usize,
}

/// A permit for one connection, with an idle one if there is one.
pub(super) struct PoolPermit<'a> {
    pool: &'a Pool,
    pub connection: Option<Connection>,
    /// Since when the connection is idle.
    pub idle_since: Instant,
}

impl PoolPermit<'_> {
    /// Closes the connections that have been idle for as long as this one, which failed: they have likely failed too.
    pub(super) fn discard_stale(&self) {
        self.pool
            .lock()
            .idle
            .retain(|(idle_since, _)| *idle_since > self.idle_since);
    }
}

impl Pool {
    /// Waits for a permit; `None` if there is none within the limit.
    pub(super) fn acquire(&self, limit: Duration) -> Option<PoolPermit<'_>> {
        let state = self.lock();
        let (mut state, _) = self
            .released
            .wait_timeout_while(state, limit, |state| state.in_use >= MAX_CONNECTIONS)
            .unwrap_or_else(PoisonError::into_inner);
        if state.in_use >= MAX_CONNECTIONS {
            return None;
        }
        state.in_use += 1;
        let expired: Vec<_> = state
            .idle
            .extract_if(.., |(idle_since, _)| idle_since.elapsed() > IDLE_TIMEOUT)
            .collect();
        let idle = state.idle.pop();
        drop(state);
        for (_, connection) in expired {
            connection.close();
        }
        let idle_since = idle.as_ref().map_or_else(Instant::now, |(idle_since, _)| *idle_since);
        Some(PoolPermit {
            pool: self,
            connection: idle.map(|(_, connection)| connection),
            idle_since,
        })
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        // The state is consistent whenever the lock is released.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the connection to the pool.
impl Drop for PoolPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.in_use -= 1;
        state
            .idle
            .extend(self.connection.take().map(|connection| (Instant::now(), connection)));
        drop(state);
        self.pool.released.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (_, connection) in state.idle.drain(..) {
            connection.close();
        }
    }
}
