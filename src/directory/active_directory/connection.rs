//! One connection to one server: questions and changes, each within its time.

use super::failure::Failure;

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
pub(super) struct Connection {}

impl Connection {
    /// The server's host name, in lower case.
    pub fn host(&self) -> &str {
        todo!()
    }

    pub fn search(&mut self, search: &Search<'_>) -> Result<Answer, Failure> {
        let _ = search;
        todo!()
    }

    /// One page of at most `size` entries (RFC 2696), and the cookie that the next one is asked for with, on this very connection.
    pub fn search_page(
        &mut self,
        search: &Search<'_>,
        size: i32,
        cookie: &[u8],
    ) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let _ = (search, size, cookie);
        todo!()
    }

    /// All modifications or none. Asked for once, whatever becomes of the answer; a connection that was idle for long is tried
    /// with a question before.
    pub fn modify(&mut self, dn: &str, modifications: &[Modification<'_>]) -> Result<(), Failure> {
        let _ = (dn, modifications);
        todo!()
    }
}
