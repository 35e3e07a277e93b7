//! Many guessers in several processes at one mailbox: they get no more answers than one after the other, and keep no
//! administrator waiting.

use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use umpin::session::Session;

use super::attempt::set_limits;
use super::child::{self, ENTRY, Heard, Made};
use super::fixture::{self, Inside};
use super::process::Running;
use crate::support;

const PROCESSES: usize = 4;
const THREADS: usize = 64;
const RIGHT: &str = "739152";

/// A store whose mailbox 0 has the PIN [`RIGHT`], under these limits.
fn store(reset_after: Option<u32>, lock_after: Option<u32>) -> TempDir {
    let home = fixture::store(1);
    set_limits(&support::embedded(home.path()), reset_after, lock_after);
    let fields = json!({ "identity": fixture::address(0), "sendEmail": false, "pinExpired": false });
    support::reset(&fixture::cheap_session(home.path()), fields, Some(RIGHT)).expect("the first PIN");
    home
}

fn guess(home: &TempDir, each: usize, right: Option<(&str, usize)>) -> Vec<Heard> {
    let mut running: Vec<Running> = (0..PROCESSES)
        .map(|process| Running::new(ENTRY, &child::guesses(home.path(), process, THREADS, each, right)))
        .collect();
    for process in &mut running {
        process.go();
    }
    let heard: Vec<Heard> = running.into_iter().flat_map(Running::finish::<Heard>).collect();
    assert_eq!(heard.len(), PROCESSES * THREADS * each, "every attempt is answered");
    heard
}

/// The number of failures after each failed attempt, as the audit has them, oldest first; and how many there are of an action.
struct Audited {
    failures: Vec<u32>,
    resets: usize,
    locks: usize,
}

fn audited(home: &TempDir) -> Audited {
    let operations = Inside::of(home.path()).operations();
    let of = |action: &str| operations.iter().filter(move |o| o.intent["action"] == action).count();
    let failures = operations.iter().filter(|o| o.intent["action"] == "SignInFailure");
    Audited {
        failures: failures
            .map(|o| {
                let outcome = o.outcome.as_ref().expect("an outcome");
                u32::try_from(outcome["result"]["failures"].as_u64().expect("a number")).expect("a small number")
            })
            .collect(),
        resets: of("AutomaticReset"),
        locks: of("LockOut"),
    }
}

fn count(heard: &[Heard], outcome: &str) -> usize {
    heard.iter().filter(|heard| heard.outcome == outcome).count()
}

/// Guesses that lost every race within the deadline were not compared with anything; there may be few.
fn assert_no_other_errors(heard: &[Heard]) {
    let known = ["accepted", "rejected", "resetByFailures", "locked", "WriteConflict"];
    let other = heard.iter().find(|heard| !known.contains(&heard.outcome.as_str()));
    assert_eq!(other, None);
    let lost = count(heard, "WriteConflict");
    assert!(
        lost * 20 <= heard.len(),
        "{lost} of {} attempts lost every race",
        heard.len()
    );
}

#[test]
fn all_guessers_together_get_as_many_answers_as_one() {
    for (reset_after, lock_after) in [(Some(5), 15), (None, 15), (Some(1), 2), (Some(3), 40), (None, 1)] {
        let home = store(reset_after, Some(lock_after));
        let heard = guess(&home, 4, None);
        let place = format!("{reset_after:?} before a reset, {lock_after} before the lock-out");
        assert_no_other_errors(&heard);
        let expected_resets = reset_after.map_or(0, |limit| (lock_after - 1) / limit) as usize;
        let audited = audited(&home);
        assert_eq!(audited.failures, (1..=lock_after).collect::<Vec<_>>(), "{place}");
        assert_eq!((audited.resets, audited.locks), (expected_resets, 1), "{place}");
        // One more locked the mailbox.
        let answers = count(&heard, "rejected") + count(&heard, "resetByFailures");
        assert_eq!(answers + 1, lock_after as usize, "{place}");
        assert_eq!(count(&heard, "resetByFailures"), expected_resets, "{place}");
        assert_eq!(count(&heard, "accepted"), 0, "{place}");
        let mut left: Vec<u32> = heard
            .iter()
            .filter(|heard| heard.outcome != "locked")
            .filter_map(|heard| heard.until_lock)
            .collect();
        left.sort_unstable();
        assert_eq!(
            left,
            (1..lock_after).collect::<Vec<_>>(),
            "{place}: no two answers are the same attempt"
        );
        assert_eq!(fixture::announcements(home.path()).len(), expected_resets, "{place}");
        fixture::assert_sound(home.path());
    }
}

