//! A planned reset: looked up in the background, then validated, then committed at most once.

use std::sync::Arc;
use std::time::Duration;

use super::pool::{Workload, guarded};
use super::wait::Monitor;
use super::{Outcome, Poll, Session, SharedError, messages};
use crate::cancellation::{Cancellation, cancelled};
use crate::credential::kdf::KdfContext;
use crate::pin::Pin;
use crate::service::reset::ResetPlan;
use crate::{Error, ErrorCode, Result};

/// A planned reset.
pub struct Plan {
    session: Session,
    what_if: bool,
    state: Arc<Monitor<State>>,
    /// Until the plan is handed to a batch.
    cancellation: Cancellation,
}

enum Phase {
    Preparing,
    Ready(Box<ResetPlan>),
    Validating,
    Committing { abandoned: bool },
    Done(Result<Outcome, SharedError>),
    Used,
}

struct State {
    phase: Phase,
    /// The target as JSON, or why there is none.
    target: Option<Result<Vec<u8>, SharedError>>,
    /// The caller was given it.
    shown: bool,
    validated: Option<Result<(), SharedError>>,
}

impl Plan {
    /// Parses the request and starts the lookup of the mailbox.
    ///
    /// # Errors
    /// `InvalidRequest`; what the look-up finds is told by [`Self::target`].
    pub fn new(session: &Session, request: &[u8], pin: Option<Pin>) -> Result<Self> {
        session.check()?;
        let (mut request, what_if) = messages::parse_plan(request)?;
        request.pin = pin;
        let cancellation = Cancellation::new();
        request.cancellation = cancellation.clone();
        let state = Arc::new(Monitor::new(State {
            phase: Phase::Preparing,
            target: None,
            shown: false,
            validated: None,
        }));
        let shared = Arc::clone(&state);
        let core = Arc::clone(&session.core);
        let prepare = move |kdf: &mut KdfContext| {
            core.abandoned.wait_until_idle();
            request.cancellation.check()?;
            let prepare = || {
                let plan = core.service.prepare_reset(request, kdf)?;
                Ok((messages::target(&plan), Box::new(plan)))
            };
            guarded(prepare).unwrap_or_else(|| {
                Err(Error::new(
                    ErrorCode::NativeFault,
                    "The lookup of the mailbox failed with an internal error; nothing was changed.",
                ))
            })
        };
        session
            .core
            .io_pool
            .spawn(Workload::Waits, prepare, move |prepared: Result<_>| {
                shared.update(|state| match prepared {
                    // Cancelled meanwhile.
                    _ if !matches!(state.phase, Phase::Preparing) => {}
                    Ok((target, plan)) => {
                        state.target = Some(Ok(target));
                        state.phase = Phase::Ready(plan);
                    }
                    Err(error) => state.target = Some(Err(Arc::new(error))),
                });
            });
        Ok(Self {
            session: session.clone(),
            what_if,
            state,
            cancellation,
        })
    }

    /// Its session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The target of the reset as JSON. May be called again.
    ///
    /// # Errors
    /// Those of looking up and checking.
    pub fn target(&self, timeout: Duration) -> Result<Poll<Vec<u8>>, SharedError> {
        let target = self.state.wait(timeout, |state| {
            state.shown |= matches!(state.target, Some(Ok(_)));
            state.target.clone()
        });
        match target {
            Some(target) => target.map(Poll::Ready),
            None => Ok(Poll::Pending),
        }
    }

    /// Validates the rest. May be called again.
    ///
    /// # Errors
    /// Those of [`Self::target`] and of the PIN's history; `AlreadyUsed` once commit began.
    pub fn validate(&self, timeout: Duration) -> Result<Poll<()>, SharedError> {
        if let Some(answer) = self.state.lock().validated.clone() {
            return answer.map(Poll::Ready);
        }
        let begun = self.state.wait(timeout, |state| match &state.phase {
            Phase::Preparing => state.target.as_ref()?.as_ref().err().map(|e| Err(Arc::clone(e))),
            Phase::Ready(_) => match std::mem::replace(&mut state.phase, Phase::Validating) {
                Phase::Ready(plan) => Some(Ok(Some(plan))),
                _ => unreachable!("the phase was Ready"),
            },
            Phase::Validating => Some(Ok(None)),
            Phase::Committing { .. } | Phase::Done(_) | Phase::Used => Some(Err(used())),
        });
        match begun {
            None => return Ok(Poll::Pending),
            Some(Err(error)) => return Err(error),
            Some(Ok(None)) => {}
            Some(Ok(Some(mut plan))) => {
                let shared = Arc::clone(&self.state);
                let core = Arc::clone(&self.session.core);
                let load = super::workload_of(&plan);
                let check = move |kdf: &mut KdfContext| {
                    let answer = guarded(|| core.service.validate_reset(&mut plan, kdf)).unwrap_or_else(|| {
                        Err(Error::new(
                            ErrorCode::NativeFault,
                            "Checking the PIN failed with an internal error; nothing was changed.",
                        ))
                    });
                    (plan, answer)
                };
                self.session.core.kdf_pool.spawn(load, check, move |(plan, answer)| {
                    shared.update(|state| {
                        if matches!(state.phase, Phase::Validating) {
                            state.validated = Some(answer.map_err(Arc::new));
                            state.phase = Phase::Ready(plan);
                        }
                    });
                });
            }
        }
        match self.state.wait(timeout, |state| state.validated.clone()) {
            Some(answer) => answer.map(Poll::Ready),
            None => Ok(Poll::Pending),
        }
    }

