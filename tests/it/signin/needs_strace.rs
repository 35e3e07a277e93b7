//! Answered only after the sync: seen in the system calls, because a killed process proves nothing about the power cable.

use std::path::Path;

use serde_json::json;
use umpin::session::Session;

use super::attempt::{change, outcome, set_limits, sign_in};
use super::fixture;
use super::process::say;
use super::trace::{Trace, What, assert_synced, first, last_write};
use crate::support;

const PIN: &str = "739152";
const BEGUN: &str = "done begun";
const STEPS: &[&str] = &[
    BEGUN,
    "done accepted",
    "done rejected",
    "done refused",
    "done changed",
    "done resetByFailures",
    "done locked",
];

fn limits(data: &Path, reset_after: u32, lock_after: u32) {
    set_limits(&support::embedded(data), Some(reset_after), Some(lock_after));
}

/// The traced process: each kind of answer once, said when it is given.
pub fn traced(data: &Path) {
    let address = fixture::address(0);
    let session: Session = fixture::cheap_session(data);
    let fields = json!({ "identity": address, "sendEmail": false, "pinExpired": false });
    support::reset(&session, fields, Some(PIN)).expect("the first PIN");
    say(BEGUN);
    let signed_in = |text: &str| {
        let answer = sign_in(&session, &address, text).expect("an answer");
        say(&format!("done {}", outcome(&answer)));
    };
    signed_in(PIN);
    signed_in("0");
    change(&session, &address, PIN, "1").expect_err("too short");
    say("done refused");
    change(&session, &address, PIN, "905317").expect("the change");
    say("done changed");
    limits(data, 1, 15);
    signed_in("0");
    limits(data, 1, 2);
    signed_in("0");
}

#[test]
fn an_answer_comes_after_the_sync_of_the_count() {
    let home = fixture::store(1);
    let task = json!({ "task": "traced", "store": home.path() });
    let trace = Trace::record(super::child::ENTRY, home.path(), &task, STEPS);
    let wal = trace.path("directory.db-wal");
    for step in &STEPS[1..] {
        let calls = trace.step(step);
        let answered = calls.last().expect("the answer").began;
        // After a reset by failures the message's removal from the outbox comes last, and needs no sync: see below.
        if *step == "done resetByFailures" {
            continue;
        }
        let written = last_write(&calls, &wal, answered);
        assert_synced(&calls, &wal, written.done, answered, step);
    }
    let calls = trace.step("done resetByFailures");
    let message = first(
        &calls,
        0,
        |what| matches!(what, What::Create(path) if path.contains("pickup/")),
        "message",
    );
    let change = last_write(&calls, &wal, message.began);
    assert_synced(
        &calls,
        &wal,
        change.done,
        message.began,
        "the new PIN before its message",
    );
}
