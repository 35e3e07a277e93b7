//! One connection to one server: questions and changes, each within its time.

mod answer;
mod dial;
pub(super) mod pool;
mod race;
pub(super) mod request;
pub(super) mod root_dse;
mod sign_in;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ldap3::Ldap;

use self::pool::Pool;
use self::request::{Question, changes, modify, search};
use self::root_dse::RootDse;
use super::failure::{Failure, FailureKind, Step};
use super::server::Endpoint;
use umpin_core::cancellation::Cancellation;

/// A connection that was idle for longer is tried before it is used: a firewall may have forgotten it, and drops what is sent.
const TRIED_WITHIN: Duration = Duration::from_secs(5);
/// How long that trial may take; a new connection is not far.
const TRIAL_LIMIT: Duration = Duration::from_secs(2);
/// How long it counts what a server said of itself.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// How far a search goes (RFC 4511, 4.5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    Base,
    OneLevel,
    Subtree,
}

/// A search (RFC 4511, 4.5.1). Referrals are never followed, and references in the answer are left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub base: &'a str,
    pub depth: Depth,
    /// RFC 4515; whoever builds it escapes what was typed.
    pub filter: &'a str,
    pub attributes: &'a [&'a str],
    /// The most entries wanted; 0: all that the server gives.
    pub size_limit: i32,
}

/// An answer to a search.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub entries: Vec<Entry>,
    /// There are more (`sizeLimitExceeded`).
    pub is_cut: bool,
}

/// An entry with its values as bytes.
pub(super) type Entry = umpin_core::attributes::Entry;

/// A change of one attribute (RFC 4511, 4.6).
#[derive(Debug)]
pub(super) enum Modification<'a> {
    Add(&'a str, &'a [u8]),
    /// That value and no other.
    Delete(&'a str, &'a [u8]),
    Replace(&'a str, &'a [u8]),
}

/// A connection that is signed in, and what its server said of itself.
#[derive(Clone)]
pub(super) struct Line {
    ldap: Ldap,
    about: Arc<RootDse>,
    /// When the server said that.
    told: Instant,
    used: Instant,
}

impl Line {
    fn new(ldap: Ldap, about: RootDse) -> Self {
        let now = Instant::now();
        Self {
            ldap,
            about: Arc::new(about),
            told: now,
            used: now,
        }
    }
}

/// A bound connection. Given back to the pool when dropped, unless it failed.
pub(super) struct Connection {
    pool: Arc<Pool>,
    endpoint: Endpoint,
    name: String,
    line: Line,
    is_broken: bool,
}

impl Connection {
    fn new(pool: Arc<Pool>, endpoint: Endpoint, line: Line) -> Self {
        Self {
            pool,
            name: endpoint.server.to_string(),
            endpoint,
            line,
            is_broken: false,
        }
    }

    /// Names the server so that [`super::servers::Servers::connect`] finds it again: its host name, in lower case, and its port where
    /// that is not the usual one.
    pub(crate) fn host(&self) -> &str {
        &self.name
    }

    /// The server and what it is asked as.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// All that the search finds.
    ///
    /// # Errors
    /// Where the server stops at a limit, too.
    pub(crate) fn search(&mut self, question: &Search<'_>) -> Result<Answer, Failure> {
        let question = self.question(question);
        self.put(question, self.pool.settings.timeout).map(|(answer, _)| answer)
    }

    /// As much of what the search finds as the server gives at once.
    pub(crate) fn search_at_once(&mut self, question: &Search<'_>) -> Result<Answer, Failure> {
        let mut question = self.question(question);
        question.may_be_cut = true;
        self.put(question, self.pool.settings.timeout).map(|(answer, _)| answer)
    }

