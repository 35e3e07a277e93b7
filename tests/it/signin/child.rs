//! What the other processes do.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};
use umpin::clock::SystemClock;
use umpin::credential::kdf::KdfContext;
use umpin::pin::Pin;
use umpin::service::Service;
use umpin::service::signin::{SignInRequest, Subscriber};
use umpin::session::Session;

use super::process::{self, Said, say};
use super::{attempt, fixture, kill, needs_strace};

/// The test below that is the other process.
pub const ENTRY: &str = "signin::child::entry";

/// Shorter than any PIN that the policy allows: never the right one, and no two alike.
pub fn wrong(number: usize) -> String {
    format!("{:05}", number % 100_000)
}

/// `threads` threads guess `each` times at mailbox 0; one guess in `share` is `right`, where there is one.
pub fn guesses(data: &Path, process: usize, threads: usize, each: usize, right: Option<(&str, usize)>) -> Value {
    let (right, share) = right.unwrap_or_default();
    json!({
        "task": "guess", "store": data, "process": process, "threads": threads, "each": each,
        "right": right, "share": share,
    })
}

/// `threads` threads guess at mailbox 0 until they are told to stop.
pub fn attack(data: &Path, threads: usize) -> Value {
    json!({ "task": "attack", "store": data, "threads": threads })
}

/// An answer that another process got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The outcome, or an error's id.
    pub outcome: String,
    /// Attempts left, where they are limited.
    pub until_lock: Option<u32>,
}

impl Said for Heard {
    fn heard(words: &[&str]) -> Option<Self> {
        match words {
            ["heard", outcome, left, "."] => Some(Self {
                outcome: (*outcome).to_owned(),
                until_lock: left.parse().ok(),
            }),
            _ => None,
        }
    }
}

/// How many attempts another process made.
pub struct Made(pub u64);

impl Said for Made {
    fn heard(words: &[&str]) -> Option<Self> {
        match words {
            ["made", count, "."] => Some(Self(count.parse().ok()?)),
            _ => None,
        }
    }
}

#[test]
#[ignore = "the other process of the tests here"]
fn entry() {
    let task = process::task();
    let data = PathBuf::from(task["store"].as_str().expect("a store"));
    match task["task"].as_str() {
        Some("guess") => guess(&data, &task),
        Some("attack") => attack_until_stopped(&data, &task),
        Some("stopping") => kill::stopping(&data, &task),
        Some("running") => kill::running(&data, &task),
        Some("traced") => needs_strace::traced(&data),
        other => panic!("{other:?}"),
    }
}

fn number(task: &Value, name: &str) -> usize {
    usize::try_from(task[name].as_u64().expect("a number")).expect("a small number")
}

fn guess(data: &Path, task: &Value) {
    let [process, threads, each, share] = ["process", "threads", "each", "share"].map(|name| number(task, name));
    let right = task["right"].as_str().expect("text");
    let session = fixture::cheap_session(data);
    say("ready");
    process::hear();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let session = &session;
            scope.spawn(move || {
                for round in 0..each {
                    let guess = (process * threads + thread) * each + round;
                    let is_right = share > 0 && (round + thread) % share == 0;
                    let text = if is_right { right.to_owned() } else { wrong(guess) };
                    tell(session, &text);
                }
            });
        }
    });
}

/// One attempt, and what came of it.
pub fn tell(session: &Session, text: &str) {
    match attempt::sign_in(session, &fixture::address(0), text) {
        Ok(answer) => say(&format!(
            "heard {} {} .",
            attempt::outcome(&answer),
            answer["attemptsUntilLock"]
        )),
        Err(error) => say(&format!("heard {} - .", error.code().id())),
    }
}

/// Past the session, whose threads are as many as the processors: all of these try at the same time.
fn attack_until_stopped(data: &Path, task: &Value) {
    let threads = number(task, "threads");
    let service = fixture::cheap_service(data, Arc::new(SystemClock));
    let (stop, made) = (AtomicBool::new(false), AtomicU64::new(0));
    say("ready");
    process::hear();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut kdf = KdfContext::new();
                while !stop.load(Ordering::Relaxed) {
                    let guess = made.fetch_add(1, Ordering::Relaxed);
                    try_once(&service, &mut kdf, wrong(usize::try_from(guess).expect("a number")));
                }
            });
        }
        process::hear();
        stop.store(true, Ordering::Relaxed);
    });
    say(&format!("made {} .", made.into_inner()));
}

fn try_once(service: &Service, kdf: &mut KdfContext, text: String) {
    let request = SignInRequest {
        subscriber: Subscriber::Identity(fixture::address(0)),
        alternatives: Vec::new(),
        pin: Pin::new(text),
        cmdlet: None,
        domain_controller: None,
        ignore_default_scope: false,
    };
    // Whoever attacks does not mind losing a race.
    if let Err(error) = service.sign_in(request, kdf)
        && error.code() != umpin::ErrorCode::WriteConflict
    {
        process::fail(&format!("an attempt failed: {}: {error}", error.code().id()));
    }
}
