//! What can go wrong between this computer and a server, told apart by what may have happened there.

mod explain;
#[cfg(any(feature = "gssapi", test))]
mod kerberos;

use ldap3::{LdapError, LdapResult};

use super::connection::request::Trouble;
use super::server::Endpoint;
use umpin_core::{Error, ErrorCode};
use umpin_platform::text::one_line;
use umpin_platform::tls;

#[cfg(feature = "gssapi")]
pub(super) use kerberos::kerberos;

/// A failed operation.
#[derive(Debug)]
pub(super) struct Failure {
    pub kind: FailureKind,
    /// What is told if nothing else helps; its details name the server (`server`) and, where it answered, its code (`ldapCode`).
    pub error: Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// Nothing was sent: the next server may serve.
    Unreached,
    /// It was sent and not answered: a question may be put to the next server, a change may have been made.
    Lost,
    /// The server answered that it cannot now (busy, unavailable, unwilling) or never (it is read-only); nothing was changed, and the
    /// next server may serve.
    Declined(u32),
    /// The server holds another domain than it is asked for: it was asked for nothing else, and the next server may serve.
    Foreign,
    /// The server's answer (RFC 4511, appendix A), which would be the same elsewhere; nothing was changed.
    Refused(u32),
    /// Another server would not help: the password is wrong, or the configuration is.
    Hopeless,
}

/// `timeLimitExceeded`, `sizeLimitExceeded`, `adminLimitExceeded`.
pub(super) const LIMITS: [u32; 3] = [3, 4, 11];
/// `noSuchAttribute`: the value to be deleted is not there.
pub(super) const NO_SUCH_ATTRIBUTE: u32 = 16;
/// `attributeOrValueExists`.
pub(super) const ATTRIBUTE_OR_VALUE_EXISTS: u32 = 20;
/// `noSuchObject`.
pub(super) const NO_SUCH_OBJECT: u32 = 32;

/// What serves, where a server has no cipher suite in common with this computer.
const OLD_WINDOWS: &str = "Use controllers of Windows Server 2016 or later. Windows Server 2012 R2 and 2012 serve only with an ECDSA \
                           certificate (P-256 or P-384): docs/active-directory.md, \"TLS and the versions of Windows\".";

/// At which step of a connection, or in which operation.
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
            Self::RootDse => "a question for its rootDSE",
            Self::Bind => "the sign-in",
            Self::Search => "a search",
            Self::Modify => "a change",
        }
    }

    /// What a silence at this step leaves open.
    fn silence(self) -> FailureKind {
        match self {
            Self::Name | Self::Connect | Self::Tls | Self::RootDse | Self::Bind => FailureKind::Unreached,
            Self::Search | Self::Modify => FailureKind::Lost,
        }
    }
}

impl Failure {
    /// `what` completes "The domain controller dc1.contoso.com … ".
    pub(crate) fn of(kind: FailureKind, code: ErrorCode, endpoint: &Endpoint, what: &str) -> Self {
        let what = what.trim_end_matches('.');
        let error = Error::new(code, format!("{endpoint} {what}.")).detail("server", endpoint.server.to_string());
        Self { kind, error }
    }

    /// The server, or the way to it, is at fault; another may serve.
    pub(crate) fn unavailable(kind: FailureKind, endpoint: &Endpoint, what: &str) -> Self {
        let mut failure = Self::of(kind, ErrorCode::DirectoryUnavailable, endpoint, what);
        failure.error = failure
            .error
            .action("Check that the server runs and can be reached from this computer.");
        failure
    }

    /// Something here is at fault: the configuration, or a file that it names.
    pub(crate) fn local(what: &str) -> Self {
        Self {
            kind: FailureKind::Hopeless,
            error: Error::new(
                ErrorCode::ConfigurationInvalid,
                format!("{}.", what.trim_end_matches('.')),
            )
            .action("Correct the 'directory' part of the configuration, or what it names."),
        }
    }

    /// It was called off before anything was sent.
    pub(crate) fn cancelled(error: Error) -> Self {
        Self {
            kind: FailureKind::Hopeless,
            error,
        }
    }

    pub(crate) fn silent(endpoint: &Endpoint, step: Step, limit: std::time::Duration) -> Self {
        let seconds = limit.as_secs_f32().round();
        let what = format!("did not answer {} within {seconds} s", step.what());
        Self::unavailable(step.silence(), endpoint, &what)
    }