    /// Commits the reset. Any result uses the plan up.
    ///
    /// # Errors
    /// Those of the reset; `AlreadyUsed`; `InvalidRequest` for a what-if plan.
    pub fn commit(&self, timeout: Duration) -> Result<Poll<Outcome>, SharedError> {
        if let Some(plan) = self.take_ready(timeout, || Phase::Committing { abandoned: false })? {
            let shared = Arc::clone(&self.state);
            let core = Arc::clone(&self.session.core);
            let gate = Arc::clone(&core);
            let load = super::workload_of(&plan);
            let work = move |kdf: &mut KdfContext| super::commit(&core.service, *plan, kdf);
            self.session.core.kdf_pool.spawn(load, work, move |result| {
                let abandoned = shared.update(|state| {
                    let Phase::Committing { abandoned } = state.phase else {
                        // It was cancelled in time, and that has been, or will be, told.
                        return false;
                    };
                    state.phase = Phase::Done(result);
                    abandoned
                });
                if abandoned {
                    gate.abandoned.done();
                }
            });
        }
        let done = self.state.wait(timeout, |state| match state.phase {
            Phase::Done(_) => match std::mem::replace(&mut state.phase, Phase::Used) {
                Phase::Done(result) => Some(result),
                _ => unreachable!("the phase was Done"),
            },
            _ => None,
        });
        match done {
            Some(result) => result.map(Poll::Ready),
            None => Ok(Poll::Pending),
        }
    }

    /// Takes the plan out once it is ready and leaves the phase `next`. `None`: not ready yet, or under way already.
    fn take_ready(&self, timeout: Duration, next: fn() -> Phase) -> Result<Option<Box<ResetPlan>>, SharedError> {
        if self.what_if {
            return Err(Arc::new(Error::new(
                ErrorCode::InvalidRequest,
                "The plan was made with whatIf and cannot be carried out.",
            )));
        }
        self.state
            .wait(timeout, |state| match &state.phase {
                Phase::Preparing => {
                    let error = state.target.as_ref()?.as_ref().err().map(Arc::clone)?;
                    state.phase = Phase::Used;
                    Some(Err(error))
                }
                Phase::Validating => None,
                Phase::Ready(_) => match std::mem::replace(&mut state.phase, next()) {
                    Phase::Ready(mut plan) => {
                        if state.shown {
                            plan.set_shown();
                        }
                        Some(Ok(Some(plan)))
                    }
                    _ => unreachable!("the phase was Ready"),
                },
                Phase::Committing { .. } | Phase::Done(_) => Some(Ok(None)),
                Phase::Used => Some(Err(used())),
            })
            .unwrap_or(Ok(None))
    }

    /// Takes the plan out for a batch. `None`: look-up or validation is still under way.
    pub(super) fn take_for_batch(&self) -> Result<Option<Box<ResetPlan>>, SharedError> {
        self.state.update(|state| match &state.phase {
            Phase::Done(Err(error)) if error.code() == ErrorCode::Cancelled => {
                let error = Arc::clone(error);
                state.phase = Phase::Used;
                Err(error)
            }
            Phase::Committing { .. } | Phase::Done(_) => Err(used()),
            _ => Ok(()),
        })?;
        self.take_ready(Duration::ZERO, || Phase::Used)
    }

    /// Cancels the plan. Before the commit point its outcome is `Cancelled` at once, whatever its thread does; after it the plan finishes.
    pub fn cancel(&self) {
        self.state.update(|state| {
            let has_ended = match state.phase {
                Phase::Preparing => matches!(state.target, Some(Err(_))),
                Phase::Ready(_) | Phase::Validating | Phase::Committing { .. } => false,
                Phase::Done(_) | Phase::Used => true,
            };
            if has_ended || !self.cancellation.cancel() {
                return;
            }
            let outcome = || Arc::new(cancelled());
            state.target.get_or_insert_with(|| Err(outcome()));
            state.validated.get_or_insert_with(|| Err(outcome()));
            state.phase = Phase::Done(Err(outcome()));
        });
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        self.cancel();
        self.state.update(|state| {
            if let Phase::Committing { abandoned } = &mut state.phase {
                *abandoned = true;
                self.session.core.abandoned.add(1);
            }
        });
    }
}

fn used() -> SharedError {
    Arc::new(Error::new(
        ErrorCode::AlreadyUsed,
        "The plan has been committed, or has been submitted to a batch.",
    ))
}
