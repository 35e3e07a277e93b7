//! Why a message did not leave, in words for the administrator.

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::reply::Reply;
use umpin_core::notification::DeliveryError;

/// What the relay was told, or asked, when it failed.
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
    fn what(self) -> &'static str {
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

    /// Whether a refusal is about the message. Any other concerns the relay or the way to it: it would refuse every message
    /// alike, none is at fault, and all can be delivered once the administrator has mended it.
    fn concerns_message(self) -> bool {
        matches!(self, Self::Sender | Self::Recipient | Self::Data | Self::Content)
    }
}

/// A failure in a conversation, without the relay's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Completes "The relay … ".
    pub what: String,
    pub permanent: bool,
    /// The connection is of no use any more.
    pub broken: bool,
    /// How long it took counts: the next attempt would likely wait as long.
    pub silent: bool,
    /// The relay has the whole message and may have taken it although we do not know.
    pub handed_over: bool,
}

impl Failure {
    /// Trouble with the relay as a whole; the connection is given up.
    pub(super) fn of_relay(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            permanent: false,
            broken: true,
            silent: false,
            handed_over: false,
        }
    }

    /// The message cannot be sent through this relay.
    pub(super) fn of_message(what: impl Into<String>) -> Self {
        Self {
            permanent: true,
            broken: false,
            ..Self::of_relay(what)
        }
    }

    /// The relay said no.
    pub(super) fn refused(stage: Stage, reply: &Reply, confidential: &[u8]) -> Self {
        let permanent = !reply.is_temporary() && stage.concerns_message();
        let for_now = if reply.is_temporary() { " for now" } else { "" };
        Self {
            what: format!("refused {}{for_now}: {}", stage.what(), reply.shown(confidential)),
            permanent,
            // 421: it closes the connection after this answer.
            broken: reply.code == 421 || !stage.concerns_message(),
            silent: false,
            handed_over: false,
        }
    }

    /// An answer that fits nothing that was asked.
    pub(super) fn nonsense(stage: Stage) -> Self {
        Self {
            handed_over: stage == Stage::Content,
            ..Self::of_relay(format!("gave no SMTP answer to {}", stage.what()))
        }
    }

    /// The connection failed.
    pub(super) fn lost(stage: Stage, error: &io::Error, timeout: Duration) -> Self {
        let silent = is_timeout(error);
        let what = match stage {
            _ if silent => format!("did not answer {} within {} s", stage.what(), timeout.as_secs()),
            Stage::Greeting => format!("closed the connection without a greeting ({error})"),
            // What the relay makes of it we cannot know; sent again, it has the same Message-ID.
            Stage::Content => format!("closed the connection before it confirmed the message ({error})"),
            _ => format!("closed the connection at {} ({error})", stage.what()),
        };
        Self {
            silent,
            handed_over: stage == Stage::Content,
            ..Self::of_relay(what)
        }
    }

    /// No address took the connection; `None`: there was no time for it.
    pub(super) fn unreachable(error: Option<&io::Error>) -> Self {
        let silent = error.is_none_or(is_timeout);
        let why = match error {
            Some(error) if !silent => error.to_string(),
            _ => "it did not answer in time".to_owned(),
        };
        Self {
            silent,
            ..Self::of_relay(format!("cannot be reached: {why}"))
        }
    }

    pub(super) fn into_error(self, host: &str, port: u16) -> DeliveryError {
        let text = format!("The relay {host}, port {port}, {}", self.what);
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
