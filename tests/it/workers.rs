//! What a flood of resets takes of the computer, and that it is given back. In a process of its own, because it counts all of that
//! process's threads and memory.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use crate::support;
use crate::support::{Store, process};
use serde_json::json;
use umpin::session::{Plan, Poll};

const PLANS: usize = 120;
const PATIENCE: Duration = Duration::from_secs(120);

/// What a derivation takes.
const DERIVATION_KIB: usize = 19 * 1024;

/// A line of `/proc/self/status`.
fn status(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find(|line| line.starts_with(field)).expect("a line");
    let number = line.split_whitespace().nth(1).expect("a number");
    number.parse().expect("digits")
}

fn people(count: usize) -> String {
    let header = support::PEOPLE.lines().next().expect("a header");
    let mut csv = format!("{header}\n");
    for n in 0..count {
        let _ = writeln!(
            csv,
            "\"CN=U{n},OU=Sales,DC=contoso,DC=com\",U{n},U{n},u{n},u{n},u{n}@contoso.com,u{n}@contoso.com,,True,{},Default",
            70_000 + n
        );
    }
    csv
}

#[test]
fn a_flood_of_resets_takes_as_much_as_the_processors_can_use_and_gives_it_back() {
    if !process::is_alone("workers::a_flood_of_resets_takes_as_much_as_the_processors_can_use_and_gives_it_back") {
        return;
    }
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get().min(16));
    let store = Store::with(&people(PLANS));
    // What a session needs at all, with the memory of the import.
    let (threads_before, kib_before) = (status("Threads:"), status("VmRSS:"));
    let plans: Vec<Plan> = (0..PLANS)
        .map(|n| {
            let fields = json!({ "identity": format!("u{n}"), "confirm": false });
            support::plan(&store.session, fields, None).expect("a plan")
        })
        .collect();
    for plan in &plans {
        support::target(plan).expect("a mailbox");
    }
    let begun = Instant::now();
    let mut open: BTreeSet<usize> = (0..PLANS).collect();
    let (mut most_threads, mut most_kib) = (0, 0);
    while !open.is_empty() {
        open.retain(|&n| match plans[n].commit(Duration::ZERO) {
            Ok(Poll::Pending) => true,
            Ok(Poll::Ready(_)) => false,
            Err(error) => panic!("u{n}: {error}"),
        });
        most_threads = most_threads.max(status("Threads:"));
        most_kib = most_kib.max(status("VmRSS:"));
        assert!(begun.elapsed() < PATIENCE, "{} resets never ended", open.len());
        std::thread::sleep(Duration::from_millis(1));
    }
    eprintln!(
        "{PLANS} resets at once, {:?}: threads {threads_before}, then {most_threads}; memory {kib_before} KiB, then {most_kib}",
        begun.elapsed()
    );
    // Those that have yet to derive, the look-ups, and those that wait for a disk that is busy.
    let enough = threads_before + 4 * processors + 4 + 32;
    assert!(most_threads <= enough, "{most_threads} threads, and not {enough}");
    // A derivation on each processor, what each thread keeps of heap and stack, and the store's cache.
    let enough = kib_before + processors * DERIVATION_KIB + most_threads * 1024 + 24 * 1024;
    assert!(most_kib <= enough, "{most_kib} KiB, and not {enough}");

    // One thread of each kind is left, and no memory for derivations, while the session lives.
    let done = Instant::now();
    loop {
        let (threads, kib) = (status("Threads:"), status("VmRSS:"));
        if threads <= threads_before && kib < most_kib - DERIVATION_KIB {
            eprintln!("after {:?}: {threads} threads, {kib} KiB", done.elapsed());
            break;
        }
        assert!(
            done.elapsed() < PATIENCE,
            "{threads} threads and {kib} KiB are still held; before the resets {threads_before} and {kib_before}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(plans);
    // And it goes on.
    let again = store.reset(json!({ "identity": "u0" }), None).expect("a reset");
    assert_eq!(again.response["pinGenerated"], true);
}
