//! The one table of status numbers and error ids, and the error value that every layer returns.
//!
//! The C header is checked against this table (`tests/contract/status_table.rs`). The exception classes and the error catalogue of the
//! interop assembly are generated from its lines (`xtask/src/exceptions.rs`).

use std::error::Error as StdError;
use std::fmt;

use umpin_platform::text::escaped;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $id:literal, $exception:literal, $category:literal, $action:expr;)*) => {
        /// Why an operation failed. The numbers are those of the C ABI: families by hundred, never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant = $number,)*
        }

        impl ErrorCode {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The status number of the C ABI.
            #[must_use]
            pub const fn status(self) -> u32 {
                match self { $(Self::$variant => $number,)* }
            }

            /// The stable error id that PowerShell shows before the comma in `FullyQualifiedErrorId`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The exception class (namespace `UMMailboxPin`) that scripts match on.
            #[must_use]
            pub const fn exception(self) -> &'static str {
                match self { $(Self::$variant => $exception,)* }
            }

            /// The PowerShell `ErrorCategory`.
            #[must_use]
            pub const fn category(self) -> &'static str {
                match self { $(Self::$variant => $category,)* }
            }

            /// What to do about it, unless the place that raised the error knows better.
            #[must_use]
            pub const fn default_action(self) -> &'static str {
                match self { $(Self::$variant => $action,)* }
            }
        }
    };
}

const REPORT: &str = "Report this as a defect of the program that calls the library.";

