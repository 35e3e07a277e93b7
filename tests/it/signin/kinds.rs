//! The kinds of answers that let nobody in, and a store with mailboxes for each of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use umpin::clock::SystemClock;
use umpin::credential::kdf::Cost;
use umpin::policy::{Limit, UmMailboxPolicy};
use umpin::service::Settings;
use umpin::session::Session;

use super::attempt::set_policy;
use super::fixture;
use crate::support;

/// The PIN of every mailbox that has one, but for those whose PIN was reset by failures.
pub const RIGHT: &str = "739152";
/// Too short for any policy.
pub const WRONG: &str = "0";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unknown,
    NotEnabled,
    Ambiguous,
    NeverSet,
    Wrong,
    Locked,
    ResetByFailures,
}

pub const KINDS: [Kind; 7] = [
    Kind::Unknown,
    Kind::NotEnabled,
    Kind::Ambiguous,
    Kind::NeverSet,
    Kind::Wrong,
    Kind::Locked,
    Kind::ResetByFailures,
];

impl Kind {
    /// Each line has mailboxes of its own.
    pub fn identity(self, line: usize) -> String {
        match self {
            Self::Ambiguous => format!("Twin {line}"),
            _ => format!("{self:?}{line}@contoso.com"),
        }
    }

    /// The outcome, or the error's id.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Unknown => "ManagementObjectNotFound",
            Self::NotEnabled => "MailboxNotUMEnabled",
            Self::Ambiguous => "ManagementObjectAmbiguous",
            Self::NeverSet | Self::Wrong => "rejected",
            Self::Locked => "locked",
            Self::ResetByFailures => "resetByFailures",
        }
    }

    /// Name and address of its mailboxes for a line.
    fn mailboxes(self, line: usize) -> Vec<(String, String)> {
        match self {
            Self::Unknown => Vec::new(),
            Self::Ambiguous => ["a", "b"]
                .map(|twin| (format!("Twin {line}"), format!("twin{line}{twin}@contoso.com")))
                .into(),
            _ => vec![(format!("{self:?} {line}"), self.identity(line))],
        }
    }

    fn policy(self) -> &'static str {
        match self {
            Self::ResetByFailures => "Strict",
            _ => "Default",
        }
    }
}

pub fn session(home: &Path, cost: Cost, floor: Duration) -> Session {
    let directory = Arc::new(support::embedded(home));
    let settings = Settings {
        answer_floor: floor,
        ..fixture::settings(cost)
    };
    Session::with_service(fixture::service_with(
        home,
        Arc::clone(&directory),
        directory,
        Arc::new(SystemClock),
        settings,
    ))
}

/// Mailboxes of every kind for every line.
pub fn store(lines: usize, cost: Cost) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    let mut csv = "Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled,UMMailboxPolicy\n".to_owned();
    for kind in KINDS {
        for (name, address) in (0..lines).flat_map(|line| kind.mailboxes(line)) {
            let (enabled, policy) = (kind != Kind::NotEnabled, kind.policy());
            csv += &format!("{name},sip.{address},{address},{enabled},{policy}\n");
        }
    }
    let file = home.path().join("people.csv");
    std::fs::write(&file, csv).expect("a file");
    let session = session(home.path(), cost, Duration::ZERO);
    support::request(&session, &json!({ "v": 1, "operation": "import", "path": file })).expect("an import");
    for (name, reset_after) in [("Default", Limit::Unlimited), ("Strict", Limit::Of(1))] {
        let settings = UmMailboxPolicy {
            logon_failures_before_pin_reset: reset_after,
            max_logon_attempts: Limit::Unlimited,
            ..UmMailboxPolicy::with_defaults(name)
        };
        set_policy(&support::embedded(home.path()), settings);
    }
    for kind in [Kind::Wrong, Kind::Locked, Kind::ResetByFailures] {
        for line in 0..lines {
            let fields = json!({
                "identity": kind.identity(line), "sendEmail": false, "pinExpired": false,
                "lockedOut": kind == Kind::Locked,
            });
            support::reset(&session, fields, Some(RIGHT)).expect("a PIN");
        }
    }
    home
}
