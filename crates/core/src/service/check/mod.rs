//! The check of the configuration: everything that a command needs, tried one by one, and nothing changed but a message that was
//! asked for.

mod files;
mod message;

pub use files::{FileRole, Installation, UsedFile};

use std::sync::Arc;

use super::Lookup;
use crate::audit::AuditLog;
use crate::cancellation::Cancellation;
use crate::check::{Check, CheckStatus, Subject};
use crate::clock::Clock;
use crate::directory::{Directory, Found, MailboxFilter, Route};
use crate::keys::Keys;
use crate::notification::Notifier;
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::{Error, ErrorCode, Result};

/// Mailboxes looked at to find one within the scope.
const SAMPLE_PAGE: usize = 500;
/// A log whose newest entry is further ahead was written under another clock.
const CLOCK_TOLERANCE_MS: i64 = 30_000;

/// What is to be checked.
#[derive(Clone, Debug, Default)]
pub struct CheckRequest {
    /// The mailbox on which rights and key are tried; none: one that is found.
    pub sample: Option<String>,
    /// Further names of it.
    pub alternatives: Vec<String>,
    /// Where a test message is sent; none: none is.
    pub notify_email: Option<String>,
    /// Asked between the checks.
    pub cancellation: Cancellation,
}

/// Checks the configuration, and whether the directory can be used.
pub(super) struct Checks {
    pub directory: Arc<dyn Directory>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub keys: Arc<dyn Keys>,
    pub log: Arc<dyn AuditLog>,
    pub notifier: Arc<dyn Notifier>,
    pub clock: Arc<dyn Clock>,
    /// The name of this computer, for the test message.
    pub host: String,
    /// The files whose owners and modes are checked.
    pub installation: Option<Installation>,
}

impl Checks {
    /// [`Service::check_configuration`](crate::service::Service::check_configuration).
    pub(in crate::service) fn check_configuration(&self, request: &CheckRequest) -> Result<Vec<Check>> {
        let address = request.notify_email.as_deref().map(message::address).transpose()?;
        let mut checks = vec![self.configuration_check()];
        self.directory.refresh();
        checks.extend(self.directory.examine(&request.cancellation)?);
        request.cancellation.check()?;
        let sample = self.sample(request);
        match &sample {
            Ok(found) => checks.extend(self.directory.examine_mailbox(found)),
            Err(why) => checks.push(why.clone()),
        }
        request.cancellation.check()?;
        checks.push(self.key_check(sample.as_ref().ok()));
        if checks.iter().all(|check| check.subject != Subject::Clock) {
            checks.push(self.clock_check());
        }
        request.cancellation.check()?;
        checks.extend(self.notifier.examine(self.clock.now()));
        request.cancellation.check()?;
        checks.push(match address {
            Some(address) => self.send_test_message(&address),
            None => Check::skipped(Subject::TestMessage, "", "No address for a test message was given."),
        });
        checks.extend(self.file_checks());
        Ok(checks)
    }

    fn configuration_check(&self) -> Check {
        match self
            .installation
            .as_ref()
            .and_then(|known| known.configuration.as_ref())
        {
            Some(file) => Check::passed(
                Subject::Configuration,
                file.display().to_string(),
                "The configuration file can be read and is without faults.",
            ),
            None => Check::passed(
                Subject::Configuration,
                "",
                "There is no configuration file; the defaults hold.",
            ),
        }
    }

