//! One reset: prepare, validate, commit.

use super::boundary::{boundary, free_session_handle};
use super::buffer::umpin_buffer;
use super::error_object::umpin_error;
use super::pointers::{Out, handle, input, pin, reclaim, require_distinct, required};
use super::session::{session_ref, umpin_session};
use super::status::{UMPIN_OK, UMPIN_PENDING, umpin_status_t};
use crate::session::{Plan, Poll, timeout};

/// One reset on its way. Internally synchronised; carried out at most once.
pub struct umpin_plan(pub(super) Plan);

/// Plans a reset: copies request and PIN, starts looking the mailbox up, and returns at once. `pin_length` 0 means that a
/// PIN is generated, or kept with `keepPin`. The caller wipes its own copy of the PIN.
///
/// # Safety
/// `session` is NULL or a session not yet freed; `request` and `pin_text` are NULL or valid for reading as many bytes as
/// their lengths say; `plan` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_plan_new(
    session: *const umpin_session,
    request: *const u8,
    request_length: usize,
    pin_text: *const u8,
    pin_length: usize,
    plan: *mut *mut umpin_plan,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    let session = unsafe { session_ref(session) };
    // SAFETY: `request` is NULL or valid for reading `request_length` bytes, by this function's contract.
    let request = unsafe { input(request, request_length, "request") };
    // SAFETY: `pin_text` is NULL or valid for reading `pin_length` bytes, by this function's contract.
    let pin_text = unsafe { input(pin_text, pin_length, "pin_text") };
    // SAFETY: `plan` is NULL or valid for writing, by this function's contract.
    let plan = unsafe { Out::new(plan) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(session, error, || {
        let (session, plan) = (required(session, "session")?, required(plan, "plan")?);
        let made = Plan::new(session, request?, pin(pin_text?)?)?;
        plan.write(Box::into_raw(Box::new(umpin_plan(made))));
        Ok(UMPIN_OK)
    })
}

/// What will be reset, as JSON: the mailbox found, the recipient, warnings. `UMPIN_PENDING` when the look-up is not finished
/// within `timeout_ms` milliseconds. May be asked again. Everything is checked but the PIN's history.
///
/// # Safety
/// `plan` is NULL or a plan not yet freed; `target` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_plan_target(
    plan: *const umpin_plan,
    timeout_ms: u32,
    target: *mut *mut umpin_buffer,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `plan` is NULL or not yet freed, by this function's contract.
    let plan = unsafe { handle(plan) };
    // SAFETY: `target` is NULL or valid for writing, by this function's contract.
    let target = unsafe { Out::new(target) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(plan.map(|plan| plan.0.session()), error, || {
        let (plan, target) = (required(plan, "plan")?, required(target, "target")?);
        plan.0.session().check()?;
        match plan.0.target(timeout(timeout_ms))? {
            Poll::Ready(json) => {
                target.write(umpin_buffer::raw(json));
                Ok(UMPIN_OK)
            }
            Poll::Pending => Ok(UMPIN_PENDING),
        }
    })
}

/// Checks the rest: that a given PIN is not in the history, or that policy and history leave one to generate. Costs a derivation
/// for a given PIN, and for one to be generated where hardly any is left; a later commit does not repeat it. Changes nothing; commit
/// checks for itself. May be asked again.
///
/// # Safety
/// `plan` is NULL or a plan not yet freed; `error` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_plan_validate(
    plan: *const umpin_plan,
    timeout_ms: u32,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `plan` is NULL or not yet freed, by this function's contract.
    let plan = unsafe { handle(plan) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(plan.map(|plan| plan.0.session()), error, || {
        let plan = required(plan, "plan")?;
        plan.0.session().check()?;
        match plan.0.validate(timeout(timeout_ms))? {
            Poll::Ready(()) => Ok(UMPIN_OK),
            Poll::Pending => Ok(UMPIN_PENDING),
        }
    })
}

/// Carries the reset out. `UMPIN_OK` means that the change is durable, whatever became of the message: that is in
/// `warnings` of the response. `*pin` receives the generated PIN, or NULL when none was generated; `pin` itself may be NULL.
/// `UMPIN_PENDING`: under way, call again. Any other answer uses the plan up, save for those of the family 1xx: they say that the
/// call was wrong, and leave the plan as it is.
///
/// # Safety
/// `plan` is NULL or a plan not yet freed; `response`, `pin` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_plan_commit(
    plan: *const umpin_plan,
    timeout_ms: u32,
    response: *mut *mut umpin_buffer,
    pin: *mut *mut umpin_buffer,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `plan` is NULL or not yet freed, by this function's contract.
    let plan = unsafe { handle(plan) };
    // SAFETY: `response` is NULL or valid for writing, by this function's contract.
    let response = unsafe { Out::new(response) };
    // SAFETY: `pin` is NULL or valid for writing, by this function's contract.
    let pin = unsafe { Out::new(pin) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(plan.map(|plan| plan.0.session()), error, || {
        let distinct = require_distinct(&[response.as_ref().map(Out::address), pin.as_ref().map(Out::address)]);
        let (plan, response) = (required(plan, "plan")?, required(response, "response")?);
        distinct?;
        plan.0.session().check()?;
        match plan.0.commit(timeout(timeout_ms))? {
            Poll::Ready(outcome) => {
                response.write(umpin_buffer::raw(outcome.response));
                if let Some(pin) = pin {
                    pin.write(umpin_buffer::raw_pin(outcome.generated.as_ref()));
                }
                Ok(UMPIN_OK)
            }
            Poll::Pending => Ok(UMPIN_PENDING),
        }
    })
}

/// Cancels a plan: before its commit point it ends with `UMPIN_CANCELLED` and changes nothing, after it it finishes. Does not
/// wait, and may be called beside a waiting call; go on with umpin_plan_commit() until that has told how it ended. Has no effect
/// on a plan that has ended, nor on one that was handed to a batch: see umpin_batch_cancel().
///
/// # Safety
/// `plan` is NULL or a plan not yet freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_plan_cancel(plan: *const umpin_plan) -> umpin_status_t {
    // SAFETY: `plan` is NULL or not yet freed, by this function's contract.
    let plan = unsafe { handle(plan) };
    boundary(plan.map(|plan| plan.0.session()), None, || {
        let plan = required(plan, "plan")?;
        plan.0.session().check()?;
        plan.0.cancel();
        Ok(UMPIN_OK)
    })
}

/// Frees a plan, and cancels it if it has not ended: see umpin_plan_cancel(). A commit past its commit point finishes, and later
/// calls on the session wait for it. NULL is allowed.
///
/// # Safety
/// `plan` is NULL or a plan not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_plan_free(plan: *mut umpin_plan) {
    // SAFETY: `plan` is NULL or not yet freed, and is not used again, by this function's contract.
    let plan = unsafe { reclaim(plan) };
    free_session_handle(plan);
}
