//! Several processes share one queue.

use std::collections::HashMap;

use super::child::{self, Kind, Running, Task};
use super::{fixture, verdict};
use crate::support;

const MESSAGES: usize = 60;
const LATER: i64 = 7_200_000;

fn queue(kind: Kind) -> tempfile::TempDir {
    let home = fixture::store(MESSAGES);
    std::fs::write(home.path().join("down"), "").expect("the relay is down");
    let service = child::service(home.path(), kind, 0);
    for number in 0..MESSAGES {
        verdict::reset(&service, number).expect("a reset");
    }
    std::fs::remove_file(home.path().join("down")).expect("the relay is back");
    home
}

#[test]
fn four_processes_send_each_message_once() {
    for kind in [Kind::Transactional, Kind::TwoSteps] {
        let home = queue(kind);
        let tasks = [0; 4].map(|seed| Task {
            what: "send",
            data: home.path(),
            kind,
            ahead: LATER,
            seed,
            count: 0,
        });
        let running = tasks.each_ref().map(Running::new);
        let shares: Vec<usize> = running.map(|running| running.finish("tried").len()).to_vec();
        let mut sent: HashMap<String, usize> = HashMap::new();
        for (_, text) in support::messages(&home.path().join("mail")) {
            *sent.entry(fixture::announcement(&text).0).or_default() += 1;
        }
        assert_eq!(sent.len(), MESSAGES);
        assert!(sent.values().all(|count| *count == 1), "sent more than once: {sent:?}");
        assert_eq!(shares.iter().sum::<usize>(), MESSAGES);
        println!("{kind:?}: {shares:?}");
    }
}