error_codes! {
    /// The caller cancelled the operation before its commit point. No failure: the C ABI has a status for it and no error object.
    Cancelled = 3, "Cancelled", "OperationCanceledException", "OperationStopped", "Run the command again to carry it out.";

    /// A required pointer was NULL.
    NullArgument = 101, "NativeFault", "NativeLibraryException", "InvalidOperation", REPORT;
    /// Text was not valid UTF-8.
    InvalidUtf8 = 102, "NativeFault", "NativeLibraryException", "InvalidOperation", REPORT;
    /// The JSON request was malformed, or has unknown or impossible fields.
    InvalidRequest = 103, "NativeFault", "NativeLibraryException", "InvalidOperation", REPORT;
    /// The handle has already given its answer.
    AlreadyUsed = 104, "NativeFault", "NativeLibraryException", "InvalidOperation", REPORT;
    /// An earlier call on this session panicked; only freeing it is allowed.
    Poisoned = 105, "NativeFault", "NativeLibraryException", "InvalidOperation", "Open a new session and report the earlier failure.";
    /// The library panicked; a defect of the library.
    Panic = 106, "NativeFault", "NativeLibraryException", "InvalidOperation", "Open a new session and report this as a defect of umpin.";
    /// The process was forked from one that has used the library.
    Forked = 107, "NativeFault", "NativeLibraryException", "InvalidOperation", "Fork before the library is used for the first time, or start the child as a program of its own.";
    /// A number was outside its documented range.
    InvalidArgument = 108, "NativeFault", "NativeLibraryException", "InvalidOperation", REPORT;

    /// The identity is empty or cannot name a mailbox.
    InvalidIdentity = 201, "InvalidIdentity", "InvalidIdentityException", "InvalidArgument", "Pass a GUID, DN, canonical name, DOMAIN\\account, UPN, e-mail address, alias or name.";
    /// No object has this identity.
    ManagementObjectNotFound = 202, "ManagementObjectNotFound", "ManagementObjectNotFoundException", "ObjectNotFound", "Check the spelling of the identity, or list the mailboxes with Get-Mailbox.";
    /// More than one object has this identity.
    ManagementObjectAmbiguous = 203, "ManagementObjectAmbiguous", "ManagementObjectAmbiguousException", "InvalidArgument", "Use a value that only one mailbox has, such as its GUID or distinguished name.";
    /// The mailbox exists but has no Unified Messaging.
    MailboxNotUmEnabled = 204, "MailboxNotUMEnabled", "MailboxNotUMEnabledException", "InvalidOperation", "Enable the mailbox for Unified Messaging where it is managed. In the embedded directory, set it to true in the column UMEnabled of the CSV file (to 1 in msExchUMEnabledFlags of an LDIF file) and import the file again with Import-UMDirectory.";
    /// `NotifyEmail` is not one well-formed address.
    InvalidNotifyEmail = 205, "InvalidNotifyEmail", "InvalidNotifyEmailException", "InvalidArgument", "Pass exactly one e-mail address, such as tony@contoso.com.";
    /// The message has no recipient.
    NoNotificationAddress = 206, "NoNotificationAddress", "NoNotificationAddressException", "InvalidArgument", "Give the mailbox a primary SMTP address, or pass -NotifyEmail or -SendEmail $false.";
    /// Parameters that exclude each other.
    InvalidParameterCombination = 207, "InvalidParameterCombination", "InvalidParameterCombinationException", "InvalidArgument", "Remove one of the parameters that exclude each other.";
    /// The object lies outside the scope that may be written.
    OutsideScope = 208, "OutsideScope", "OutsideScopeException", "PermissionDenied", "Use an account or a defaultScope that covers this mailbox.";

    /// An object of this name exists already.
    ManagementObjectExists = 209, "ManagementObjectAlreadyExists", "ManagementObjectAlreadyExistsException", "ResourceExists", "Choose another name, or change the object that has it.";
    /// Other objects still refer to the object.
    ManagementObjectInUse = 210, "ManagementObjectInUse", "ManagementObjectInUseException", "ResourceBusy", "Give the mailboxes another policy, then run the command again.";

    /// The PIN breaks the mailbox's policy; `details.rules` names every broken rule.
    PinPolicyViolation = 301, "PinPolicyViolation", "PinPolicyViolationException", "InvalidData", "Choose a PIN that obeys every rule named, or omit -Pin to have one generated.";
    /// The policy, the extensions and the history leave no PIN that could be generated.
    NoValidPin = 302, "NoValidPin", "PinPolicyViolationException", "InvalidData", "Raise MinPINLength or lower PINHistoryCount in the mailbox's policy.";
    /// A setting of a policy is out of its range.
    InvalidPolicySetting = 303, "InvalidPolicySetting", "InvalidPolicySettingException", "InvalidArgument", "Pass a value within the range named.";

    /// The store or server cannot be reached, read or written.
    DirectoryUnavailable = 401, "DirectoryUnavailable", "DirectoryUnavailableException", "ConnectionError", "Check that the directory named exists, can be reached and has free space.";
    /// Other writers kept changing the mailbox until the deadline.
    WriteConflict = 402, "WriteConflict", "DirectoryWriteConflictException", "ResourceBusy", "Run the command again.";
    /// It cannot be known whether the change was made.
    OutcomeUnknown = 403, "OutcomeUnknown", "DirectoryOutcomeUnknownException", "ResourceBusy", "Check the mailbox with Get-UMMailboxPIN, then reset the PIN again.";
    /// The account lacks the rights.
    AccessDenied = 404, "AccessDenied", "AccessDeniedException", "PermissionDenied", "Run the command with an account that may write this store.";
    /// The mailbox or the message's recipient is no longer what was shown before the change; nothing was changed.
    TargetChanged = 405, "TargetChanged", "TargetChangedException", "ResourceBusy", "Run the command again, and read anew what it is about to change.";

    /// The configuration cannot be used; the message names file and key.
    ConfigurationInvalid = 501, "ConfigurationInvalid", "ConfigurationException", "InvalidData", "Correct the configuration file named.";
    /// The key that protects the records is missing, unreadable, exposed or the wrong one.
    KeyUnavailable = 502, "KeyUnavailable", "KeyUnavailableException", "SecurityError", "Restore the key file from its backup and keep it readable by its owner only.";
    /// The store or a record in it is damaged.
    StoreCorrupt = 503, "StoreCorrupt", "StoreCorruptException", "InvalidData", "Restore the directory from a backup.";
    /// The import file has rows that cannot be used.
    ImportInvalid = 504, "ImportInvalid", "ImportInvalidException", "InvalidData", "Correct the rows named, or import with -SkipInvalid.";
    /// The audit log was tampered with; `details` names host, entry and kind.
    AuditChainBroken = 505, "AuditChainBroken", "AuditChainBrokenException", "SecurityError", "Keep a copy of the log as evidence, and compare it with an export or backup made before.";
    /// A file cannot be used as an audit log: it exists already, is missing, or is none.
    AuditFileUnusable = 506, "AuditFileUnusable", "AuditFileUnusableException", "InvalidArgument", "Pass the path of a file that Export-UMPinAudit wrote.";
    /// Others can alter or exchange the store: by its owner or mode, or by those of its folder.
    StoreExposed = 507, "StoreExposed", "StoreExposedException", "SecurityError", "Give the store and its folder to one account, and let nobody else write there.";

    /// The PIN was changed but its message could not be delivered. The id of a warning: no operation fails with it.
    NotificationFailed = 601, "NotificationFailed", "NotificationFailedException", "ResourceUnavailable", "Correct the cause, then run Send-UMPinNotification, because the message stays queued; where its address is wrong, correct that and reset the PIN again.";
    /// No message can be delivered as things are configured, so nothing was changed.
    NotificationUnavailable = 602, "NotificationUnavailable", "NotificationUnavailableException", "ResourceUnavailable", "Correct the notification settings, then run the command again; or pass -SendEmail $false.";

    /// An internal invariant did not hold; a defect of the library.
    NativeFault = 901, "NativeFault", "NativeLibraryException", "InvalidOperation", "Report this as a defect of umpin.";
}

