//! The test message, which goes the way of every message and announces no PIN.

use super::{Checks, undelivered};
use crate::check::{Check, Subject};
use crate::notification::DeliveryError;
use crate::notification::address::{Address, parse_address};
use crate::notification::message::compose_test;
use crate::service::random_id;
use crate::{Error, ErrorCode, Result};
use umpin_platform::text::one_line;

/// The address, where it is one.
///
/// # Errors
/// `InvalidNotifyEmail`.
pub(super) fn address(text: &str) -> Result<Address> {
    parse_address(text.trim()).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidNotifyEmail,
            format!("'{}' is not one e-mail address.", one_line(text)),
        )
    })
}

impl Checks {
    /// Sent at once and not queued: what cannot be delivered now is the result.
    pub(super) fn send_test_message(&self, address: &Address) -> Check {
        let target = address.as_str();
        let notifier = &self.notifier;
        let composed = notifier
            .check()
            .and_then(|()| random_id())
            .and_then(|id| compose_test(id, self.clock.now(), notifier.from(), target, &self.host));
        let message = match composed {
            Ok(message) => message,
            Err(error) => return Check::failed(Subject::TestMessage, target, &error),
        };
        match notifier.deliver(&message) {
            Ok(()) => Check::passed(
                Subject::TestMessage,
                target,
                "The test message was handed over; see whether it arrives.",
            ),
            Err(DeliveryError::Temporary(reason) | DeliveryError::Permanent(reason)) => {
                Check::failed(Subject::TestMessage, target, &undelivered(&reason))
            }
        }
    }
}
