//! Sign-in attempts: on separate threads, and answered by the schedule of `answer_times.rs`.

use std::sync::Arc;
use std::time::Instant;

use super::pool::{Workload, guarded};
use super::request::{AttemptResult, Request, defect};
use super::{Session, messages};
use crate::credential::kdf::KdfContext;
use crate::pin::Pin;
use crate::service::Service;
use crate::service::signin::{ChangePinRequest, SignInAnswer};
use crate::{Error, ErrorCode, Result};

type Work = dyn FnOnce(&Service, &mut KdfContext) -> Result<SignInAnswer> + Send;

impl Request {
    /// Starts an attempt to sign in. Once started it is carried out and counted, whether or not anybody waits for the answer; it
    /// cannot be cancelled.
    ///
    /// # Errors
    /// `InvalidRequest`; `InvalidArgument` where there is no PIN.
    pub fn sign_in(session: &Session, request: &[u8], pin: Option<Pin>) -> Result<Self> {
        session.check()?;
        let (request, deliver) = messages::parse_sign_in(request, required(pin)?)?;
        Ok(Self::attempted(
            session,
            deliver,
            Box::new(move |service, kdf| service.sign_in(request, kdf)),
        ))
    }

    /// Starts a user's own change of the PIN.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub fn change_pin(session: &Session, request: &[u8], pin: Option<Pin>, new_pin: Option<Pin>) -> Result<Self> {
        session.check()?;
        let (attempt, deliver) = messages::parse_sign_in(request, required(pin)?)?;
        let new_pin = required(new_pin)?;
        let change = ChangePinRequest { attempt, new_pin };
        Ok(Self::attempted(
            session,
            deliver,
            Box::new(move |service, kdf| service.change_pin(change, kdf)),
        ))
    }

    fn attempted(session: &Session, deliver: bool, attempt: Box<Work>) -> Self {
        let started = Self::started(session, None);
        let state = started.state();
        let core = Arc::clone(&session.core);
        let slot = core.answer_times.slot(Instant::now());
        let work = move |kdf: &mut KdfContext| {
            let answer = guarded(|| attempt(&core.service, kdf)).unwrap_or_else(|| Err(defect()));
            let mut later = None;
            let (json, result) = match answer {
                Err(error) => (Err(Arc::new(error)), None),
                Ok(mut answer) => {
                    let handed_over = deliver.then(|| core.service.deliver_pending(&mut answer));
                    let result = AttemptResult {
                        outcome: answer.outcome,
                        left: answer.left,
                    };
                    let json = messages::signed_in(&answer, handed_over);
                    later = answer.message.is_some().then_some(answer);
                    (Ok(json), Some(result))
                }
            };
            let is_positive = result.is_some_and(|result| result.outcome.is_positive());
            let due = slot.due(is_positive, Instant::now());
            (core, json, result, due, later)
        };
        session
            .core
            .sign_ins
            .spawn(Workload::Waits, work, move |(core, json, result, due, later)| {
                state.update(|state| state.answered(json, result, due));
                if let Some(mut answer) = later {
                    let service = Arc::clone(&core);
                    let delivered = slot.after_all_others(due);
                    let deliver = move |_: &mut KdfContext| {
                        // Only a mailbox that exists has a message to deliver, so that must take no processor from these calls.
                        std::thread::sleep(delivered.saturating_duration_since(Instant::now()));
                        service.service.deliver_pending(&mut answer)
                    };
                    core.kdf_pool.spawn(Workload::Waits, deliver, drop);
                }
            });
        started
    }
}

fn required(pin: Option<Pin>) -> Result<Pin> {
    pin.ok_or_else(|| {
        Error::new(ErrorCode::InvalidArgument, "The PIN is empty; no attempt was made.")
            .action("Pass the digits that the caller dialled.")
    })
}