/// A failed operation: what, in one sentence; what to do; and the cause.
///
/// The texts never hold a PIN, a key or a password: no constructor takes one.
pub struct Error {
    code: ErrorCode,
    message: String,
    action: Option<Box<str>>,
    details: serde_json::Map<String, serde_json::Value>,
    // Boxed, because most errors have none and every result is as large as an error.
    #[allow(clippy::box_collection, reason = "a pointer is what it is to be")]
    warnings: Option<Box<Vec<(&'static str, String)>>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with the code's own recommended action. Names in the message may hold control characters, a line of a log may not.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: escaped(message.into()),
            action: None,
            details: serde_json::Map::new(),
            warnings: None,
            source: None,
        }
    }

    /// Replaces the recommended action.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into().into_boxed_str());
        self
    }

    /// Adds a machine-readable fact.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what else went wrong: its id and one sentence.
    #[must_use]
    pub fn warning(mut self, id: &'static str, message: impl Into<String>) -> Self {
        self.warnings.get_or_insert_default().push((id, message.into()));
        self
    }

    /// What else went wrong, by id.
    #[must_use]
    pub fn warnings(&self) -> &[(&'static str, String)] {
        self.warnings.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Which kind of failure.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// One sentence.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// One imperative sentence.
    #[must_use]
    pub fn recommended_action(&self) -> &str {
        self.action.as_deref().unwrap_or_else(|| self.code.default_action())
    }

    /// Machine-readable facts beside the sentence.
    #[must_use]
    pub fn details(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.id(), self.message)?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "; caused by: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_ascending() {
        let numbers: Vec<u32> = ErrorCode::ALL.iter().map(|c| c.status()).collect();
        assert!(numbers.windows(2).all(|w| w[0] < w[1]), "{numbers:?}");
    }

    #[test]
    fn actions_are_one_sentence() {
        for code in ErrorCode::ALL {
            let action = code.default_action();
            assert!(action.ends_with('.') && action.len() > 10, "{code:?}: {action}");
        }
    }
}
