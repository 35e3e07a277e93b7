//! Errors of an SMTP session, with messages for the administrator.

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::reply::Reply;
use umpin_core::notification::DeliveryError;

/// The stage of the SMTP session that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Greeting,
    Hello,
    StartTls,
    Handshake,
    SignIn,
    Sender,
    Recipient,
    Data,
    Content,
    Reset,
}

impl Stage {
    fn description(self) -> &'static str {
        match self {
            Self::Greeting => "the connection",
            Self::Hello => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Handshake => "the TLS handshake",
            Self::SignIn => "the sign-in",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data => "DATA",
            Self::Content => "the message",
            Self::Reset => "RSET",
        }
    }

    /// Whether a negative reply concerns this message. Otherwise it concerns the relay or the network, and all messages can be
    /// delivered once the administrator has corrected that.
    fn concerns_message(self) -> bool {
        matches!(self, Self::Sender | Self::Recipient | Self::Data | Self::Content)
    }
}

/// An error of an SMTP session, without the relay's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SmtpError {
    /// Completes "The relay … ".
    pub message: String,
    pub permanent: bool,
    /// The connection cannot be used any more.
    pub broken: bool,
    /// The relay did not answer in time, so the next attempt would likely wait as long.
    pub timed_out: bool,
    /// The relay has the whole message and may have accepted it.
    pub handed_over: bool,
}

impl SmtpError {
    /// An error of the relay or the network, which ends the connection.
    pub(super) fn for_relay(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            permanent: false,
            broken: true,
            timed_out: false,
            handed_over: false,
        }
    }

    /// The relay cannot take this message.
    pub(super) fn for_message(message: impl Into<String>) -> Self {
        Self {
            permanent: true,
            broken: false,
            ..Self::for_relay(message)
        }
    }

    /// A negative reply.
    pub(super) fn rejected(stage: Stage, reply: &Reply, confidential: &[u8]) -> Self {
        let permanent = !reply.is_temporary() && stage.concerns_message();
        let suffix = if reply.is_temporary() { " for now" } else { "" };
        Self {
            message: format!(
                "refused {}{suffix}: {}",
                stage.description(),
                reply.for_display(confidential)
            ),
            permanent,
            // 421: the relay closes the connection (RFC 5321, 3.8).
            broken: reply.code == 421 || !stage.concerns_message(),
            timed_out: false,
            handed_over: false,
        }
    }

    /// A reply that is not SMTP, or not one to the command.
    pub(super) fn unexpected_reply(stage: Stage) -> Self {
        Self {
            handed_over: stage == Stage::Content,
            ..Self::for_relay(format!("sent an unexpected reply to {}", stage.description()))
        }
    }

    /// The connection failed or timed out.
    pub(super) fn connection_lost(stage: Stage, error: &io::Error, timeout: Duration) -> Self {
        let timed_out = is_timeout(error);
        let message = match stage {
            _ if timed_out => format!("did not answer {} within {} s", stage.description(), timeout.as_secs()),
            Stage::Greeting => format!("closed the connection without a greeting ({error})"),
            // The relay may have accepted the message; a retry has the same Message-ID.
            Stage::Content => format!("closed the connection before it confirmed the message ({error})"),
            _ => format!("closed the connection at {} ({error})", stage.description()),
        };
        Self {
            timed_out,
            handed_over: stage == Stage::Content,
            ..Self::for_relay(message)
        }
    }

    /// No address accepted the connection; `None`: there was no time to try one.
    pub(super) fn unreachable(error: Option<&io::Error>) -> Self {
        let timed_out = error.is_none_or(is_timeout);
        let why = match error {
            Some(error) if !timed_out => error.to_string(),
            _ => "it did not answer in time".to_owned(),
        };
        Self {
            timed_out,
            ..Self::for_relay(format!("cannot be reached: {why}"))
        }
    }

    pub(super) fn into_delivery_error(self, host: &str, port: u16) -> DeliveryError {
        let text = format!("The relay {host}, port {port}, {}", self.message);
        if self.permanent {
            DeliveryError::Permanent(text)
        } else {
            DeliveryError::Temporary(text)
        }
    }
}

pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}
