//! A session: the use cases under one configuration, run on threads of the library, so that no caller blocks.
//!
//! This module is safe Rust; [`crate::ffi`] has the C functions around it.

mod answer_times;
mod batch;
mod messages;
mod open;
mod plan;
mod pool;
pub mod process;
mod request;
mod sign_in;
mod wait;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use batch::{Batch, Collected};
pub use plan::Plan;
pub use request::{AttemptResult, Request};

use crate::credential::kdf::KdfContext;
use crate::credential::kdf_memory::KdfMemory;
use crate::service::Service;
use crate::service::reset::ResetPlan;
use crate::{Error, ErrorCode, Result};
use answer_times::AnswerTimes;
use pool::{IDLE_TIMEOUT, Limits, Pool, Workload};
use wait::WaitGroup;

/// Threads for lookups and requests, which mostly wait for the store.
const IO_THREADS: usize = 4;
/// Threads for changes: as many as the largest batch has. They start on demand.
const KDF_THREADS: usize = MAX_PARALLELISM;
/// The most resets that a batch runs at a time.
pub const MAX_PARALLELISM: usize = 64;

/// An error that may be returned more than once.
pub type SharedError = Arc<Error>;

/// A result that may not be ready.
pub enum Poll<T> {
    /// The result.
    Ready(T),
    /// Not ready within the timeout.
    Pending,
}

/// The outcome of a reset, for the C ABI.
pub struct Outcome {
    /// JSON.
    pub response: Vec<u8>,
    /// The generated PIN.
    pub generated: Option<crate::pin::Pin>,
}

/// An open session. Cheap to clone; every clone is the same session.
#[derive(Clone)]
pub struct Session {
    core: Arc<Core>,
}

struct Core {
    service: Service,
    io_pool: Pool,
    kdf_pool: Pool,
    /// Separate, so that guessing delays neither administrators nor lookups.
    sign_ins: Pool,
    answer_times: AnswerTimes,
    /// Running work whose handle was freed: later calls wait for it.
    abandoned: WaitGroup,
    poisoned: AtomicBool,
}

impl Session {
    /// Reads the configuration that the request names and starts a thread of each kind; touches nothing else.
    ///
    /// # Errors
    /// `InvalidRequest`, `ConfigurationInvalid`; `Forked`; `NativeFault` when the system has no threads.
    pub fn open(request: &[u8]) -> Result<Self> {
        process::enter()?;
        let request = messages::parse_open(request)?;
        Self::start(open::service(request)?)
    }

    /// A session with the given ports.
    ///
    /// # Panics
    /// When no thread can be started.
    #[must_use]
    pub fn with_service(service: Service) -> Self {
        process::enter()
            .and_then(|()| Self::start(service))
            .expect("a process of its own, and threads")
    }

    fn start(service: Service) -> Result<Self> {
        service.start_threads()?;
        let memory = Arc::new(KdfMemory::new(processors(), IDLE_TIMEOUT));
        // Separate memory, so that an attempt does not wait for the derivations of resets.
        let sign_in_memory = Arc::new(KdfMemory::new(sign_in_threads(), IDLE_TIMEOUT));
        Ok(Self {
            core: Arc::new(Core {
                answer_times: AnswerTimes::new(service.answer_floor(), processors()),
                service,
                io_pool: Pool::start("umpin-io", limits(IO_THREADS), Arc::clone(&memory))?,
                kdf_pool: Pool::start("umpin-kdf", limits(KDF_THREADS), memory)?,
                sign_ins: Pool::start("umpin-sign-in", limits(sign_in_threads()), sign_in_memory)?,
                abandoned: WaitGroup::default(),
                poisoned: AtomicBool::new(false),
            }),
        })
    }

    /// Whether the session may be used: same process, no panic so far.
    ///
    /// # Errors
    /// `Forked`, `Poisoned`.
    pub fn check(&self) -> Result<()> {
        if process::is_child() {
            return Err(process::forked());
        }
        if self.core.poisoned.load(Ordering::Acquire) {
            return Err(Error::new(
                ErrorCode::Poisoned,
                "An earlier call on this session failed with an internal error.",
            ));
        }
        Ok(())
    }

    /// Refuses every later call but freeing.
    pub fn poison(&self) {
        self.core.poisoned.store(true, Ordering::Release);
    }
}

/// Resets per processor that have yet to derive: enough to keep it busy while some of them read.
const DERIVING_PER_PROCESSOR: usize = 4;

fn limits(threads: usize) -> Limits {
    Limits {
        threads,
        deriving: DERIVING_PER_PROCESSOR * processors(),
        idle_timeout: IDLE_TIMEOUT,
    }
}

/// Each thread derives, so more than processors would only need more memory.
fn sign_in_threads() -> usize {
    processors().max(2)
}

/// The processors that derive.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(16))
}

/// An error as JSON, for the C ABI.
#[must_use]
pub fn error_json(error: &Error) -> Vec<u8> {
    messages::error(error)
}

/// Milliseconds of the C ABI.
#[must_use]
pub fn timeout(millis: u32) -> Duration {
    Duration::from_millis(u64::from(millis))
}

/// The workload of committing or validating the plan.
fn workload_of(plan: &ResetPlan) -> Workload {
    if plan.keeps_pin() {
        Workload::Waits
    } else {
        Workload::DerivesKey
    }
}

/// Commits a plan. A panic is an unknown outcome.
fn commit(service: &Service, plan: ResetPlan, kdf: &mut KdfContext) -> Result<Outcome, SharedError> {
    let name = plan.mailbox().identity();
    let commit = || {
        service.commit_reset(plan, kdf).map(|outcome| Outcome {
            response: messages::outcome(&outcome),
            generated: outcome.generated,
        })
    };
    pool::guarded(commit)
        .unwrap_or_else(|| {
            Err(Error::new(
                ErrorCode::OutcomeUnknown,
                format!(
                    "Resetting the PIN of \"{name}\" failed with an internal error; the PIN may have been changed."
                ),
            ))
        })
        .map_err(Arc::new)
}