    /// One page of at most `size` entries (RFC 2696), and the cookie that the next one is asked for with, on this very connection.
    ///
    /// # Errors
    /// Where the server stops at a limit, too: there would be no next page.
    pub(crate) fn search_page(
        &mut self,
        search: &Search<'_>,
        size: i32,
        cookie: &[u8],
    ) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let mut question = self.question(search);
        question.page = Some((size, cookie.to_vec()));
        self.put(question, self.pool.settings.timeout)
    }

    /// All modifications or none. Asked for once, whatever becomes of the answer. Whether it is still wanted is asked last.
    pub(crate) fn modify(
        &mut self,
        dn: &str,
        modifications: &[Modification<'_>],
        cancellation: &Cancellation,
    ) -> Result<(), Failure> {
        cancellation.enter_commit().map_err(Failure::cancelled)?;
        let operation = modify(self.line.ldap.clone(), dn.to_owned(), changes(modifications));
        let limit = self.pool.settings.timeout;
        let begun = Instant::now();
        let modified = self.pool.operate(&self.endpoint, Step::Modify, limit, operation);
        self.note(modified, begun)
    }

    /// Whether the server still answers here. One that was idle is asked for its rootDSE, because a firewall that has forgotten the
    /// connection drops what is sent and says nothing; so what the server said of itself is renewed as well.
    pub(crate) fn is_alive(&mut self) -> bool {
        if self.line.ldap.is_closed() {
            return false;
        }
        if self.line.used.elapsed() < TRIED_WITHIN && self.line.told.elapsed() < KNOWN_FOR {
            return true;
        }
        let limit = TRIAL_LIMIT.min(self.pool.settings.timeout);
        let question = RootDse::question(time_limit(limit));
        let Ok((answer, _)) = self.put(question, limit) else {
            return false;
        };
        self.line.about = Arc::new(answer.entries.first().map(RootDse::of).unwrap_or_default());
        self.line.told = self.line.used;
        true
    }

    /// This, where the server still answers here.
    pub(crate) fn alive(mut self) -> Option<Self> {
        self.is_alive().then_some(self)
    }

    /// The certificate that the server proved its name with, as DER.
    pub(crate) fn peer_certificate(&mut self) -> Option<Vec<u8>> {
        let mut ldap = self.line.ldap.clone();
        let limit = TRIAL_LIMIT.min(self.pool.settings.timeout);
        let asked = self.pool.run(limit, async move { ldap.get_peer_certificate().await });
        asked.ok()?.ok()?
    }

    /// What the server says of itself.
    pub(crate) fn about(&self) -> &RootDse {
        &self.line.about
    }

    fn question(&self, search: &Search<'_>) -> Question {
        Question::new(search, time_limit(self.pool.settings.timeout))
    }

    fn put(&mut self, question: Question, limit: Duration) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let operation = search(self.line.ldap.clone(), question);
        let begun = Instant::now();
        let answer = self.pool.operate(&self.endpoint, Step::Search, limit, operation);
        self.note(answer, begun)
    }

    /// A connection on which anything but a plain answer came is not used again, and neither are those that were idle meanwhile where
    /// none came: what became of this one has likely become of them.
    fn note<T>(&mut self, outcome: Result<T, Failure>, begun: Instant) -> Result<T, Failure> {
        self.line.used = Instant::now();
        if let Err(failure) = &outcome {
            self.is_broken |= !matches!(failure.kind, FailureKind::Refused(_));
            if matches!(failure.kind, FailureKind::Unreached | FailureKind::Lost) {
                self.pool.forget(&self.endpoint, begun);
            }
        }
        outcome
    }
}

/// A server's time limit (RFC 4511, 4.5.1.5) where the client waits for `patience`: shorter, so that the server's answer is
/// heard. It is in whole seconds, which a server may count from the start of the current one: a limit of one second can pass at
/// once. So where the client waits for less than five seconds, the limit is one second longer than the wait, and only ends work
/// that nobody waits for. 0 would mean no limit.
fn time_limit(patience: Duration) -> i32 {
    let margin = (patience / 10).max(Duration::from_secs(1));
    let limit = if patience < Duration::from_secs(5) {
        patience.saturating_add(margin)
    } else {
        patience.saturating_sub(margin)
    };
    i32::try_from(limit.as_secs().max(2)).unwrap_or(i32::MAX)
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_broken {
            self.pool.keep(&self.endpoint, self.line.clone());
        }
    }
}

#[cfg(test)]
mod tests;
