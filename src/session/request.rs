//! Everything but a reset: one JSON request, one JSON answer.

use std::sync::Arc;
use std::time::Duration;

use super::messages::{self, Operation};
use super::pool::guarded;
use super::wait::Watched;
use super::{Poll, Session, SharedError};
use crate::credential::derive::Deriver;
use crate::service::Service;
use crate::{Error, ErrorCode, Result};

/// A request under way.
pub struct Request {
    session: Session,
    answer: Arc<Watched<Answer>>,
}

#[derive(Default)]
enum Answer {
    #[default]
    None,
    Given(Result<Vec<u8>, SharedError>),
    Taken,
}

impl Request {
    /// Parses the request and starts it.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn new(session: &Session, request: &[u8]) -> Result<Self> {
        session.check()?;
        let operation = messages::parse_request(request)?;
        let answer = Arc::new(Watched::new(Answer::None));
        let shared = Arc::clone(&answer);
        let core = Arc::clone(&session.core);
        let work = move |_: &mut Deriver| {
            core.abandoned.wait_until_idle();
            guarded(|| perform(&core.service, operation)).unwrap_or_else(|| {
                Err(Error::new(
                    ErrorCode::NativeFault,
                    "The request failed with an internal error.",
                ))
            })
        };
        session.core.front.spawn(work, move |result| {
            shared.update(|answer| *answer = Answer::Given(result.map_err(Arc::new)));
        });
        Ok(Self {
            session: session.clone(),
            answer,
        })
    }

    /// The session it belongs to.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The answer; it is given once.
    ///
    /// # Errors
    /// Those of the operation; `AlreadyUsed`.
    pub fn wait(&self, timeout: Duration) -> Result<Poll<Vec<u8>>, SharedError> {
        let given = self.answer.wait(timeout, |answer| match answer {
            Answer::None => None,
            Answer::Taken => Some(Err(Arc::new(Error::new(
                ErrorCode::AlreadyUsed,
                "The request has already been answered.",
            )))),
            Answer::Given(_) => match std::mem::replace(answer, Answer::Taken) {
                Answer::Given(result) => Some(result),
                Answer::None | Answer::Taken => unreachable!("the answer was given"),
            },
        });
        match given {
            Some(result) => result.map(Poll::Ready),
            None => Ok(Poll::Pending),
        }
    }
}

fn perform(service: &Service, operation: Operation) -> Result<Vec<u8>> {
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
        Operation::Policies(query) => messages::policies(&service.policies(query.identity())?),
        Operation::Audit(query) => messages::audit(&service.audit_entries(&query)?),
        Operation::AuditExport(request) => messages::audit_exported(&service.audit_export(&request)?),
        Operation::Import(request) => messages::imported(&service.import(&request)?),
    })
}
