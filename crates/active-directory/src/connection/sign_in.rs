//! How often a password may be wrong: once. Active Directory locks accounts, and a pipeline has a thousand items.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::{Failure, FailureKind};
use umpin_core::ErrorCode;
use umpin_platform::secret::Secret;

/// A password that was wrong is not sent again for this long: with the usual thresholds that never locks the account.
const WRONG_FOR: Duration = Duration::from_secs(600);
/// An account that was refused for another reason is not tried for this long: that can be mended on the server.
const REFUSED_FOR: Duration = Duration::from_secs(10);

/// What is known of the password.
#[derive(Default)]
pub(crate) struct SignIn {
    known: Mutex<Known>,
    first: Mutex<()>,
}

#[derive(Default)]
struct Known {
    good: Option<Secret>,
    refused: Option<(Secret, Instant, Failure)>,
}

impl SignIn {
    /// While nobody knows whether the password is right, one at a time finds out, holding what is given here.
    pub(super) fn alone(&self, password: &Secret) -> Option<MutexGuard<'_, ()>> {
        (!self.is_good(password)).then(|| self.first.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it was right the last time.
    pub(super) fn is_good(&self, password: &Secret) -> bool {
        self.known().good.as_ref() == Some(password)
    }

    /// Why this password is not sent, where it was refused a short while ago.
    pub(super) fn refused(&self, password: &Secret) -> Option<Failure> {
        let known = self.known();
        let (refused, until, failure) = known.refused.as_ref()?;
        (refused == password && Instant::now() < *until).then(|| failure.again())
    }

    /// It was tried.
    pub(super) fn note(&self, password: Secret, failure: Option<&Failure>) {
        let mut known = self.known();
        match failure {
            None => {
                *known = Known {
                    good: Some(password),
                    refused: None,
                }
            }
            Some(failure) => {
                if let Some(pause) = pause(failure) {
                    *known = Known {
                        good: None,
                        refused: Some((password, Instant::now() + pause, failure.again())),
                    };
                }
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the same is not tried again; `None` where the server has not refused the account.
fn pause(failure: &Failure) -> Option<Duration> {
    if failure.kind != FailureKind::Hopeless || failure.error.code() != ErrorCode::AccessDenied {
        return None;
    }
    let details = failure.error.details();
    match details.get("windowsCode").and_then(|code| code.as_str()) {
        // `ERROR_LOGON_FAILURE`: it counts towards a lock.
        Some("52e") => Some(WRONG_FOR),
        Some(_) => Some(REFUSED_FOR),
        // A server that does not say why.
        None if details.contains_key("ldapCode") => Some(WRONG_FOR),
        // Only this computer's Kerberos was asked.
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use umpin_core::Error;

    fn failure(kind: FailureKind, code: ErrorCode, windows: &str) -> Failure {
        Failure {
            kind,
            error: Error::new(code, "Refused.").detail("windowsCode", windows),
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_wrong_password_is_sent_once() {
        let sign_in = SignIn::default();
        let wrong = failure(FailureKind::Hopeless, ErrorCode::AccessDenied, "52e");
        assert_eq!(pause(&wrong), Some(WRONG_FOR));
        sign_in.note(secret("old"), Some(&wrong));
        assert_eq!(sign_in.refused(&secret("old")).unwrap().kind, FailureKind::Hopeless);
        // The administrator has put the right one into the file.
        assert!(sign_in.refused(&secret("new")).is_none());
        sign_in.note(secret("new"), None);
        assert!(sign_in.refused(&secret("old")).is_none());
    }

    #[test]
    fn what_is_no_answer_about_the_account_is_not_remembered() {
        let sign_in = SignIn::default();
        for (kind, code) in [
            (FailureKind::Unreached, ErrorCode::DirectoryUnavailable),
            (FailureKind::Declined(51), ErrorCode::DirectoryUnavailable),
            (FailureKind::Hopeless, ErrorCode::ConfigurationInvalid),
        ] {
            sign_in.note(secret("um"), Some(&failure(kind, code, "")));
            assert!(sign_in.refused(&secret("um")).is_none(), "{kind:?}");
        }
        let locked = failure(FailureKind::Hopeless, ErrorCode::AccessDenied, "775");
        assert_eq!(pause(&locked), Some(REFUSED_FOR));
        let without_ticket = Failure {
            kind: FailureKind::Hopeless,
            error: Error::new(ErrorCode::AccessDenied, "No ticket."),
        };
        assert_eq!(pause(&without_ticket), None);
    }

    #[test]
    fn only_an_untried_password_is_tried_alone() {
        let sign_in = SignIn::default();
        assert!(sign_in.alone(&secret("um")).is_some());
        sign_in.note(secret("um"), None);
        assert!(sign_in.alone(&secret("um")).is_none());
        assert!(sign_in.alone(&secret("other")).is_some());
    }
}
