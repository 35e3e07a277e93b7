//! A child process on a host, which executes orders and reports results.

use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};

use crate::harness::Mailbox;
use crate::process::{self, Running, Said, say};
use crate::replicas::host::{self, Host};
use crate::stores::Dice;

/// Resets of these mailboxes, each so many times, by as many threads at once.
pub fn resets(host: &Host, mailboxes: &[Mailbox], each: usize, threads: usize, seed: u64) -> Running {
    let names: Vec<&str> = mailboxes.iter().map(|mailbox| &*mailbox.alias).collect();
    Running::new(
        "child::entry",
        &json!({
            "folder": host.folder(), "mailboxes": names, "each": each, "threads": threads, "seed": seed,
        }),
    )
}

/// A reset that another process told of.
#[derive(Clone, Debug)]
pub struct Told {
    pub alias: String,
    pub pin: String,
    /// Nothing where it was acknowledged, else the error.
    pub error: Option<String>,
}

impl Said for Told {
    fn heard(words: &[&str]) -> Option<Self> {
        let ["reset", alias, pin, rest @ .., "."] = words else {
            return None;
        };
        Some(Self {
            alias: (*alias).to_owned(),
            pin: (*pin).to_owned(),
            error: (!rest.is_empty()).then(|| rest.join(" ")),
        })
    }
}

/// One update of the key after the other.
pub fn updates(host: &Host) -> Running {
    Running::new("child::entry", &json!({ "folder": host.folder(), "updates": true }))
}

/// Where an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updating {
    Step,
    Complete,
}

impl Said for Updating {
    fn heard(words: &[&str]) -> Option<Self> {
        match words {
            ["step", "."] => Some(Self::Step),
            ["complete", "."] => Some(Self::Complete),
            _ => None,
        }
    }
}

fn update_without_end(session: &umpin::session::Session) {
    let told = |fields: &Value| {
        let done = crate::key_update::step(session, fields);
        done.unwrap_or_else(|error| process::fail(&format!("a step failed: {}: {error}", error.code().id())))
    };
    loop {
        told(&json!({ "newKeyOnly": true }));
        let mut fields = json!({ "perSecond": 1000 });
        loop {
            let answer = told(&fields);
            say("step .");
            fields["after"] = answer["next"].clone();
            if fields["after"].is_null() {
                if answer["complete"] != true {
                    process::fail(&format!("an update ended with {answer}"));
                }
                say("complete .");
                break;
            }
        }
    }
}

/// So long that none is drawn twice.
pub fn random_pin(dice: &mut Dice) -> String {
    format!("{:015}", dice.below(1_000_000_000_000_000))
}

#[test]
#[ignore = "the other process of the tests here"]
fn entry() {
    let task = process::task();
    let session = host::session_in(PathBuf::from(task["folder"].as_str().expect("a folder")));
    let names: Vec<String> = serde_json::from_value(task["mailboxes"].clone()).unwrap_or_default();
    let number = |name: &str| task[name].as_u64().expect("a number");
    say("ready");
    process::hear();
    if task["updates"] == true {
        return update_without_end(&session);
    }
    thread::scope(|scope| {
        for number_of_thread in 0..number("threads") {
            let (session, names) = (&session, &names);
            let (each, seed) = (number("each"), number("seed"));
            scope.spawn(move || {
                let mut dice = Dice::new(seed.wrapping_add(number_of_thread));
                for _ in 0..each {
                    for alias in names {
                        one(session, alias, &random_pin(&mut dice));
                    }
                }
            });
        }
    });
}

fn one(session: &umpin::session::Session, alias: &str, pin: &str) {
    let fields: Value = json!({ "identity": alias });
    match crate::support::reset(session, fields, Some(pin)) {
        Ok(_) => say(&format!("reset {alias} {pin} .")),
        Err(error) => say(&format!("reset {alias} {pin} {}: {} .", error.code().id(), error)),
    }
}
