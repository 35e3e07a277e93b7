//! Whoever loaded the keys before one was replaced: what he seals under it is not taken, and he does it again under the new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use umpin::audit::{AuditBatch, AuditEntry};
use umpin::clock::{SystemClock, Timestamp};
use umpin::credential::master_key::Purpose;
use umpin::credential::seal::SealContext;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Journal};
use umpin::directory::key_register::KeyRegister;
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory, Swap};
use umpin::keys::Keys;
use umpin::random::system_rng;
use umpin::service::Service;
use umpin::service::key_update::KeyUpdateRequest;
use umpin::session::Session;

use super::attempt;
use super::fixture;
use super::update::{chains, update};
use crate::support;

use super::double::Double;

#[test]
fn the_store_takes_nothing_that_is_sealed_under_a_replaced_key() {
    let home = fixture::store(1);
    let session = fixture::cheap_session(home.path());
    support::reset(&session, json!({ "identity": fixture::address(0) }), Some("580291")).unwrap();
    let stale = support::keys(home.path()).load().unwrap();
    let done = update(&session, json!({})).unwrap();
    assert_eq!(done["complete"], true, "{done}");

    let directory = support::embedded(home.path());
    let id = fixture::mailbox(&directory, &fixture::address(0)).object_id;
    let context = SealContext {
        store_id: directory.store_id().unwrap(),
        object_id: id,
    };
    let stored = directory.credential(id, None).unwrap();
    let seal = |purpose| stale.seal(purpose, &context, b"late", &mut system_rng()).unwrap();
    let change = |record: bool, counter: bool| CredentialChange {
        mailbox: id,
        controller: None,
        record: record.then(|| Swap {
            expected: stored.record.clone(),
            new: seal(Purpose::Record),
        }),
        counter: if counter {
            CounterChange::Set(seal(Purpose::Counter))
        } else {
            CounterChange::Keep
        },
        message: None,
        audit: None,
        cancellation: umpin::cancellation::Cancellation::default(),
        premise: None,
    };
    for (record, counter) in [(true, false), (false, true), (true, true)] {
        assert_eq!(directory.apply(change(record, counter)).unwrap(), Applied::Conflict);
    }
    assert_eq!(directory.credential(id, None).unwrap(), stored);
    // Nor an entry of the audit, whose head it could not judge.
    let entry = AuditEntry {
        operation: [1; 16],
        at: Timestamp(1),
        body: "{}".to_owned(),
    };
    let local = LocalOutbox::new(EmbeddedOptions::new(home.path().join("directory.db")));
    let trail = AuditBatch::new("host", vec![entry], stale.chain_keys());
    let error = local.append(&trail).unwrap_err();
    assert_eq!(error.code().id(), "WriteConflict", "{error}");
    let note = IntentRecord {
        operation: [2; 16],
        action: "Reset".to_owned(),
        mailbox: id,
        controller: None,
        fingerprint: ChangeFingerprint::Seal([0; 16]),
        at: Timestamp(1),
        state: IntentState::Prepared,
        due: Timestamp(1),
    };
    local.prepare(&note, None, Some(&trail)).unwrap_err();
    assert_eq!(local.intents_of(id).unwrap(), []);
    assert_eq!(chains(&fixture::cheap_session(home.path()), None), ["intact"]);
    assert_eq!(local.retired_keys().unwrap().len(), 1);
}

/// A service whose key is replaced after it has sealed its first change and before the store is asked for that.
fn overtaken(home: &std::path::Path) -> (Session, Arc<AtomicUsize>) {
    let real = Arc::new(support::embedded(home));
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, data) = (Arc::clone(&asked), home.to_owned());
    let double = Double::new(&real).on_apply(move |real, change| {
        if count.fetch_add(1, Ordering::AcqRel) == 0 {
            let other = fixture::cheap_service(&data, Arc::new(SystemClock));
            let mut request = KeyUpdateRequest::default();
            loop {
                let step = other.update_key(&request).expect("an update");
                request.after = step.next;
                if request.after.is_none() {
                    assert!(step.is_complete);
                    std::fs::remove_file(&step.replaced[0].path).expect("the old file");
                    break;
                }
            }
        }
        real.apply(change)
    });
    let service: Service = fixture::service(home, real, Arc::new(double), Arc::new(SystemClock), fixture::CHEAP);
    (Session::with_service(service), asked)
}

#[test]
fn a_reset_whose_key_is_replaced_at_the_last_moment_succeeds() {
    let home = fixture::store(1);
    let first = fixture::cheap_session(home.path());
    let identity = json!({ "identity": fixture::address(0) });
    support::reset(&first, identity.clone(), Some("914730")).unwrap();
    let (session, asked) = overtaken(home.path());
    let done = support::reset(&session, identity, Some("580291")).unwrap();
    assert_eq!(done.response["warnings"], json!([]));
    assert_eq!(done.response["notification"], "sent");
    assert_eq!(asked.load(Ordering::Acquire), 2, "how often the store was asked");
    let pins = fixture::Inside::of(home.path()).pins(&fixture::address(0));
    assert_eq!((pins.position("580291"), pins.position("914730")), (Some(0), Some(1)));
    for session in [&session, &first] {
        assert_eq!(chains(session, None), ["intact"]);
    }
}

#[test]
fn an_attempt_whose_key_is_replaced_at_the_last_moment_is_counted_once() {
    let home = fixture::store(1);
    let first = fixture::cheap_session(home.path());
    let fields = json!({ "identity": fixture::address(0), "pinExpired": false });
    support::reset(&first, fields, Some("580291")).unwrap();
    let (session, asked) = overtaken(home.path());
    let answer = attempt::sign_in(&session, &fixture::address(0), "111999").unwrap();
    assert_eq!(attempt::outcome(&answer), "rejected");
    assert_eq!(asked.load(Ordering::Acquire), 2, "how often the store was asked");
    let question = json!({ "v": 1, "operation": "pinInfo", "identity": fixture::address(0) });
    // The session that was opened first has the former key in its memory.
    for session in [&session, &first] {
        let shown = support::request(session, &question).unwrap();
        assert_eq!(shown["items"][0]["failedAttempts"], 1);
        assert_eq!(chains(session, None), ["intact"]);
    }
    let answer = attempt::sign_in(&first, &fixture::address(0), "580291").unwrap();
    assert_eq!(attempt::outcome(&answer), "accepted");
}
