//! Worker threads: started when there is work for them, ended when there was none for a while, and at the latest with the session.
//!
//! A derivation needs a processor and 19 MiB. More of them at once than there are processors only take memory, so the work that
//! derives is begun as there is room for it. What comes after a derivation is waiting: for the disk, a controller, a mail relay. For
//! that there are as many threads as the caller asked for, and they cost little.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::wait::Watched;
use crate::Result;
use crate::credential::kdf::KdfContext;
use crate::credential::kdf_memory::KdfMemory;
use crate::threads::{no_thread, spawn};

/// How long a thread, and memory for a derivation, wait for more work.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(5);

/// Works, and gives what is to be told to those who wait.
type Job = Box<dyn FnOnce(&mut KdfContext) -> Telling + Send>;
/// Tells it. Apart from the work, because the thread counts as idle by then: who is told may come with the next job at once,
/// and that must not start another thread.
type Telling = Box<dyn FnOnce()>;

/// What a job does, as far as it matters when it is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// It derives, and then may wait.
    Derives,
    /// It waits, or is done at once.
    Waits,
}

/// How large a pool may become.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Threads.
    pub threads: usize,
    /// Jobs that have yet to derive.
    pub deriving: usize,
    /// For how long a thread waits for work.
    pub kept_for: Duration,
}

#[derive(Default)]
struct State {
    deriving_queue: VecDeque<Job>,
    waiting_queue: VecDeque<Job>,
    /// Jobs under way that have yet to derive.
    deriving: usize,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl State {
    /// Jobs that could be begun now.
    fn ready(&self, limits: Limits) -> usize {
        let room = limits.deriving.saturating_sub(self.deriving);
        self.waiting_queue.len() + self.deriving_queue.len().min(room)
    }

    fn next(&mut self, limits: Limits) -> Option<(Job, Load)> {
        if let Some(job) = self.waiting_queue.pop_front() {
            return Some((job, Load::Waits));
        }
        if self.deriving >= limits.deriving {
            return None;
        }
        let job = self.deriving_queue.pop_front()?;
        self.deriving += 1;
        Some((job, Load::Derives))
    }
}

struct Shared {
    name: &'static str,
    limits: Limits,
    memory: Arc<KdfMemory>,
    state: Watched<State>,
}

/// A pool that grows to its limits, and shrinks to one thread.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// With its first thread: whatever is queued is carried out, even if the system has no other to give later.
    pub(super) fn start(name: &'static str, limits: Limits, memory: Arc<KdfMemory>) -> Result<Self> {
        let shared = Arc::new(Shared {
            name,
            limits,
            memory,
            state: Watched::new(State {
                threads: 1,
                idle: 1,
                ..State::default()
            }),
        });
        shared.start_thread().map_err(|e| no_thread(&e))?;
        Ok(Self { shared })
    }

    /// Queues `work`, whose result `tell` passes on.
    pub(super) fn spawn<R: 'static>(
        &self,
        load: Load,
        work: impl FnOnce(&mut KdfContext) -> R + Send + 'static,
        tell: impl FnOnce(R) + Send + 'static,
    ) {
        let job: Job = Box::new(move |kdf| {
            let result = work(kdf);
            Box::new(move || tell(result))
        });
        self.shared.change(|state| match load {
            Load::Derives => state.deriving_queue.push_back(job),
            Load::Waits => state.waiting_queue.push_back(job),
        });
    }
}

impl Drop for Pool {
    /// Does not wait: a caller must not block. What was queued and not cancelled is carried out while the process lives.
    fn drop(&mut self) {
        self.shared.state.update(|state| state.closed = true);
    }
}

impl Shared {
    /// Changes what there is to do, and starts a thread where nobody is free to do it.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut State)) {
        let grow = self.state.update(|state| {
            change(state);
            let grow = state.ready(self.limits) > state.idle && state.threads < self.limits.threads;
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

    fn start_thread(self: &Arc<Self>) -> io::Result<()> {
        let shared = Arc::clone(self);
        spawn(self.name, move || shared.run()).map(drop)
    }

    fn run(self: Arc<Self>) {
        while let Some((job, load)) = self.next() {
            let place: Option<Box<dyn Send>> = match load {
                Load::Derives => Some(Box::new(Place(Arc::clone(&self)))),
                Load::Waits => None,
            };
            let mut kdf = KdfContext::sharing(Arc::clone(&self.memory), place);
            let telling = catch_unwind(AssertUnwindSafe(|| job(&mut kdf)));
            drop(kdf);
            self.state.lock().idle += 1;
            // Every job guards its own work: without a result there is nobody to tell.
            if let Ok(tell) = telling {
                let _ = catch_unwind(AssertUnwindSafe(tell));
            }
        }
    }

    /// The next job; `None` where the thread is to end.
    fn next(&self) -> Option<(Job, Load)> {
        let mut may_rest = false;
        loop {
            let look = |state: &mut State| {
                let next = state.next(self.limits);
                if next.is_some() || state.closed {
                    state.idle -= 1;
                    return Some(next);
                }
                None
            };
            // Where nothing is kept any more, there is no reason to wake.
            let found = if may_rest {
                Some(self.state.wait_for(look))
            } else {
                self.state.wait(self.limits.kept_for, look)
            };
            if let Some(next) = found {
                if next.is_none() {
                    self.state.lock().threads -= 1;
                }
                return next;
            }
            let is_kept = self.memory.free_idle();
            let mut state = self.state.lock();
            if state.threads > 1 && state.ready(self.limits) == 0 {
                state.threads -= 1;
                state.idle -= 1;
                return None;
            }
            may_rest = !is_kept;
        }
    }
}

/// Of a job that has yet to derive.
struct Place(Arc<Shared>);

impl Drop for Place {
    /// The job has derived, or will not: the next one may begin.
    fn drop(&mut self) {
        self.0.change(|state| state.deriving -= 1);
    }
}

/// Runs a use case; `None` when it panicked.
pub(super) fn guarded<R>(run: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

#[cfg(test)]
mod tests;
