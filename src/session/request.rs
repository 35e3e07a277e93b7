//! Requests: every operation but a reset, with JSON for request and response.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::messages::{self, Operation};
use super::pool::{Workload, guarded};
use super::wait::Monitor;
use super::{Poll, Session, SharedError};
use crate::cancellation::{Cancellation, cancelled};
use crate::credential::kdf::KdfContext;
use crate::credential::lockout::AttemptsLeft;
use crate::service::Service;
use crate::service::signin::SignIn;
use crate::{Error, ErrorCode, Result};

/// A running request.
pub struct Request {
    session: Session,
    state: Arc<Monitor<State>>,
    /// None for an attempt to sign in: one that could be cancelled would be a free guess.
    cancellation: Option<Cancellation>,
}

#[derive(Default)]
pub(super) struct State {
    answer: Answer,
    /// Its handle was freed when it could no longer be cancelled: whoever comes later waits for it.
    abandoned: bool,
    /// When the answer may be given.
    withheld_until: Option<Instant>,
    /// What an attempt to sign in came to; stays when the answer has been taken.
    attempt: Option<AttemptResult>,
}

#[derive(Default)]
enum Answer {
    #[default]
    None,
    Given(Result<Vec<u8>, SharedError>),
    Taken,
}

/// The result of a sign-in attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptResult {
    /// The outcome.
    pub outcome: SignIn,
    /// Wrong PINs left.
    pub left: AttemptsLeft,
}

impl Request {
    /// Parses the request and starts it.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn new(session: &Session, request: &[u8]) -> Result<Self> {
        session.check()?;
        let operation = messages::parse_request(request)?;
        let cancellation = Cancellation::new();
        let started = Self::started(session, Some(cancellation.clone()));
        let state = Arc::clone(&started.state);
        let core = Arc::clone(&session.core);
        let gate = Arc::clone(&core);
        let work = move |_: &mut KdfContext| {
            core.abandoned.wait_until_idle();
            cancellation.check()?;
            guarded(|| perform(&core.service, operation, &cancellation)).unwrap_or_else(|| Err(defect()))
        };
        session
            .core
            .io_pool
            .spawn(Workload::Waits, work, move |result: Result<Vec<u8>>| {
                let abandoned = state.update(|state| {
                    state.give(result.map_err(Arc::new));
                    state.abandoned
                });
                if abandoned {
                    gate.abandoned.done();
                }
            });
        Ok(started)
    }

    pub(super) fn started(session: &Session, cancellation: Option<Cancellation>) -> Self {
        Self {
            session: session.clone(),
            state: Arc::default(),
            cancellation,
        }
    }

    pub(super) fn state(&self) -> Arc<Monitor<State>> {
        Arc::clone(&self.state)
    }

    /// Cancels the request. Before the commit point its answer is `Cancelled` at once, whatever its thread does; after it the request
    /// finishes.
    pub fn cancel(&self) {
        self.state.update(|state| {
            if self.cancellation.as_ref().is_some_and(Cancellation::cancel) {
                state.give(Err(Arc::new(cancelled())));
            }
        });
    }

    /// What the attempt came to, once its answer may be given.
    ///
    /// # Errors
    /// `InvalidArgument` when this request is no attempt, or one that failed.
    pub fn attempt(&self) -> Result<Poll<AttemptResult>> {
        let state = self.state.lock();
        let withheld = state.withheld_until.is_some_and(|until| Instant::now() < until);
        match (&state.answer, state.attempt) {
            (Answer::None, _) => Ok(Poll::Pending),
            _ if withheld => Ok(Poll::Pending),
            (_, Some(attempt)) => Ok(Poll::Ready(attempt)),
            (_, None) => Err(Error::new(
                ErrorCode::InvalidArgument,
                "The request was no attempt to sign in, or it failed.",
            )),
        }
    }

    /// When the answer may be given; `None` while there is none.
    #[cfg(feature = "test-hooks")]
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.state.lock().withheld_until
    }

    /// Its session.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The answer; it is given once.
    ///
    /// # Errors
    /// Those of the operation; `AlreadyUsed`.
    pub fn wait(&self, timeout: Duration) -> Result<Poll<Vec<u8>>, SharedError> {
        let asked = Instant::now();
        let Some(withheld_until) = self.state.wait(timeout, |state| match state.answer {
            Answer::None => None,
            Answer::Given(_) | Answer::Taken => Some(state.withheld_until),
        }) else {
            return Ok(Poll::Pending);
        };
        if let Some(until) = withheld_until {
            let left = timeout.saturating_sub(asked.elapsed());
            let wanted = until.saturating_duration_since(Instant::now());
            std::thread::sleep(wanted.min(left));
            if wanted > left {
                return Ok(Poll::Pending);
            }
        }
        match std::mem::replace(&mut self.state.lock().answer, Answer::Taken) {
            Answer::Given(result) => result.map(Poll::Ready),
            Answer::None | Answer::Taken => Err(Arc::new(Error::new(
                ErrorCode::AlreadyUsed,
                "The request has already been answered.",
            ))),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.cancel();
        self.state.update(|state| {
            // An attempt keeps nobody else waiting.
            if matches!(state.answer, Answer::None) && self.cancellation.is_some() {
                state.abandoned = true;
                self.session.core.abandoned.add(1);
            }
        });
    }
}

