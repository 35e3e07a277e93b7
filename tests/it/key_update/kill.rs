//! `kill -9` in the middle of updates of the key, many times over, on one store that others use all the while.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::session::Session;

use super::attempt;
use super::child::{ENTRY, Heard};
use super::fixture::{self, Dice};
use super::process::Running;
use super::update::{chains, remove_old_files, update};
use crate::support;

const KILLS: usize = 50;
/// Each has mailboxes of its own, so that it knows their PINs.
const THREADS: usize = 3;
const MAILBOXES: usize = 24;

/// PINs by mailbox, as the one who set them knows them.
type Pins = BTreeMap<usize, String>;

#[test]
fn fifty_kills_under_load_leave_every_pin_and_every_chain() {
    let seed = fixture::seed("key update");
    let mut dice = Dice::new(seed);
    let home = fixture::store(MAILBOXES);
    let data = home.path();
    let first = fixture::cheap_session(data);
    let mut pins = Pins::new();
    for number in 0..MAILBOXES {
        let pin = random_pin(&mut dice);
        set(&first, number, &pin);
        pins.insert(number, pin);
    }
    let exported = data.join("before.jsonl");
    support::request(&first, &json!({ "v": 1, "operation": "auditExport", "path": exported })).expect("an export");

    let over = AtomicBool::new(false);
    let (mut steps, mut completed, mut work) = (0, 0, 0);
    std::thread::scope(|scope| {
        let stop = Stop(&over);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let mine: Pins = pins
                    .iter()
                    .filter(|(n, _)| *n % THREADS == thread)
                    .map(|(n, p)| (*n, p.clone()))
                    .collect();
                let (first, over) = (&first, &over);
                // One uses the session that was opened before everything, the others open one now and then.
                scope.spawn(move || load(data, (thread == 0).then_some(first), mine, !seed ^ thread as u64, over))
            })
            .collect();
        for _ in 0..KILLS {
            let mut running = Running::new(ENTRY, &json!({ "store": data }));
            running.go();
            // In its first step, after some steps, in the second update: whatever the machine's speed.
            let mut heard: Vec<Heard> = Vec::new();
            for _ in 0..dice.below(4) {
                heard.push(running.next().expect("the child works on until it is killed"));
            }
            std::thread::sleep(Duration::from_micros(dice.below(60_000)));
            heard.extend(running.kill::<Heard>());
            steps += heard.iter().filter(|one| **one == Heard::Step).count();
            completed += heard.iter().filter(|one| **one == Heard::Complete).count();
            assert_eq!(chains(&fixture::cheap_session(data), None), ["intact"], "seed {seed}");
        }
        drop(stop);
        for thread in threads {
            let (mine, done) = thread.join().unwrap_or_else(|_| panic!("the load failed, seed {seed}"));
            pins.extend(mine);
            work += done;
        }
    });
    assert!(
        completed >= 5,
        "only {completed} updates were completed in {KILLS} kills ({steps} steps)"
    );
    assert!(
        steps > 2 * completed,
        "no kill hit an update between two steps: {steps} and {completed}"
    );
    assert!(work > KILLS, "only {work} resets and sign-ins during {KILLS} kills");

    // What the last kill left is finished; then nothing needs a former key.
    let session = fixture::cheap_session(data);
    let done = update(&session, json!({ "resealOnly": true })).expect("the last update");
    assert_eq!(
        (&done["complete"], &done["problems"]),
        (&json!(true), &json!([])),
        "{done}"
    );
    remove_old_files(&done);
    let session = fixture::cheap_session(data);
    for (number, pin) in &pins {
        let answer = attempt::sign_in(&session, &fixture::address(*number), pin).expect("an answer");
        assert_eq!(attempt::outcome(&answer), "accepted", "user {number}, seed {seed}");
    }
    assert_eq!(chains(&session, None), ["intact"]);
    assert_eq!(chains(&session, Some(&exported)), ["intact"]);
    fixture::assert_sound(data);
    println!("{KILLS} kills, {steps} steps, {completed} updates completed, {work} resets and sign-ins");
}

/// Ends the load, also where a check fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Resets and sign-ins, each of which must succeed, until it is over.
fn load(data: &std::path::Path, kept: Option<&Session>, mut pins: Pins, seed: u64, over: &AtomicBool) -> (Pins, usize) {
    let mut dice = Dice::new(seed);
    let numbers: Vec<usize> = pins.keys().copied().collect();
    let mut own = fixture::cheap_session(data);
    let mut since = Instant::now();
    let mut done = 0;
    while !over.load(Ordering::Acquire) {
        if since.elapsed() > Duration::from_secs(1) {
            (own, since) = (fixture::cheap_session(data), Instant::now());
        }
        let session = kept.unwrap_or(&own);
        let number = numbers[dice.below(numbers.len() as u64) as usize];
        if dice.below(3) == 0 {
            let pin = random_pin(&mut dice);
            set(session, number, &pin);
            pins.insert(number, pin);
        } else {
            let answer = attempt::sign_in(session, &fixture::address(number), &pins[&number]);
            let answer = answer.unwrap_or_else(|error| panic!("a sign-in of user {number}: {error}"));
            assert_eq!(attempt::outcome(&answer), "accepted", "user {number}");
        }
        done += 1;
    }
    (pins, done)
}

fn set(session: &Session, number: usize, pin: &str) {
    let fields =
        json!({ "identity": fixture::address(number), "sendEmail": number.is_multiple_of(2), "pinExpired": false });
    let done = support::reset(session, fields, Some(pin));
    let done = done.unwrap_or_else(|error| panic!("a reset of user {number}: {}: {error}", error.code().id()));
    let warnings = done.response["warnings"].as_array().expect("warnings");
    let harmless = |warning: &serde_json::Value| warning["id"] == "PickupPilesUp";
    assert!(warnings.iter().all(harmless), "{warnings:?}");
}

/// So long that none is drawn twice, and without the extension of any mailbox of `fixture::store`, which the policy refuses.
fn random_pin(dice: &mut Dice) -> String {
    loop {
        let pin = format!("{:015}", dice.below(1_000_000_000_000_000));
        if !pin.contains("420") {
            return pin;
        }
    }
}
