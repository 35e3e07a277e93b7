//! Errors of operations on a server, classified by what may have happened there.

#[cfg(any(feature = "gssapi", test))]
mod kerberos;
mod result_code;

use ldap3::{LdapError, LdapResult};

use super::connection::request::OpError;
use super::server::Endpoint;
use umpin_core::{Error, ErrorCode};
use umpin_platform::text::one_line;
use umpin_platform::tls;

#[cfg(feature = "gssapi")]
pub(super) use kerberos::kerberos;

/// A failed operation.
#[derive(Debug)]
pub(super) struct ServerError {
    pub kind: ServerErrorKind,
    /// The error to report. Its details hold the server (`server`) and, if it answered, the result code (`ldapCode`).
    pub error: Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerErrorKind {
    /// No request was sent; another server may serve it.
    NotSent,
    /// A request was sent and no response came: a search can be repeated on another server, a Modify may have been applied.
    NoResponse,
    /// The server cannot serve the request now (busy, unavailable, unwilling) or ever (read-only). Nothing was changed; another server
    /// may serve it.
    Declined(u32),
    /// The server holds another domain than the required one. It got no other request; another server may serve it.
    WrongDomain,
    /// The server rejected the request with this result code (RFC 4511, appendix A), as any other server would. Nothing was changed.
    Rejected(u32),
    /// No other server can help: the password or the configuration is wrong.
    Fatal,
}

/// `timeLimitExceeded`, `sizeLimitExceeded`, `adminLimitExceeded`.
pub(super) const LIMITS: [u32; 3] = [3, 4, 11];
/// `noSuchAttribute`: the value to delete does not exist.
pub(super) const NO_SUCH_ATTRIBUTE: u32 = 16;
/// `attributeOrValueExists`.
pub(super) const ATTRIBUTE_OR_VALUE_EXISTS: u32 = 20;
/// `noSuchObject`.
pub(super) const NO_SUCH_OBJECT: u32 = 32;

/// The recommendation for a server that has no cipher suite in common with this computer.
const OLD_WINDOWS: &str = "Use controllers of Windows Server 2016 or later. Windows Server 2012 R2 and 2012 serve only with an ECDSA \
                           certificate (P-256 or P-384): docs/active-directory.md, \"TLS and the versions of Windows\".";

/// The step of a connection, or the operation, that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Name,
    Connect,
    Tls,
    RootDse,
    Bind,
    Search,
    Modify,
}

impl Step {
    fn what(self) -> &'static str {
        match self {
            Self::Name => "the look-up of its name",
            Self::Connect => "the connection",
            Self::Tls => "the TLS handshake",
            Self::RootDse => "a request for its rootDSE",
            Self::Bind => "the sign-in",
            Self::Search => "a search",
            Self::Modify => "a change",
        }
    }

    /// The kind of a timeout at this step.
    fn kind_on_timeout(self) -> ServerErrorKind {
        match self {
            Self::Name | Self::Connect | Self::Tls | Self::RootDse | Self::Bind => ServerErrorKind::NotSent,
            Self::Search | Self::Modify => ServerErrorKind::NoResponse,
        }
    }
}

impl ServerError {
    /// `what` completes "The domain controller dc1.contoso.com … ".
    pub(crate) fn new(kind: ServerErrorKind, code: ErrorCode, endpoint: &Endpoint, what: &str) -> Self {
        let what = what.trim_end_matches('.');
        let error = Error::new(code, format!("{endpoint} {what}.")).detail("server", endpoint.server.to_string());
        Self { kind, error }
    }

    /// The server or the network failed; another server may serve.
    pub(crate) fn unavailable(kind: ServerErrorKind, endpoint: &Endpoint, what: &str) -> Self {
        let mut failure = Self::new(kind, ErrorCode::DirectoryUnavailable, endpoint, what);
        failure.error = failure
            .error
            .action("Check that the server runs and can be reached from this computer.");
        failure
    }

    /// The configuration, or a file that it names, is wrong.
    pub(crate) fn configuration(what: &str) -> Self {
        Self {
            kind: ServerErrorKind::Fatal,
            error: Error::new(
                ErrorCode::ConfigurationInvalid,
                format!("{}.", what.trim_end_matches('.')),
            )
            .action("Correct the 'directory' part of the configuration, or what it names."),
        }
    }

    /// The operation was cancelled before anything was sent.
    pub(crate) fn cancelled(error: Error) -> Self {
        Self {
            kind: ServerErrorKind::Fatal,
            error,
        }
    }

    pub(crate) fn timed_out(endpoint: &Endpoint, step: Step, limit: std::time::Duration) -> Self {
        let seconds = limit.as_secs_f32().round();
        let what = format!("did not answer {} within {seconds} s", step.what());
        Self::unavailable(step.kind_on_timeout(), endpoint, &what)
    }

