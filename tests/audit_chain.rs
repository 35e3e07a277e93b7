//! The check of a log, without any store: whatever is done to a chain shows, at the first place; a crash looks like a crash.

use proptest::prelude::*;
use proptest::sample::Index;
use umpin::audit::{
    AuditEntry, Bound, ChainKey, ChainKeys, Ending, FaultKind, Finding, Head, LogItem, Medium, Point, StoredEntry,
    Verdict, Verifier,
};
use umpin::clock::Timestamp;

/// The active key first, as a ring gives them.
fn ring() -> ChainKeys {
    ChainKeys::new(vec![ChainKey::new([2; 32]), ChainKey::new([1; 32])])
}

fn key(old: bool) -> ChainKey {
    ChainKey::new([if old { 1 } else { 2 }; 32])
}

/// A log of several hosts, as the store writes it.
#[derive(Clone, Debug)]
struct Log {
    entries: Vec<StoredEntry>,
    heads: Vec<Head>,
}

/// What one append wrote: by which host, how many entries.
#[derive(Clone, Debug)]
struct Append {
    host: usize,
    entries: usize,
}

const HOSTS: [&str; 3] = ["a", "b", "c"];

fn appends() -> impl Strategy<Value = Vec<Append>> {
    prop::collection::vec(
        (0..HOSTS.len(), 1..4_usize).prop_map(|(host, entries)| Append { host, entries }),
        1..24,
    )
}

/// The first `legacy` appends are of version 1; those before `rotated` under the old key.
fn build(appends: &[Append], legacy: usize, rotated: usize) -> Log {
    let mut log = Log {
        entries: Vec::new(),
        heads: Vec::new(),
    };
    let mut tips = [Point::default(); HOSTS.len()];
    let mut adopted = [0; HOSTS.len()];
    for (n, append) in appends.iter().enumerate() {
        let key = key(n < rotated);
        for part in 0..append.entries {
            let tip = &mut tips[append.host];
            let entry = AuditEntry {
                operation: (n as u128).to_be_bytes(),
                at: Timestamp(1_000 + n as i64),
                body: format!(r#"{{"kind":"intent","part":{part}}}"#),
            };
            let host = HOSTS[append.host].to_owned();
            let (bound, mac) = if n < legacy {
                adopted[append.host] += 1;
                (None, key.link(&tip.mac, &entry))
            } else {
                let position = tip.position + 1;
                (Some(Bound { position, key: key.id() }), key.bind(&host, tip, &entry))
            };
            *tip = Point {
                position: tip.position + 1,
                mac,
            };
            log.entries.push(StoredEntry {
                seq: log.entries.len() as i64 * 2 + 1,
                host,
                bound,
                entry,
                mac,
            });
        }
        if n >= legacy {
            let mut head = Head {
                host: HOSTS[append.host].to_owned(),
                base: Point::default(),
                base_at: None,
                adopted: adopted[append.host],
                tip: tips[append.host],
                key: key.id(),
                mac: [0; 32],
            };
            key.seal(&mut head);
            log.heads.retain(|known| known.host != head.host);
            log.heads.push(head);
        }
    }
    log
}

/// Removes the first entries of a host's chain as retention does.
fn retain(log: &mut Log, host: &str, count: usize) {
    let Some(head) = log.heads.iter_mut().find(|head| head.host == host) else {
        return;
    };
    for _ in 0..count {
        let Some(index) = log.entries.iter().position(|entry| entry.host == host) else {
            break;
        };
        let removed = log.entries.remove(index);
        head.base.position += 1;
        head.base.mac = removed.mac;
        head.base_at = Some(removed.entry.at);
    }
    key(false).seal(head);
}

/// The verdicts, with the state written down and read again between pages of `page` items.
fn check(log: &Log, medium: Medium, ending: Ending, page: usize) -> Vec<Finding> {
    let keys = ring();
    let start = |head: &Head| LogItem::Start {
        host: head.host.clone(),
        base: head.base,
    };
    let mut items: Vec<LogItem> = log.heads.iter().map(start).collect();
    items.extend(log.entries.iter().cloned().map(LogItem::Entry));
    items.extend(log.heads.iter().cloned().map(LogItem::Head));
    let mut verifier = Verifier::new(medium);
    for page in items.chunks(page) {
        let text = serde_json::to_string(&verifier).unwrap();
        verifier = serde_json::from_str(&text).unwrap();
        for item in page {
            verifier.take(&keys, item);
        }
    }
    verifier.finish(&keys, ending)
}

fn in_store(log: &Log, page: usize) -> Vec<Finding> {
    check(log, Medium::Store, Ending::Complete, page)
}

fn verdict<'a>(findings: &'a [Finding], host: &str) -> Option<&'a Verdict> {
    findings.iter().find(|finding| finding.host == host).map(|f| &f.verdict)
}

