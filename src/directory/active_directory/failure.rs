//! What can go wrong between this computer and a server, told apart by what may have happened there.

use crate::Error;

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
    /// The server's answer (RFC 4511, appendix A), which would be the same elsewhere; nothing was changed.
    Refused(u32),
    /// Another server would not help: the password is wrong, or the configuration is.
    Hopeless,
}

/// `noSuchAttribute`: the value to be deleted is not there.
pub(super) const NO_SUCH_ATTRIBUTE: u32 = 16;
/// `attributeOrValueExists`.
pub(super) const ATTRIBUTE_OR_VALUE_EXISTS: u32 = 20;
/// `noSuchObject`.
pub(super) const NO_SUCH_OBJECT: u32 = 32;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
