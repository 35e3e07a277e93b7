//! The check of the configuration, as far as the embedded directory knows.

use std::path::Path;

use super::EmbeddedDirectory;
use umpin_core::Result;
use umpin_core::check::{Check, Subject};
use umpin_core::directory::{Directory as _, MailboxFilter, Route};
use umpin_platform::account;

impl EmbeddedDirectory {
    pub(super) fn checks(&self) -> Vec<Check> {
        let target = self.location();
        let mut checks = vec![self.store_check(&target)];
        checks.push(Check::passed(
            Subject::Account,
            account::name(),
            "Commands work on the directory as the account that runs them.",
        ));
        let path = Path::new(&target);
        let folder = path.parent().unwrap_or(Path::new("/"));
        if matches!(self.exists(), Ok(true)) {
            checks.push(match account::may_write(path).and_then(|()| account::may_write(folder)) {
                Ok(()) => Check::passed(Subject::WriteRights, &target, "This account may write the directory."),
                Err(e) => Check::failing(
                    Subject::WriteRights,
                    &target,
                    format!("This account may not write the directory or its folder: {e}."),
                    "Run commands that change something with the account that owns the directory, or as a member of 'serviceGroup'.",
                ),
            });
        }
        for subject in [
            Subject::DomainController,
            Subject::Certificate,
            Subject::CounterAttribute,
        ] {
            checks.push(Check::skipped(subject, &target, "The embedded directory has none."));
        }
        checks
    }

    fn store_check(&self, target: &str) -> Check {
        let look = || -> Result<usize> {
            self.store_id()?;
            Ok(self
                .mailboxes(MailboxFilter { um_enabled_only: true }, Route::Preferred, None, 1)?
                .items
                .len())
        };
        match look() {
            Ok(0) => Check::warning(
                Subject::Directory,
                target,
                "The directory can be read, and no mailbox in it has Unified Messaging.",
                "Import the mailboxes with Import-UMDirectory; the column UMEnabled says who has Unified Messaging.",
            ),
            Ok(_) => Check::passed(Subject::Directory, target, "The directory can be read."),
            Err(error) => Check::failed(Subject::Directory, target, &error),
        }
    }
}
