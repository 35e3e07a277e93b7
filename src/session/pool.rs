//! Worker threads, each with its own derivation memory, started when there is work and ended with the session.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::wait::Watched;
use crate::credential::derive::Deriver;

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
    pub(super) fn new(name: &'static str, limit: usize) -> Self {
        Self {
            name,
            limit,
            state: Arc::new(Watched::new(State::default())),
        }
    }

    /// Queues `work`, whose result `tell` passes on; where no thread can be started for it, does it in the caller's.
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
        if !grow {
            return;
        }
        let shared = Arc::clone(&self.state);
        let thread = std::thread::Builder::new().name(self.name.to_owned());
        if thread.spawn(move || run(&shared)).is_ok() {
            return;
        }
        // The system has no thread to give. With another at work the job is done later, else here and now.
        let stranded = self.state.update(|state| {
            state.threads -= 1;
            state.idle -= 1;
            if state.threads == 0 {
                state.queue.pop_back()
            } else {
                None
            }
        });
        if let Some(job) = stranded {
            job(&mut Deriver::default())();
        }
    }
}

impl Drop for Pool {
    /// Does not wait: a caller must not block, and what was accepted is carried out while the process lives.
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
