//! Record and counter: atomic compare-and-swap on one controller, and lost responses.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use umpin::credential::record::CredentialRecord;
use umpin::credential::seal::OVERHEAD;
use umpin::directory::active_directory::ActiveDirectory;
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory as _, Route, StoredCredential, Swap};
use umpin::{Error, ErrorCode};

use crate::directory_port::{directory, find_one, id, settings};
use crate::harness::{Controller, Forest, Mailbox, READER, UM, alone, shared};

/// A value that looks sealed by a later version, so that it does not affect the key check of other tests in this forest.
pub fn sealed(content: &str) -> Vec<u8> {
    [b"UMP\xFF", content.as_bytes()].concat()
}

pub fn swap(expected: Option<&str>, new: &str) -> Swap {
    Swap {
        expected: expected.map(sealed),
        new: sealed(new),
    }
}

pub fn change(mailbox: &Mailbox, dc: &Controller, record: Option<Swap>, counter: CounterChange) -> CredentialChange {
    CredentialChange {
        mailbox: id(mailbox),
        controller: Some(dc.host()),
        record,
        counter,
        message: None,
        audit: None,
        cancellation: umpin::cancellation::Cancellation::default(),
        premise: None,
    }
}

pub fn stored(directory: &ActiveDirectory, mailbox: &Mailbox, dc: &Controller) -> StoredCredential {
    directory
        .credential(id(mailbox), Some(&dc.host()))
        .unwrap_or_else(|error| panic!("{}: {error:?}", mailbox.dn))
}

pub fn both(record: Option<&str>, counter: Option<&str>) -> StoredCredential {
    StoredCredential {
        record: record.map(sealed),
        counter: counter.map(sealed),
        foreign: None,
    }
}

#[track_caller]
fn apply(directory: &ActiveDirectory, change: CredentialChange) -> Applied {
    directory.apply(change).unwrap_or_else(|error| panic!("{error:?}"))
}

fn set(counter: &str) -> CounterChange {
    CounterChange::Set(sealed(counter))
}

#[test]
fn values_are_written_swapped_and_read() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-life");
        let found = find_one(&directory, &mailbox.alias);
        assert_eq!(found.stored, None, "not known to be absent");
        assert_eq!(stored(&directory, &mailbox, dc), StoredCredential::default());
        let steps = [
            (Some(swap(None, "r1")), set("c1"), both(Some("r1"), Some("c1"))),
            (
                Some(swap(Some("r1"), "r2")),
                CounterChange::Keep,
                both(Some("r2"), Some("c1")),
            ),
            (
                None,
                CounterChange::Swap(swap(Some("c1"), "c2")),
                both(Some("r2"), Some("c2")),
            ),
            (
                Some(swap(Some("r2"), "r3")),
                CounterChange::Swap(swap(Some("c2"), "c3")),
                both(Some("r3"), Some("c3")),
            ),
            (None, set("c4"), both(Some("r3"), Some("c4"))),
        ];
        for (record, counter, expected) in steps {
            let applied = apply(&directory, change(&mailbox, dc, record, counter));
            assert_eq!(applied, Applied::Committed, "towards {expected:?}");
            assert_eq!(stored(&directory, &mailbox, dc), expected);
            assert_eq!(find_one(&directory, &mailbox.alias).stored, Some(expected));
        }
        let records = directory.some_records(1000).expect("records");
        assert!(records.contains(&(id(&mailbox), sealed("r3"))), "{records:?}");
    });
}

#[test]
fn a_first_counter_may_follow_the_record() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-first-counter");
        let first = change(&mailbox, dc, Some(swap(None, "r1")), CounterChange::Keep);
        assert_eq!(apply(&directory, first), Applied::Committed);
        let count = |new| change(&mailbox, dc, None, CounterChange::Swap(swap(None, new)));
        assert_eq!(apply(&directory, count("c1")), Applied::Committed);
        assert_eq!(apply(&directory, count("c2")), Applied::Conflict);
        assert_eq!(stored(&directory, &mailbox, dc), both(Some("r1"), Some("c1")));
    });
}

#[test]
fn a_stale_swap_changes_nothing() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-late");
        let first = change(&mailbox, dc, Some(swap(None, "r1")), set("c1"));
        assert_eq!(apply(&directory, first), Applied::Committed);
        for (record, counter) in [
            (Some(swap(None, "r2")), CounterChange::Keep),
            (Some(swap(Some("r0"), "r2")), CounterChange::Keep),
            (Some(swap(Some("r0"), "r2")), set("c2")),
            (None, CounterChange::Swap(swap(None, "c2"))),
            (None, CounterChange::Swap(swap(Some("c0"), "c2"))),
            // Both must match.
            (
                Some(swap(Some("r1"), "r2")),
                CounterChange::Swap(swap(Some("c0"), "c2")),
            ),
            (Some(swap(Some("r1"), "r2")), CounterChange::Swap(swap(None, "c2"))),
            (
                Some(swap(Some("r0"), "r2")),
                CounterChange::Swap(swap(Some("c1"), "c2")),
            ),
            (Some(swap(None, "r2")), CounterChange::Swap(swap(Some("c1"), "c2"))),
        ] {
            let told = format!("{record:?} {counter:?}");
            assert_eq!(
                apply(&directory, change(&mailbox, dc, record, counter)),
                Applied::Conflict,
                "{told}"
            );
            assert_eq!(stored(&directory, &mailbox, dc), both(Some("r1"), Some("c1")), "{told}");
        }
    });
}

