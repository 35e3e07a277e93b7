//! The threads that speak to the servers. Who asks hands a future over and waits, in a thread of his own.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use once_cell::sync::OnceCell;
use tokio::runtime::{Builder, Handle, Runtime};

/// Two, because handshakes compute; waiting takes none.
const THREADS: usize = 2;
/// Threads for what cannot be waited for otherwise: names that the system looks up, Kerberos.
const BLOCKING_THREADS: usize = 16;
/// A year.
const KEPT: Duration = Duration::from_secs(31_536_000);
/// How much longer than a future's own time its end is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// Started by the first future, ended with the directory.
#[derive(Default)]
pub(crate) struct Threads(OnceCell<Runtime>);

/// Why a future did not come to its end.
#[derive(Debug)]
pub(crate) enum Unfinished {
    /// Its time was over.
    TimedOut,
    /// There are no threads for it, or it panicked.
    Broken(String),
}

impl Threads {
    fn handle(&self) -> io::Result<&Handle> {
        let start = || {
            Builder::new_multi_thread()
                .worker_threads(THREADS)
                .max_blocking_threads(BLOCKING_THREADS)
                .thread_name("umpin-ldap")
                .enable_io()
                .enable_time()
                // One that is there stays: the system may have no other to give later.
                .thread_keep_alive(KEPT)
                .build()
        };
        // Where no thread can be started the runtime panics.
        let started = catch_unwind(AssertUnwindSafe(|| self.0.get_or_try_init(start).map(Runtime::handle)));
        started.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
    }

    /// Starts them, and one for what blocks.
    pub(super) fn start(&self) -> io::Result<()> {
        let handle = self.handle()?.clone();
        let (tell, told) = sync_channel(1);
        let begin = move || {
            handle.spawn_blocking(move || {
                let _ = tell.send(());
            })
        };
        // As above; where it is queued behind threads that never end, it is not there either.
        match catch_unwind(AssertUnwindSafe(begin)).map(|_| told.recv_timeout(GRACE)) {
            Ok(Ok(())) => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Waits for the future, `limit` at the most.
    pub(super) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unfinished> {
        let handle = self.handle().map_err(|e| Unfinished::Broken(e.to_string()))?;
        let (tell, told) = sync_channel(1);
        handle.spawn(async move {
            // Nobody waits any more: then it is of no interest.
            let _ = tell.send(tokio::time::timeout(limit, future).await);
        });
        match told.recv_timeout(limit + GRACE) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) | Err(RecvTimeoutError::Timeout) => Err(Unfinished::TimedOut),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Unfinished::Broken("its answer could not be understood".to_owned()))
            }
        }
    }

    /// Lets the future run beside everything else.
    pub(super) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        if let Ok(handle) = self.handle() {
            handle.spawn(future);
        }
    }
}

impl Drop for Threads {
    /// Without waiting: a name that is being looked up may take long, and the last holder may be one of the threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
