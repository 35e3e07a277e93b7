//! Concurrent resets by two hosts with their own outboxes and a shared key.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::host::{Host, info, sign_in};
use super::records::{Opener, mailboxes};
use crate::child::{self, Told};
use crate::harness::{Forest, Lab, Mailbox, alone};
use crate::process::Running;
use crate::stores;

/// A record remembers twenty PINs.
const REMEMBERED: usize = 20;
const THREADS: usize = 2;

#[test]
fn two_hosts_resetting_one_mailbox_lose_nothing() {
    alone(Forest::Pair, |lab| rivals(lab, 1));
}

#[test]
fn two_hosts_resetting_many_mailboxes_lose_nothing() {
    alone(Forest::Pair, |lab| rivals(lab, 10));
}

/// Every PIN that was acknowledged is still remembered by the record.
fn rivals(lab: &Lab, count: usize) {
    let seed = stores::seed("rivals");
    let mailboxes = mailboxes(lab, "rivals", count);
    // Controllers are configured in opposite order; both hosts must choose the same one.
    let hosts = [
        Host::new(lab, "one"),
        Host::with(lab, "two", |directory| {
            directory["domainControllers"].as_array_mut().expect("two").reverse();
        }),
    ];
    assert_ne!(hosts[0].controllers(), hosts[1].controllers());
    let each = REMEMBERED / (hosts.len() * THREADS);
    let mut running: Vec<_> = hosts
        .iter()
        .zip([seed, !seed])
        .map(|(host, seed)| child::resets(host, &mailboxes, each, THREADS, seed))
        .collect();
    running.iter_mut().for_each(Running::go);
    let told: Vec<Vec<Told>> = running.into_iter().map(Running::finish).collect();

    let opener = Opener::new(&hosts[0]);
    let session = hosts[0].session();
    let mut set: HashMap<&str, Vec<&str>> = HashMap::new();
    for reset in told.iter().flatten() {
        assert_eq!(
            reset.error, None,
            "{}: an error reached the user, seed {seed}",
            reset.alias
        );
        set.entry(&reset.alias).or_default().push(&reset.pin);
    }
    for mailbox in &mailboxes {
        let place = format!("{}, seed {seed}", mailbox.alias);
        let pins = opener.agreed(lab, mailbox);
        let set = &set[&*mailbox.alias];
        let mut places: Vec<_> = set.iter().map(|pin| pins.position(pin)).collect();
        places.sort_unstable();
        let all: Vec<_> = (0..REMEMBERED).map(Some).collect();
        assert_eq!(places, all, "{place}: where the record has the acknowledged PINs");
        let current = set
            .iter()
            .find(|pin| pins.position(pin) == Some(0))
            .expect("one is in force");
        assert_eq!(
            sign_in(&session, mailbox, &lab.dc2().host(), current),
            "changeRequired",
            "{place}"
        );
        let mail: Vec<String> = hosts.iter().flat_map(|host| host.mail_of(mailbox)).collect();
        assert!(
            mail.iter().any(|pin| pin == current),
            "{place}: was never told the PIN in force"
        );
        assert_eq!(mail.len(), REMEMBERED, "{place}: messages");
    }
    for (host, told) in hosts.iter().zip(&told) {
        let audited = host.audited("Reset");
        assert_eq!(audited.len(), told.len(), "audited resets of a host");
        let failed: Vec<&Value> = audited.iter().filter(|item| item["succeeded"] != true).collect();
        assert!(failed.is_empty(), "{failed:?}");
        assert_eq!(host.audited("ResetLost").len(), 0);
        assert_eq!(host.queue(), Vec::<Value>::new());
        let warned = |mailbox: &&Mailbox| {
            let state = info(&host.session(), mailbox, None).expect("the state");
            state["warnings"] != json!([])
        };
        assert_eq!(mailboxes.iter().filter(warned).count(), 0);
    }
}
