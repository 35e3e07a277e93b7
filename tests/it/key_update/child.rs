//! What the other process does: one update after the other, as fast as it goes.

use std::path::PathBuf;

use serde_json::json;

use super::fixture;
use super::process::{self, Said, say};
use super::update::{remove_old_files, step};

/// The test below that is the other process.
pub const ENTRY: &str = "key_update::child::entry";

/// Where an update is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Step,
    Complete,
}

impl Said for Heard {
    fn heard(words: &[&str]) -> Option<Self> {
        match words {
            ["step", "."] => Some(Self::Step),
            ["complete", "."] => Some(Self::Complete),
            _ => None,
        }
    }
}

#[test]
#[ignore = "the other process of the tests here"]
fn entry() {
    let data = PathBuf::from(process::task()["store"].as_str().expect("a store"));
    let session = fixture::cheap_session(&data);
    say("ready");
    process::hear();
    loop {
        let mut fields = json!({});
        loop {
            let answer = match step(&session, &fields) {
                Ok(answer) => answer,
                Err(error) => process::fail(&format!("a step failed: {}: {error}", error.code().id())),
            };
            say("step .");
            fields["after"] = answer["next"].clone();
            if fields["after"].is_null() {
                if answer["complete"] != true || answer["problems"] != json!([]) {
                    process::fail(&format!("an update ended with {answer}"));
                }
                // As an administrator would, and while others work.
                remove_old_files(&answer);
                say("complete .");
                break;
            }
        }
    }
}
