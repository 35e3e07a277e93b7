//! The writer: one thread per directory that carries out queued changes in groups, so that many changes share one sync.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::connection::Slot;
use super::error::answer_lost;
use super::group;
use super::site::Site;
use super::task::{Done, Job, Task};
use umpin_core::Result;
use umpin_core::threads::{no_thread, spawn};

/// How many changes share a transaction at most.
const GROUP: usize = 256;

#[derive(Default)]
struct Queue {
    /// Known from the first task on.
    site: Option<Arc<Site>>,
    jobs: VecDeque<Job>,
    running: bool,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next group; none when the directory is dropped and nothing is left to do.
    fn next_group(&self) -> Option<(Arc<Site>, Vec<Job>)> {
        let mut queue = self.queue();
        loop {
            if let (Some(site), false) = (&queue.site, queue.jobs.is_empty()) {
                let site = Arc::clone(site);
                let count = queue.jobs.len().min(GROUP);
                return Some((site, queue.jobs.drain(..count).collect()));
            }
            if queue.stop {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The queue and its thread, which begins with the first change, if not before, and ends with the directory.
#[derive(Default)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Queues a task and waits for what comes of it.
    pub(super) fn run(&self, site: &Arc<Site>, task: Task) -> Result<Done> {
        let (reply, answer) = channel();
        {
            let mut queue = self.shared.queue();
            self.start_in(&mut queue)?;
            queue.site.get_or_insert_with(|| Arc::clone(site));
            queue.jobs.push_back(Job { task, reply });
        }
        self.shared.wake.notify_one();
        // The thread answers, or it panics and drops the other end.
        answer.recv().unwrap_or_else(|_| Err(answer_lost(&site.store)))
    }

    /// Queues tasks together, and waits for what comes of each.
    pub(super) fn run_all(&self, site: &Arc<Site>, tasks: Vec<Task>) -> Result<Vec<Result<Done>>> {
        let mut answers = Vec::with_capacity(tasks.len());
        {
            let mut queue = self.shared.queue();
            self.start_in(&mut queue)?;
            queue.site.get_or_insert_with(|| Arc::clone(site));
            for task in tasks {
                let (reply, answer) = channel();
                queue.jobs.push_back(Job { task, reply });
                answers.push(answer);
            }
        }
        self.shared.wake.notify_one();
        let given = |answer: std::sync::mpsc::Receiver<Result<Done>>| {
            answer.recv().unwrap_or_else(|_| Err(answer_lost(&site.store)))
        };
        Ok(answers.into_iter().map(given).collect())
    }

    /// Starts the thread.
    pub(super) fn start(&self) -> Result<()> {
        self.start_in(&mut self.shared.queue())
    }

    fn start_in(&self, queue: &mut Queue) -> Result<()> {
        if queue.running {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let thread = spawn("umpin-writer", move || work(&shared)).map_err(|e| no_thread(&e))?;
        queue.running = true;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue().stop = true;
        self.shared.wake.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// However the thread ends, nobody waits for it any more, and the next task starts another one.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.running = false;
        queue.jobs.clear();
    }
}

fn work(shared: &Shared) {
    let _ended = Ended(shared);
    let mut slot = Slot::default();
    let mut written_to = None;
    while let Some((site, jobs)) = shared.next_group() {
        // A panic drops the jobs, whose waiters then know that their outcome is unknown; those behind them are carried out.
        let done = catch_unwind(AssertUnwindSafe(|| group::carry_out(&site, &mut slot, jobs)));
        match done {
            Ok(true) => written_to = Some(site),
            Ok(false) => {}
            Err(_) => slot = Slot::default(),
        }
    }
    if let Some(site) = written_to {
        slot.checkpoint_if_free(&site);
    }
}
