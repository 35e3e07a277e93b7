//! `kill -9` around the one moment that matters: the count is durable, the answer not yet given.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use umpin::clock::SystemClock;
use umpin::directory::{CredentialChange, Directory};
use umpin::session::Session;

use super::attempt::{self, set_limits};
use super::child::{self, ENTRY, Heard, wrong};
use super::double::Double;
use super::fixture::{self, Dice, Inside};
use super::process::{self, Running, Said, say};
use crate::support;

const PIN: &str = "739152";
const LOCK_AFTER: u32 = 15;
const RESET_AFTER: u32 = 5;

/// A child that stops before and after each change and says where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Before,
    After,
    Answered,
}

impl Said for Stop {
    fn heard(words: &[&str]) -> Option<Self> {
        match words {
            ["stop", "before", "."] => Some(Self::Before),
            ["stop", "after", "."] => Some(Self::After),
            ["heard", _, _, "."] => Some(Self::Answered),
            _ => None,
        }
    }
}

fn task(data: &Path, name: &str, texts: &[String]) -> Value {
    json!({ "task": name, "store": data, "texts": texts })
}

/// One attempt after the other; before and after each change of the store it waits for the parent.
pub fn stopping(data: &Path, task: &Value) {
    let real = Arc::new(support::embedded(data));
    let double = Double::new(&real).on_apply(|real, change: CredentialChange| {
        say("stop before .");
        process::hear();
        let answer = real.apply(change);
        say("stop after .");
        process::hear();
        answer
    });
    let service = fixture::service(data, real, Arc::new(double), Arc::new(SystemClock), fixture::CHEAP);
    attempts(&Session::with_service(service), task);
}

/// One attempt after the other, as fast as it goes.
pub fn running(data: &Path, task: &Value) {
    attempts(&fixture::cheap_session(data), task);
}

fn attempts(session: &Session, task: &Value) {
    let texts: Vec<String> = serde_json::from_value(task["texts"].clone()).expect("PINs");
    say("ready");
    process::hear();
    for text in &texts {
        child::tell(session, text);
    }
}

fn store() -> tempfile::TempDir {
    let home = fixture::store(1);
    set_limits(&support::embedded(home.path()), Some(RESET_AFTER), Some(LOCK_AFTER));
    let fields = json!({ "identity": fixture::address(0), "sendEmail": false, "pinExpired": false });
    support::reset(&fixture::cheap_session(home.path()), fields, Some(PIN)).expect("the first PIN");
    home
}

#[derive(Debug)]
struct State {
    failures: u32,
    locked: bool,
    pins: Vec<[u8; 16]>,
    /// Ids of the PINs whose message is in the outbox, and how many messages were left in the pickup directory.
    waiting: Vec<[u8; 16]>,
    left: usize,
}

fn state(data: &Path) -> State {
    let question = json!({ "v": 1, "operation": "pinInfo", "identity": fixture::address(0) });
    let shown = support::request(&fixture::cheap_session(data), &question).expect("the state")["items"][0].clone();
    State {
        failures: u32::try_from(shown["failedAttempts"].as_u64().expect("a number")).expect("a small number"),
        locked: shown["lockedOut"] == true,
        pins: Inside::of(data).pins(&fixture::address(0)).ids(),
        waiting: fixture::outbox(data),
        left: fixture::announcements(data).len(),
    }
}

/// Old PIN, or a new one with its message on the way: whatever happened, one of the two.
fn assert_whole(before: &State, after: &State, place: &str) {
    if after.pins == before.pins {
        assert_eq!(
            after.left + after.waiting.len(),
            before.left + before.waiting.len(),
            "{place}: a message for nothing"
        );
        return;
    }
    assert!(after.pins.ends_with(&before.pins), "{place}: the history was changed");
    let told = after.waiting.contains(&after.pins[0]) || after.left > before.left;
    assert!(told, "{place}: nobody is told the new PIN");
}

