//! The check of a log: fed with what the log holds, in order, it says of each host's chain whether it is whole.
//!
//! The state between two pages can be written down, so that a log of any length is checked in little memory.
//!
//! What a crash can leave is told from tampering by the order of writing. A store writes entries and head in one transaction: a
//! crash leaves nothing behind. A journal (one file per host, its head in a file of its own) writes and syncs the entries of one
//! append, which have the same time, then replaces the head. A crash in between leaves the head as it was and behind it entries
//! of **one** time, and an incomplete last line; never fewer entries than the head counts. That, and only that, is a torn tail. An export is
//! complete before it has a name; what ends inside a line is a copy that was cut off, and chains whose head is cut off are torn.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LogItem;
use super::chain::{ChainKeys, ChainLink, Check, Head};
use super::entry::StoredEntry;
use super::report::{ChainError, ChainErrorKind, ChainReport, ChainStatus, Ending, LogKind};
use crate::clock::Timestamp;

/// The state of a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verifier {
    medium: LogKind,
    chains: BTreeMap<String, Chain>,
    /// Of the last entry.
    last_host: Option<String>,
    malformed: Option<ChainError>,
    malformed_told: bool,
    jumped: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Chain {
    start: ChainLink,
    started: bool,
    tip: ChainLink,
    entries: u64,
    last_seq: Option<i64>,
    /// The entries of the last append.
    run: Run,
    head: Option<Head>,
    fault: Option<ChainError>,
    /// For a fault of the kind `Missing`: the position that was expected and the one that came.
    gap: Option<(u64, u64)>,
    /// That fault waits for one more entry, which may show that nothing is missing.
    held: bool,
    told: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Run {
    at: Option<Timestamp>,
    /// What the run follows, and each entry of it but the last.
    before: Vec<ChainLink>,
}

/// No append has this many entries; an altered log must not fill the memory.
const LONGEST_RUN: usize = 64;

impl Verifier {
    /// A check that begins at the beginning of the log.
    #[must_use]
    pub fn new(medium: LogKind) -> Self {
        Self {
            medium,
            chains: BTreeMap::new(),
            last_host: None,
            malformed: None,
            malformed_told: false,
            jumped: false,
        }
    }

    /// Takes the next item; of an entry, whether it is the one that must stand there.
    pub fn take(&mut self, keys: &ChainKeys, item: &LogItem) -> bool {
        match item {
            LogItem::Start { host, base } => self.start(host, base),
            LogItem::Entry(entry) => return self.entry(keys, entry),
            LogItem::Head(head) => self.chain(&head.host).head = Some(head.clone()),
            LogItem::Malformed { line } => {
                let fault = ChainError {
                    host: String::new(),
                    seq: None,
                    line: Some(*line),
                    kind: ChainErrorKind::Malformed,
                };
                self.malformed.get_or_insert(fault);
            }
        }
        true
    }

    /// The faults that were found since this was last called: of each chain the first one, once.
    pub fn new_faults(&mut self) -> Vec<ChainError> {
        let mut faults = Vec::new();
        for chain in self.chains.values_mut() {
            if let (Some(fault), false) = (&chain.fault, chain.told || chain.held) {
                chain.told = true;
                faults.push(fault.clone());
            }
        }
        if let (Some(fault), false) = (&self.malformed, self.malformed_told) {
            self.malformed_told = true;
            faults.push(fault.clone());
        }
        faults
    }

    /// Whether [`Self::new_faults`] gave this fault already.
    #[must_use]
    pub fn has_told(&self, fault: &ChainError) -> bool {
        match self.chains.get(&fault.host) {
            _ if fault.kind == ChainErrorKind::Malformed => self.malformed_told,
            Some(chain) => chain.told,
            None => false,
        }
    }

    /// Whether retention removed entries between two pages that were not read yet.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.jumped
    }

    /// Heads for the log as it was read, of the chains whose base retention moved since.
    #[must_use]
    pub fn heads_as_read(&self) -> Vec<Head> {
        let sound = self.chains.values().filter(|chain| chain.fault.is_none());
        sound
            .filter_map(|chain| match &chain.head {
                Some(head) if head.base != chain.start => Some(Head {
                    base: chain.start,
                    base_at: head.base_at.filter(|_| chain.start != ChainLink::default()),
                    ..head.clone()
                }),
                _ => None,
            })
            .collect()
    }

    fn chain(&mut self, host: &str) -> &mut Chain {
        self.chains.entry(host.to_owned()).or_default()
    }

    fn start(&mut self, host: &str, base: &ChainLink) {
        let moves = self.medium == LogKind::Store;
        let chain = self.chains.entry(host.to_owned()).or_default();
        // Between two pages retention may remove what is read already, and more. The head is checked at the end.
        if (chain.entries == 0 && chain.tip == ChainLink::default()) || (moves && base.position > chain.tip.position) {
            self.jumped |= chain.started && chain.start != *base;
            (chain.start, chain.tip) = (*base, *base);
        }
        chain.started = true;
    }

    fn entry(&mut self, keys: &ChainKeys, entry: &StoredEntry) -> bool {
        let journal = self.medium == LogKind::Journal;
        if self.last_host.as_deref() != Some(&entry.host) {
            self.last_host = Some(entry.host.clone());
        }
        let chain = self.chain(&entry.host);
        chain.held = false;
        let expected = chain.tip.position.saturating_add(1);
        let position = entry.bound.position;
        let kind = match keys.check_entry(&chain.tip, entry) {
            Check::Genuine => None,
            Check::UnknownKey => Some(ChainErrorKind::UnknownKey),
            Check::Altered if position > expected => Some(ChainErrorKind::Missing),
            Check::Altered if position < expected => Some(ChainErrorKind::Reordered),
            Check::Altered => Some(ChainErrorKind::Changed),
        };
        if let Some(kind) = kind {
            chain.note(&entry.host, entry.seq, kind, expected, position);
        }
        if journal {
            chain.run.add(entry.entry.at, chain.tip);
        }
        chain.tip = ChainLink {
            position,
            mac: entry.mac,
        };
        chain.entries += 1;
        chain.last_seq = Some(entry.seq);
        kind.is_none()
    }

    /// The verdict on each chain, once the whole log was taken.
    #[must_use]
    pub fn finish(self, keys: &ChainKeys, ending: Ending) -> Vec<ChainReport> {
        let torn = ending == Ending::Torn;
        let mut findings: Vec<ChainReport> = Vec::with_capacity(self.chains.len() + 1);
        for (host, chain) in self.chains {
            let head = chain.head.as_ref();
            let last = self.last_host.as_ref() == Some(&host);
            let verdict = match chain.fault.clone() {
                Some(fault) => ChainStatus::Broken(fault),
                None => chain.verdict(&host, self.medium, keys, head, torn, last),
            };
            let base = head.map_or(chain.start.position, |head| head.base.position);
            findings.push(ChainReport {
                verdict,
                entries: chain.entries,
                removed: base,
                removed_until: head.and_then(|head| head.base_at),
                host,
            });
        }
        if let Some(fault) = self.malformed {
            findings.push(ChainReport {
                host: String::new(),
                verdict: ChainStatus::Broken(fault),
                entries: 0,
                removed: 0,
                removed_until: None,
            });
        }
        findings
    }
}

