//! Many resets at once, with their outcomes in the order of submission.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::wait::Monitor;
use super::{Core, MAX_PARALLELISM, Outcome, Plan, Poll, Session, SharedError};
use crate::cancellation::{Cancellation, cancelled};
use crate::credential::kdf::KdfContext;
use crate::mailbox::ObjectId;
use crate::service::reset::ResetPlan;
use crate::{Error, ErrorCode, Result};

/// Submissions that may be outstanding for each reset that runs at once: enough to keep every thread busy.
const WINDOW_PER_THREAD: usize = 4;

/// A batch of resets. Resets of the same mailbox run one after another, in the order of submission.
pub struct Batch {
    session: Session,
    work: Arc<Work>,
}

struct Work {
    core: Arc<Core>,
    parallelism: usize,
    state: Monitor<State>,
}

#[derive(Default)]
struct State {
    /// Submitted and not collected, oldest first.
    items: VecDeque<Item>,
    /// The number of the oldest.
    first: u64,
    running: usize,
    /// Cancelled: accepts no more plans.
    cancelled: bool,
    abandoned: bool,
}

struct Item {
    mailbox: ObjectId,
    cancellation: Cancellation,
    progress: Progress,
}

enum Progress {
    Waiting(Box<ResetPlan>),
    Running,
    Done(Result<Outcome, SharedError>),
}

/// What `collect` found.
pub enum Collected {
    /// Nothing is outstanding.
    Empty,
    /// The outcome of the oldest submission, with its number.
    Item(u64, Result<Outcome, SharedError>),
}

impl Batch {
    /// An empty batch that runs up to `parallelism` (1–64) resets at once.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn new(session: &Session, parallelism: u32) -> Result<Self> {
        session.check()?;
        let parallelism = usize::try_from(parallelism)
            .ok()
            .filter(|n| (1..=MAX_PARALLELISM).contains(n))
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidArgument,
                    format!("The parallelism must be between 1 and {MAX_PARALLELISM}."),
                )
            })?;
        Ok(Self {
            session: session.clone(),
            work: Arc::new(Work {
                core: Arc::clone(&session.core),
                parallelism,
                state: Monitor::default(),
            }),
        })
    }

    /// Its session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Accepts a plan, or answers `Pending` when the window is full or the plan is still being looked up.
    ///
    /// # Errors
    /// Those of the plan's look-up; `AlreadyUsed`; `Cancelled`; `InvalidArgument` for a plan of another session.
    pub fn submit(&self, plan: &Plan) -> Result<Poll<()>, SharedError> {
        if !Arc::ptr_eq(&plan.session().core, &self.work.core) {
            return Err(Arc::new(Error::new(
                ErrorCode::InvalidArgument,
                "The plan belongs to another session than the batch.",
            )));
        }
        let window = self.work.parallelism * WINDOW_PER_THREAD;
        {
            // Held over both steps, so that several submitters cannot outgrow the window together.
            let mut state = self.work.state.lock();
            if state.cancelled {
                return Err(Arc::new(cancelled()));
            }
            if state.items.len() >= window {
                return Ok(Poll::Pending);
            }
            let Some(plan) = plan.take_for_batch()? else {
                return Ok(Poll::Pending);
            };
            state.items.push_back(Item {
                mailbox: plan.mailbox().object_id,
                cancellation: plan.cancellation().clone(),
                progress: Progress::Waiting(plan),
            });
        }
        self.work.start_what_can_run();
        Ok(Poll::Ready(()))
    }

    /// The outcome of the oldest submission.
    #[must_use]
    pub fn collect(&self, timeout: Duration) -> Poll<Collected> {
        let collected = self.work.state.wait(timeout, |state| match state.items.front() {
            None => Some(Collected::Empty),
            Some(Item {
                progress: Progress::Done(_),
                ..
            }) => match state.items.pop_front()?.progress {
                Progress::Done(result) => {
                    let index = state.first;
                    state.first += 1;
                    Some(Collected::Item(index, result))
                }
                Progress::Waiting(_) | Progress::Running => unreachable!("the progress was Done"),
            },
            Some(_) => None,
        });
        collected.map_or(Poll::Pending, Poll::Ready)
    }

    /// Cancels the resets that have not passed their commit point, and accepts no more. Their outcomes can still be collected.
    pub fn cancel(&self) {
        self.work.state.update(|state| {
            state.cancelled = true;
            for item in &mut state.items {
                if !matches!(item.progress, Progress::Done(_)) && item.cancellation.cancel() {
                    item.progress = Progress::Done(Err(Arc::new(cancelled())));
                }
            }
        });
    }
}

impl Drop for Batch {
    /// Resets past their commit point finish; later calls on the session wait for them.
    fn drop(&mut self) {
        self.cancel();
        self.work.state.update(|state| {
            let open = |item: &&Item| !matches!(item.progress, Progress::Done(_));
            self.session.core.abandoned.add(state.items.iter().filter(open).count());
            state.abandoned = true;
        });
    }
}

impl Work {
    fn start_what_can_run(self: &Arc<Self>) {
        let mut runnable = Vec::new();
        {
            let state = &mut *self.state.lock();
            let mut busy = HashSet::new();
            for (index, item) in (state.first..).zip(&mut state.items) {
                if matches!(item.progress, Progress::Done(_)) {
                    continue;
                }
                let free = busy.insert(item.mailbox);
                if free
                    && state.running < self.parallelism
                    && matches!(item.progress, Progress::Waiting(_))
                    && let Progress::Waiting(plan) = std::mem::replace(&mut item.progress, Progress::Running)
                {
                    state.running += 1;
                    runnable.push((index, plan));
                }
            }
        }
        for (index, plan) in runnable {
            let core = Arc::clone(&self.core);
            let batch = Arc::clone(self);
            let load = super::workload_of(&plan);
            let work = move |kdf: &mut KdfContext| super::commit(&core.service, *plan, kdf);
            self.core
                .kdf_pool
                .spawn(load, work, move |result| batch.finish(index, result));
        }
    }

    fn finish(self: &Arc<Self>, index: u64, result: Result<Outcome, SharedError>) {
        let was_awaited = self.state.update(|state| {
            state.running -= 1;
            let position = index.checked_sub(state.first).and_then(|at| usize::try_from(at).ok());
            let item = position.and_then(|at| state.items.get_mut(at));
            // One that was cancelled in time has its outcome already, and may have been collected.
            let Some(item) = item.filter(|item| matches!(item.progress, Progress::Running)) else {
                return false;
            };
            item.progress = Progress::Done(result);
            state.abandoned
        });
        self.start_what_can_run();
        if was_awaited {
            self.core.abandoned.done();
        }
    }
}
