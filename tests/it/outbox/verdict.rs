//! What must hold when everything has settled.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use umpin::Result;
use umpin::credential::kdf::{KdfContext, PinVerifiers};
use umpin::credential::keyring::KeyRing;
use umpin::credential::master_key::Purpose;
use umpin::credential::record::CredentialRecord;
use umpin::credential::seal::SealContext;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::keys::Keys;
use umpin::mailbox::ObjectId;
use umpin::notification::outbox::Outbox;
use umpin::pin::Pin;
use umpin::service::Service;
use umpin::service::reset::{ResetOutcome, ResetRequest};

use super::simulation::{DC1, Event, Simulation};
use super::{fixture, log};
use crate::support;

/// A reset of "User <number>" with a generated PIN.
pub fn reset(service: &Service, number: usize) -> Result<ResetOutcome> {
    let request = ResetRequest {
        identity: fixture::address(number),
        ..ResetRequest::default()
    };
    let mut kdf = KdfContext::new();
    let plan = service.prepare_reset(request, &mut kdf)?;
    service.commit_reset(plan, &mut kdf)
}

/// Sends what is due, as the scheduled task does.
pub fn send(service: &Service) -> Vec<&'static str> {
    let report = service
        .send_notifications(&umpin::service::outbox::SendRequest::default())
        .expect("the outbox can be read");
    report.items.iter().map(|item| item.outcome).collect()
}

pub fn open(simulation: &Simulation, ring: &KeyRing, mailbox: ObjectId, sealed: &[u8]) -> CredentialRecord {
    let context = SealContext {
        store_id: simulation.store_id(),
        object_id: mailbox,
    };
    let plain = ring.open(Purpose::Record, &context, sealed).expect("the record opens");
    CredentialRecord::decode(&plain).expect("the record decodes")
}

fn is_current(record: &CredentialRecord, pin: &str) -> bool {
    let mut tags = PinVerifiers::new(Pin::new(pin.to_owned()));
    record
        .is_current(&mut tags, &mut KdfContext::new())
        .expect("a derivation")
}

/// How many messages were mailed twice.
pub fn check(simulation: &Arc<Simulation>, mailboxes: usize, hosts: &[&str], deaths: usize, place: &str) -> usize {
    let ring = support::keys(simulation.home.path()).load().expect("the key");
    let numbers: HashMap<ObjectId, usize> = (0..mailboxes).map(|n| (simulation.object_id(n), n)).collect();
    let mut in_force: HashMap<usize, CredentialRecord> = HashMap::new();
    // For each mailbox the PIN ids that came into force, in their order; and the newest of them that was announced.
    let mut history: HashMap<usize, Vec<[u8; 16]>> = HashMap::new();
    let mut records: HashMap<usize, Vec<CredentialRecord>> = HashMap::new();
    let mut newest: HashMap<usize, usize> = HashMap::new();
    let mut mailed: HashMap<[u8; 16], (String, usize)> = HashMap::new();
    let mut pins: HashMap<(String, String), HashSet<[u8; 16]>> = HashMap::new();
    for event in simulation.events() {
        match event {
            Event::Landed { mailbox, sealed } => {
                let number = numbers[&mailbox];
                let record = open(simulation, &ring, mailbox, &sealed);
                let known = history.entry(number).or_default();
                if let Some(pin) = record.current()
                    && known.last() != Some(&pin.pin_id)
                {
                    assert!(!known.contains(&pin.pin_id), "{place}: a replaced PIN came back");
                    known.push(pin.pin_id);
                    records.entry(number).or_default().push(record.clone());
                }
                in_force.insert(number, record);
            }
            Event::Mailed { id, to, pin } => {
                let number = (0..mailboxes).find(|n| fixture::address(*n) == to).expect("a user");
                let set = records.get(&number).map_or(&[][..], Vec::as_slice);
                let position = set
                    .iter()
                    .rposition(|record| is_current(record, &pin))
                    .unwrap_or_else(|| panic!("{place}: {to} was told a PIN that was not in force by then"));
                let announced = newest.entry(number).or_insert(position);
                assert!(
                    position >= *announced,
                    "{place}: {to} was told a replaced PIN after the one that replaced it"
                );
                *announced = position;
                mailed.entry(id).or_insert_with(|| (pin.clone(), 0)).1 += 1;
                pins.entry((to, pin)).or_default().insert(id);
            }
        }
    }
    for (number, record) in &in_force {
        let to = fixture::address(*number);
        let stored = simulation.stored(simulation.object_id(*number), DC1);
        assert_eq!(
            open(
                simulation,
                &ring,
                simulation.object_id(*number),
                &stored.record.expect("a record")
            ),
            *record
        );
        if record.current().is_some() {
            let told = pins
                .keys()
                .any(|(address, pin)| *address == to && is_current(record, pin));
            assert!(told, "{place}: {to} was never told the PIN in force");
        }
    }
    for ((to, _), ids) in &pins {
        assert_eq!(ids.len(), 1, "{place}: {to} was told one PIN under several Message-IDs");
    }
    let duplicates: usize = mailed.values().map(|(_, count)| count - 1).sum();
    assert!(
        duplicates <= deaths,
        "{place}: {duplicates} duplicates after {deaths} deaths"
    );
    let set: usize = history.values().map(Vec::len).sum();
    let told: usize = hosts
        .iter()
        .map(|host| log::check(simulation, mailboxes, host, place))
        .sum();
    assert_eq!(told, set, "{place}: the logs tell of as many new PINs as there were");
    for host in hosts {
        let outbox = LocalOutbox::new(EmbeddedOptions::new(simulation.outbox_file(host)));
        let left = outbox.entries(None, None, 1000).expect("the outbox").items;
        assert!(left.is_empty(), "{place}: the outbox of {host} still has {left:?}");
    }
    duplicates
}
