//! Worker threads, each with its own derivation memory, started when there is work and ended with the session.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::wait::Watched;
use crate::Result;
use crate::credential::derive::Deriver;
use crate::threads::{no_thread, spawn};

/// Works, and gives what is to be told to those who wait.
type Job = Box<dyn FnOnce(&mut Deriver) -> Telling + Send>;
/// Tells it. Apart from the work, because the thread counts as idle by then: who is told may come with the next job at once,
/// and that must not start another thread with another derivation memory.
type Telling = Box<dyn FnOnce()>;

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

/// A pool that grows to a limit.
pub(super) struct Pool {
    name: &'static str,
    limit: usize,
    state: Arc<Watched<State>>,
}

impl Pool {
    /// With its first thread: whatever is queued is carried out, even if the system has no other to give later.
    pub(super) fn start(name: &'static str, limit: usize) -> Result<Self> {
        let pool = Self {
            name,
            limit,
            state: Arc::new(Watched::new(State {
                threads: 1,
                idle: 1,
                ..State::default()
            })),
        };
        pool.start_thread().map_err(|e| no_thread(&e))?;
        Ok(pool)
    }

    /// Queues `work`, whose result `tell` passes on.
    pub(super) fn spawn<R: 'static>(
        &self,
        work: impl FnOnce(&mut Deriver) -> R + Send + 'static,
        tell: impl FnOnce(R) + Send + 'static,
    ) {
        let job: Job = Box::new(move |deriver| {
            let result = work(deriver);
            Box::new(move || tell(result))
        });
        let grow = self.state.update(|state| {
            state.queue.push_back(job);
            let grow = state.queue.len() > state.idle && state.threads < self.limit;
            state.threads += usize::from(grow);
            state.idle += usize::from(grow);
            grow
        });
        if grow && self.start_thread().is_err() {
            // The system has no more to give: it is done by one of those that are there.
            self.state.update(|state| {
                state.threads -= 1;
                state.idle -= 1;
            });
        }
    }

    fn start_thread(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.state);
        spawn(self.name, move || run(&shared)).map(drop)
    }
}

impl Drop for Pool {
    /// Does not wait: a caller must not block. What was queued and not cancelled is carried out while the process lives.
    fn drop(&mut self) {
        self.state.update(|state| state.closed = true);
    }
}

fn run(shared: &Watched<State>) {
    let mut deriver = Deriver::default();
    loop {
        let job = shared.wait_for(|state| {
            let next = state.queue.pop_front();
            if next.is_some() || state.closed {
                state.idle -= 1;
                Some(next)
            } else {
                None
            }
        });
        let Some(job) = job else { return };
        let telling = catch_unwind(AssertUnwindSafe(|| job(&mut deriver)));
        shared.lock().idle += 1;
        match telling {
            Ok(tell) => {
                let _ = catch_unwind(AssertUnwindSafe(tell));
            }
            // Every job guards its own work, so this is not reached; the memory may be half-written all the same.
            Err(_) => deriver = Deriver::default(),
        }
    }
}

/// Runs a use case; `None` when it panicked.
pub(super) fn guarded<R>(run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}