    /// Classifies a failed operation.
    pub(crate) fn from_operation(endpoint: &Endpoint, step: Step, error: OpError) -> Self {
        match error {
            OpError::Response(result) => result_code::from_result(endpoint, step, &result),
            OpError::Protocol => Self::unavailable(
                step.kind_on_timeout(),
                endpoint,
                "sent a response that is not valid LDAP",
            ),
            OpError::Library(error) => Self::from_library(endpoint, step, error),
        }
    }

    fn from_library(endpoint: &Endpoint, step: Step, error: LdapError) -> Self {
        let closed_port = format!("closed the connection at {}", step.what());
        match error {
            LdapError::LdapResult { result } => result_code::from_result(endpoint, step, &result),
            LdapError::Io { source } => match tls::explain(&source) {
                Some(why) => {
                    let mut failure = Self::unavailable(step.kind_on_timeout(), endpoint, &why.message);
                    failure.error = failure.error.action(match why.cause {
                        tls::HandshakeCause::Certificate => {
                            "Correct the server's certificate, or the authorities in 'directory.caFile'."
                        }
                        tls::HandshakeCause::NoCommonParameters => OLD_WINDOWS,
                        tls::HandshakeCause::Other => "Check what the server offers on this port, and its own log.",
                    });
                    failure
                }
                // Not every server sends a TLS alert before it closes.
                None if step == Step::Tls => {
                    let what = format!(
                        "{closed_port} ({source}), as one does that has no certificate, or {}",
                        tls::NO_COMMON_PARAMETERS
                    );
                    let mut failure = Self::unavailable(step.kind_on_timeout(), endpoint, &what);
                    failure.error = failure.error.action(format!(
                        "Check that the server has a certificate for this port. {OLD_WINDOWS}"
                    ));
                    failure
                }
                None => Self::unavailable(step.kind_on_timeout(), endpoint, &format!("{closed_port} ({source})")),
            },
            // The connection was closed before the request.
            LdapError::OpSend { .. } => Self::unavailable(ServerErrorKind::NotSent, endpoint, &closed_port),
            LdapError::ResultRecv { .. } | LdapError::EndOfStream | LdapError::IdScrubSend { .. } => {
                Self::unavailable(step.kind_on_timeout(), endpoint, &closed_port)
            }
            other => Self {
                kind: ServerErrorKind::Fatal,
                error: Error::new(
                    ErrorCode::NativeFault,
                    format!(
                        "The request to {} was not sent: {}.",
                        endpoint.server,
                        one_line(&other.to_string())
                    ),
                ),
            },
        }
    }

    /// A copy for another caller, without the cause.
    pub(crate) fn duplicate(&self) -> Self {
        self.with_message(str::to_owned)
    }

    /// A copy with another message.
    pub(crate) fn with_message(&self, message: impl FnOnce(&str) -> String) -> Self {
        let message = message(self.error.message());
        let mut error = Error::new(self.error.code(), message).action(self.error.recommended_action());
        for (name, value) in self.error.details() {
            error = error.detail(name, value.clone());
        }
        Self { kind: self.kind, error }
    }

    /// The most informative of the errors (a response before a timeout, a timeout before a failed connection), with the others as details.
    pub(crate) fn most_specific(failures: Vec<Self>) -> Self {
        let rank = |failure: &Self| match failure.kind {
            ServerErrorKind::Fatal | ServerErrorKind::Rejected(_) => 0,
            ServerErrorKind::Declined(_) => 1,
            ServerErrorKind::NoResponse => 2,
            ServerErrorKind::NotSent => 3,
            // A server that is merely unavailable is reported before one of another domain.
            ServerErrorKind::WrongDomain => 4,
        };
        let server_text: Vec<String> = failures
            .iter()
            .map(|failure| failure.error.message().to_owned())
            .collect();
        let wrong_domain = failures
            .iter()
            .find(|failure| failure.kind == ServerErrorKind::WrongDomain);
        let wrong_domain = wrong_domain.map(|failure| failure.error.message().to_owned());
        let Some(mut failure) = failures.into_iter().min_by_key(rank) else {
            return Self::configuration("No server of the directory is configured");
        };
        if server_text.len() > 1 {
            let also = match wrong_domain {
                Some(also) if failure.kind != ServerErrorKind::WrongDomain => format!(" {also}"),
                _ => String::new(),
            };
            failure = failure
                .with_message(|message| format!("{message} Of {} servers none serves.{also}", server_text.len()));
            failure.error = failure.error.detail("attempts", server_text);
        }
        failure
    }

    /// Whether another server may serve the request.
    pub(crate) fn allows_failover(&self) -> bool {
        matches!(
            self.kind,
            ServerErrorKind::NotSent
                | ServerErrorKind::NoResponse
                | ServerErrorKind::Declined(_)
                | ServerErrorKind::WrongDomain
        )
    }
}

/// The server's diagnostic message on one line of bounded length.
fn server_text(result: &LdapResult) -> String {
    // Active Directory appends a NUL.
    one_line(&result.text).trim_end_matches('.').to_owned()
}

impl From<ServerError> for Error {
    fn from(failure: ServerError) -> Self {
        failure.error
    }
}
