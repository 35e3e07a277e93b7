//! A bound connection to one server: searches and modifications, each with its time limit.

mod bind_guard;
mod connector;
mod happy_eyeballs;
pub(super) mod pool;
pub(super) mod request;
pub(super) mod root_dse;
mod search_entry;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ldap3::Ldap;
pub(super) use ldap3::Scope;

use self::pool::Pool;
use self::request::{SearchRequest, changes, modify, search};
use self::root_dse::RootDse;
use super::server::Endpoint;
use super::server_error::{ServerError, ServerErrorKind, Step};
use umpin_core::cancellation::Cancellation;

/// A connection that was idle for longer is probed before use: a firewall may have dropped its state and discard what is sent.
const PROBE_AFTER_IDLE: Duration = Duration::from_secs(5);
/// Time limit of the probe. A new connection takes little longer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a rootDSE that was read is taken to be current.
const ROOT_DSE_TTL: Duration = Duration::from_secs(600);

/// A search (RFC 4511, 4.5.1). Referrals are never followed; references in the result are left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub base: &'a str,
    pub scope: Scope,
    /// RFC 4515, with values already escaped.
    pub filter: &'a str,
    pub attributes: &'a [&'a str],
    /// Maximum number of entries; 0: no limit.
    pub size_limit: i32,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(super) struct SearchResult {
    pub entries: Vec<Entry>,
    /// The server has more entries (`sizeLimitExceeded`).
    pub is_truncated: bool,
}

/// An entry with its values as bytes.
pub(super) type Entry = umpin_core::attributes::Entry;

/// A modification of one attribute (RFC 4511, 4.6).
#[derive(Debug)]
pub(super) enum Modification<'a> {
    Add(&'a str, &'a [u8]),
    /// Deletes this value only.
    Delete(&'a str, &'a [u8]),
    Replace(&'a str, &'a [u8]),
}

/// A bound connection and the rootDSE of its server.
#[derive(Clone)]
pub(super) struct RawConnection {
    ldap: Ldap,
    root_dse: Arc<RootDse>,
    root_dse_read_at: Instant,
    last_used_at: Instant,
}

impl RawConnection {
    fn new(ldap: Ldap, root_dse: RootDse) -> Self {
        let now = Instant::now();
        Self {
            ldap,
            root_dse: Arc::new(root_dse),
            root_dse_read_at: now,
            last_used_at: now,
        }
    }
}

/// A bound connection from the pool. It returns to the pool when dropped, unless it failed.
pub(super) struct Connection {
    pool: Arc<Pool>,
    endpoint: Endpoint,
    name: String,
    raw: RawConnection,
    is_broken: bool,
}

impl Connection {
    fn new(pool: Arc<Pool>, endpoint: Endpoint, raw: RawConnection) -> Self {
        Self {
            pool,
            name: endpoint.server.to_string(),
            endpoint,
            raw,
            is_broken: false,
        }
    }

    /// The host name in lower case, with the port where it is not the default one. [`super::servers::Servers::connect`] takes it.
    pub(crate) fn host(&self) -> &str {
        &self.name
    }

    /// The server and its role.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// All entries that the search finds.
    ///
    /// # Errors
    /// Also when the server stops at a limit.
    pub(crate) fn search(&mut self, request: &Search<'_>) -> Result<SearchResult, ServerError> {
        let request = self.request(request);
        self.execute(request, self.pool.settings.timeout)
            .map(|(answer, _)| answer)
    }

    /// The entries that the server returns in one response, which may be truncated.
    pub(crate) fn search_up_to_limit(&mut self, request: &Search<'_>) -> Result<SearchResult, ServerError> {
        let mut request = self.request(request);
        request.allow_truncated = true;
        self.execute(request, self.pool.settings.timeout)
            .map(|(answer, _)| answer)
    }

    /// One page of at most `size` entries (RFC 2696), and the cookie of the next page, which is valid on this connection only.
    ///
    /// # Errors
    /// Also when the server stops at a limit, because there is no next page then.
    pub(crate) fn search_page(
        &mut self,
        search: &Search<'_>,
        size: i32,
        cookie: &[u8],
    ) -> Result<(SearchResult, Option<Vec<u8>>), ServerError> {
        let mut request = self.request(search);
        request.page = Some((size, cookie.to_vec()));
        self.execute(request, self.pool.settings.timeout)
    }

