//! Who receives the message.

use super::ResetRequest;
use crate::mailbox::Mailbox;
use crate::notification::address::parse_address;
use crate::service::Warning;
use crate::service::resolve::shortened;
use crate::{Error, ErrorCode, Result};

/// The recipient, decided before anything changes. The primary SMTP address, never the UPN, unless `NotifyEmail` replaces it.
pub(super) fn decide(request: &ResetRequest, mailbox: &Mailbox, warnings: &mut Vec<Warning>) -> Result<Option<String>> {
    let notify = request
        .notify_email
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    if let Some(text) = notify
        && parse_address(text).is_none()
    {
        return Err(Error::new(
            ErrorCode::InvalidNotifyEmail,
            format!("\"{}\" is not one well-formed e-mail address.", shortened(text)),
        )
        .detail("notifyEmail", shortened(text)));
    }
    if request.keep_pin {
        return Ok(None);
    }
    if !request.send_email.unwrap_or(true) {
        if notify.is_some() {
            warnings.push(Warning::new(
                "NotifyEmailIgnored",
                format!(
                    "No message is sent for \"{}\", because SendEmail is false; NotifyEmail has no effect.",
                    mailbox.identity()
                ),
            ));
        }
        return Ok(None);
    }
    if let Some(text) = notify {
        return Ok(Some(text.to_owned()));
    }
    own_address(mailbox).map(Some)
}

/// Where a message goes that nobody redirects.
pub(in crate::service) fn own_address(mailbox: &Mailbox) -> Result<String> {
    match mailbox.primary_smtp_address.as_deref() {
        Some(address) if parse_address(address).is_some() => Ok(address.to_owned()),
        Some(address) => Err(Error::new(
            ErrorCode::NoNotificationAddress,
            format!(
                "The primary SMTP address \"{address}\" of \"{}\" is not a well-formed address to send the PIN to.",
                mailbox.identity()
            ),
        )),
        None => Err(Error::new(
            ErrorCode::NoNotificationAddress,
            format!(
                "The mailbox \"{}\" has no primary SMTP address to send the PIN to.",
                mailbox.identity()
            ),
        )),
    }
}
