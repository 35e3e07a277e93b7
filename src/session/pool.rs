//! Worker threads, each with its own derivation memory, started when there is work and ended with the session.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::wait::Watched;
use crate::credential::derive::Deriver;

/// A piece of work. It reports its own outcome, also that of a panic ([`guarded`]).
type Job = Box<dyn FnOnce(&mut Deriver) + Send>;

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
    pub(super) fn new(name: &'static str, limit: usize) -> Self {
        Self {
            name,
            limit,
            state: Arc::new(Watched::new(State::default())),
        }
    }

    /// Queues a job; where no thread can be started for it, runs it in the caller's.
    pub(super) fn spawn(&self, job: impl FnOnce(&mut Deriver) + Send + 'static) {
        let grow = self.state.update(|state| {
            state.queue.push_back(Box::new(job));
            let grow = state.queue.len() > state.idle && state.threads < self.limit;
            state.threads += usize::from(grow);
            grow
        });
        if !grow {
            return;
        }
        let shared = Arc::clone(&self.state);
        let thread = std::thread::Builder::new().name(self.name.to_owned());
        if thread.spawn(move || work(&shared)).is_ok() {
            return;
        }
        // The system has no thread to give. With another at work the job is done later, else here and now.
        let stranded = self.state.update(|state| {
            state.threads -= 1;
            if state.threads == 0 {
                state.queue.pop_back()
            } else {
                None
            }
        });
        if let Some(job) = stranded {
            job(&mut Deriver::default());
        }
    }
}

impl Drop for Pool {
    /// Does not wait: a caller must not block, and what was accepted is carried out while the process lives.
    fn drop(&mut self) {
        self.state.update(|state| state.closed = true);
    }
}

fn work(shared: &Watched<State>) {
    let mut deriver = Deriver::default();
    loop {
        shared.lock().idle += 1;
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
        if catch_unwind(AssertUnwindSafe(|| job(&mut deriver))).is_err() {
            deriver = Deriver::default();
        }
    }
}

/// Runs a use case; `None` when it panicked.
pub(super) fn guarded<R>(run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}
