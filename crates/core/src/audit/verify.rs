//! The check of a log. A [`Verifier`] is fed with the items of the log in order, and reports for each host whether its chain is intact.
//!
//! The state between two pages is serializable, so that a log of any length is checked in little memory.
//!
//! A store writes entries and head in one transaction, so a crash leaves nothing for the check to tolerate. An export is complete
//! before it has its name; one that ends inside a line is a copy that was cut off, and its chains without a head have a torn tail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::LogItem;
use super::chain::{ChainKeys, ChainLink, Head, MacCheck};
use super::entry::StoredEntry;
use super::report::{ChainError, ChainErrorKind, ChainReport, ChainStatus, Ending, LogKind};

/// A check of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Verifier {
    kind: LogKind,
    chains: BTreeMap<String, Chain>,
    /// The host of the last entry.
    last_host: Option<String>,
    malformed: Option<ChainError>,
    malformed_reported: bool,
    has_gap: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Chain {
    start: ChainLink,
    started: bool,
    last: ChainLink,
    entries: u64,
    last_seq: Option<i64>,
    head: Option<Head>,
    error: Option<ChainError>,
    /// For an error of the kind `Missing`: the expected position and the one that was found.
    gap: Option<(u64, u64)>,
    /// The next entry may show that this error is `Reordered` instead of `Missing`.
    is_tentative: bool,
    reported: bool,
}

impl Verifier {
    /// A check that begins at the beginning of the log.
    #[must_use]
    pub fn new(kind: LogKind) -> Self {
        Self {
            kind,
            chains: BTreeMap::new(),
            last_host: None,
            malformed: None,
            malformed_reported: false,
            has_gap: false,
        }
    }

    /// Checks the next item. False for an entry that is not valid at its position.
    pub fn add(&mut self, keys: &ChainKeys, item: &LogItem) -> bool {
        match item {
            LogItem::Start { host, base } => self.add_start(host, base),
            LogItem::Entry(entry) => return self.add_entry(keys, entry),
            LogItem::Head(head) => self.chain(&head.host).head = Some(head.clone()),
            LogItem::Malformed { line } => {
                let error = ChainError {
                    host: String::new(),
                    seq: None,
                    line: Some(*line),
                    kind: ChainErrorKind::Malformed,
                };
                self.malformed.get_or_insert(error);
            }
        }
        true
    }

    /// The errors since the last call: the first one of each chain, once.
    pub fn take_errors(&mut self) -> Vec<ChainError> {
        let mut errors = Vec::new();
        for chain in self.chains.values_mut() {
            if let (Some(error), false) = (&chain.error, chain.reported || chain.is_tentative) {
                chain.reported = true;
                errors.push(error.clone());
            }
        }
        if let (Some(error), false) = (&self.malformed, self.malformed_reported) {
            self.malformed_reported = true;
            errors.push(error.clone());
        }
        errors
    }

    /// Whether [`Self::take_errors`] has returned this error.
    #[must_use]
    pub fn has_reported(&self, error: &ChainError) -> bool {
        match self.chains.get(&error.host) {
            _ if error.kind == ChainErrorKind::Malformed => self.malformed_reported,
            Some(chain) => chain.reported,
            None => false,
        }
    }

    /// Whether retention removed entries between two pages before they were read.
    #[must_use]
    pub fn has_gap(&self) -> bool {
        self.has_gap
    }

