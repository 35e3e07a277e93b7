//! The relay is down during 300 resets by processes that are killed at random moments; then it is back, and the processes that
//! send what is left are killed as well.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use umpin::credential::kdf::KdfContext;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::notification::outbox::Outbox;
use umpin::pin::Pin;
use umpin::service::signin::{SignIn, SignInRequest, Subscriber};

use super::child::{self, Kind, Reset, Running, Task};
use super::fixture::{self, Dice, Inside};
use super::relays::{Doubled, Outage};
use super::verdict;
use crate::support;

const RESETS: usize = 300;
/// Each is reset seldom enough for its record to remember all of its PINs.
const MAILBOXES: usize = 60;
/// Past every lease and every pause.
const LATER: i64 = 7_200_000;

#[test]
fn the_stores_own_outbox_loses_nothing() {
    outage(Kind::Transactional, &mut Doubled);
}

#[test]
fn the_outbox_of_a_directory_elsewhere_loses_nothing() {
    outage(Kind::TwoSteps, &mut Doubled);
}

mod needs_aiosmtpd {
    use super::*;
    use crate::outbox::relays::Aiosmtpd;

    #[test]
    fn nothing_is_lost_on_the_way_to_a_real_sink() {
        for kind in [Kind::Transactional, Kind::TwoSteps] {
            outage(kind, &mut Aiosmtpd::new());
        }
    }
}

#[cfg(unix)]
mod needs_postfix {
    use super::*;
    use crate::outbox::relays::RealRelay;

    #[test]
    fn nothing_is_lost_on_the_way_through_a_real_relay() {
        outage(Kind::Transactional, &mut RealRelay::new());
    }
}

fn outage(kind: Kind, relay: &mut dyn Outage) {
    let seed = fixture::seed("outage");
    let mut dice = Dice::new(seed);
    let home = fixture::store(MAILBOXES);
    let data = home.path();
    relay.begin(data);

    let mut kills = 0;
    let mut tried: Vec<Reset> = Vec::new();
    let mut done: Vec<Reset> = Vec::new();
    while done.len() < RESETS {
        let task = |seed| Task {
            what: "resets",
            data,
            kind,
            ahead: 0,
            seed,
            count: MAILBOXES,
        };
        let mut pair = [0, 1].map(|_| Running::new(&task(dice.below(u64::MAX))));
        let patience = dice.below(40);
        for _ in 0..patience {
            let words = pair[0].next_of(&mut tried).expect("it works on until it is killed");
            done.push(words);
        }
        wait_actively(Duration::from_micros(dice.below(6_000)));
        for running in &mut pair {
            running.child.kill().expect("it can be killed");
            kills += 1;
        }
        for mut running in pair {
            done.extend(std::iter::from_fn(|| running.next_of(&mut tried)));
            running.child.wait().expect("an end");
        }
    }
    assert_eq!(fs::read_dir(data.join("mail")).map_or(0, Iterator::count), 0);
    let secret: Vec<&str> = tried.iter().map(|(_, pin)| pin.as_str()).collect();
    assert_no_pin_in_files(data, &secret);

    relay.end(data);
    let mut ahead = 0;
    for _ in 0..8 {
        ahead += LATER;
        let task = Task {
            what: "send",
            data,
            kind,
            ahead,
            seed: 0,
            count: 0,
        };
        let mut running = Running::new(&task);
        running.next("ready").expect("it starts");
        for _ in 0..dice.below(30) {
            running.next("tried");
        }
        wait_actively(Duration::from_micros(dice.below(3_000)));
        running.child.kill().expect("it can be killed");
        running.child.wait().expect("an end");
        kills += 1;
    }
    let last = child::service(data, kind, ahead + LATER);
    while !verdict::send(&last).is_empty() {}
    drop(last);
    assert_no_pin_in_files(data, &secret);
    relay.collect(data);
    let duplicates = judge(data, kind, &tried, &done, kills, ahead, seed);
    println!(
        "{kind:?}: {} resets acknowledged, {kills} kills, {duplicates} duplicates",
        done.len()
    );
}

fn judge(data: &Path, kind: Kind, tried: &[Reset], done: &[Reset], kills: usize, ahead: i64, seed: u64) -> usize {
    let inside = Inside::of(data);
    let service = child::service(data, kind, ahead);
    // By recipient and PIN: the Message-IDs, and how often it was delivered.
    let mut told: HashMap<(String, String), (HashSet<String>, usize)> = HashMap::new();
    for (name, text) in support::messages(&data.join("mail")) {
        let entry = told.entry(fixture::announcement(&text)).or_default();
        assert!(
            text.contains(&name[..32]),
            "the Message-ID is not that of the entry: {text}"
        );
        entry.0.insert(name[..32].to_owned());
        entry.1 += 1;
    }
    let mut duplicates = 0;
    for ((address, pin), (ids, count)) in &told {
        let place = format!("{address}, seed {seed}");
        assert_eq!(ids.len(), 1, "{place}: one PIN under several Message-IDs");
        assert!(
            inside.pins(address).position(pin).is_some(),
            "{place}: told a PIN that never was in force"
        );
        duplicates += count - 1;
    }
    assert!(
        duplicates <= kills,
        "{duplicates} duplicates after {kills} kills, seed {seed}"
    );
    for number in 0..MAILBOXES {
        let address = fixture::address(number);
        let place = format!("{address}, seed {seed}");
        let pins = inside.pins(&address);
        for (_, pin) in done.iter().filter(|(of, _)| *of == number) {
            assert!(pins.position(pin).is_some(), "{place}: an acknowledged PIN is gone");
        }
        if pins.count() == 0 {
            continue;
        }
        let mut current = tried
            .iter()
            .filter(|(of, pin)| *of == number && pins.position(pin) == Some(0));
        let (_, current) = current
            .next()
            .unwrap_or_else(|| panic!("{place}: nobody set the PIN in force"));
        assert!(
            told.contains_key(&(address.clone(), current.clone())),
            "{place}: was never told the PIN in force"
        );
        let attempt = SignInRequest {
            subscriber: Subscriber::Identity(address),
            alternatives: Vec::new(),
            pin: Pin::new(current.clone()),
            cmdlet: None,
            domain_controller: None,
            ignore_default_scope: false,
        };
        let answer = service.sign_in(attempt, &mut KdfContext::new()).expect("a sign-in");
        assert_eq!(
            answer.outcome,
            SignIn::ChangeRequired,
            "{place}: the PIN told does not open"
        );
    }
    let outbox: Box<dyn Outbox> = match kind {
        Kind::Transactional => Box::new(support::embedded(data)),
        Kind::TwoSteps => Box::new(LocalOutbox::new(EmbeddedOptions::new(data.join("outbox.db")))),
    };
    assert_eq!(outbox.entries(None, None, 1000).expect("the outbox").items, []);
    duplicates
}

/// The messages aside, no file holds a PIN.
fn assert_no_pin_in_files(data: &Path, pins: &[&str]) {
    let pins: HashSet<&[u8]> = pins.iter().map(|pin| pin.as_bytes()).collect();
    let mut files = 0;
    for entry in fs::read_dir(data).expect("the data directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            continue;
        }
        let content = fs::read(&path).expect("a file");
        files += 1;
        let found = content.windows(15).any(|window| pins.contains(window));
        assert!(!found, "{} holds a PIN", path.display());
    }
    assert!(files >= 2);
}

/// Not to wait for something, but to kill at any moment: sleeping would round it.
fn wait_actively(moment: Duration) {
    let since = Instant::now();
    while since.elapsed() < moment {
        std::hint::spin_loop();
    }
}
