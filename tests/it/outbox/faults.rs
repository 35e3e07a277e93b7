//! An outbox that cannot be written, or a key that cannot be read, refuses the reset before anything changes.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use umpin::clock::Timestamp;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Journal, Transition};
use umpin::mailbox::ObjectId;
use umpin::notification::outbox::{EntryState, Outbox, OutboxEntry};
use umpin::service::Service;
use umpin::service::reset::ResetRequest;
use umpin::{ErrorCode, Result};

use super::child::{self, Kind};
use super::fixture::{self, Inside};
use super::{trail, verdict};

fn entry() -> OutboxEntry {
    OutboxEntry {
        id: [1; 16],
        mailbox: ObjectId([2; 16]),
        pin_id: [3; 16],
        controller: None,
        state: EntryState::Unconfirmed,
        created: Timestamp(0),
        sealed: vec![4; 3000],
        leased_until: Timestamp(0),
        attempts: 0,
        last_error: None,
    }
}

fn note() -> IntentRecord {
    IntentRecord {
        operation: [5; 16],
        action: "Reset".to_owned(),
        mailbox: entry().mailbox,
        controller: None,
        fingerprint: ChangeFingerprint::Pin {
            id: entry().pin_id,
            previous: None,
        },
        at: Timestamp(0),
        state: IntentState::Prepared,
        due: Timestamp(0),
    }
}

/// A reset with its outbox there.
fn with_outbox(home: &Path, outbox: &Path) -> Result<()> {
    verdict::reset(&service(home, outbox), 0).map(drop)
}

fn service(home: &Path, outbox: &Path) -> Service {
    child::journaled(home, outbox, 0)
}

/// A lock, which has no message: only the journal can refuse it.
fn lock(home: &Path, outbox: &Path) -> Result<()> {
    let request = ResetRequest {
        identity: fixture::address(0),
        keep_pin: true,
        locked_out: Some(true),
        ..ResetRequest::default()
    };
    trail::asked(&service(home, outbox), request).map(drop)
}

#[test]
fn a_key_that_cannot_be_read_refuses_the_reset_and_expires_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = fixture::store(2);
    fs::write(home.path().join("down"), "").expect("the relay is down");
    verdict::reset(&child::service(home.path(), Kind::TwoSteps, 0), 0).expect("a reset");
    let key = home.path().join("umpin.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let error = verdict::reset(&child::service(home.path(), Kind::TwoSteps, 0), 1)
        .map(drop)
        .expect_err("no key");
    assert_eq!(error.code(), ErrorCode::KeyUnavailable);
    // A message is not given up for a key that may be back.
    let much_later = child::service(home.path(), Kind::TwoSteps, 31_536_000_000 * 2);
    assert_eq!(verdict::send(&much_later), ["queued"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");
    fs::remove_file(home.path().join("down")).expect("the relay is back");
    let later = child::service(home.path(), Kind::TwoSteps, 7_200_000);
    let address = fixture::address(0);
    let request = umpin::service::outbox::SendRequest {
        identity: Some(&address),
        ..Default::default()
    };
    assert_eq!(
        later.send_notifications(&request).expect("a report").items[0].outcome,
        "sent"
    );
}

/// The outbox of a remote directory is on a file system of its own.
mod needs_mount {
    use super::*;
    use crate::support::small::Small;

    #[test]
    fn a_full_disk_refuses_the_reset_before_the_pin_changes() {
        let small = Small::new("512k");
        let home = fixture::store(2);
        let outbox = small.path("outbox.db");
        let make = LocalOutbox::new(EmbeddedOptions::new(&outbox));
        let note = note();
        let journal: &dyn Journal = &make;
        journal.prepare(&note, Some(&entry()), None).expect("there is space");
        journal
            .transition(Transition::new(note.operation, IntentState::InDoubt, None))
            .expect("there is space");
        make.remove(entry().id).expect("there is space");
        drop(make);
        let mut full = 0;
        for left in [0, 4096, 8192, 16_384, 32_768] {
            small.fill(left);
            for change in [with_outbox, lock] {
                let before = Inside::of(home.path()).record(&fixture::address(0));
                let done = change(home.path(), &outbox);
                let after = Inside::of(home.path()).record(&fixture::address(0));
                if let Err(error) = done {
                    full += 1;
                    assert_eq!(after, before, "the record is as it was, with {left} bytes left");
                    assert!(error.message().contains("so nothing was changed"), "{error}");
                } else {
                    assert_ne!(after, before);
                }
            }
            small.free();
        }
        assert!(full > 0, "the disk was never full");
        with_outbox(home.path(), &outbox).expect("there is space again");
    }

    #[test]
    fn a_read_only_outbox_refuses_the_reset_before_the_pin_changes() {
        let small = Small::new("512k");
        let home = fixture::store(2);
        let outbox = small.path("outbox.db");
        with_outbox(home.path(), &outbox).expect("it can be written");
        small.make_read_only();
        let before = Inside::of(home.path()).record(&fixture::address(0));
        let error = with_outbox(home.path(), &outbox).expect_err("it cannot be written");
        assert!(
            matches!(error.code(), ErrorCode::AccessDenied | ErrorCode::DirectoryUnavailable)
                && error.message().contains("outbox.db"),
            "{error:?}"
        );
        lock(home.path(), &outbox).expect_err("nor for what has no message");
        assert_eq!(Inside::of(home.path()).record(&fixture::address(0)), before);
    }
}
