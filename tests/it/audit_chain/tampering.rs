//! What somebody without the key can do to a log.

use proptest::prelude::*;
use proptest::sample::Index;
use umpin::audit::{Head, StoredEntry};
use umpin::clock::Timestamp;

use super::log::{HOSTS, Log};

#[derive(Clone, Debug)]
pub enum Tampering {
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

pub fn tampering() -> impl Strategy<Value = Tampering> {
    let index = any::<Index>;
    prop_oneof![
        (index(), 0..8_u8).prop_map(|(i, field)| Tampering::Change(i, field)),
        index().prop_map(Tampering::Remove),
        index().prop_map(Tampering::RemoveAll),
        (index(), 1..5_usize).prop_map(|(i, n)| Tampering::RemoveEnd(i, n)),
        index().prop_map(Tampering::Repeat),
        (index(), index()).prop_map(|(i, j)| Tampering::Swap(i, j)),
        (index(), index()).prop_map(|(i, j)| Tampering::Move(i, j)),
        (index(), 0..9_u8).prop_map(|(i, field)| Tampering::Head(i, field)),
        index().prop_map(Tampering::RemoveHead),
    ]
}

pub fn change(entry: &mut StoredEntry, field: u8) {
    match field {
        0 => entry.entry.operation[7] ^= 1,
        1 => entry.entry.at.0 += 1,
        2 => entry.entry.body.push(' '),
        3 => entry.entry.body.clear(),
        4 => entry.binding.position += 1,
        5 => entry.binding.position -= 1,
        6 => entry.binding.key.0[0] ^= 1,
        _ => entry.mac[5] ^= 1,
    }
}

pub fn change_head(head: &mut Head, field: u8) {
    match field {
        0 => head.base.position += 1,
        1 => head.base.mac[1] ^= 1,
        2 => head.base_at = Some(Timestamp(head.base_at.map_or(0, |at| at.0 + 1))),
        3 => head.last.position += 1,
        4 => head.last.position -= 1,
        5 => head.last.mac[3] ^= 1,
        6 => head.key.0[0] ^= 1,
        7 => head.host = "d".to_owned(),
        _ => head.mac[9] ^= 1,
    }
}

/// Where the host's entries stand.
pub fn places(log: &Log, host: &str) -> Vec<usize> {
    let is = |i: &usize| log.entries[*i].host == host;
    (0..log.entries.len()).filter(is).collect()
}

/// Does it; the host whose chain it breaks, and the seq that the check must name where there is one right answer.
/// `None`: nothing was changed.
pub fn tamper(log: &mut Log, tampering: &Tampering) -> Option<(String, Option<Option<i64>>)> {
    let pick = |log: &Log, index: &Index| index.index(log.entries.len());
    let neighbours = |log: &Log, i: usize| {
        let places = places(log, &log.entries[i].host);
        let n = places.iter().position(|place| *place == i).unwrap();
        let seq = |n: Option<&usize>| n.map(|place| log.entries[*place].seq);
        (
            seq(n.checked_sub(1).and_then(|n| places.get(n))),
            seq(places.get(n + 1)),
        )
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
            let same = (*field == 4 && log.heads[i].last.position == 0) || places(log, &host).is_empty();
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
            (!places(log, &host).is_empty()).then_some((host, None))
        }
    }
}