    /// The operation failed on the way, or was refused.
    pub(crate) fn in_operation(endpoint: &Endpoint, step: Step, trouble: Trouble) -> Self {
        match trouble {
            Trouble::Answer(result) => explain::answer(endpoint, step, &result),
            Trouble::Nonsense => Self::unavailable(step.silence(), endpoint, "gave an answer that is no LDAP"),
            Trouble::Library(error) => Self::of_library(endpoint, step, error),
        }
    }

    fn of_library(endpoint: &Endpoint, step: Step, error: LdapError) -> Self {
        let closed = format!("closed the connection at {}", step.what());
        match error {
            LdapError::LdapResult { result } => explain::answer(endpoint, step, &result),
            LdapError::Io { source } => match tls::explain(&source) {
                Some(why) => {
                    let mut failure = Self::unavailable(step.silence(), endpoint, &why.sentence);
                    failure.error = failure.error.action(match why.fault {
                        tls::Fault::Certificate => {
                            "Correct the server's certificate, or the authorities in 'directory.caFile'."
                        }
                        tls::Fault::NothingInCommon => OLD_WINDOWS,
                        tls::Fault::Other => "Check what the server offers on this port, and its own log.",
                    });
                    failure
                }
                // Not every server sends an alert before.
                None if step == Step::Tls => {
                    let what = format!(
                        "{closed} ({source}), as one does that has no certificate, or {}",
                        tls::NOTHING_IN_COMMON
                    );
                    let mut failure = Self::unavailable(step.silence(), endpoint, &what);
                    failure.error = failure.error.action(format!(
                        "Check that the server has a certificate for this port. {OLD_WINDOWS}"
                    ));
                    failure
                }
                None => Self::unavailable(step.silence(), endpoint, &format!("{closed} ({source})")),
            },
            // The connection was gone before.
            LdapError::OpSend { .. } => Self::unavailable(FailureKind::Unreached, endpoint, &closed),
            LdapError::ResultRecv { .. } | LdapError::EndOfStream | LdapError::IdScrubSend { .. } => {
                Self::unavailable(step.silence(), endpoint, &closed)
            }
            other => Self {
                kind: FailureKind::Hopeless,
                error: Error::new(
                    ErrorCode::NativeFault,
                    format!("{endpoint} was not asked: {}.", one_line(&other.to_string())),
                ),
            },
        }
    }

    /// The same failure for somebody else, without its cause.
    pub(crate) fn again(&self) -> Self {
        self.saying(str::to_owned)
    }

    /// The same failure in other words.
    pub(crate) fn saying(&self, message: impl FnOnce(&str) -> String) -> Self {
        let message = message(self.error.message());
        let mut error = Error::new(self.error.code(), message).action(self.error.recommended_action());
        for (name, value) in self.error.details() {
            error = error.detail(name, value.clone());
        }
        Self { kind: self.kind, error }
    }

    /// An answer says more than a silence, and a silence more than a closed door; with it, why the others did not serve.
    pub(crate) fn most_telling(failures: Vec<Self>) -> Self {
        let rank = |failure: &Self| match failure.kind {
            FailureKind::Hopeless | FailureKind::Refused(_) => 0,
            FailureKind::Declined(_) => 1,
            FailureKind::Lost => 2,
            FailureKind::Unreached => 3,
            // Where one that is merely away would have served, that is what is told first.
            FailureKind::Foreign => 4,
        };
        let told: Vec<String> = failures
            .iter()
            .map(|failure| failure.error.message().to_owned())
            .collect();
        let foreign = failures.iter().find(|failure| failure.kind == FailureKind::Foreign);
        let foreign = foreign.map(|failure| failure.error.message().to_owned());
        let Some(mut failure) = failures.into_iter().min_by_key(rank) else {
            return Self::local("No server of the directory is configured");
        };
        if told.len() > 1 {
            let also = match foreign {
                Some(also) if failure.kind != FailureKind::Foreign => format!(" {also}"),
                _ => String::new(),
            };
            failure = failure.saying(|message| format!("{message} Of {} servers none serves.{also}", told.len()));
            failure.error = failure.error.detail("attempts", told);
        }
        failure
    }

    /// Whether the next server is worth a try.
    pub(crate) fn is_of_server(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Unreached | FailureKind::Lost | FailureKind::Declined(_) | FailureKind::Foreign
        )
    }
}

/// Text of the server for people: one line, of bounded length.
fn told(result: &LdapResult) -> String {
    // Active Directory ends its text with NUL.
    one_line(&result.text).trim_end_matches('.').to_owned()
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
