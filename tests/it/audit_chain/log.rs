//! Logs as a store writes them, and the check of one.

use proptest::prelude::*;
use umpin::audit::{
    AuditEntry, Binding, ChainKey, ChainKeys, ChainLink, ChainReport, ChainStatus, Ending, Head, LogItem, LogKind,
    StoredEntry, Verifier,
};
use umpin::clock::Timestamp;

/// The active key first, as a ring gives them.
pub fn ring() -> ChainKeys {
    ChainKeys::new(vec![ChainKey::new([2; 32]), ChainKey::new([1; 32])])
}

pub fn key(old: bool) -> ChainKey {
    ChainKey::new([if old { 1 } else { 2 }; 32])
}

/// A log of several hosts, as the store writes it.
#[derive(Clone, Debug)]
pub struct Log {
    pub entries: Vec<StoredEntry>,
    pub heads: Vec<Head>,
}

/// What one append wrote: by which host, how many entries.
#[derive(Clone, Debug)]
pub struct Append {
    pub host: usize,
    pub entries: usize,
}

pub const HOSTS: [&str; 3] = ["a", "b", "c"];

pub fn appends() -> impl Strategy<Value = Vec<Append>> {
    prop::collection::vec(
        (0..HOSTS.len(), 1..4_usize).prop_map(|(host, entries)| Append { host, entries }),
        1..24,
    )
}

/// The appends before `rotated` are under the old key.
pub fn build(appends: &[Append], rotated: usize) -> Log {
    let mut log = Log {
        entries: Vec::new(),
        heads: Vec::new(),
    };
    let mut tips = [ChainLink::default(); HOSTS.len()];
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
            let mac = key.bind(&host, tip, &entry);
            *tip = ChainLink {
                position: tip.position + 1,
                mac,
            };
            log.entries.push(StoredEntry {
                seq: log.entries.len() as i64 * 2 + 1,
                host,
                binding: Binding {
                    position: tip.position,
                    key: key.id(),
                },
                entry,
                mac,
            });
        }
        let mut head = Head {
            host: HOSTS[append.host].to_owned(),
            base: ChainLink::default(),
            base_at: None,
            last: tips[append.host],
            key: key.id(),
            mac: [0; 32],
        };
        key.seal(&mut head);
        log.heads.retain(|known| known.host != head.host);
        log.heads.push(head);
    }
    log
}

/// Removes the first entries of a host's chain as retention does.
pub fn retain(log: &mut Log, host: &str, count: usize) {
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

/// The reports, with the state serialized and parsed between pages of `page` items.
pub fn check(log: &Log, kind: LogKind, ending: Ending, page: usize) -> Vec<ChainReport> {
    let keys = ring();
    let start = |head: &Head| LogItem::Start {
        host: head.host.clone(),
        base: head.base,
    };
    let mut items: Vec<LogItem> = log.heads.iter().map(start).collect();
    items.extend(log.entries.iter().cloned().map(LogItem::Entry));
    items.extend(log.heads.iter().cloned().map(LogItem::Head));
    let mut verifier = Verifier::new(kind);
    for page in items.chunks(page) {
        let text = serde_json::to_string(&verifier).unwrap();
        verifier = serde_json::from_str(&text).unwrap();
        for item in page {
            verifier.add(&keys, item);
        }
    }
    verifier.finish(&keys, ending)
}

pub fn in_store(log: &Log, page: usize) -> Vec<ChainReport> {
    check(log, LogKind::Store, Ending::Complete, page)
}

pub fn status<'a>(reports: &'a [ChainReport], host: &str) -> Option<&'a ChainStatus> {
    reports.iter().find(|report| report.host == host).map(|f| &f.status)
}

/// The seq that a broken chain names.
pub fn broken_at(reports: &[ChainReport], host: &str) -> Option<Option<i64>> {
    match status(reports, host) {
        Some(ChainStatus::Broken(fault)) => Some(fault.seq),
        _ => None,
    }
}
