//! The order of the two steps, seen in the system calls: a killed process proves nothing about the power cable.

use std::process::Stdio;

use umpin::service::Service;

use crate::child::{self, Kind, Task};
use crate::trace::{self, Call, What};
use crate::{rig, verdict};

const STEPS: [&str; 2] = ["first .", "second ."];

/// What the traced process does.
pub fn traced(service: &Service) {
    for step in STEPS {
        verdict::reset(service, 0).expect("a reset");
        child::say(step.trim_end_matches(" ."));
    }
}

/// A call's place.
fn place(calls: &[Call], after: usize, wanted: impl Fn(&What) -> bool, name: &str) -> (usize, usize) {
    let found = calls.iter().find(|call| call.began > after && wanted(&call.what));
    let call = found.unwrap_or_else(|| panic!("no {name} after {after} in\n{calls:#?}"));
    (call.began, call.done)
}

#[test]
fn recorded_and_synced_then_changed_and_synced_then_released_and_synced_then_mailed() {
    let Some(mut strace) = trace::strace() else { return };
    let home = rig::store(1);
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let command = child::command(&Task {
        what: "traced",
        data: home.path(),
        kind: Kind::TwoSteps,
        ahead: 0,
        seed: 0,
        count: 0,
    });
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = strace
        .args(trace::ARGUMENTS)
        .arg("-o")
        .arg(log.path())
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .output()
        .expect("strace runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let calls = trace::read(log.path());
    let path = |name: &str| format!("{}/{name}", home.path().to_string_lossy());
    let (outbox, directory, mail) = (path("outbox.db-wal"), path("directory.db-wal"), path("mail/"));
    let said = |step: &str| place(&calls, 0, |what| *what == What::Said(step.to_owned()), step).0;
    // The second reset: the first one makes the outbox.
    let write = |file: &str| What::Write(file.to_owned());
    let sync = |file: &str| What::Sync(file.to_owned());
    let mut at = said(STEPS[0]);
    let changed = place(&calls, at, |what| *what == write(&directory), "change").0;
    for (what, name) in [
        (write(&outbox), "record"),
        (sync(&outbox), "sync of the record"),
        (write(&directory), "change"),
        (sync(&directory), "sync of the change"),
        (write(&outbox), "release"),
        (sync(&outbox), "sync of the release"),
    ] {
        at = place(&calls, at, |found| *found == what, name).1;
        let before_change = name.contains("record");
        assert_eq!(at < changed, before_change, "{name} at {at}, the change at {changed}");
    }
    let mailed = place(
        &calls,
        at,
        |what| matches!(what, What::Name(_, to) if to.starts_with(&mail)),
        "message",
    );
    assert!(mailed.1 < said(STEPS[1]));
    let early = calls.iter().find(|call| {
        call.began > said(STEPS[0])
            && call.began < at
            && matches!(&call.what, What::Create(path) | What::Write(path) if path.starts_with(&mail))
    });
    assert!(early.is_none(), "{early:?} before the release was durable at {at}");
}
