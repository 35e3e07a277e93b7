//! The writer: one thread per directory that runs queued commands in groups, so that many changes share one sync.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::command::{Command, Group, Job, queued};
use super::connection::StoreConnection;
use super::error::outcome_unknown;
use super::group;
use super::store_files::StoreFiles;
use umpin_core::Result;
use umpin_core::threads::{no_thread, spawn};

/// The most commands in a transaction.
const MAX_GROUP: usize = 256;

#[derive(Default)]
struct Queue {
    /// Set with the first command.
    files: Option<Arc<StoreFiles>>,
    jobs: VecDeque<Box<dyn Job>>,
    is_running: bool,
    is_stopped: bool,
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

    /// The next group; `None` when the directory is dropped and the queue is empty.
    fn next_group(&self) -> Option<(Arc<StoreFiles>, Group)> {
        let mut queue = self.queue();
        loop {
            if let (Some(files), false) = (&queue.files, queue.jobs.is_empty()) {
                let files = Arc::clone(files);
                let count = queue.jobs.len().min(MAX_GROUP);
                return Some((files, queue.jobs.drain(..count).collect()));
            }
            if queue.is_stopped {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The queue and its thread, which starts with the first command at the latest, and ends with the directory.
#[derive(Default)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Queues a command and waits for its reply.
    pub(super) fn run<T: Send + 'static>(&self, files: &Arc<StoreFiles>, command: Command<T>) -> Result<T> {
        let mut replies = self.run_all(files, vec![command])?;
        replies.pop().unwrap_or_else(|| Err(outcome_unknown(&files.store)))
    }

    /// Queues commands together, and waits for the reply of each.
    pub(super) fn run_all<T: Send + 'static>(
        &self,
        files: &Arc<StoreFiles>,
        commands: Vec<Command<T>>,
    ) -> Result<Vec<Result<T>>> {
        let mut receivers = Vec::with_capacity(commands.len());
        {
            let mut queue = self.shared.queue();
            self.start_in(&mut queue)?;
            queue.files.get_or_insert_with(|| Arc::clone(files));
            for command in commands {
                let (job, receiver) = queued(command);
                queue.jobs.push_back(job);
                receivers.push(receiver);
            }
        }
        self.shared.wake.notify_one();
        // The thread replies, or it panics and drops the senders.
        let replies = receivers
            .into_iter()
            .map(|receiver| receiver.recv().unwrap_or_else(|_| Err(outcome_unknown(&files.store))));
        Ok(replies.collect())
    }

    /// Starts the thread.
    pub(super) fn start(&self) -> Result<()> {
        self.start_in(&mut self.shared.queue())
    }

    fn start_in(&self, queue: &mut Queue) -> Result<()> {
        if queue.is_running {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let thread = spawn("umpin-writer", move || run(&shared)).map_err(|e| no_thread(&e))?;
        queue.is_running = true;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue().is_stopped = true;
        self.shared.wake.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// Drops the queue when the thread ends, even by a panic: waiters get an error, and the next command starts another thread.
struct ClearOnExit<'a>(&'a Shared);

impl Drop for ClearOnExit<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.is_running = false;
        queue.jobs.clear();
    }
}

fn run(shared: &Shared) {
    let _clear = ClearOnExit(shared);
    let mut connection = StoreConnection::default();
    let mut written_to = None;
    while let Some((files, jobs)) = shared.next_group() {
        // A panic drops the jobs of the group, whose outcome is then unknown; the jobs behind them run.
        let result = catch_unwind(AssertUnwindSafe(|| group::run(&files, &mut connection, jobs)));
        match result {
            Ok(true) => written_to = Some(files),
            Ok(false) => {}
            Err(_) => connection = StoreConnection::default(),
        }
    }
    if let Some(files) = written_to {
        connection.checkpoint_if_free(&files);
    }
}
