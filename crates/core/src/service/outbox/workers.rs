//! Threads for deliveries, kept for the next one: a new thread for each costs about as much as half a delivery.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::threads::spawn;

type Job = Box<dyn FnOnce() + Send>;
type Idle = Mutex<Vec<Sender<Job>>>;

/// How many wait for the next delivery.
const KEPT: usize = 4;

/// As many threads as there are deliveries at a time. They end when this is dropped, each after the delivery that it is at.
#[derive(Default)]
pub(super) struct Workers {
    idle: Arc<Idle>,
}

impl Workers {
    /// Runs the job in a thread; nobody waits for its end.
    ///
    /// # Errors
    /// No thread could be started; the job was not run.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut job: Job = Box::new(job);
        loop {
            // On its own: the lock must not be held while a thread is started.
            let worker = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(worker) = worker else { break };
            match worker.send(job) {
                Ok(()) => return Ok(()),
                // It has just ended.
                Err(unsent) => job = unsent.0,
            }
        }
        let idle = Arc::downgrade(&self.idle);
        spawn("umpin-dispatch", move || work(job, &idle)).map(drop)
    }
}

/// A job that panics ends its thread, and nothing else.
fn work(first: Job, idle: &Weak<Idle>) {
    first();
    while let Some(jobs) = wait_for_more(idle) {
        match jobs.recv() {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// Puts this thread among the idle ones; `None` where there are enough, or nobody has jobs any more.
fn wait_for_more(idle: &Weak<Idle>) -> Option<Receiver<Job>> {
    let idle = idle.upgrade()?;
    let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
    if idle.len() >= KEPT {
        return None;
    }
    let (own, jobs) = channel();
    idle.push(own);
    Some(jobs)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_is_used_again_and_ends_with_its_owner() {
        let workers = Workers::default();
        let (tell, told) = channel();
        let names = |workers: &Workers| {
            let tell = tell.clone();
            workers.run(move || tell.send(thread::current().id()).unwrap()).unwrap();
            told.recv().unwrap()
        };
        let first = names(&workers);
        // It becomes idle a moment after its job.
        while workers.idle.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        assert_eq!(names(&workers), first);

        let watch = Arc::downgrade(&workers.idle);
        drop(workers);
        while watch.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn a_panic_costs_a_thread_and_no_job() {
        let workers = Workers::default();
        workers.run(|| panic!("on purpose")).unwrap();
        let (tell, told) = channel();
        for number in 0..10 {
            let tell = tell.clone();
            workers.run(move || tell.send(number).unwrap()).unwrap();
        }
        let mut numbers: Vec<u32> = told.iter().take(10).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..10).collect::<Vec<_>>());
    }
}
