//! The I/O threads. A caller hands over a future and waits for it on its own thread.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Handle, Runtime};

/// Two, because TLS handshakes compute; waiting needs no thread.
const WORKER_THREADS: usize = 2;
/// Threads for blocking calls: the system's name resolution and the Kerberos library.
const BLOCKING_THREADS: usize = 16;
/// A year.
const KEEP_ALIVE: Duration = Duration::from_secs(31_536_000);
/// How much longer than the future's own limit the caller waits.
const GRACE: Duration = Duration::from_secs(5);

/// The runtime, started by the first future.
#[derive(Default)]
pub(crate) struct Threads(OnceCell<Runtime>);

/// Why a future did not complete.
#[derive(Debug)]
pub(crate) enum RunError {
    /// The limit passed.
    TimedOut,
    /// No thread could be started, or the future panicked.
    Failed(String),
}

impl Threads {
    fn handle(&self) -> io::Result<&Handle> {
        let start = || {
            Builder::new_multi_thread()
                .worker_threads(WORKER_THREADS)
                .max_blocking_threads(BLOCKING_THREADS)
                .thread_name("umpin-ldap")
                .enable_io()
                .enable_time()
                // Started threads are kept: the system may refuse new ones later.
                .thread_keep_alive(KEEP_ALIVE)
                .build()
        };
        // The runtime panics if it cannot start a thread.
        let started = catch_unwind(AssertUnwindSafe(|| self.0.get_or_try_init(start).map(Runtime::handle)));
        started.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
    }

    /// Starts the worker threads and one blocking thread.
    pub(super) fn start(&self) -> io::Result<()> {
        let handle = self.handle()?.clone();
        let (sender, receiver) = sync_channel(1);
        let spawn = move || {
            handle.spawn_blocking(move || {
                let _ = sender.send(());
            })
        };
        // The runtime may panic here too; a task that stays queued behind blocked threads counts as a failure.
        match catch_unwind(AssertUnwindSafe(spawn)).map(|_| receiver.recv_timeout(GRACE)) {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Runs the future and waits for it, at most for `limit`.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RunError> {
        let handle = self.handle().map_err(|e| RunError::Failed(e.to_string()))?;
        let (sender, receiver) = sync_channel(1);
        handle.spawn(async move {
            // The receiver is gone if the caller gave up.
            let _ = sender.send(tokio::time::timeout(limit, future).await);
        });
        match receiver.recv_timeout(limit + GRACE) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) | Err(RecvTimeoutError::Timeout) => Err(RunError::TimedOut),
            Err(RecvTimeoutError::Disconnected) => {
                Err(RunError::Failed("its response could not be processed".to_owned()))
            }
        }
    }

    /// Runs the future in the background.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Ok(handle) = self.handle() {
            handle.spawn(future);
        }
    }
}

impl Drop for Threads {
    /// Does not wait: a name look-up may take long, and the last owner may be one of these threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