/// The seq that a broken chain names.
fn broken_at(findings: &[Finding], host: &str) -> Option<Option<i64>> {
    match verdict(findings, host) {
        Some(Verdict::Broken(fault)) => Some(fault.seq),
        _ => None,
    }
}

#[derive(Clone, Debug)]
enum Tampering {
    Change(Index, u8),
    Remove(Index),
    RemoveAll(Index),
    RemoveEnd(Index, usize),
    Repeat(Index),
    Swap(Index, Index),
    Move(Index, Index),
    Head(Index, u8),
    RemoveHead(Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<Index>;
    prop_oneof![
        (index(), 0..9_u8).prop_map(|(i, field)| Tampering::Change(i, field)),
        index().prop_map(Tampering::Remove),
        index().prop_map(Tampering::RemoveAll),
        (index(), 1..5_usize).prop_map(|(i, n)| Tampering::RemoveEnd(i, n)),
        index().prop_map(Tampering::Repeat),
        (index(), index()).prop_map(|(i, j)| Tampering::Swap(i, j)),
        (index(), index()).prop_map(|(i, j)| Tampering::Move(i, j)),
        (index(), 0..10_u8).prop_map(|(i, field)| Tampering::Head(i, field)),
        index().prop_map(Tampering::RemoveHead),
    ]
}

fn change(entry: &mut StoredEntry, field: u8) {
    let bound = entry.bound.as_mut();
    match (field, bound) {
        (0, _) => entry.entry.operation[7] ^= 1,
        (1, _) => entry.entry.at.0 += 1,
        (2, _) => entry.entry.body.push(' '),
        (3, _) => entry.entry.body.clear(),
        (4, Some(bound)) => bound.position += 1,
        (5, Some(bound)) => bound.position -= 1,
        (6, Some(bound)) => bound.key.0[0] ^= 1,
        (7, Some(_)) => entry.bound = None,
        _ => entry.mac[5] ^= 1,
    }
}

fn change_head(head: &mut Head, field: u8) {
    match field {
        0 => head.base.position += 1,
        1 => head.base.mac[1] ^= 1,
        2 => head.base_at = Some(Timestamp(head.base_at.map_or(0, |at| at.0 + 1))),
        3 => head.adopted += 1,
        4 => head.tip.position += 1,
        5 => head.tip.position -= 1,
        6 => head.tip.mac[3] ^= 1,
        7 => head.key.0[0] ^= 1,
        8 => head.host = "d".to_owned(),
        _ => head.mac[9] ^= 1,
    }
}

/// Where the host's entries stand.
fn places(log: &Log, host: &str) -> Vec<usize> {
    let is = |i: &usize| log.entries[*i].host == host;
    (0..log.entries.len()).filter(is).collect()
}

/// Does it; the host whose chain it breaks, and the seq that the check must name where there is one right answer.
/// `None`: nothing was changed.
fn tamper(log: &mut Log, tampering: &Tampering) -> Option<(String, Option<Option<i64>>)> {
    let pick = |log: &Log, index: &Index| index.index(log.entries.len());
    let neighbours = |log: &Log, i: usize| {
        let places = places(log, &log.entries[i].host);
        let n = places.iter().position(|place| *place == i).unwrap();
        let seq = |n: Option<&usize>| n.map(|place| log.entries[*place].seq);
        (seq(n.checked_sub(1).and_then(|n| places.get(n))), seq(places.get(n + 1)))
    };
    match tampering {
        Tampering::Change(index, field) => {
            let i = pick(log, index);
            change(&mut log.entries[i], *field);
            let entry = &log.entries[i];
            Some((entry.host.clone(), Some(Some(entry.seq))))
        }
        Tampering::Remove(index) => {
            let i = pick(log, index);
            let (before, after) = neighbours(log, i);
            let removed = log.entries.remove(i);
            Some((removed.host, Some(after.or(before))))
        }
        Tampering::RemoveAll(index) => {
            let host = log.entries[pick(log, index)].host.clone();
            log.entries.retain(|entry| entry.host != host);
            Some((host, Some(None)))
        }
        Tampering::RemoveEnd(index, count) => {
            let host = log.entries[pick(log, index)].host.clone();
            let places = places(log, &host);
            let from = places.len().saturating_sub(*count);
            let last = from.checked_sub(1).map(|n| log.entries[places[n]].seq);
            for place in places[from..].iter().rev() {
                log.entries.remove(*place);
            }
            Some((host, Some(last)))
        }
        Tampering::Repeat(index) => {
            let i = pick(log, index);
            let mut again = log.entries[i].clone();
            again.seq += 1;
            let answer = (again.host.clone(), Some(Some(again.seq)));
            log.entries.insert(i + 1, again);
            Some(answer)
        }
        Tampering::Swap(from, to) => {
            let (i, j) = (pick(log, from), pick(log, to));
            if i == j || log.entries[i].host != log.entries[j].host {
                return None;
            }
            let (host, first) = (log.entries[i].host.clone(), log.entries[i.min(j)].seq);
            let (a, b) = (log.entries[i].seq, log.entries[j].seq);
            log.entries.swap(i, j);
            (log.entries[i].seq, log.entries[j].seq) = (a, b);
            Some((host, Some(Some(first))))
        }
        Tampering::Move(index, to) => {
            let i = pick(log, index);
            let host = HOSTS[to.index(HOSTS.len())];
            let old = log.entries[i].host.clone();
            if old == host {
                return None;
            }
            let (before, after) = neighbours(log, i);
            log.entries[i].host = host.to_owned();
            Some((old, Some(after.or(before))))
        }
        Tampering::Head(index, field) => {
            let i = index.index(log.heads.len());
            let host = log.heads[i].host.clone();
            let same = (*field == 5 && log.heads[i].tip.position == 0) || places(log, &host).is_empty();
            if same {
                return None;
            }
            change_head(&mut log.heads[i], *field);
            Some((host, None))
        }
        Tampering::RemoveHead(index) => {
            let i = index.index(log.heads.len());
            let host = log.heads.remove(i).host;
            // The entries that remain; a chain whose entries are all gone has nothing left to show.
            places(log, &host).first().is_some().then_some((host, None))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn what_was_not_touched_is_intact(
        appends in appends(), rotated in 0..24_usize, host in 0..3_usize, removed in 0..9_usize, page in 1..9_usize,
    ) {
        let mut log = build(&appends, 0, rotated);
        retain(&mut log, HOSTS[host], removed);
        for finding in in_store(&log, page) {
            prop_assert_eq!(&finding.verdict, &Verdict::Intact, "{:?}", finding);
            prop_assert!(finding.anchored);
        }
    }

    #[test]
    fn whatever_is_done_to_a_log_shows_at_its_first_place(
        appends in appends(), rotated in 0..24_usize, host in 0..3_usize, removed in 0..4_usize,
        tampering in tampering(), page in 1..9_usize,
    ) {
        let mut log = build(&appends, 0, rotated);
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

    /// A store of version 1 that was brought up to date: its entries count as the first ones of chains with a head.
    #[test]
    fn entries_of_version_1_are_held_by_the_head_too(
        appends in appends(), legacy in 1..24_usize, rotated in 0..24_usize, tampering in tampering(),
    ) {
        let mut log = build(&appends, legacy.min(appends.len() - 1), rotated);
        for finding in in_store(&log, 100) {
            prop_assert_eq!(&finding.verdict, &Verdict::Intact, "{:?}", finding);
            prop_assert_eq!(finding.anchored, log.heads.iter().any(|head| head.host == finding.host));
        }
        let anchored: Vec<String> = log.heads.iter().map(|head| head.host.clone()).collect();
        let Some((host, _)) = tamper(&mut log, &tampering) else { return Ok(()) };
        // Without a head only the last entries can vanish unseen, and only until the next append.
        let only_legacy = log.entries.iter().filter(|entry| entry.host == host).all(|entry| entry.bound.is_none());
        let hidden = match tampering {
            Tampering::RemoveHead(_) => only_legacy,
            Tampering::Head(_, field) => field == 8 && only_legacy,
            _ => !anchored.contains(&host) || log.entries.iter().all(|entry| entry.host != host),
        };
        let findings = in_store(&log, 100);
        prop_assert!(hidden || broken_at(&findings, &host).is_some(), "{:?}", findings);
    }

    /// The head is replaced after the entries are synced; a crash in between leaves any part of one operation behind it.
    #[test]
    fn a_crash_leaves_a_torn_tail_and_nothing_else_does(
        appends in appends(), written in 0..4_usize, torn: bool, lost in 0..4_usize,
    ) {
        let one: Vec<Append> = appends.iter().map(|append| Append { host: 0, ..append.clone() }).collect();
        let whole = build(&one, 0, 0);
        let before = build(&one[..one.len() - 1], 0, 0);
        let written = written.min(one[one.len() - 1].entries);
        let mut crashed = before.clone();
        crashed.entries.extend_from_slice(&whole.entries[before.entries.len()..][..written]);
        let ending = if torn { Ending::Torn } else { Ending::Complete };
        let findings = check(&crashed, Medium::Journal, ending, 100);
        let expected = if written > 0 || torn { Verdict::TornTail } else { Verdict::Intact };
        if one.len() > 1 {
            prop_assert_eq!(verdict(&findings, "a"), Some(&expected));
        } else if written > 0 {
            // The first operation ever: there is no head yet.
            prop_assert_eq!(verdict(&findings, "a"), Some(&Verdict::TornTail));
        }
        // Fewer entries than the head counts are never a crash, torn line or not.
        let mut cut = whole.clone();
        cut.entries.truncate(whole.entries.len().saturating_sub(lost));
        let findings = check(&cut, Medium::Journal, ending, 100);
        let broken = broken_at(&findings, "a").is_some();
        prop_assert_eq!(broken, lost > 0, "{:?}", findings);
        // Nor are the entries of two operations behind the head.
        if one.len() > 2 {
            let old = build(&one[..one.len() - 2], 0, 0);
            let stale = Log { heads: old.heads, ..whole };
            prop_assert!(broken_at(&check(&stale, Medium::Journal, ending, 100), "a").is_some());
        }
    }

    /// In a store entries and head are one transaction: an older head is tampering there.
    #[test]
    fn a_store_has_no_torn_tail(appends in appends()) {
        let one: Vec<Append> = appends.iter().map(|append| Append { host: 0, ..append.clone() }).collect();
        prop_assume!(one.len() > 1);
        let stale = Log { heads: build(&one[..one.len() - 1], 0, 0).heads, ..build(&one, 0, 0) };
        prop_assert!(broken_at(&in_store(&stale, 100), "a").is_some());
    }
}

fn kinds(log: &Log) -> Vec<FaultKind> {
    in_store(log, 100)
        .iter()
        .filter_map(|finding| match &finding.verdict {
            Verdict::Broken(fault) => Some(fault.kind),
            _ => None,
        })
        .collect()
}

#[test]
fn the_fault_says_what_was_done() {
    let log = build(&vec![Append { host: 0, entries: 2 }; 4], 0, 2);
    let with = |work: fn(&mut Log)| {
        let mut log = log.clone();
        work(&mut log);
        kinds(&log)
    };
    assert_eq!(with(|_| {}), []);
    assert_eq!(with(|l| l.entries[3].entry.body.push('x')), [FaultKind::Changed]);
    assert_eq!(with(|l| drop(l.entries.remove(3))), [FaultKind::Missing]);
    assert_eq!(with(|l| drop(l.entries.pop())), [FaultKind::Truncated]);
    assert_eq!(with(|l| l.entries.clear()), [FaultKind::Truncated]);
    assert_eq!(with(|l| l.entries.swap(3, 4)), [FaultKind::Reordered]);
    assert_eq!(with(|l| l.entries.insert(4, l.entries[3].clone())), [FaultKind::Reordered]);
    assert_eq!(with(|l| l.heads.clear()), [FaultKind::HeadMissing]);
    assert_eq!(with(|l| l.heads[0].tip = Point::default()), [FaultKind::HeadAltered]);

    let keys = ChainKeys::new(vec![key(false)]);
    let mut verifier = Verifier::new(Medium::Store);
    let genuine: Vec<bool> = (log.entries.iter())
        .map(|entry| verifier.take(&keys, &LogItem::Entry(entry.clone())))
        .collect();
    assert_eq!(genuine, [false, false, false, false, true, true, true, true]);
    let [fault] = &verifier.new_faults()[..] else {
        panic!("one chain, one fault")
    };
    assert_eq!((fault.seq, fault.kind), (Some(1), FaultKind::UnknownKey));
    assert!(verifier.new_faults().is_empty(), "a fault is told once");
}

#[test]
fn a_head_that_was_made_anew_over_bound_entries_is_told() {
    let mut log = build(&vec![Append { host: 0, entries: 2 }; 4], 0, 0);
    log.entries.truncate(6);
    let tip = Point {
        position: 6,
        mac: log.entries[5].mac,
    };
    let head = &mut log.heads[0];
    (head.adopted, head.tip) = (6, tip);
    key(false).seal(head);
    assert_eq!(kinds(&log), [FaultKind::HeadMissing]);
}