#[test]
fn a_kill_between_counting_and_answering_gives_no_free_attempt() {
    let home = store();
    let data = home.path();
    // Each attempt is killed, first before it is counted, then before it is answered.
    for n in 1..=LOCK_AFTER {
        let before = state(data);
        assert_eq!((before.failures, before.locked), (n - 1, false));
        for stop in [Stop::Before, Stop::After] {
            let mut child = Running::new(ENTRY, &task(data, "stopping", &[wrong(n as usize)]));
            child.go();
            assert_eq!(child.next::<Stop>(), Some(Stop::Before));
            if stop == Stop::After {
                child.tell("on");
                assert_eq!(child.next::<Stop>(), Some(Stop::After), "counted before it is answered");
            }
            assert_eq!(
                child.kill::<Stop>(),
                [],
                "killed {stop:?} change {n}: nothing was answered"
            );
            let after = state(data);
            let place = format!("attempt {n}, killed {stop:?} its change");
            assert_eq!(
                after.failures,
                before.failures + u32::from(stop == Stop::After),
                "{place}"
            );
            assert_whole(&before, &after, &place);
            let is_reset = stop == Stop::After && n % RESET_AFTER == 0 && n < LOCK_AFTER;
            assert_eq!(after.pins.len() > before.pins.len(), is_reset, "{place}");
        }
    }
    assert!(
        state(data).locked,
        "no answer was given, and still the mailbox is locked"
    );
    fixture::assert_sound(data);
}

/// The right PIN too: not a word before the counter is written.
#[test]
fn a_kill_before_the_right_pin_is_acknowledged_says_nothing() {
    let home = store();
    let data = home.path();
    attempt::sign_in(&fixture::cheap_session(data), &fixture::address(0), "0").expect("an answer");
    for (stop, failures) in [(Stop::Before, 1), (Stop::After, 0)] {
        let mut child = Running::new(ENTRY, &task(data, "stopping", &[PIN.to_owned()]));
        child.go();
        assert_eq!(child.next::<Stop>(), Some(Stop::Before));
        if stop == Stop::After {
            child.tell("on");
            assert_eq!(child.next::<Stop>(), Some(Stop::After));
        }
        assert_eq!(child.kill::<Stop>(), []);
        assert_eq!(state(data).failures, failures, "killed {stop:?} the change");
    }
}

/// At any moment, again and again, until the mailbox is locked: all the answers together are no more than without kills, and
/// each of them is of a different, counted attempt.
#[test]
fn no_sequence_of_kills_gives_more_answers() {
    let seed = fixture::seed("kill");
    let mut dice = Dice::new(seed);
    for round in 0..6 {
        let home = store();
        let data = home.path();
        let texts: Vec<String> = (0..30).map(wrong).collect();
        let mut answers: Vec<Heard> = Vec::new();
        let mut kills = 0;
        let mut before = state(data);
        while !before.locked {
            let mut child = Running::new(ENTRY, &task(data, "running", &texts));
            child.go();
            let wanted = dice.below(3);
            let mut heard: Vec<Heard> = (0..wanted).map_while(|_| child.next()).collect();
            std::thread::sleep(std::time::Duration::from_micros(dice.below(15_000)));
            heard.extend(child.kill::<Heard>());
            kills += 1;
            let after = state(data);
            let place = format!("round {round}, kill {kills}, seed {seed}");
            let given = heard.iter().filter(|heard| heard.outcome != "locked").count();
            let counted = (after.failures - before.failures) as usize;
            assert!(
                (given..=given + 1).contains(&counted),
                "{place}: {counted} attempts counted, {given} answered"
            );
            assert_whole(&before, &after, &place);
            answers.extend(heard.into_iter().filter(|heard| heard.outcome != "locked"));
            assert!(kills < 200, "{place}: nothing is ever counted");
            before = after;
        }
        assert!(
            answers.len() < LOCK_AFTER as usize,
            "{} answers before the lock-out",
            answers.len()
        );
        let mut left: Vec<Option<u32>> = answers.iter().map(|heard| heard.until_lock).collect();
        left.sort_unstable();
        left.dedup();
        assert_eq!(
            left.len(),
            answers.len(),
            "two answers are of the same attempt: {answers:?}"
        );
        assert_eq!(before.failures, LOCK_AFTER);
        let resets = before.pins.len() - 1;
        assert_eq!(resets, 2, "failures 5 and 10, whether or not somebody was told");
        fixture::assert_sound(data);
        println!("round {round}: {} answers, {kills} kills", answers.len());
    }
}
