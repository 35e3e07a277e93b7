//! One connection to one server: questions and changes, each within its time.

mod answer;
mod dial;
pub(super) mod pool;
pub(super) mod request;
mod sign_in;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ldap3::Ldap;

use self::pool::Pool;
use self::request::{Question, changes, modify, search};
use super::failure::{Failure, FailureKind, Step};
use super::server::Endpoint;
use crate::cancellation::Cancellation;

/// A connection that was idle for longer is tried with a question before a change, which must not meet a closed one.
const TRIED_WITHIN: Duration = Duration::from_secs(5);
/// How long that question may take; a new connection is not far.
const TRIAL_LIMIT: Duration = Duration::from_secs(3);

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
    /// There are more (`sizeLimitExceeded`, `timeLimitExceeded`).
    pub is_cut: bool,
}

/// An entry with its values as bytes.
pub(super) type Entry = crate::attributes::Entry;

/// A change of one attribute (RFC 4511, 4.6).
#[derive(Debug)]
pub(super) enum Modification<'a> {
    Add(&'a str, &'a [u8]),
    /// That value and no other.
    Delete(&'a str, &'a [u8]),
    Replace(&'a str, &'a [u8]),
}

/// A bound connection. Given back to the pool when dropped, unless it failed.
pub(super) struct Connection {
    pool: Arc<Pool>,
    endpoint: Endpoint,
    name: String,
    ldap: Ldap,
    used: Instant,
    is_broken: bool,
}

impl Connection {
    fn new(pool: Arc<Pool>, endpoint: Endpoint, ldap: Ldap, used: Instant) -> Self {
        Self {
            pool,
            name: endpoint.server.to_string(),
            endpoint,
            ldap,
            used,
            is_broken: false,
        }
    }

    /// Names the server so that [`super::servers::Servers::connect`] finds it again: its host name, in lower case, and its port where
    /// that is not the usual one.
    pub fn host(&self) -> &str {
        &self.name
    }

    /// The server and what it is asked as.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub fn search(&mut self, question: &Search<'_>) -> Result<Answer, Failure> {
        let question = self.question(question);
        self.put(question, self.pool.settings.timeout).map(|(answer, _)| answer)
    }

    /// One page of at most `size` entries (RFC 2696), and the cookie that the next one is asked for with, on this very connection.
    pub fn search_page(
        &mut self,
        search: &Search<'_>,
        size: i32,
        cookie: &[u8],
    ) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let mut question = self.question(search);
        question.page = Some((size, cookie.to_vec()));
        self.put(question, self.pool.settings.timeout)
    }

    /// All modifications or none. Asked for once, whatever becomes of the answer; a connection that was idle for long is tried
    /// with a question before, and replaced by a new one to the same server where that fails.
    /// Whether it is still wanted is asked last.
    pub fn modify(
        &mut self,
        dn: &str,
        modifications: &[Modification<'_>],
        cancellation: &Cancellation,
    ) -> Result<(), Failure> {
        if self.is_broken || !self.is_alive() {
            self.renew()?;
        }
        cancellation.enter_commit().map_err(Failure::cancelled)?;
        let operation = modify(self.ldap.clone(), dn.to_owned(), changes(modifications));
        let limit = self.pool.settings.timeout;
        let modified = self.pool.operate(&self.endpoint, Step::Modify, limit, operation);
        self.note(modified)
    }

    /// Whether the server still answers here, as far as is worth a question.
    pub fn is_alive(&mut self) -> bool {
        if self.ldap.is_closed() {
            return false;
        }
        if self.used.elapsed() < TRIED_WITHIN {
            return true;
        }
        let question = self.question(&Search {
            base: "",
            depth: Depth::Base,
            filter: "(objectClass=*)",
            // None (RFC 4511, 4.5.1.8).
            attributes: &["1.1"],
            size_limit: 1,
        });
        self.put(question, TRIAL_LIMIT.min(self.pool.settings.timeout)).is_ok()
    }

    fn renew(&mut self) -> Result<(), Failure> {
        self.is_broken = true;
        let mut fresh = self.pool.open(&self.endpoint, || None)?;
        std::mem::swap(&mut self.ldap, &mut fresh.ldap);
        self.used = fresh.used;
        (self.is_broken, fresh.is_broken) = (false, true);
        Ok(())
    }

    fn question(&self, search: &Search<'_>) -> Question {
        let seconds = self.pool.settings.timeout.as_secs().max(1);
        Question::new(search, i32::try_from(seconds).unwrap_or(i32::MAX))
    }

    fn put(&mut self, question: Question, limit: Duration) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let operation = search(self.ldap.clone(), question);
        let answer = self.pool.operate(&self.endpoint, Step::Search, limit, operation);
        self.note(answer)
    }

    /// A connection on which anything but a plain answer came is not used again.
    fn note<T>(&mut self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        self.used = Instant::now();
        if let Err(failure) = &outcome {
            self.is_broken |= !matches!(failure.kind, FailureKind::Refused(_));
        }
        outcome
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_broken {
            self.pool.keep(&self.endpoint, self.ldap.clone(), self.used);
        }
    }
}

#[cfg(test)]
mod tests;
