//! The JSON of the C ABI. Requests refuse unknown fields; responses may grow. A PIN is never in either.

mod audit;
mod check;
mod key_update;
mod notifications;
mod policies;
mod requests;
mod responses;
mod rules;
mod sign_in;

pub(super) use audit::{audit, audit_exported};
pub(super) use check::checked;
pub(super) use key_update::key_updated;
pub(super) use notifications::{notifications, sent};
pub(super) use policies::{policies, policy_changed};
pub(super) use requests::{Operation, parse_open, parse_plan, parse_request};
pub(super) use responses::{
    cleared, error, imported, mailbox, mailboxes, outcome, pin_info, pin_infos, removed, status, target,
};
pub(super) use sign_in::{parse_sign_in, signed_in};

/// The version of all messages.
const VERSION: u64 = 1;
