//! A session: one configuration's use cases, carried out on the library's own threads so that no caller waits for long.
//!
//! Everything here is safe Rust; [`crate::ffi`] is the thin unsafe edge around it.

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
use pool::{KEPT_FOR, Limits, Load, Pool};
use wait::Gate;

/// Threads for look-ups and requests, which mostly wait for the store.
const FRONT_THREADS: usize = 4;
/// Threads for changes: the largest batch. They are started when there is work for them.
const BACK_THREADS: usize = MAX_PARALLELISM;
/// The widest batch.
pub const MAX_PARALLELISM: usize = 64;

/// A failure that may be told more than once.
pub type SharedError = Arc<Error>;

/// The answer of a call that may not have one yet.
pub enum Poll<T> {
    /// The answer.
    Ready(T),
    /// None within the time given.
    Pending,
}

/// One carried-out reset, as the C ABI hands it over.
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
    front: Pool,
    back: Pool,
    /// Of their own: guessing must keep neither administrators nor look-ups waiting.
    sign_ins: Pool,
    answer_times: AnswerTimes,
    /// Closed while work goes on whose handle was freed: what comes later must not overtake it.
    abandoned: Gate,
    poisoned: AtomicBool,
}

impl Session {
    /// Reads the configuration that the request names and starts a thread of each kind; touches nothing else.
    ///
    /// # Errors
    /// `InvalidRequest`, `ConfigurationInvalid`; `Forked`; `NativeFault` where the system has no threads to give.
    pub fn open(request: &[u8]) -> Result<Self> {
        process::enter()?;
        let request = messages::parse_open(request)?;
        Self::start(open::service(request)?)
    }

    /// A session on ports of the caller's choice.
    ///
    /// # Panics
    /// Where no thread can be started.
    #[must_use]
    pub fn with_service(service: Service) -> Self {
        process::enter()
            .and_then(|()| Self::start(service))
            .expect("a process of its own, and threads")
    }

    fn start(service: Service) -> Result<Self> {
        service.start_threads()?;
        let memory = Arc::new(KdfMemory::new(processors(), KEPT_FOR));
        // Of their own as well: an attempt must not wait for the derivations of resets.
        let sign_in_memory = Arc::new(KdfMemory::new(sign_in_threads(), KEPT_FOR));
        Ok(Self {
            core: Arc::new(Core {
                answer_times: AnswerTimes::new(service.answer_floor(), processors()),
                service,
                front: Pool::start("umpin-front", limits(FRONT_THREADS), Arc::clone(&memory))?,
                back: Pool::start("umpin-work", limits(BACK_THREADS), memory)?,
                sign_ins: Pool::start("umpin-sign-in", limits(sign_in_threads()), sign_in_memory)?,
                abandoned: Gate::default(),
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

    /// From now on every call but freeing is refused.
    pub fn poison(&self) {
        self.core.poisoned.store(true, Ordering::Release);
    }
}

/// Resets that have yet to derive, for each processor: enough to keep it busy while some of them read.
const DERIVING_PER_PROCESSOR: usize = 4;

fn limits(threads: usize) -> Limits {
    Limits {
        threads,
        deriving: DERIVING_PER_PROCESSOR * processors(),
        kept_for: KEPT_FOR,
    }
}

/// Each is busy deriving: more than processors would only need more memory.
fn sign_in_threads() -> usize {
    processors().max(2)
}

/// Those that derive for attempts to sign in.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(16))
}

/// An error as JSON, as the C ABI tells it.
#[must_use]
pub fn error_json(error: &Error) -> Vec<u8> {
    messages::error(error)
}

/// Milliseconds of the C ABI.
#[must_use]
pub fn timeout(millis: u32) -> Duration {
    Duration::from_millis(u64::from(millis))
}

/// What carrying the plan out, or validating it, takes.
fn load_of(plan: &ResetPlan) -> Load {
    if plan.keeps_pin() { Load::Waits } else { Load::Derives }
}

/// Commits a plan and says what became of it; a panic leaves an outcome that nobody knows.
fn carry_out(service: &Service, plan: ResetPlan, kdf: &mut KdfContext) -> Result<Outcome, SharedError> {
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
