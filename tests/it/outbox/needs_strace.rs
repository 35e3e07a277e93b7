//! The order of the two steps, seen in the system calls: a killed process proves nothing about the power cable.

use umpin::service::Service;

use super::child::{self, Kind, Task};
use super::trace::{Call, Trace, What};
use super::{fixture, verdict};

const STEPS: &[&str] = &["first .", "second ."];

/// What the traced process does.
pub fn traced(service: &Service) {
    for step in STEPS {
        verdict::reset(service, 0).expect("a reset");
        child::say(step.trim_end_matches(" ."));
    }
}

/// When the first such call after that place was done.
fn done(calls: &[&Call], after: usize, wanted: impl Fn(&What) -> bool, name: &str) -> usize {
    let found = calls.iter().find(|call| call.began > after && wanted(&call.what));
    found
        .unwrap_or_else(|| panic!("no {name} after {after} in\n{calls:#?}"))
        .done
}

#[test]
fn recorded_and_synced_then_changed_and_synced_then_released_and_synced_then_mailed() {
    let home = fixture::store(1);
    let task = child::task(&Task {
        what: "traced",
        data: home.path(),
        kind: Kind::TwoSteps,
        ahead: 0,
        seed: 0,
        count: 0,
    });
    let trace = Trace::record(super::child::ENTRY, home.path(), &task, STEPS);
    let (outbox, directory, mail) = (
        trace.path("outbox.db-wal"),
        trace.path("directory.db-wal"),
        trace.path("mail/"),
    );
    // The second reset: the first one makes the outbox.
    let calls = trace.step(STEPS[1]);
    let changed = done(&calls, 0, |what| *what == What::Write(directory.clone()), "change");
    let mut at = 0;
    for (what, name) in [
        (What::Write(outbox.clone()), "record"),
        (What::Sync(outbox.clone()), "sync of the record"),
        (What::Write(directory.clone()), "change"),
        (What::Sync(directory), "sync of the change"),
        (What::Write(outbox.clone()), "release"),
        (What::Sync(outbox), "sync of the release"),
    ] {
        at = done(&calls, at, |found| *found == what, name);
        let before_change = name.contains("record");
        assert_eq!(at < changed, before_change, "{name} at {at}, the change at {changed}");
    }
    // Intent and message share one sync, outcome and release the other.
    let syncs = calls
        .iter()
        .filter(|call| call.what == What::Sync(trace.path("outbox.db-wal")));
    assert_eq!(syncs.count(), 2, "syncs of the journal in a reset:\n{calls:#?}");
    let of_message = |what: &What| matches!(what, What::Create(path) | What::Write(path) if path.starts_with(&mail));
    let early = calls.iter().find(|call| call.began < at && of_message(&call.what));
    assert!(early.is_none(), "{early:?} before the release was durable at {at}");
    let named = |what: &What| matches!(what, What::Name(_, to) if to.starts_with(&mail));
    done(&calls, at, named, "message");
}