    /// The mailbox to try rights and key on.
    fn sample(&self, request: &CheckRequest) -> Result<Found, Check> {
        let lookup = Lookup {
            alternatives: &request.alternatives,
            ..Lookup::default()
        };
        if let Some(name) = &request.sample {
            return self
                .resolver
                .resolve_um_enabled(name, lookup)
                .map_err(|error| Check::failed(Subject::ReadRights, name, &error));
        }
        let location = self.directory.location();
        let mut after = None;
        loop {
            let filter = MailboxFilter { um_enabled_only: true };
            let page = self
                .directory
                .mailboxes(filter, Route::Preferred, after.as_deref(), SAMPLE_PAGE)
                .map_err(|error| {
                    Check::skipped(
                        Subject::ReadRights,
                        &location,
                        format!("No mailbox could be looked at: {}", error.message()),
                    )
                })?;
            if let Some(found) = page
                .items
                .into_iter()
                .find(|found| self.resolver.is_visible(&found.mailbox, lookup))
            {
                return Ok(found);
            }
            match page.next {
                Some(next) if request.cancellation.check().is_ok() => after = Some(next),
                _ => break,
            }
        }
        let what = if self.resolver.scope.is_some() {
            "No mailbox with Unified Messaging is visible within 'defaultScope'."
        } else {
            "No mailbox with Unified Messaging is visible."
        };
        Err(Check::warning(
            Subject::ReadRights,
            location,
            what,
            "Check 'defaultScope', and enable mailboxes for Unified Messaging where they are managed.",
        ))
    }

    /// Whether the key can be used, and is that of what is stored.
    fn key_check(&self, sample: Option<&Found>) -> Check {
        let target = self
            .installation
            .as_ref()
            .and_then(|known| known.file(FileRole::Key))
            .map(|file| file.path.display().to_string())
            .unwrap_or_default();
        let sealed = self.directory.holds_sealed_data();
        if !self.keys.exists() && matches!(sealed, Ok(false)) {
            return Check::skipped(Subject::Key, target, "There is no key yet; the first change makes it.");
        }
        if let Err(error) = self.keys.load() {
            return Check::failed(Subject::Key, target, &error);
        }
        let opened = self.records.ring_on_disk().and_then(|_| match sample {
            Some(found) => self.records.read_record(found).map(|seen| seen.stored.record.is_some()),
            None => Ok(false),
        });
        match opened {
            Ok(true) => Check::passed(
                Subject::Key,
                target,
                "The key can be used, and opens the record of the sample.",
            ),
            Ok(false) => Check::passed(
                Subject::Key,
                target,
                "The key can be used, and nothing that is stored was sealed under another.",
            ),
            Err(error) if matches!(error.code(), ErrorCode::KeyUnavailable | ErrorCode::StoreCorrupt) => {
                Check::failed(Subject::Key, target, &error)
            }
            Err(error) => Check::warning(
                Subject::Key,
                target,
                format!(
                    "The key can be used; whether it is the right one could not be tried: {}",
                    error.message()
                ),
                error.recommended_action(),
            ),
        }
    }

    /// Where no controller tells the time, the audit log tells the latest time that was.
    fn clock_check(&self) -> Check {
        let source = self.log.source();
        let newest = match self.log.newest() {
            Ok(Some((_, newest))) => newest,
            Ok(None) => return Check::skipped(Subject::Clock, source, "There is nothing to compare the clock with."),
            Err(error) => return Check::skipped(Subject::Clock, source, error.message()),
        };
        let ahead = newest.0.saturating_sub(self.clock.now().0);
        if ahead > CLOCK_TOLERANCE_MS {
            return Check::warning(
                Subject::Clock,
                source,
                format!(
                    "The newest entry of the audit log is {} s in the future: this computer's clock was set back, or was ahead before.",
                    ahead / 1000
                ),
                "Set this computer's clock by a time service.",
            );
        }
        Check::passed(
            Subject::Clock,
            source,
            "No entry of the audit log is later than this computer's clock.",
        )
    }
}

/// How the worst of them came out.
#[must_use]
pub fn worst(checks: &[Check]) -> CheckStatus {
    let is = |status| checks.iter().any(|check| check.status == status);
    if is(CheckStatus::Failed) {
        CheckStatus::Failed
    } else if is(CheckStatus::Warning) {
        CheckStatus::Warning
    } else {
        CheckStatus::Passed
    }
}

/// An error that names what is missing.
pub(super) fn undelivered(reason: &str) -> Error {
    Error::new(
        ErrorCode::NotificationFailed,
        format!("The test message was not delivered: {}.", reason.trim_end_matches('.')),
    )
    .action("Correct the 'notification' part of the configuration, or what it names.")
}
