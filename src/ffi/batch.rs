//! Batches: many resets at once.

use super::boundary::{boundary, free_session_handle};
use super::buffer::umpin_buffer;
use super::error_object::umpin_error;
use super::plan::umpin_plan;
use super::pointers::{Out, handle, reclaim, require_distinct, required};
use super::session::{session_ref, umpin_session};
use super::status::{UMPIN_BATCH_EMPTY, UMPIN_OK, UMPIN_PENDING, umpin_status_t};
use crate::session::{Batch, Collected, Poll, timeout};

/// Many resets at once, with their outcomes in the order of submission. Internally synchronised.
pub struct umpin_batch(Batch);

/// Makes an empty batch that carries out up to `parallelism` (1–64) resets at once. Resets of the same mailbox run one after
/// another, in the order of submission.
///
/// # Safety
/// `session` is NULL or a session not yet freed; `batch` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_batch_new(
    session: *const umpin_session,
    parallelism: u32,
    batch: *mut *mut umpin_batch,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    let session = unsafe { session_ref(session) };
    // SAFETY: `batch` is NULL or valid for writing, by this function's contract.
    let batch = unsafe { Out::new(batch) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(session, error, || {
        let (session, batch) = (required(session, "session")?, required(batch, "batch")?);
        let made = Batch::new(session, parallelism)?;
        batch.write(Box::into_raw(Box::new(umpin_batch(made))));
        Ok(UMPIN_OK)
    })
}

/// Hands a plan over. On `UMPIN_OK` it will be carried out unless the batch is cancelled; it is used up, and still the caller's to
/// free. `UMPIN_PENDING`, and nothing was accepted: the plan is still being looked up or validated, or the window is full. Once
/// umpin_plan_target() has answered `UMPIN_OK` it is the window: four times `parallelism` resets may be submitted and not yet
/// collected. Collect one, then submit again.
/// `UMPIN_CANCELLED`: the plan or the batch was cancelled; nothing was accepted.
///
/// # Safety
/// `batch` and `plan` are NULL or handles not yet freed; `error` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_batch_submit(
    batch: *const umpin_batch,
    plan: *const umpin_plan,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `batch` is NULL or not yet freed, by this function's contract.
    let batch = unsafe { handle(batch) };
    // SAFETY: `plan` is NULL or not yet freed, by this function's contract.
    let plan = unsafe { handle(plan) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(batch.map(|batch| batch.0.session()), error, || {
        let (batch, plan) = (required(batch, "batch")?, required(plan, "plan")?);
        batch.0.session().check()?;
        match batch.0.submit(&plan.0)? {
            Poll::Ready(()) => Ok(UMPIN_OK),
            Poll::Pending => Ok(UMPIN_PENDING),
        }
    })
}

/// The outcome of the oldest submission that has not been collected; `*index` is its number, from 0. `UMPIN_OK`: carried
/// out, as umpin_plan_commit() tells it; `pin` may be NULL, and a PIN that was generated is then in its message alone.
/// `UMPIN_PENDING`: not finished within `timeout_ms` milliseconds.
/// `UMPIN_BATCH_EMPTY`: nothing is outstanding. `UMPIN_CANCELLED`: that reset was cancelled and changed nothing, with `*index`
/// written too. Anything else is that item's failure, with `*index` written too.
///
/// # Safety
/// `batch` is NULL or a batch not yet freed; the others are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_batch_collect(
    batch: *const umpin_batch,
    timeout_ms: u32,
    index: *mut u64,
    response: *mut *mut umpin_buffer,
    pin: *mut *mut umpin_buffer,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `batch` is NULL or not yet freed, by this function's contract.
    let batch = unsafe { handle(batch) };
    // SAFETY: `index` is NULL or valid for writing, by this function's contract.
    let index = unsafe { Out::new(index) };
    // SAFETY: `response` is NULL or valid for writing, by this function's contract.
    let response = unsafe { Out::new(response) };
    // SAFETY: `pin` is NULL or valid for writing, by this function's contract.
    let pin = unsafe { Out::new(pin) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(batch.map(|batch| batch.0.session()), error, || {
        let distinct = require_distinct(&[
            index.as_ref().map(Out::address),
            response.as_ref().map(Out::address),
            pin.as_ref().map(Out::address),
        ]);
        let batch = required(batch, "batch")?;
        let (index, response) = (required(index, "index")?, required(response, "response")?);
        distinct?;
        batch.0.session().check()?;
        match batch.0.collect(timeout(timeout_ms)) {
            Poll::Pending => Ok(UMPIN_PENDING),
            Poll::Ready(Collected::Empty) => Ok(UMPIN_BATCH_EMPTY),
            Poll::Ready(Collected::Item(number, result)) => {
                index.write(number);
                let outcome = result?;
                response.write(umpin_buffer::raw(outcome.response));
                if let Some(pin) = pin {
                    pin.write(umpin_buffer::raw_pin(outcome.generated.as_ref()));
                }
                Ok(UMPIN_OK)
            }
        }
    })
}

/// Cancels a batch: resets that have not begun, and those that have not reached their commit point, end with `UMPIN_CANCELLED`
/// and change nothing; the others finish. Does not wait, and may be called beside a waiting call; go on with
/// umpin_batch_collect(), which tells of each how it ended, until the batch is empty. The batch accepts nothing more:
/// umpin_batch_submit() answers `UMPIN_CANCELLED`.
///
/// # Safety
/// `batch` is NULL or a batch not yet freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_batch_cancel(batch: *const umpin_batch) -> umpin_status_t {
    // SAFETY: `batch` is NULL or not yet freed, by this function's contract.
    let batch = unsafe { handle(batch) };
    boundary(batch.map(|batch| batch.0.session()), None, || {
        let batch = required(batch, "batch")?;
        batch.0.session().check()?;
        batch.0.cancel();
        Ok(UMPIN_OK)
    })
}

/// Frees a batch, and cancels what has not ended: see umpin_batch_cancel(). Resets past their commit point finish, and later calls
/// on the session wait for them. NULL is allowed.
///
/// # Safety
/// `batch` is NULL or a batch not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_batch_free(batch: *mut umpin_batch) {
    // SAFETY: `batch` is NULL or not yet freed, and is not used again, by this function's contract.
    let batch = unsafe { reclaim(batch) };
    free_session_handle(batch);
}
