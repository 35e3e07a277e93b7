//! Acknowledged only after the sync: seen in the system calls, because a killed process proves nothing about the power cable.

use std::path::Path;

use serde_json::json;

use super::trace::{Call, Trace, What, assert_synced, first, last_write, show};
use super::{fixture, process};
use crate::support;

/// What the traced process does, in this order, each followed by a line on standard output.
const FIRST: &str = "done first";
const STEPS: &[&str] = &[
    FIRST,
    "done mailed",
    "done mailed again",
    "done locked",
    "done imported",
];

/// The traced process.
pub fn traced(data: &Path) {
    let session = support::open(data);
    let quiet = json!({ "identity": fixture::address(0), "sendEmail": false });
    support::reset(&session, quiet, None).expect("a reset");
    process::say(STEPS[0]);
    for step in &STEPS[1..3] {
        support::reset(&session, json!({ "identity": fixture::address(1) }), None).expect("a reset");
        process::say(step);
    }
    let lock = json!({ "identity": fixture::address(0), "keepPin": true, "lockedOut": true });
    support::reset(&session, lock, None).expect("a lock");
    process::say(STEPS[3]);
    let new = data.join("new");
    let other = support::open(&new);
    let request = json!({ "v": 1, "operation": "import", "path": data.join("new.csv") });
    support::request(&other, &request).expect("an import");
    process::say(STEPS[4]);
}

#[test]
fn an_acknowledgement_comes_after_the_sync() {
    let home = fixture::store(2);
    std::fs::write(
        home.path().join("new.csv"),
        "Name,UserPrincipalName\nKim,kim@contoso.com\n",
    )
    .expect("a file");
    let task = json!({ "task": "traced", "store": home.path() });
    let trace = Trace::record(super::child::ENTRY, home.path(), &task, STEPS);
    let wal = trace.path("directory.db-wal");

    // Neither mails: then the change is all there is, and every byte of it is synced.
    for step in [FIRST, "done locked"] {
        let calls = trace.step(step);
        let ack = calls.last().expect("the acknowledgement").began;
        let written = last_write(&calls, &wal, ack);
        assert_synced(&calls, &wal, written.done, ack, step);
    }

    first_use(&trace, &wal);
    for step in ["done mailed", "done mailed again"] {
        mailed(&trace, &wal, step);
    }
    imported(&trace);
}

/// The log that the first record is written to has its name before the record is acknowledged.
fn first_use(trace: &Trace, wal: &str) {
    let calls = trace.step(FIRST);
    let ack = calls.last().expect("the acknowledgement").began;
    let wanted = What::Create(wal.to_owned());
    let made = first(&calls, 0, |what| *what == wanted, "creation of the log");
    assert_synced(&calls, &trace.data, made.done, ack, "the new log's name");
}

/// Change, sync, message, sync, name, sync, only then the removal from the outbox and the acknowledgement.
fn mailed(trace: &Trace, wal: &str, step: &str) {
    let calls = trace.step(step);
    let ack = calls.last().expect("the acknowledgement").began;
    let pickup = trace.path("pickup");
    let named = first(
        &calls,
        0,
        |what| matches!(what, What::Name(_, to) if to.starts_with(&pickup) && to.ends_with(".eml")),
        "naming of the message",
    );
    let What::Name(temporary, _) = &named.what else {
        unreachable!("it is a name")
    };
    let message = first(
        &calls,
        0,
        |what| *what == What::Write(temporary.clone()),
        "writing of the message",
    );
    let change = last_write(&calls, wal, message.began);
    assert_synced(
        &calls,
        wal,
        change.done,
        message.began,
        "the change is durable before its message exists",
    );
    let content = last_write(&calls, temporary, named.began);
    assert_synced(
        &calls,
        temporary,
        content.done,
        named.began,
        "the message before its name",
    );
    let removal = first(
        &calls,
        named.done,
        |what| *what == What::Write(wal.to_owned()),
        "removal from the outbox",
    );
    assert_synced(
        &calls,
        &pickup,
        named.done,
        removal.began.min(ack),
        "the message's name before the outbox forgets it and before the acknowledgement",
    );
    let unexpected = calls
        .iter()
        .find(|c| (change.done + 1..removal.began).contains(&c.began) && c.what == What::Write(wal.to_owned()));
    assert!(unexpected.is_none(), "{unexpected:?} in\n{}", show(&calls));
    if let Some(made) = calls.iter().find(|call| call.what == What::Create(pickup.clone())) {
        assert_synced(&calls, &trace.data, made.done, ack, "the new pickup directory's name");
    }
}

/// A file made under another name: its content is durable before its name, and its name before the acknowledgement.
fn whole_before_named<'a>(calls: &[&'a Call], file: &str, ack: usize) -> &'a Call {
    let wanted = |what: &What| matches!(what, What::Name(_, to) if to == file);
    let named = first(calls, 0, wanted, &format!("naming of {file}"));
    let What::Name(draft, _) = &named.what else {
        unreachable!("it is a name")
    };
    let content = last_write(calls, draft, named.began);
    assert_synced(calls, draft, content.done, named.began, "the content before the name");
    let (folder, _) = file.rsplit_once('/').expect("an absolute path");
    assert_synced(calls, folder, named.done, ack, "the name before the acknowledgement");
    named
}

/// A store made by import: its content before its name, its name before the answer.
fn imported(trace: &Trace) {
    let calls = trace.step("done imported");
    let ack = calls.last().expect("the acknowledgement").began;
    let store = trace.path("new/directory.db");
    let key = trace.path("new/umpin.key");
    let stored = whole_before_named(&calls, &store, ack);
    let keyed = whole_before_named(&calls, &key, ack);
    // What the store holds is chained and sealed under the key.
    assert_synced(
        &calls,
        &trace.path("new"),
        keyed.done,
        stored.began,
        "the key's name before the store's",
    );
    let folder = first(
        &calls,
        0,
        |what| *what == What::Create(trace.path("new")),
        "creation of the data directory",
    );
    assert_synced(&calls, &trace.data, folder.done, ack, "the data directory's name");
}