    /// Heads for the log as it was read, of the chains whose base was moved by retention meanwhile.
    #[must_use]
    pub fn heads_as_read(&self) -> Vec<Head> {
        let intact = self.chains.values().filter(|chain| chain.error.is_none());
        intact
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

    fn add_start(&mut self, host: &str, base: &ChainLink) {
        let is_store = self.kind == LogKind::Store;
        let chain = self.chains.entry(host.to_owned()).or_default();
        // Between two pages retention may remove entries that were read, and more. The head is verified at the end.
        if (chain.entries == 0 && chain.last == ChainLink::default())
            || (is_store && base.position > chain.last.position)
        {
            self.has_gap |= chain.started && chain.start != *base;
            (chain.start, chain.last) = (*base, *base);
        }
        chain.started = true;
    }

    fn add_entry(&mut self, keys: &ChainKeys, entry: &StoredEntry) -> bool {
        if self.last_host.as_deref() != Some(&entry.host) {
            self.last_host = Some(entry.host.clone());
        }
        let chain = self.chain(&entry.host);
        chain.is_tentative = false;
        let expected = chain.last.position.saturating_add(1);
        let position = entry.binding.position;
        let kind = match keys.check_entry(&chain.last, entry) {
            MacCheck::Valid => None,
            MacCheck::UnknownKey => Some(ChainErrorKind::UnknownKey),
            MacCheck::Invalid if position > expected => Some(ChainErrorKind::Missing),
            MacCheck::Invalid if position < expected => Some(ChainErrorKind::Reordered),
            MacCheck::Invalid => Some(ChainErrorKind::Changed),
        };
        if let Some(kind) = kind {
            chain.record_error(&entry.host, entry.seq, kind, expected, position);
        }
        chain.last = ChainLink {
            position,
            mac: entry.mac,
        };
        chain.entries += 1;
        chain.last_seq = Some(entry.seq);
        kind.is_none()
    }

    /// The report on each chain, after the last item.
    #[must_use]
    pub fn finish(self, keys: &ChainKeys, ending: Ending) -> Vec<ChainReport> {
        let is_truncated = ending == Ending::Truncated;
        let mut reports: Vec<ChainReport> = Vec::with_capacity(self.chains.len() + 1);
        for (host, chain) in self.chains {
            let head = chain.head.as_ref();
            let is_last = self.last_host.as_ref() == Some(&host);
            let status = match chain.error.clone() {
                Some(error) => ChainStatus::Broken(error),
                None => chain.status(&host, self.kind, keys, head, is_truncated, is_last),
            };
            let base = head.map_or(chain.start.position, |head| head.base.position);
            reports.push(ChainReport {
                status,
                entries: chain.entries,
                removed: base,
                removed_until: head.and_then(|head| head.base_at),
                host,
            });
        }
        if let Some(error) = self.malformed {
            reports.push(ChainReport {
                host: String::new(),
                status: ChainStatus::Broken(error),
                entries: 0,
                removed: 0,
                removed_until: None,
            });
        }
        reports
    }
}

impl Chain {
    fn record_error(&mut self, host: &str, seq: i64, kind: ChainErrorKind, expected: u64, position: u64) {
        match &mut self.error {
            None => {
                self.gap = (kind == ChainErrorKind::Missing).then_some((expected, position));
                self.is_tentative = self.gap.is_some();
                self.error = Some(ChainError {
                    host: host.to_owned(),
                    seq: Some(seq),
                    line: None,
                    kind,
                });
            }
            // The entry was moved from the gap to here.
            Some(first) if self.gap.is_some_and(|(from, to)| (from..to).contains(&position)) => {
                first.kind = ChainErrorKind::Reordered;
            }
            Some(_) => {}
        }
    }

    fn status(
        &self,
        host: &str,
        log_kind: LogKind,
        keys: &ChainKeys,
        head: Option<&Head>,
        is_truncated: bool,
        is_last: bool,
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
            return match log_kind {
                LogKind::Export if is_truncated => ChainStatus::TornTail,
                _ => broken(ChainErrorKind::HeadMissing, self.last_seq),
            };
        };
        match keys.check_head(head) {
            MacCheck::Valid => {}
            MacCheck::Invalid => return broken(ChainErrorKind::HeadAltered, self.last_seq),
            MacCheck::UnknownKey => return broken(ChainErrorKind::UnknownKey, self.last_seq),
        }
        let is_start_confirmed =
            head.base == self.start || log_kind == LogKind::Store && head.base.position > self.start.position;
        if !is_start_confirmed {
            return broken(ChainErrorKind::HeadAltered, self.last_seq);
        }
        // Retention may have removed every entry that was read.
        let last = if head.base.position > self.last.position {
            head.base
        } else {
            self.last
        };
        if head.last == last {
            return match log_kind {
                LogKind::Export if is_truncated && is_last => ChainStatus::TornTail,
                _ => ChainStatus::Intact,
            };
        }
        if head.last.position > last.position {
            return broken(ChainErrorKind::Truncated, self.last_seq);
        }
        broken(ChainErrorKind::HeadAltered, self.last_seq)
    }
}
