//! A controller fails during many resets.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::host::{Host, LATER, reset, sign_in};
use super::records::{Opener, mailboxes};
use crate::child::random_pin;
use crate::harness::{Forest, Lab, Mailbox, alone};
use crate::stores::{self, Dice};

/// Resets at once; so many may be in flight when the controller fails.
const THREADS: usize = 4;
const MAILBOXES_OF_EACH: usize = 2;
/// Drains of the outbox until everything must have settled; the clock goes on with each.
const DRAINS: i64 = 10;

/// A fault of a controller, and its end.
struct Failure {
    begin: fn(&Lab),
    end: fn(&Lab),
}

#[test]
fn killed() {
    alone(Forest::Pair, |lab| {
        let failure = Failure {
            begin: |lab| lab.dc1().kill(),
            end: |lab| lab.dc1().start(),
        };
        survives(lab, 500, &failure);
    });
}

#[test]
fn hanging() {
    alone(Forest::Pair, |lab| {
        let failure = Failure {
            begin: |lab| lab.dc1().suspend(),
            end: |lab| lab.dc1().resume(),
        };
        survives(lab, 200, &failure);
    });
}

#[test]
fn unreachable() {
    alone(Forest::Pair, |lab| {
        let failure = Failure {
            begin: |lab| lab.isolate(lab.dc1()),
            end: |lab| lab.reach(lab.dc1()),
        };
        survives(lab, 200, &failure);
    });
}

/// A reset, and whether it was acknowledged.
struct Tried {
    pin: String,
    is_known: bool,
}

fn survives(lab: &Lab, resets: usize, failure: &Failure) {
    let seed = stores::seed("outage");
    let mailboxes = mailboxes(lab, "outage", THREADS * MAILBOXES_OF_EACH);
    let host = Host::new(lab, "host");
    let opener = Opener::new(&host);
    let tried = run(lab, &host, &mailboxes, resets, failure, seed);

    let all: Vec<&Tried> = tried.values().flatten().collect();
    let unknown = all.iter().filter(|reset| !reset.is_known).count();
    assert_eq!(all.len(), resets, "seed {seed}");
    assert!(
        unknown <= THREADS,
        "{unknown} unknown outcomes with {THREADS} resets in flight, seed {seed}"
    );
    let open: Vec<Value> = host.queue();
    assert!(
        open.len() <= unknown,
        "of {unknown} unknown resets these are queued: {open:?}"
    );
    println!(
        "{resets} resets, {unknown} of them unknown, {} queued, seed {seed}",
        open.len()
    );

    (failure.end)(lab);
    // As soon as it is back; and once it has heard from the other one, which recovery waits for.
    let mut outcomes = vec![host.send(LATER)];
    for mailbox in &mailboxes {
        opener.agreed(lab, mailbox);
    }
    let rest = (2..=DRAINS).take_while(|_| !host.queue().is_empty());
    outcomes.extend(rest.map(|drain| host.send(drain * LATER)));
    assert_eq!(
        host.queue(),
        Vec::<Value>::new(),
        "still open after {outcomes:?}, seed {seed}"
    );

    let session = host.session();
    for mailbox in &mailboxes {
        let place = format!("{}, seed {seed}", mailbox.alias);
        let tried = &tried[&*mailbox.alias];
        let pins = opener.agreed(lab, mailbox);
        let in_force = tried.iter().position(|reset| pins.position(&reset.pin) == Some(0));
        let in_force = in_force.unwrap_or_else(|| panic!("{place}: a PIN is in force that nobody set"));
        let last = tried
            .iter()
            .rposition(|reset| reset.is_known)
            .expect("a reset was acknowledged");
        assert!(
            in_force >= last,
            "{place}: the last acknowledged reset was undone: {outcomes:?}"
        );
        for dc in [lab.dc1(), lab.dc2()] {
            let outcome = sign_in(&session, mailbox, &dc.host(), &tried[in_force].pin);
            assert_eq!(outcome, "changeRequired", "{place} on {}", dc.host());
        }
        told(&host, mailbox, tried, in_force, &place);
    }
    let audited = host.audited("Reset");
    assert_eq!(audited.len(), resets, "audited resets, seed {seed}");
    let open: Vec<&Value> = audited.iter().filter(|item| item["succeeded"].is_null()).collect();
    assert!(
        open.is_empty(),
        "what became of these is not in the audit: {open:?}, seed {seed}"
    );
}

/// Checks that the PINs in force, and no others, were mailed in order.
fn told(host: &Host, mailbox: &Mailbox, tried: &[Tried], in_force: usize, place: &str) {
    let mail = host.mail_of(mailbox);
    let index = |pin: &String| tried.iter().position(|reset| reset.pin == *pin).expect("a PIN of ours");
    let mut order: Vec<usize> = mail.iter().map(index).collect();
    order.sort_unstable();
    assert!(order.contains(&in_force), "{place}: was never told the PIN in force");
    assert!(
        order.windows(2).all(|pair| pair[0] < pair[1]),
        "{place}: one PIN told twice"
    );
    let known = |(index, reset): (usize, &Tried)| reset.is_known.then_some(index);
    for acknowledged in tried.iter().enumerate().filter_map(known) {
        assert!(
            order.contains(&acknowledged),
            "{place}: an acknowledged PIN was not told"
        );
    }
    for index in order {
        assert!(
            tried[index].is_known || index == in_force,
            "{place}: was told a PIN that never was set, or was replaced before"
        );
    }
}

fn run(
    lab: &Lab,
    host: &Host,
    mailboxes: &[Mailbox],
    resets: usize,
    failure: &Failure,
    seed: u64,
) -> HashMap<String, Vec<Tried>> {
    let session = host.session();
    let done = AtomicUsize::new(0);
    let tried: Mutex<HashMap<String, Vec<Tried>>> = Mutex::default();
    thread::scope(|scope| {
        for (number, own) in (0..).zip(mailboxes.chunks(MAILBOXES_OF_EACH)) {
            let (session, done, tried) = (&session, &done, &tried);
            scope.spawn(move || {
                let mut dice = Dice::new(seed.wrapping_add(number));
                for n in 0..resets / THREADS {
                    let (mailbox, pin) = (&own[n % own.len()], random_pin(&mut dice));
                    let is_known = match reset(session, mailbox, json!({}), Some(&pin)) {
                        Ok(_) => true,
                        Err(error) if error.code().id() == "OutcomeUnknown" => false,
                        Err(error) => panic!("reset {n} of {}: {error}, {:?}", mailbox.alias, error.details()),
                    };
                    let mut tried = tried.lock().expect("the other threads are well");
                    let of_mailbox = tried.entry(mailbox.alias.clone()).or_default();
                    of_mailbox.push(Tried { pin, is_known });
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // While resets are in progress.
        while done.load(Ordering::Relaxed) < resets / 3 {
            thread::sleep(Duration::from_millis(1));
        }
        (failure.begin)(lab);
    });
    tried.into_inner().expect("all threads ended well")
}