    /// Applies all modifications or none. The request is sent once, even if the response is lost; cancellation is checked right before.
    pub(crate) fn modify(
        &mut self,
        dn: &str,
        modifications: &[Modification<'_>],
        cancellation: &Cancellation,
    ) -> Result<(), ServerError> {
        cancellation.enter_commit().map_err(ServerError::cancelled)?;
        let operation = modify(self.raw.ldap.clone(), dn.to_owned(), changes(modifications));
        let limit = self.pool.settings.timeout;
        let begun = Instant::now();
        let modified = self.pool.execute(&self.endpoint, Step::Modify, limit, operation);
        self.record_outcome(modified, begun)
    }

    /// Whether the connection still works. An idle one is probed by reading the rootDSE, which is thereby renewed: a firewall that lost
    /// the state of a connection discards packets silently.
    pub(crate) fn is_alive(&mut self) -> bool {
        if self.raw.ldap.is_closed() {
            return false;
        }
        if self.raw.last_used_at.elapsed() < PROBE_AFTER_IDLE && self.raw.root_dse_read_at.elapsed() < ROOT_DSE_TTL {
            return true;
        }
        let limit = PROBE_TIMEOUT.min(self.pool.settings.timeout);
        let request = RootDse::request(time_limit(limit));
        let Ok((answer, _)) = self.execute(request, limit) else {
            return false;
        };
        self.raw.root_dse = Arc::new(answer.entries.first().map(RootDse::of).unwrap_or_default());
        self.raw.root_dse_read_at = self.raw.last_used_at;
        true
    }

    /// The connection, if it still works.
    pub(crate) fn alive(mut self) -> Option<Self> {
        self.is_alive().then_some(self)
    }

    /// The server's certificate, as DER.
    pub(crate) fn peer_certificate(&mut self) -> Option<Vec<u8>> {
        let mut ldap = self.raw.ldap.clone();
        let limit = PROBE_TIMEOUT.min(self.pool.settings.timeout);
        let certificate = self.pool.run(limit, async move { ldap.get_peer_certificate().await });
        certificate.ok()?.ok()?
    }

    /// The server's rootDSE.
    pub(crate) fn root_dse(&self) -> &RootDse {
        &self.raw.root_dse
    }

    fn request(&self, search: &Search<'_>) -> SearchRequest {
        SearchRequest::new(search, time_limit(self.pool.settings.timeout))
    }

    fn execute(
        &mut self,
        request: SearchRequest,
        limit: Duration,
    ) -> Result<(SearchResult, Option<Vec<u8>>), ServerError> {
        let operation = search(self.raw.ldap.clone(), request);
        let begun = Instant::now();
        let answer = self.pool.execute(&self.endpoint, Step::Search, limit, operation);
        self.record_outcome(answer, begun)
    }

    /// A connection that failed is not used again. If no response came, the connections that were idle meanwhile are discarded as well:
    /// they have likely failed in the same way.
    fn record_outcome<T>(&mut self, outcome: Result<T, ServerError>, begun: Instant) -> Result<T, ServerError> {
        self.raw.last_used_at = Instant::now();
        if let Err(failure) = &outcome {
            self.is_broken |= !matches!(failure.kind, ServerErrorKind::Rejected(_));
            if matches!(failure.kind, ServerErrorKind::NotSent | ServerErrorKind::NoResponse) {
                self.pool.discard_idle(&self.endpoint, begun);
            }
        }
        outcome
    }
}

/// The server's time limit (RFC 4511, 4.5.1.5) for a client timeout: shorter, so that the client receives the server's answer. The
/// limit is in whole seconds, and a server may count the current second as a whole one, so that a limit of one second can pass at
/// once. For client timeouts below five seconds the limit is one second longer than the timeout; it then only ends abandoned work.
/// 0 would mean no limit.
fn time_limit(timeout: Duration) -> i32 {
    let margin = (timeout / 10).max(Duration::from_secs(1));
    let limit = if timeout < Duration::from_secs(5) {
        timeout.saturating_add(margin)
    } else {
        timeout.saturating_sub(margin)
    };
    i32::try_from(limit.as_secs().max(2)).unwrap_or(i32::MAX)
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.is_broken {
            self.pool.put_back(&self.endpoint, self.raw.clone());
        }
    }
}

#[cfg(test)]
mod tests;
