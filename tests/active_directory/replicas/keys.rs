//! Key rotation with several hosts.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::host::{Host, reset, sign_in};
use super::records::sealed;
use crate::child::{self, Updating};
use crate::harness::{Forest, Lab, Mailbox, alone, key_file};
use crate::key_update::{chains, remove_old_files, step, update};
use crate::stores::{self, Dice};

const KILLS: usize = 50;

/// A host with its own copy of the key.
fn host(lab: &Lab, name: &str) -> Host {
    // No controller hangs in these tests.
    let host = Host::with(lab, name, |directory| directory["timeoutSeconds"] = 30.into());
    fs::copy(key_file(), host.folder().join("umpin.key")).expect("a copy of the key");
    let file = host.folder().join("umpin.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).expect("a configuration")).expect("JSON");
    config["keys"] = json!({ "active": "k1", "k1": "umpin.key" });
    fs::write(&file, config.to_string()).expect("a configuration");
    host
}

/// The key that a record is sealed under.
fn key_of(lab: &Lab, mailbox: &Mailbox) -> String {
    let record = sealed(lab.dc1(), mailbox).expect("a record");
    record[4..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn set(host: &Host, mailbox: &Mailbox, pin: &str) {
    let done = reset(&host.session(), mailbox, json!({ "pinExpired": false }), Some(pin));
    done.unwrap_or_else(|error| panic!("a reset on {}: {error}", host.folder().display()));
}

#[test]
fn a_new_key_is_used_only_after_every_host_has_it() {
    alone(Forest::Single, |lab| {
        let [one, other] = [host(lab, "one"), host(lab, "other")];
        let mailboxes: Vec<Mailbox> = (0..3).map(|n| lab.mailbox(&format!("shared-{n}"))).collect();
        set(&one, &mailboxes[0], "580291");
        set(&other, &mailboxes[1], "914730");
        let dc = lab.dc1().host();
        assert_eq!(sign_in(&one.session(), &mailboxes[1], &dc, "111999"), "rejected");
        let exported = one.folder().join("before.jsonl");
        let export = json!({ "v": 1, "operation": "auditExport", "path": exported });
        crate::support::request(&one.session(), &export).expect("an export");

        let refused = step(&one.session(), &json!({})).expect_err("no other host has a new key");
        assert_eq!(refused.code().id(), "ConfigurationInvalid", "{refused}");
        assert!(refused.recommended_action().contains("-NewKeyOnly"));
        let made = step(&one.session(), &json!({ "newKeyOnly": true })).expect("a key");
        let (key, file) = (
            made["keyId"].as_str().expect("an id"),
            PathBuf::from(made["path"].as_str().expect("a path")),
        );
        let former = key_of(lab, &mailboxes[0]);
        set(&one, &mailboxes[0], "263748");
        assert_eq!(key_of(lab, &mailboxes[0]), former, "it only waits");
        let bytes = fs::read(&file).expect("the new key");

        let done = update(&one.session(), json!({})).expect("an update");
        assert_eq!(
            (&done["complete"], &done["keyId"]),
            (&json!(true), &json!(key)),
            "{done}"
        );
        assert_eq!(key_of(lab, &mailboxes[0]), key);
        assert_eq!(key_of(lab, &mailboxes[1]), key);

        // The other one lacks it: it names it, and overwrites nothing.
        let before = sealed(lab.dc1(), &mailboxes[1]);
        let error = reset(&other.session(), &mailboxes[1], json!({}), None)
            .err()
            .expect("refused");
        assert_eq!(error.code().id(), "KeyUnavailable");
        assert!(error.message().contains(key), "{error}");
        // Also where the mailbox never had a PIN: a first one under the former key would be out of the others' reach.
        let error = reset(&other.session(), &mailboxes[2], json!({}), None)
            .err()
            .expect("refused");
        assert!(error.message().contains(key), "{error}");
        assert_eq!(sealed(lab.dc1(), &mailboxes[1]), before);
        assert_eq!(sealed(lab.dc1(), &mailboxes[2]), None);

        // With it, it works, under the former key as long as it is not told.
        let copy = other.folder().join(format!("umpin.key.{key}"));
        umpin::platform::files::write_atomically(&copy, &bytes, None).expect("a copy");
        assert_eq!(sign_in(&other.session(), &mailboxes[1], &dc, "914730"), "accepted");
        set(&other, &mailboxes[2], "482615");
        assert_eq!(key_of(lab, &mailboxes[2]), former);
        assert_eq!(sign_in(&one.session(), &mailboxes[2], &dc, "482615"), "accepted");
        let again = update(&one.session(), json!({ "resealOnly": true })).expect("a look");
        assert_eq!(
            (&again["complete"], &again["records"]),
            (&json!(true), &json!(1)),
            "{again}"
        );
        let there = update(&other.session(), json!({})).expect("an update");
        assert_eq!(
            (&there["complete"], &there["made"], &there["keyId"]),
            (&json!(true), &json!(false), &json!(key))
        );

        // Now nothing needs the former key, on either.
        for (host, done) in [(&one, &again), (&other, &there)] {
            assert_eq!(remove_old_files(done), 1, "{done}");
            assert_eq!(fs::read(host.folder().join("umpin.key")).expect("the key"), bytes);
            assert_eq!(chains(&host.session(), None), ["intact"]);
            for (mailbox, pin) in mailboxes.iter().zip(["263748", "914730", "482615"]) {
                assert_eq!(
                    sign_in(&host.session(), mailbox, &dc, pin),
                    "accepted",
                    "{}",
                    mailbox.alias
                );
            }
        }
        assert_eq!(chains(&one.session(), Some(&exported)), ["intact"]);
        assert_eq!(one.audited("UpdateKey").len(), 3);
    });
}

#[test]
fn fifty_kills_under_load_lose_no_pin_and_break_no_chain() {
    alone(Forest::Single, |lab| {
        let seed = stores::seed("key update in Active Directory");
        let mut dice = Dice::new(seed);
        let host = host(lab, "busy");
        let session = host.session();
        let mailboxes: Vec<Mailbox> = (0..6).map(|n| lab.mailbox(&format!("busy-{n}"))).collect();
        for mailbox in &mailboxes {
            set(&host, mailbox, "580291");
        }
        let over = AtomicBool::new(false);
        let (mut steps, mut completed) = (0, 0);
        let pins = std::thread::scope(|scope| {
            let stop = Stop(&over);
            let threads: Vec<_> = mailboxes
                .chunks(3)
                .enumerate()
                .map(|(n, mine)| {
                    let (host, session, over) = (&host, &session, &over);
                    scope.spawn(move || load(lab, (host, session), mine, !seed ^ n as u64, over))
                })
                .collect();
            for _ in 0..KILLS {
                let mut running = child::updates(&host);
                running.go();
                let mut heard: Vec<Updating> = Vec::new();
                for _ in 0..dice.below(4) {
                    heard.push(running.next().expect("the child works on until it is killed"));
                }
                std::thread::sleep(Duration::from_micros(dice.below(60_000)));
                heard.extend(running.kill::<Updating>());
                steps += heard.len();
                completed += heard.iter().filter(|one| **one == Updating::Complete).count();
            }
            drop(stop);
            let mut pins = BTreeMap::new();
            for thread in threads {
                pins.extend(thread.join().unwrap_or_else(|_| panic!("the load failed, seed {seed}")));
            }
            pins
        });
        assert!(
            completed >= 5,
            "only {completed} updates were completed in {KILLS} kills ({steps} steps)"
        );
        let done = update(&host.session(), json!({ "resealOnly": true })).expect("the last update");
        assert_eq!(
            (&done["complete"], &done["problems"]),
            (&json!(true), &json!([])),
            "{done}"
        );
        remove_old_files(&done);
        let session = host.session();
        for mailbox in &mailboxes {
            let answer = sign_in(&session, mailbox, &lab.dc1().host(), &pins[&mailbox.alias]);
            assert_eq!(answer, "accepted", "{}, seed {seed}", mailbox.alias);
        }
        assert_eq!(chains(&session, None), ["intact"]);
    });
}

/// Ends the load, also when an assertion fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Resets and sign-ins, each of which must succeed; the PINs in the end.
fn load(
    lab: &Lab,
    (host, kept): (&Host, &umpin::session::Session),
    mailboxes: &[Mailbox],
    seed: u64,
    over: &AtomicBool,
) -> BTreeMap<String, String> {
    let mut dice = Dice::new(seed);
    let dc = lab.dc1().host();
    let mut pins: BTreeMap<String, String> = mailboxes
        .iter()
        .map(|m| (m.alias.clone(), "580291".to_owned()))
        .collect();
    while !over.load(Ordering::Acquire) {
        let mailbox = &mailboxes[usize::try_from(dice.below(mailboxes.len() as u64)).expect("small")];
        if dice.below(3) == 0 {
            let pin = child::random_pin(&mut dice);
            set(host, mailbox, &pin);
            pins.insert(mailbox.alias.clone(), pin);
        } else {
            // By a session that has loaded its keys before all of this.
            assert_eq!(
                sign_in(kept, mailbox, &dc, &pins[&mailbox.alias]),
                "accepted",
                "{}",
                mailbox.alias
            );
        }
    }
    pins
}