#[test]
fn one_of_sixteen_concurrent_writers_wins() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-race");
        let mut expected: Option<String> = None;
        for round in 0..5 {
            let barrier = Barrier::new(16);
            let won: Vec<String> = thread::scope(|scope| {
                let writers: Vec<_> = (0..16)
                    .map(|writer| {
                        let (directory, mailbox, barrier, expected) = (&directory, &mailbox, &barrier, &expected);
                        scope.spawn(move || {
                            let new = format!("round {round} writer {writer}");
                            let swap = swap(expected.as_deref(), &new);
                            let change = change(mailbox, dc, Some(swap), set(&new));
                            barrier.wait();
                            (apply(directory, change) == Applied::Committed).then_some(new)
                        })
                    })
                    .collect();
                let outcomes = writers.into_iter().map(|writer| writer.join().expect("a writer"));
                outcomes.flatten().collect()
            });
            let [winner] = won.as_slice() else {
                panic!("round {round}: {} winners: {won:?}", won.len());
            };
            let there = stored(&directory, &mailbox, dc);
            assert_eq!(
                there,
                both(Some(winner), Some(winner)),
                "record and counter are of one writer"
            );
            expected = Some(winner.clone());
        }
    });
}

#[test]
fn a_full_record_fits_and_a_longer_one_is_an_error() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-size");
        let mut record = sealed("");
        // All byte values, NUL included.
        record.extend(
            (0..=u8::MAX)
                .cycle()
                .take(CredentialRecord::FULL_LENGTH + OVERHEAD - record.len()),
        );
        let full = change(
            &mailbox,
            dc,
            Some(Swap {
                expected: None,
                new: record.clone(),
            }),
            CounterChange::Keep,
        );
        assert_eq!(apply(&directory, full), Applied::Committed);
        assert_eq!(stored(&directory, &mailbox, dc).record, Some(record.clone()));
        let next = change(
            &mailbox,
            dc,
            Some(Swap {
                expected: Some(record),
                new: sealed("r2"),
            }),
            // 1024 characters of Base64 hold at most 768 bytes.
            CounterChange::Set(sealed(&"c".repeat(800))),
        );
        let error = directory.apply(next).expect_err("too long");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid, "{error:?}");
        assert!(
            error.message().contains("at most 1024 bytes, and 1072 are needed"),
            "{error:?}"
        );
    });
}

#[test]
fn a_moved_object_is_found_by_its_guid() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-moved");
        let found = find_one(&directory, &mailbox.alias);
        dc.administrator().rename(&mailbox.dn, "CN=credential-renamed");
        let first = change(&mailbox, dc, Some(swap(None, "r1")), set("c1"));
        assert_eq!(apply(&directory, first), Applied::Committed);
        let again = find_one(&directory, "credential-renamed");
        assert_eq!(again.mailbox.object_id, found.mailbox.object_id);
        assert_eq!(again.stored, Some(both(Some("r1"), Some("c1"))));
    });
}

#[test]
fn a_deleted_mailbox_is_reported() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-gone");
        dc.administrator().delete(&mailbox.dn);
        let late = change(&mailbox, dc, Some(swap(None, "r1")), set("c1"));
        let error: Error = directory.apply(late).expect_err("gone");
        assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound, "{error:?}");
        assert_eq!(error.details()["ldapCode"], 32, "{:?}", error.details());
    });
}

#[test]
fn access_denied_names_the_missing_right() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &READER), lab.dc1());
        let mailbox = lab.mailbox("credential-denied");
        let first = change(&mailbox, dc, Some(swap(None, "r1")), set("c1"));
        let error = directory.apply(first).expect_err("denied");
        assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
        for part in [
            "svc-reader@contoso.com",
            "msExchUMPinChecksum and extensionAttribute15",
            &mailbox.dn,
            &dc.host(),
        ] {
            assert!(error.message().contains(part), "{error:?} does not say: {part}");
        }
        assert_eq!(error.details()["ldapCode"], 50, "{:?}", error.details());
        assert_eq!(stored(&directory, &mailbox, dc), StoredCredential::default());
    });
}

#[test]
fn an_unreachable_controller_gets_no_request() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("credential-unreached");
        let mut elsewhere = change(&mailbox, dc, Some(swap(None, "r1")), set("c1"));
        elsewhere.controller = Some("dc9.contoso.com".to_owned());
        assert_eq!(apply(&directory, elsewhere), Applied::Unreached);
        let error = directory
            .credential(id(&mailbox), Some("dc9.contoso.com"))
            .expect_err("nobody else is asked");
        assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{error:?}");
    });
}

#[test]
fn a_lost_response_leaves_the_outcome_unknown() {
    alone(Forest::Single, |lab| {
        let mut settings = settings(lab, &UM);
        settings.timeout = Duration::from_secs(1);
        let (directory, dc) = (ActiveDirectory::new(settings), lab.dc1());
        let mailbox = lab.mailbox("credential-lost");
        let first = change(&mailbox, dc, Some(swap(None, "r1")), set("c1"));
        assert_eq!(apply(&directory, first), Applied::Committed);
        dc.suspend();
        let second = change(&mailbox, dc, Some(swap(Some("r1"), "r2")), set("c2"));
        let error = directory.apply(second).expect_err("nobody answers");
        assert_eq!(error.code(), ErrorCode::OutcomeUnknown, "{error:?}");
        dc.resume();
        // The modification was in transit and is applied.
        let administrator = dc.administrator();
        crate::harness::wait_until("the late change", Duration::from_secs(30), || {
            let value = administrator.value(&mailbox.dn, "msExchUMPinChecksum");
            (value == Some(sealed("r2")))
                .then_some(())
                .ok_or_else(|| format!("{value:?}"))
        });
        // The next command uses the controller again.
        directory.refresh();
        let found = directory.find_by_object_id(id(&mailbox), Route::Preferred);
        let found = found.expect("the controller is up again").expect("the mailbox");
        assert_eq!(found.stored, Some(both(Some("r2"), Some("c2"))));
    });
}