/// With right guesses among them the attempts still stand in one order: the audit has the failures in it, each acceptance begins
/// the count anew, and every answer has its own place.
#[test]
fn right_guesses_among_them_stand_in_one_order_too() {
    for (reset_after, lock_after, share) in [(None, 15, 8), (Some(5), 15, 3), (None, 6, 4), (None, 999, 2)] {
        let home = store(reset_after, Some(lock_after));
        let heard = guess(&home, 4, Some((RIGHT, share)));
        let place = format!("{reset_after:?}, {lock_after}, one in {share}");
        assert_no_other_errors(&heard);
        let audited = audited(&home);
        let mut before = 0;
        let mut begun_anew = 0;
        for failures in &audited.failures {
            begun_anew += usize::from(*failures == 1 && before > 0);
            assert!(
                *failures == before + 1 || *failures == 1,
                "{place}: {failures} failures after {before}"
            );
            assert!(
                before < lock_after,
                "{place}: an attempt was answered after the lock-out"
            );
            before = *failures;
        }
        let accepted = count(&heard, "accepted");
        assert!(
            begun_anew <= accepted,
            "{place}: {begun_anew} fresh starts, {accepted} right PINs"
        );
        // The answers are the audit's failures, one for one, the one that locked apart.
        let mut answered: Vec<u32> = heard
            .iter()
            .filter(|heard| matches!(heard.outcome.as_str(), "rejected" | "resetByFailures"))
            .map(|heard| lock_after - heard.until_lock.expect("a limit"))
            .collect();
        let is_locked = before == lock_after;
        answered.extend(is_locked.then_some(lock_after));
        answered.sort_unstable();
        let mut counted = audited.failures;
        counted.sort_unstable();
        assert_eq!(answered, counted, "{place}");
        assert_eq!(audited.locks, usize::from(is_locked), "{place}");
        assert_eq!(count(&heard, "locked") > 0, is_locked, "{place}");
        println!(
            "{place}: {accepted} accepted, {} failures, locked: {is_locked}",
            counted.len()
        );
    }
}

/// How long an attack lasts, at least.
const UNDER_ATTACK: Duration = Duration::from_secs(5);

/// Resets with and without a message and unlocks in turn; how long one took.
fn administrate(session: &Session, round: usize) -> Duration {
    let identity = fixture::address(0);
    let fields = match round % 4 {
        0 => json!({ "identity": identity, "sendEmail": false }),
        1 => json!({ "identity": identity, "keepPin": true, "lockedOut": false }),
        2 => json!({ "identity": identity }),
        _ => json!({ "identity": identity, "pinExpired": true, "keepPin": true, "lockedOut": false }),
    };
    let begin = Instant::now();
    if let Err(error) = support::reset(session, fields, None) {
        panic!("change {round} failed after {:?}: {error}", begin.elapsed());
    }
    begin.elapsed()
}

/// Constant guessing must not starve the administrator.
#[test]
fn resets_succeed_in_the_middle_of_an_attack() {
    for (reset_after, lock_after) in [(Some(5), Some(15)), (None, None), (Some(5), None), (Some(1), None)] {
        let home = store(reset_after, lock_after);
        let mut attackers: Vec<Running> = (0..PROCESSES)
            .map(|_| Running::new(ENTRY, &child::attack(home.path(), THREADS)))
            .collect();
        for attacker in &mut attackers {
            attacker.go();
        }
        // Once all of them are at it.
        let begin = Instant::now();
        while audited(&home).failures.is_empty() {
            assert!(begin.elapsed() < Duration::from_secs(30), "nobody attacks");
            std::thread::sleep(Duration::from_millis(50));
        }
        let session = fixture::cheap_session(home.path());
        let begin = Instant::now();
        let mut took = Vec::new();
        while took.len() < 12 || begin.elapsed() < UNDER_ATTACK {
            took.push(administrate(&session, took.len()));
        }
        for attacker in &mut attackers {
            attacker.tell("stop");
        }
        let made: u64 = attackers
            .into_iter()
            .flat_map(Running::finish::<Made>)
            .map(|made| made.0)
            .sum();
        took.sort_unstable();
        println!(
            "limits {reset_after:?} {lock_after:?}: {made} attempts, {} failures, {} changes; they took {:?} in the middle, {:?} at worst",
            audited(&home).failures.len(),
            took.len(),
            took[took.len() / 2],
            took[took.len() - 1]
        );
        assert!(made > 256, "nobody attacked");
        assert!(took[took.len() - 1] < Duration::from_secs(10), "{took:?}");
        // Guessing goes on until the end where nobody is ever locked.
        if lock_after.is_none() {
            assert!(!audited(&home).failures.is_empty());
        }
    }
}
