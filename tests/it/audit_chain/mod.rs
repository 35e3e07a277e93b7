//! The check of a log, without a store: any tampering with a chain is reported, at the first entry concerned.

mod log;
mod tampering;

use log::*;
use proptest::prelude::*;
use tampering::*;
use umpin::audit::{ChainErrorKind, ChainKeys, ChainLink, ChainStatus, LogItem, LogKind, Verifier};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn an_untouched_log_is_intact(
        appends in appends(), rotated in 0..24_usize, host in 0..3_usize, removed in 0..9_usize, page in 1..9_usize,
    ) {
        let mut log = build(&appends, rotated);
        retain(&mut log, HOSTS[host], removed);
        for report in in_store(&log, page) {
            prop_assert_eq!(&report.status, &ChainStatus::Intact, "{:?}", report);
        }
    }

    #[test]
    fn tampering_is_reported_at_its_first_entry(
        appends in appends(), rotated in 0..24_usize, host in 0..3_usize, removed in 0..4_usize,
        tampering in tampering(), page in 1..9_usize,
    ) {
        let mut log = build(&appends, rotated);
        retain(&mut log, HOSTS[host], removed);
        prop_assume!(!log.entries.is_empty());
        let Some((host, seq)) = tamper(&mut log, &tampering) else { return Ok(()) };
        let reports = in_store(&log, page);
        let found = broken_at(&reports, &host);
        prop_assert!(found.is_some(), "{:?}", reports);
        if let Some(seq) = seq {
            prop_assert_eq!(found, Some(seq), "{:?}", reports);
        }
        if let Tampering::Move(_, to) = tampering {
            prop_assert!(broken_at(&reports, HOSTS[to.index(HOSTS.len())]).is_some(), "{:?}", reports);
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
        .filter_map(|report| match &report.status {
            ChainStatus::Broken(error) => Some(error.kind),
            _ => None,
        })
        .collect()
}

#[test]
fn the_error_names_the_kind_of_tampering() {
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
        with(|l| l.heads[0].last = ChainLink::default()),
        [ChainErrorKind::HeadAltered]
    );

    let keys = ChainKeys::new(vec![key(false)]);
    let mut verifier = Verifier::new(LogKind::Store);
    let genuine: Vec<bool> = (log.entries.iter())
        .map(|entry| verifier.add(&keys, &LogItem::Entry(entry.clone())))
        .collect();
    assert_eq!(genuine, [false, false, false, false, true, true, true, true]);
    let [error] = &verifier.take_errors()[..] else {
        panic!("one chain, one error")
    };
    assert_eq!((error.seq, error.kind), (Some(1), ChainErrorKind::UnknownKey));
    assert!(verifier.take_errors().is_empty(), "an error is reported once");
}
