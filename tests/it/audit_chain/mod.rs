//! The check of a log, without any store: whatever is done to a chain shows, at the first place; a crash looks like a crash.

mod log;
mod tampering;

use log::*;
use proptest::prelude::*;
use tampering::*;
use umpin::audit::{ChainErrorKind, ChainKeys, ChainLink, ChainStatus, Ending, LogItem, LogKind, Verifier};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_was_not_touched_is_intact(
        appends in appends(), rotated in 0..24_usize, host in 0..3_usize, removed in 0..9_usize, page in 1..9_usize,
    ) {
        let mut log = build(&appends, rotated);
        retain(&mut log, HOSTS[host], removed);
        for finding in in_store(&log, page) {
            prop_assert_eq!(&finding.verdict, &ChainStatus::Intact, "{:?}", finding);
        }
    }

    #[test]
    fn whatever_is_done_to_a_log_shows_at_its_first_place(
        appends in appends(), rotated in 0..24_usize, host in 0..3_usize, removed in 0..4_usize,
        tampering in tampering(), page in 1..9_usize,
    ) {
        let mut log = build(&appends, rotated);
        retain(&mut log, HOSTS[host], removed);
        prop_assume!(!log.entries.is_empty());
        let Some((host, seq)) = tamper(&mut log, &tampering) else { return Ok(()) };
        let findings = in_store(&log, page);
        let found = broken_at(&findings, &host);
        prop_assert!(found.is_some(), "{:?}", findings);
        if let Some(seq) = seq {
            prop_assert_eq!(found, Some(seq), "{:?}", findings);
        }
        if let Tampering::Move(_, to) = tampering {
            prop_assert!(broken_at(&findings, HOSTS[to.index(HOSTS.len())]).is_some(), "{:?}", findings);
        }
    }

    /// The head is replaced after the entries are synced; a crash in between leaves any part of one operation behind it.
    #[test]
    fn a_crash_leaves_a_torn_tail_and_nothing_else_does(
        appends in appends(), written in 0..4_usize, torn: bool, lost in 0..4_usize,
    ) {
        let one: Vec<Append> = appends.iter().map(|append| Append { host: 0, ..append.clone() }).collect();
        let whole = build(&one, 0);
        let before = build(&one[..one.len() - 1], 0);
        let written = written.min(one[one.len() - 1].entries);
        let mut crashed = before.clone();
        crashed.entries.extend_from_slice(&whole.entries[before.entries.len()..][..written]);
        let ending = if torn { Ending::Torn } else { Ending::Complete };
        let findings = check(&crashed, LogKind::Journal, ending, 100);
        let expected = if written > 0 || torn { ChainStatus::TornTail } else { ChainStatus::Intact };
        if one.len() > 1 {
            prop_assert_eq!(verdict(&findings, "a"), Some(&expected));
        } else if written > 0 {
            // The first operation ever: there is no head yet.
            prop_assert_eq!(verdict(&findings, "a"), Some(&ChainStatus::TornTail));
        }
        // Fewer entries than the head counts are never a crash, torn line or not.
        let mut cut = whole.clone();
        cut.entries.truncate(whole.entries.len().saturating_sub(lost));
        let findings = check(&cut, LogKind::Journal, ending, 100);
        let broken = broken_at(&findings, "a").is_some();
        prop_assert_eq!(broken, lost > 0, "{:?}", findings);
        // Nor are the entries of two operations behind the head.
        if one.len() > 2 {
            let old = build(&one[..one.len() - 2], 0);
            let stale = Log { heads: old.heads, ..whole };
            prop_assert!(broken_at(&check(&stale, LogKind::Journal, ending, 100), "a").is_some());
        }
    }

    /// In a store entries and head are one transaction: an older head is tampering there.
    #[test]
    fn a_store_has_no_torn_tail(appends in appends()) {
        let one: Vec<Append> = appends.iter().map(|append| Append { host: 0, ..append.clone() }).collect();
        prop_assume!(one.len() > 1);
        let stale = Log { heads: build(&one[..one.len() - 1], 0).heads, ..build(&one, 0) };
        prop_assert!(broken_at(&in_store(&stale, 100), "a").is_some());
    }
}

fn kinds(log: &Log) -> Vec<ChainErrorKind> {
    in_store(log, 100)
        .iter()
        .filter_map(|finding| match &finding.verdict {
            ChainStatus::Broken(fault) => Some(fault.kind),
            _ => None,
        })
        .collect()
}

#[test]
fn the_fault_says_what_was_done() {
    let log = build(&vec![Append { host: 0, entries: 2 }; 4], 2);
    let with = |work: fn(&mut Log)| {
        let mut log = log.clone();
        work(&mut log);
        kinds(&log)
    };
    assert_eq!(with(|_| {}), []);
    assert_eq!(with(|l| l.entries[3].entry.body.push('x')), [ChainErrorKind::Changed]);
    assert_eq!(with(|l| drop(l.entries.remove(3))), [ChainErrorKind::Missing]);
    assert_eq!(with(|l| drop(l.entries.pop())), [ChainErrorKind::Truncated]);
    assert_eq!(with(|l| l.entries.clear()), [ChainErrorKind::Truncated]);
    assert_eq!(with(|l| l.entries.swap(3, 4)), [ChainErrorKind::Reordered]);
    assert_eq!(
        with(|l| l.entries.insert(4, l.entries[3].clone())),
        [ChainErrorKind::Reordered]
    );
    assert_eq!(with(|l| l.heads.clear()), [ChainErrorKind::HeadMissing]);
    assert_eq!(
        with(|l| l.heads[0].tip = ChainLink::default()),
        [ChainErrorKind::HeadAltered]
    );

    let keys = ChainKeys::new(vec![key(false)]);
    let mut verifier = Verifier::new(LogKind::Store);
    let genuine: Vec<bool> = (log.entries.iter())
        .map(|entry| verifier.take(&keys, &LogItem::Entry(entry.clone())))
        .collect();
    assert_eq!(genuine, [false, false, false, false, true, true, true, true]);
    let [fault] = &verifier.new_faults()[..] else {
        panic!("one chain, one fault")
    };
    assert_eq!((fault.seq, fault.kind), (Some(1), ChainErrorKind::UnknownKey));
    assert!(verifier.new_faults().is_empty(), "a fault is told once");
}