impl Chain {
    fn note(&mut self, host: &str, seq: i64, kind: ChainErrorKind, expected: u64, position: u64) {
        match &mut self.fault {
            None => {
                self.gap = (kind == ChainErrorKind::Missing).then_some((expected, position));
                self.held = self.gap.is_some();
                self.fault = Some(ChainError {
                    host: host.to_owned(),
                    seq: Some(seq),
                    line: None,
                    kind,
                });
            }
            // What was missing there stands here.
            Some(first) if self.gap.is_some_and(|(from, to)| (from..to).contains(&position)) => {
                first.kind = ChainErrorKind::Reordered;
            }
            Some(_) => {}
        }
    }

    fn verdict(
        &self,
        host: &str,
        medium: LogKind,
        keys: &ChainKeys,
        head: Option<&Head>,
        torn: bool,
        last: bool,
    ) -> ChainStatus {
        let broken = |kind, seq| {
            ChainStatus::Broken(ChainError {
                host: host.to_owned(),
                seq,
                line: None,
                kind,
            })
        };
        let Some(head) = head else {
            let one_run = self.run.before.first() == Some(&ChainLink::default());
            return match medium {
                LogKind::Export if torn => ChainStatus::TornTail,
                LogKind::Journal if self.entries == 0 || one_run => ChainStatus::TornTail,
                _ => broken(ChainErrorKind::HeadMissing, self.last_seq),
            };
        };
        match keys.check_head(head) {
            Check::Genuine => {}
            Check::Altered => return broken(ChainErrorKind::HeadAltered, self.last_seq),
            Check::UnknownKey => return broken(ChainErrorKind::UnknownKey, self.last_seq),
        }
        let begins = head.base == self.start || medium == LogKind::Store && head.base.position > self.start.position;
        if !begins {
            return broken(ChainErrorKind::HeadAltered, self.last_seq);
        }
        // All that was read of it may have been removed by retention meanwhile.
        let tip = if head.base.position > self.tip.position {
            head.base
        } else {
            self.tip
        };
        if head.tip == tip {
            return match medium {
                LogKind::Export | LogKind::Journal if torn && last => ChainStatus::TornTail,
                _ => ChainStatus::Intact,
            };
        }
        if medium == LogKind::Journal && self.run.before.contains(&head.tip) {
            return ChainStatus::TornTail;
        }
        if head.tip.position > tip.position {
            return broken(ChainErrorKind::Truncated, self.last_seq);
        }
        broken(ChainErrorKind::HeadAltered, self.last_seq)
    }
}

impl Run {
    fn add(&mut self, at: Timestamp, previous: ChainLink) {
        if self.at != Some(at) {
            self.at = Some(at);
            self.before.clear();
        }
        if self.before.len() < LONGEST_RUN {
            self.before.push(previous);
        }
    }
}
