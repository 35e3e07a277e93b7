//! The other process: this binary once more, told by its environment what to do, telling what it did on standard output.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use umpin::credential::kdf::KdfContext;
use umpin::directory::Directory;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::directory::journal::Journal;
use umpin::notification::outbox::Outbox;
use umpin::pin::Pin;
use umpin::service::reset::ResetRequest;
use umpin::service::{Caller, Ports, Service, Settings};

use super::fixture::{self, Dice};
use super::{needs_strace, process, relays, verdict};
use crate::support;

/// The test below that is the other process.
pub const ENTRY: &str = "outbox::child::entry";

/// Whether the outbox is the store's own, or a file beside a directory that counts as being elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Transactional,
    TwoSteps,
}

/// What another process is to do.
pub struct Task<'a> {
    pub what: &'a str,
    pub data: &'a Path,
    pub kind: Kind,
    /// Its clock against the system's, in milliseconds.
    pub ahead: i64,
    pub seed: u64,
    pub count: usize,
}

/// Whose PIN, and which.
pub type Reset = (usize, String);

pub struct Running {
    pub child: Child,
    pub lines: io::Lines<BufReader<ChildStdout>>,
}

/// The task as the other process is told it.
pub fn task(task: &Task<'_>) -> Value {
    json!({
        "what": task.what, "data": task.data, "transactional": task.kind == Kind::Transactional,
        "ahead": task.ahead, "seed": task.seed, "count": task.count,
    })
}

impl Running {
    pub fn new(task: &Task<'_>) -> Self {
        let mut child = process::command(&process::command_line(ENTRY), &self::task(task))
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// The words of the next line that was said whole; `None` at the end.
    pub fn next(&mut self, word: &str) -> Option<Vec<String>> {
        loop {
            let line = self.lines.next()?.ok()?;
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            if words.first().is_some_and(|first| first == word) && words.last().is_some_and(|last| last == ".") {
                return Some(words);
            }
        }
    }

    /// The next reset that was acknowledged; those that it said it would try before go into `tried`.
    pub fn next_of(&mut self, tried: &mut Vec<Reset>) -> Option<Reset> {
        loop {
            let line = self.lines.next()?.ok()?;
            let words: Vec<&str> = line.split(' ').collect();
            let [word, number, pin, "."] = words[..] else { continue };
            let reset = (number.parse().expect("a number"), pin.to_owned());
            match word {
                "trying" => tried.push(reset),
                "done" => return Some(reset),
                _ => {}
            }
        }
    }

    /// Everything of that kind that it said until its good end.
    pub fn finish(mut self, word: &str) -> Vec<Vec<String>> {
        let said: Vec<_> = std::iter::from_fn(|| self.next(word)).collect();
        assert!(self.child.wait().expect("an end").success(), "its error is above");
        said
    }
}

pub fn service(data: &Path, kind: Kind, ahead: i64) -> Service {
    match kind {
        Kind::Transactional => {
            let directory = Arc::new(support::embedded(data));
            with(data, Arc::clone(&directory) as _, directory, None, ahead)
        }
        Kind::TwoSteps => journaled(data, &data.join("outbox.db"), ahead),
    }
}

/// As with a remote directory, with the journal in that file.
pub fn journaled(data: &Path, outbox: &Path, ahead: i64) -> Service {
    let local = Arc::new(LocalOutbox::new(EmbeddedOptions::new(outbox)));
    let directory = Arc::new(support::embedded(data));
    with(data, directory, Arc::clone(&local) as _, Some(local as _), ahead)
}

fn with(
    data: &Path,
    directory: Arc<dyn Directory>,
    outbox: Arc<dyn Outbox>,
    journal: Option<Arc<dyn Journal>>,
    ahead: i64,
) -> Service {
    let ports = Ports {
        directory,
        outbox,
        journal,
        audit: Arc::new(support::embedded(data)),
        notifier: relays::notifier(data),
        clock: Arc::new(fixture::Ahead(ahead)),
        keys: Arc::new(support::keys(data)),
    };
    let settings = Settings {
        cost: fixture::CHEAP,
        audit: true,
        audit_retention_days: None,
        message: umpin::notification::MessageSettings::default(),
        scope: None,
        answer_floor: Duration::ZERO,
        expire_notifications_after: Duration::from_secs(8760 * 3600),
        netbios_name: None,
        caller: Caller::default(),
    };
    Service::new(ports, settings)
}

/// A line whose end shows that it is whole.
pub fn say(line: &str) {
    process::say(&format!("{line} ."));
}

#[test]
#[ignore = "the other process of the tests here"]
fn entry() {
    let task = process::task();
    let data = PathBuf::from(task["data"].as_str().expect("a path"));
    let kind = if task["transactional"] == true {
        Kind::Transactional
    } else {
        Kind::TwoSteps
    };
    let service = service(&data, kind, task["ahead"].as_i64().expect("a number"));
    let count = usize::try_from(task["count"].as_u64().expect("a number")).expect("a number");
    match task["what"].as_str() {
        Some("resets") => resets(&service, task["seed"].as_u64().expect("a number"), count),
        Some("traced") => needs_strace::traced(&service),
        Some("send") => {
            say("ready");
            loop {
                let sent = verdict::send(&service);
                if sent.is_empty() {
                    break;
                }
                sent.iter().for_each(|outcome| say(&format!("tried {outcome}")));
            }
        }
        other => panic!("{other:?}"),
    }
}

/// Resets of `mailboxes` users in turn, for ever, with PINs so long that no other bytes look like one.
fn resets(service: &Service, seed: u64, mailboxes: usize) {
    let mut dice = Dice::new(seed);
    let mut kdf = KdfContext::new();
    for _ in 0..10_000 {
        let number = usize::try_from(dice.below(mailboxes as u64)).expect("a number");
        let pin = format!("{:015}", dice.below(1_000_000_000_000_000));
        let request = ResetRequest {
            identity: fixture::address(number),
            pin: Some(Pin::new(pin.clone())),
            ..ResetRequest::default()
        };
        say(&format!("trying {number} {pin}"));
        let Ok(plan) = service.prepare_reset(request, &mut kdf) else {
            // Perhaps one PIN in a thousand has a pattern that the policy refuses.
            continue;
        };
        let done = service.commit_reset(plan, &mut kdf);
        assert!(done.is_ok(), "{:?}", done.map(drop));
        say(&format!("done {number} {pin}"));
    }
}
