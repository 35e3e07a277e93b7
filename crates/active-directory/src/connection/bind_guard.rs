//! Sends a wrong password once only: Active Directory locks accounts, and a pipeline may have a thousand items.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::server_error::{ServerError, ServerErrorKind};
use umpin_core::ErrorCode;
use umpin_platform::secret::Secret;

/// A wrong password is not sent again for this long. With the usual thresholds that never locks the account.
const WRONG_PASSWORD_COOLDOWN: Duration = Duration::from_secs(600);
/// An account that was rejected for another reason, which can be corrected on the server, is not tried for this long.
const REJECTED_COOLDOWN: Duration = Duration::from_secs(10);

/// Remembers whether a password was accepted or rejected.
#[derive(Default)]
pub(crate) struct BindGuard {
    known: Mutex<Known>,
    binding: Mutex<()>,
}

#[derive(Default)]
struct Known {
    verified: Option<Secret>,
    rejected: Option<(Secret, Instant, ServerError)>,
}

impl BindGuard {
    /// Serialises binds while the password is unverified; `None` once it has been accepted.
    pub(super) fn lock_unverified(&self, password: &Secret) -> Option<MutexGuard<'_, ()>> {
        (!self.is_verified(password)).then(|| self.binding.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the server accepted this password last time.
    pub(super) fn is_verified(&self, password: &Secret) -> bool {
        self.known().verified.as_ref() == Some(password)
    }

    /// The error of a recent rejection, for which the password is not sent again yet.
    pub(super) fn recent_rejection(&self, password: &Secret) -> Option<ServerError> {
        let known = self.known();
        let (rejected, until, failure) = known.rejected.as_ref()?;
        (rejected == password && Instant::now() < *until).then(|| failure.duplicate())
    }

    /// Records the outcome of a bind.
    pub(super) fn record_result(&self, password: Secret, failure: Option<&ServerError>) {
        let mut known = self.known();
        match failure {
            None => {
                *known = Known {
                    verified: Some(password),
                    rejected: None,
                }
            }
            Some(failure) => {
                if let Some(cooldown) = cooldown(failure) {
                    *known = Known {
                        verified: None,
                        rejected: Some((password, Instant::now() + cooldown, failure.duplicate())),
                    };
                }
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the same password is not sent again; `None` if the server did not reject the account.
fn cooldown(failure: &ServerError) -> Option<Duration> {
    if failure.kind != ServerErrorKind::Fatal || failure.error.code() != ErrorCode::AccessDenied {
        return None;
    }
    let details = failure.error.details();
    match details.get("windowsCode").and_then(|code| code.as_str()) {
        // `ERROR_LOGON_FAILURE` counts towards the lockout threshold.
        Some("52e") => Some(WRONG_PASSWORD_COOLDOWN),
        Some(_) => Some(REJECTED_COOLDOWN),
        // The server gives no reason.
        None if details.contains_key("ldapCode") => Some(WRONG_PASSWORD_COOLDOWN),
        // The local Kerberos library failed; no server was asked.
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use umpin_core::Error;

    fn failure(kind: ServerErrorKind, code: ErrorCode, windows: &str) -> ServerError {
        ServerError {
            kind,
            error: Error::new(code, "Refused.").detail("windowsCode", windows),
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_wrong_password_is_sent_once() {
        let guard = BindGuard::default();
        let wrong = failure(ServerErrorKind::Fatal, ErrorCode::AccessDenied, "52e");
        assert_eq!(cooldown(&wrong), Some(WRONG_PASSWORD_COOLDOWN));
        guard.record_result(secret("old"), Some(&wrong));
        assert_eq!(
            guard.recent_rejection(&secret("old")).unwrap().kind,
            ServerErrorKind::Fatal
        );
        // The administrator has corrected the password file.
        assert!(guard.recent_rejection(&secret("new")).is_none());
        guard.record_result(secret("new"), None);
        assert!(guard.recent_rejection(&secret("old")).is_none());
    }

    #[test]
    fn only_a_rejected_account_is_remembered() {
        let guard = BindGuard::default();
        for (kind, code) in [
            (ServerErrorKind::NotSent, ErrorCode::DirectoryUnavailable),
            (ServerErrorKind::Declined(51), ErrorCode::DirectoryUnavailable),
            (ServerErrorKind::Fatal, ErrorCode::ConfigurationInvalid),
        ] {
            guard.record_result(secret("um"), Some(&failure(kind, code, "")));
            assert!(guard.recent_rejection(&secret("um")).is_none(), "{kind:?}");
        }
        let locked = failure(ServerErrorKind::Fatal, ErrorCode::AccessDenied, "775");
        assert_eq!(cooldown(&locked), Some(REJECTED_COOLDOWN));
        let without_ticket = ServerError {
            kind: ServerErrorKind::Fatal,
            error: Error::new(ErrorCode::AccessDenied, "No ticket."),
        };
        assert_eq!(cooldown(&without_ticket), None);
    }

    #[test]
    fn binds_are_serialised_until_the_password_is_verified() {
        let guard = BindGuard::default();
        assert!(guard.lock_unverified(&secret("um")).is_some());
        guard.record_result(secret("um"), None);
        assert!(guard.lock_unverified(&secret("um")).is_none());
        assert!(guard.lock_unverified(&secret("other")).is_some());
    }
}
