//! Connections kept for the next message.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;

/// Relays limit how many one client may have (Exchange 20, Postfix 50), and one already keeps up with the derivations of
/// several processors.
const MOST: usize = 4;

/// Relays hang up on idle clients after minutes; a younger connection is worth a try.
const IDLE: Duration = Duration::from_secs(60);

/// At most [`MOST`] connections, in use or idle.
#[derive(Default)]
pub(super) struct Pool {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<(Instant, Connection)>,
    in_use: usize,
}

/// The right to one connection, and an idle one where there was one.
pub(super) struct Place<'a> {
    pool: &'a Pool,
    pub connection: Option<Connection>,
    /// Since when it is idle.
    pub since: Instant,
}

impl Place<'_> {
    /// It failed: those that are idle for as long have likely gone the same way, and are hung up on without a word.
    pub(super) fn forget_others(&self) {
        self.pool.lock().idle.retain(|(since, _)| *since > self.since);
    }
}

impl Pool {
    /// Waits for a place; `None` when there is none within the limit.
    pub(super) fn take(&self, limit: Duration) -> Option<Place<'_>> {
        let state = self.lock();
        let (mut state, _) = self
            .freed
            .wait_timeout_while(state, limit, |state| state.in_use >= MOST)
            .unwrap_or_else(PoisonError::into_inner);
        if state.in_use >= MOST {
            return None;
        }
        state.in_use += 1;
        let old: Vec<_> = state.idle.extract_if(.., |(since, _)| since.elapsed() > IDLE).collect();
        let idle = state.idle.pop();
        drop(state);
        for (_, connection) in old {
            connection.close();
        }
        let since = idle.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        Some(Place {
            pool: self,
            connection: idle.map(|(_, connection)| connection),
            since,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is left half-done under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in it by then is kept.
impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.in_use -= 1;
        state
            .idle
            .extend(self.connection.take().map(|connection| (Instant::now(), connection)));
        drop(state);
        self.pool.freed.notify_one();
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
