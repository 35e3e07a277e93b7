//! The results of a check of the configuration. Ports check themselves, and change nothing.

use crate::Error;

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// Everything is in order.
    Passed,
    /// It works, and the administrator should act.
    Warning,
    /// It does not work.
    Failed,
    /// It was not checked, for the reason in the message.
    Skipped,
}

/// What is checked; the names are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The configuration file.
    Configuration,
    /// The directory as a whole.
    Directory,
    /// A domain controller.
    DomainController,
    /// A global catalog.
    GlobalCatalog,
    /// The certificate of a server.
    Certificate,
    /// The account that signs in, or that this runs as.
    Account,
    /// What the account may read.
    ReadRights,
    /// What the account may write.
    WriteRights,
    /// The key.
    Key,
    /// The attribute of the counter of failed sign-ins.
    CounterAttribute,
    /// This computer's clock.
    Clock,
    /// The mail relay.
    MailRelay,
    /// The pickup folder.
    PickupFolder,
    /// A test message to an address of the caller's choice.
    TestMessage,
    /// Owner and mode of a file or folder.
    Files,
}

impl Subject {
    /// The name in responses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Directory => "directory",
            Self::DomainController => "domainController",
            Self::GlobalCatalog => "globalCatalog",
            Self::Certificate => "certificate",
            Self::Account => "account",
            Self::ReadRights => "readRights",
            Self::WriteRights => "writeRights",
            Self::Key => "key",
            Self::CounterAttribute => "counterAttribute",
            Self::Clock => "clock",
            Self::MailRelay => "mailRelay",
            Self::PickupFolder => "pickupFolder",
            Self::TestMessage => "testMessage",
            Self::Files => "files",
        }
    }
}

/// One check and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub subject: Subject,
    /// The result.
    pub status: CheckStatus,
    /// The server, file or mailbox.
    pub target: String,
    /// A sentence.
    pub message: String,
    /// The recommended action, if any.
    pub action: Option<String>,
    /// The id of the error with which commands fail.
    pub error_id: Option<&'static str>,
}

impl Check {
    fn new(subject: Subject, status: CheckStatus, target: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            subject,
            status,
            target: target.into(),
            message: message.into(),
            action: None,
            error_id: None,
        }
    }

    /// A check that passed.
    #[must_use]
    pub fn passed(subject: Subject, target: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(subject, CheckStatus::Passed, target, message)
    }

    /// A check that was skipped.
    #[must_use]
    pub fn skipped(subject: Subject, target: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(subject, CheckStatus::Skipped, target, why)
    }

    /// A check with a warning.
    #[must_use]
    pub fn warning(
        subject: Subject,
        target: impl Into<String>,
        message: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        let mut check = Self::new(subject, CheckStatus::Warning, target, message);
        check.action = Some(action.into());
        check
    }

    /// A check that failed, with an action of its own.
    #[must_use]
    pub fn failing(
        subject: Subject,
        target: impl Into<String>,
        message: impl Into<String>,
        action: impl Into<String>,
    ) -> Self {
        let mut check = Self::new(subject, CheckStatus::Failed, target, message);
        check.action = Some(action.into());
        check
    }

    /// A check that failed with the error that commands would report.
    #[must_use]
    pub fn failed(subject: Subject, target: impl Into<String>, error: &Error) -> Self {
        let mut check = Self::failing(subject, target, error.message(), error.recommended_action());
        check.error_id = Some(error.code().id());
        check
    }
}
