//! Values of Exchange in the record's attribute, and of other applications in the counter's.

use umpin::ErrorCode;
use umpin::directory::active_directory::ActiveDirectory;
use umpin::directory::{Applied, CounterChange, Directory as _, Route, StoredCredential};

use crate::credential::{both, change, sealed, stored, swap};
use crate::directory_port::{directory, find_one, id, settings};
use crate::harness::{UM, shared};

const RECORD: &str = "msExchUMPinChecksum";
const COUNTER: &str = "extensionAttribute15";

/// Like a checksum of Exchange: binary, and not a sealed value.
const CHECKSUM: &[u8] = b"\x01\x00\x00UMP\xff\x00(*)\\\x80 and so on";

#[test]
fn a_checksum_of_exchange_is_replaced_by_the_first_reset() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let administrator = dc.administrator();
        let mailbox = lab.mailbox("foreign-checksum");
        administrator.replace(&mailbox.dn, RECORD, &[CHECKSUM]);
        assert_eq!(
            find_one(&directory, &mailbox.alias).stored,
            None,
            "whether there is a counter is not known yet"
        );
        let absent = StoredCredential {
            foreign: Some(CHECKSUM.to_vec()),
            ..StoredCredential::default()
        };
        assert_eq!(
            stored(&directory, &mailbox, dc),
            absent,
            "no record, and what stands in its place"
        );
        let records = directory.some_records(1000).expect("records");
        assert!(records.iter().all(|(owner, _)| *owner != id(&mailbox)), "{records:?}");

        let first = change(&mailbox, dc, Some(swap(None, "r1")), CounterChange::Set(sealed("c1")));
        assert_eq!(directory.apply(first).expect("an answer"), Applied::Committed);
        assert_eq!(stored(&directory, &mailbox, dc), both(Some("r1"), Some("c1")));
        // A change that expected no record is a conflict now.
        let second = change(&mailbox, dc, Some(swap(None, "r2")), CounterChange::Keep);
        assert_eq!(directory.apply(second).expect("an answer"), Applied::Conflict);
        assert_eq!(stored(&directory, &mailbox, dc), both(Some("r1"), Some("c1")));
    });
}

#[test]
fn a_checksum_that_reappears_is_not_a_record() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let administrator = dc.administrator();
        let mailbox = lab.mailbox("foreign-again");
        administrator.replace(&mailbox.dn, RECORD, &[&sealed("r1")]);
        administrator.replace(&mailbox.dn, RECORD, &[CHECKSUM]);
        let late = change(&mailbox, dc, Some(swap(Some("r1"), "r2")), CounterChange::Keep);
        assert_eq!(directory.apply(late).expect("an answer"), Applied::Conflict);
        let first = change(&mailbox, dc, Some(swap(None, "r3")), CounterChange::Keep);
        assert_eq!(directory.apply(first).expect("an answer"), Applied::Committed);
        assert_eq!(administrator.value(&mailbox.dn, RECORD), Some(sealed("r3")));
    });
}

#[test]
fn another_applications_value_is_never_overwritten_by_a_counter() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let administrator = dc.administrator();
        let mailbox = lab.mailbox("foreign-counter");
        for foreign in [&b"42"[..], b"Vk1QAQ==", "Zoë".as_bytes()] {
            administrator.replace(&mailbox.dn, COUNTER, &[foreign]);
            let found = find_one(&directory, &mailbox.alias);
            assert_eq!(
                found.stored, None,
                "the mailbox is found, its values are not told with it"
            );
            let read = directory.credential(id(&mailbox), Some(&dc.host()));
            let counted = directory.apply(change(
                &mailbox,
                dc,
                Some(swap(None, "r1")),
                CounterChange::Swap(swap(None, "c1")),
            ));
            for error in [read.expect_err("told"), counted.expect_err("told")] {
                assert_eq!(error.code(), ErrorCode::ConfigurationInvalid, "{error:?}");
                for part in [COUNTER, &mailbox.dn] {
                    assert!(error.message().contains(part), "{error:?} does not say: {part}");
                }
            }
            assert_eq!(administrator.value(&mailbox.dn, COUNTER).as_deref(), Some(foreign));
            assert_eq!(administrator.value(&mailbox.dn, RECORD), None);
        }
    });
}

#[test]
fn a_counter_is_binary_in_an_octet_string_attribute() {
    shared(|lab| {
        let mut settings = settings(lab, &crate::harness::ADMINISTRATOR);
        settings.counter_attribute = "thumbnailPhoto".to_owned();
        let (directory, dc) = (ActiveDirectory::new(settings), lab.dc1());
        let mailbox = lab.mailbox("foreign-octets");
        let first = change(
            &mailbox,
            dc,
            Some(swap(None, "r1")),
            CounterChange::Set(sealed("c1\0\u{ff}")),
        );
        assert_eq!(directory.apply(first).expect("an answer"), Applied::Committed);
        assert_eq!(
            dc.administrator().value(&mailbox.dn, "thumbnailPhoto"),
            Some(sealed("c1\0\u{ff}"))
        );
        let next = change(&mailbox, dc, None, CounterChange::Swap(swap(Some("c1\0\u{ff}"), "c2")));
        assert_eq!(directory.apply(next).expect("an answer"), Applied::Committed);
        let found = directory
            .find_by_object_id(id(&mailbox), Route::Preferred)
            .expect("an answer");
        assert_eq!(found.expect("the mailbox").stored, Some(both(Some("r1"), Some("c2"))));
    });
}

#[test]
fn a_counter_is_base64_in_a_text_attribute() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("foreign-text");
        let first = change(
            &mailbox,
            dc,
            Some(swap(None, "r1")),
            CounterChange::Set(b"UMP\x01\x00\xff".to_vec()),
        );
        assert_eq!(directory.apply(first).expect("an answer"), Applied::Committed);
        assert_eq!(
            dc.administrator().value(&mailbox.dn, COUNTER).as_deref(),
            Some(&b"VU1QAQD/"[..])
        );
    });
}
