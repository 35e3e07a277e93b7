//! Several processes reset the same and different mailboxes at once, with and without an administrator at the files.

use std::collections::HashMap;
use std::path::Path;

use super::child::{self, Ack, ENTRY};
use super::fixture::{self, Inside};
use super::process::Running;

/// A record keeps 20 PINs, the one in force included: up to that many resets of a mailbox can be accounted for one by one.
const RETAINED: usize = 20;

/// Lets every process go at the same moment and returns what they acknowledged.
fn run(tasks: &[serde_json::Value]) -> Vec<Vec<Ack>> {
    let mut running: Vec<Running> = tasks.iter().map(|task| Running::new(ENTRY, task)).collect();
    for process in &mut running {
        process.go();
    }
    running.into_iter().map(Running::finish).collect()
}

/// Every acknowledged reset is there, nothing else is, and the PIN in force is the last one of some process.
pub fn account_for(data: &Path, mailboxes: usize, processes: &[Vec<Ack>]) {
    let inside = Inside::of(data);
    let messages = fixture::announcements(data);
    let total: usize = processes.iter().map(Vec::len).sum();
    for number in 0..mailboxes {
        let address = fixture::address(number);
        let pins = inside.pins(&address);
        let acknowledged: Vec<&Ack> = processes.iter().flatten().filter(|a| a.address == address).collect();
        assert!(
            acknowledged.len() <= RETAINED,
            "the test resets {address} too often to account for"
        );
        assert_eq!(
            pins.count(),
            acknowledged.len(),
            "{address}: PINs in its record against acknowledged resets (fewer: a lost update)"
        );
        let mut seen = HashMap::new();
        for ack in &acknowledged {
            let position = pins
                .position(&ack.pin)
                .unwrap_or_else(|| panic!("{address}: an acknowledged PIN is neither in force nor in the history"));
            *seen.entry(position).or_insert(0) += 1;
            let announced = messages
                .iter()
                .filter(|m| **m == (address.clone(), ack.pin.clone()))
                .count();
            assert_eq!(announced, 1, "{address}: messages of one acknowledged PIN");
        }
        assert!(
            seen.values().all(|count| *count == 1),
            "{address}: two resets share a place in the history: {seen:?}"
        );
    }
    assert_eq!(messages.len(), total, "messages against acknowledged resets");
    assert_eq!(
        inside.audited_resets(),
        total,
        "audited changes against acknowledged resets"
    );
    drop(inside);
    assert_eq!(fixture::outbox(data).len(), 0, "messages left in the outbox");
    fixture::assert_sound(data);
}

/// `count` processes with two threads each: one goes for mailbox 0, which all want, the other for a mailbox of its process.
fn compete(count: usize, touched: bool) {
    let home = fixture::store(count + 1);
    let each = RETAINED / count;
    let tasks: Vec<_> = (1..=count)
        .map(|own| child::resets(home.path(), &[vec![0], vec![own]], each, touched))
        .collect();
    let acknowledged = run(&tasks);
    assert!(acknowledged.iter().all(|acks| acks.len() == 2 * each));
    account_for(home.path(), count + 1, &acknowledged);
}

#[test]
fn two_processes_lose_nothing() {
    for _ in 0..3 {
        compete(2, false);
    }
}

#[test]
fn four_processes_lose_nothing() {
    for _ in 0..3 {
        compete(4, false);
    }
}

/// Without locks of our own this fails: SQLite's vanish whenever the administrator closes a file.
#[test]
fn reading_the_files_in_the_same_process_loses_nothing() {
    for _ in 0..4 {
        compete(2, true);
    }
}