impl State {
    /// Only the first answer counts: what comes after a cancellation has changed nothing.
    fn give(&mut self, answer: Result<Vec<u8>, SharedError>) {
        if matches!(self.answer, Answer::None) {
            self.answer = Answer::Given(answer);
        }
    }

    /// The answer to an attempt, and until when it is withheld.
    pub(super) fn answered(
        &mut self,
        answer: Result<Vec<u8>, SharedError>,
        attempt: Option<AttemptResult>,
        withheld_until: Instant,
    ) {
        self.answer = Answer::Given(answer);
        self.attempt = attempt;
        self.withheld_until = Some(withheld_until);
    }
}

pub(super) fn defect() -> Error {
    Error::new(ErrorCode::NativeFault, "The request failed with an internal error.")
}

fn perform(service: &Service, operation: Operation, cancellation: &Cancellation) -> Result<Vec<u8>> {
    Ok(match operation {
        Operation::Status => messages::status(&service.status()?),
        Operation::PinInfo(query) => match query.identity() {
            Some(identity) => messages::pin_info(&service.pin_info(identity, query.lookup())?),
            None => messages::pin_infos(&service.pin_infos(query.lookup(), query.after(), query.page_size())?),
        },
        Operation::Mailboxes(query) => match query.identity() {
            Some(identity) => messages::mailbox(&service.mailbox(identity, query.filter(), query.lookup())?),
            None => {
                let page = service.mailboxes(query.filter(), query.lookup(), query.after(), query.page_size())?;
                messages::mailboxes(&page)
            }
        },
        Operation::Policies(query) => messages::policies(&service.policies(query.identity(), query.lookup())?),
        Operation::Notifications(query) => {
            let page = service.notifications(query.identity(), query.lookup(), query.after(), query.page_size())?;
            messages::notifications(&page)
        }
        Operation::SendNotifications(message) => {
            messages::sent(&service.send_notifications(&message.request(cancellation))?)
        }
        Operation::CheckConfiguration(check) => {
            messages::checked(&service.check_configuration(&check.request(cancellation))?)
        }
        Operation::Audit(query) => messages::audit(&service.audit_entries(&query)?),
        Operation::AuditExport(mut request) => {
            request.cancellation = cancellation.clone();
            messages::audit_exported(&service.audit_export(&request)?)
        }
        Operation::ClearPin(mut request) => {
            request.cancellation = cancellation.clone();
            messages::cleared(&service.clear_pin(&request)?)
        }
        Operation::RemoveMailbox(mut request) => {
            request.cancellation = cancellation.clone();
            messages::removed(&service.remove_mailbox(&request)?)
        }
        Operation::UpdateKey(mut request) => {
            request.cancellation = cancellation.clone();
            messages::key_updated(&service.update_key(&request)?)
        }
        Operation::ChangePolicy(mut request) => {
            request.cancellation = cancellation.clone();
            messages::policy_changed(&service.change_policy(&request)?)
        }
        Operation::Import(mut request) => {
            request.cancellation = cancellation.clone();
            messages::imported(&service.import(&request)?)
        }
    })
}
