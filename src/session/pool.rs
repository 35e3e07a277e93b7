//! A pool of worker threads, which start on demand and end when they are idle for a while, and at the latest with the session.
//!
//! A derivation needs a processor and 19 MiB. More derivations at a time than processors would only take memory, so the number of jobs
//! that have yet to derive is limited. After its derivation a job waits for the disk, a domain controller or a mail relay. For these
//! waits there are as many threads as the caller requests; they cost little.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::wait::Monitor;
use crate::Result;
use crate::credential::kdf::KdfContext;
use crate::credential::kdf_memory::KdfMemory;
use crate::threads::{no_thread, spawn};

/// How long a thread and the memory of a derivation stay idle before they are released.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Does the work, and returns what passes the result on.
type Job = Box<dyn FnOnce(&mut KdfContext) -> Completion + Send>;
/// Passes the result on. Separate from the work, because the thread counts as idle by then: the receiver may queue the next job at
/// once, which must not start another thread.
type Completion = Box<dyn FnOnce()>;

/// What a job does, for its scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workload {
    /// It derives a key, then may wait.
    DerivesKey,
    /// It only waits, or is short.
    Waits,
}

/// The limits of a pool.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The most threads.
    pub threads: usize,
    /// The most running jobs that have yet to derive.
    pub deriving: usize,
    /// How long an idle thread waits for work.
    pub idle_timeout: Duration,
}

#[derive(Default)]
struct PoolState {
    deriving_queue: VecDeque<Job>,
    waiting_queue: VecDeque<Job>,
    /// Running jobs that have yet to derive.
    deriving: usize,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl PoolState {
    /// The number of jobs that may start now.
    fn ready(&self, limits: Limits) -> usize {
        let room = limits.deriving.saturating_sub(self.deriving);
        self.waiting_queue.len() + self.deriving_queue.len().min(room)
    }

    fn next(&mut self, limits: Limits) -> Option<(Job, Workload)> {
        if let Some(job) = self.waiting_queue.pop_front() {
            return Some((job, Workload::Waits));
        }
        if self.deriving >= limits.deriving {
            return None;
        }
        let job = self.deriving_queue.pop_front()?;
        self.deriving += 1;
        Some((job, Workload::DerivesKey))
    }
}

struct Shared {
    name: &'static str,
    limits: Limits,
    memory: Arc<KdfMemory>,
    state: Monitor<PoolState>,
}

/// A pool that grows to its limits, and shrinks to one thread.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// Starts the pool and its first thread, so that jobs run even if the system has no further threads later.
    pub(super) fn start(name: &'static str, limits: Limits, memory: Arc<KdfMemory>) -> Result<Self> {
        let shared = Arc::new(Shared {
            name,
            limits,
            memory,
            state: Monitor::new(PoolState {
                threads: 1,
                idle: 1,
                ..PoolState::default()
            }),
        });
        shared.start_thread().map_err(|e| no_thread(&e))?;
        Ok(Self { shared })
    }

    /// Queues `work`; `complete` gets its result.
    pub(super) fn spawn<R: 'static>(
        &self,
        load: Workload,
        work: impl FnOnce(&mut KdfContext) -> R + Send + 'static,
        complete: impl FnOnce(R) + Send + 'static,
    ) {
        let job: Job = Box::new(move |kdf| {
            let result = work(kdf);
            Box::new(move || complete(result))
        });
        self.shared.change(|state| match load {
            Workload::DerivesKey => state.deriving_queue.push_back(job),
            Workload::Waits => state.waiting_queue.push_back(job),
        });
    }
}

impl Drop for Pool {
    /// Does not wait, because a caller must not block. Queued jobs that are not cancelled run while the process lives.
    fn drop(&mut self) {
        self.shared.state.update(|state| state.closed = true);
    }
}

impl Shared {
    /// Changes the state, and starts a thread if no idle one can take the work.
    fn change(self: &Arc<Self>, change: impl FnOnce(&mut PoolState)) {
        let grow = self.state.update(|state| {
            change(state);
            let grow = state.ready(self.limits) > state.idle && state.threads < self.limits.threads;
            state.threads += usize::from(grow);
            state.idle += usize::from(grow);
            grow
        });
        if grow && self.start_thread().is_err() {
            // The system has no more threads: an existing one takes the work.
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
            let permit: Option<Box<dyn Send>> = match load {
                Workload::DerivesKey => Some(Box::new(DerivationPermit(Arc::clone(&self)))),
                Workload::Waits => None,
            };
            let mut kdf = KdfContext::sharing(Arc::clone(&self.memory), permit);
            let completion = catch_unwind(AssertUnwindSafe(|| job(&mut kdf)));
            drop(kdf);
            self.state.lock().idle += 1;
            // Every job catches its own panics, so without a result nobody waits for one.
            if let Ok(complete) = completion {
                let _ = catch_unwind(AssertUnwindSafe(complete));
            }
        }
    }

    /// The next job; `None` when the thread ends.
    fn next(&self) -> Option<(Job, Workload)> {
        let mut can_wait_forever = false;
        loop {
            let look = |state: &mut PoolState| {
                let next = state.next(self.limits);
                if next.is_some() || state.closed {
                    state.idle -= 1;
                    return Some(next);
                }
                None
            };
            // Without idle memory to free, there is no reason for a timeout.
            let found = if can_wait_forever {
                Some(self.state.wait_for(look))
            } else {
                self.state.wait(self.limits.idle_timeout, look)
            };
            if let Some(next) = found {
                if next.is_none() {
                    self.state.lock().threads -= 1;
                }
                return next;
            }
            let has_idle_memory = self.memory.free_idle();
            let mut state = self.state.lock();
            if state.threads > 1 && state.ready(self.limits) == 0 {
                state.threads -= 1;
                state.idle -= 1;
                return None;
            }
            can_wait_forever = !has_idle_memory;
        }
    }
}

/// The permit of a job that has yet to derive.
struct DerivationPermit(Arc<Shared>);

impl Drop for DerivationPermit {
    /// The job has derived, or will not, so the next one may start.
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
