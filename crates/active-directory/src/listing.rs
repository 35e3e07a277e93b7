//! Lists mailboxes page by page. The cookie of a page is valid on its connection only (RFC 2696), so the connection is kept between two
//! pages; the cursor identifies it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::connection::{Connection, Entry, Scope, Search};
use super::filter;
use super::mailbox_entry::{MailboxEntry, mailbox_attributes};
use super::server_error::{LIMITS, ServerError, ServerErrorKind};
use super::servers::ServerSelector;
use super::{ActiveDirectory, lock};
use umpin_core::directory::{Found, MailboxFilter, Page, Route};
use umpin_core::{Error, ErrorCode, Result};

/// Maximum number of suspended listings; the oldest is dropped.
const MAX_SUSPENDED: usize = 16;

/// How long a cursor is valid. Servers close idle connections themselves (Active Directory: after 15 minutes).
const CURSOR_TTL: Duration = Duration::from_secs(600);

/// The default `MaxPageSize` of Active Directory.
const MAX_PAGE_SIZE: usize = 1000;

/// Attempts for the first page; later pages cannot move to another server.
const ATTEMPTS: u32 = 3;

/// Listings between two pages.
#[derive(Default)]
pub(super) struct Listings(Mutex<SuspendedListings>);

#[derive(Default)]
struct SuspendedListings {
    last: u64,
    /// The oldest first.
    listings: VecDeque<Listing>,
}

struct Listing {
    /// Number of the listing and of its next page.
    cursor: (u64, u64),
    filter: MailboxFilter,
    state: ListingState,
    since: Instant,
}

/// Where the listing continues.
struct ListingState {
    /// The search in progress.
    paged: Option<PagedSearch>,
    /// What is listed after it.
    targets: VecDeque<ListingTarget>,
}

struct PagedSearch {
    connection: Connection,
    base: String,
    cookie: Vec<u8>,
}

enum ListingTarget {
    Domain(String),
    Controller(String),
}

impl ActiveDirectory {
    pub(super) fn page(
        &self,
        filter: MailboxFilter,
        route: Route<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>> {
        let (cursor, mut state) = match after {
            None => (None, self.first_state(route)?),
            Some(text) => {
                let listing = self.listings.take(text, filter)?;
                (Some(listing.cursor), listing.state)
            }
        };
        let limit = limit.clamp(1, MAX_PAGE_SIZE);
        let items = self.next_page(&mut state, filter, limit)?;
        let is_over = state.paged.is_none() && state.targets.is_empty();
        let next = (!is_over).then(|| self.listings.suspend(cursor, filter, state));
        Ok(Page { items, next })
    }

    fn first_state(&self, route: Route<'_>) -> Result<ListingState> {
        let targets = match route {
            Route::Preferred => [ListingTarget::Domain(self.servers.settings().domain.clone())].into(),
            Route::Controller(name) => [ListingTarget::Controller(name.to_owned())].into(),
            Route::Forest => {
                let forest = self.forest()?;
                forest
                    .domains()
                    .map(|name| ListingTarget::Domain(name.to_owned()))
                    .collect()
            }
        };
        Ok(ListingState { paged: None, targets })
    }

    fn next_page(&self, state: &mut ListingState, filter: MailboxFilter, limit: usize) -> Result<Vec<Found>> {
        let forest = self.forest()?;
        let filter = filter::of_mailboxes(filter);
        let attributes = mailbox_attributes(&forest.schema);
        let size = i32::try_from(limit).unwrap_or(i32::MAX);
        let fetch = |paged: &mut PagedSearch| {
            let search = Search {
                base: &paged.base,
                scope: Scope::Subtree,
                filter: &filter,
                attributes: &attributes,
                size_limit: 0,
            };
            paged.connection.search_page(&search, size, &paged.cookie)
        };
        let (mut paged, (answer, next)) = match state.paged.take() {
            Some(mut paged) => {
                if !paged.connection.is_alive() {
                    return Err(cursor_expired());
                }
                let page = fetch(&mut paged).map_err(continuation_failed)?;
                (paged, page)
            }
            None => {
                let Some(domain) = state.targets.pop_front() else {
                    return Ok(Vec::new());
                };
                self.first_page(&domain, fetch)?
            }
        };
        let controller = paged.connection.host().to_owned();
        if let Some(next) = next {
            paged.cookie = next;
            state.paged = Some(paged);
        }
        let found = |entry: &Entry| Some(MailboxEntry::of(entry, &controller, &forest)?.found);
        Ok(answer.entries.iter().filter_map(found).collect())
    }

    /// The first page of a target, from the first controller that answers.
    fn first_page<T>(
        &self,
        state: &ListingTarget,
        fetch: impl Fn(&mut PagedSearch) -> std::result::Result<T, ServerError>,
    ) -> Result<(PagedSearch, T)> {
        let selector = match state {
            ListingTarget::Domain(name) => ServerSelector::DomainController(name),
            ListingTarget::Controller(name) => ServerSelector::Server(name),
        };
        let mut attempt = 1;
        loop {
            let begun = Instant::now();
            let (host, base) = self.servers.execute(selector, |connection| {
                Ok((connection.host().to_owned(), connection.root_dse().domain.clone()))
            })?;
            let page = self.servers.connect(&host).and_then(|connection| {
                let mut paged = PagedSearch {
                    connection,
                    base,
                    cookie: Vec::new(),
                };
                let page = fetch(&mut paged)?;
                Ok((paged, page))
            });
            match page {
                Ok(page) => return Ok(page),
                Err(failure) if failure.allows_failover() && attempt < ATTEMPTS => {
                    self.servers.report_failure(&host, &failure, begun);
                    attempt += 1;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

impl Listings {
    /// Removes the listing that the cursor identifies, so that only one caller continues it.
    fn take(&self, cursor: &str, filter: MailboxFilter) -> Result<Listing> {
        let number = |text: &str| text.parse::<u64>().ok();
        let cursor = cursor
            .split_once('-')
            .and_then(|(listing, page)| Some((number(listing)?, number(page)?)))
            .ok_or_else(|| Error::new(ErrorCode::InvalidRequest, "The cursor of the listing is not valid."))?;
        let mut suspended = lock(&self.0);
        suspended.remove_expired();
        let position = suspended
            .listings
            .iter()
            .position(|listing| listing.cursor == cursor && listing.filter == filter);
        position
            .and_then(|position| suspended.listings.remove(position))
            .ok_or_else(cursor_expired)
    }

    /// Keeps the listing and returns the cursor of its next page.
    fn suspend(&self, cursor: Option<(u64, u64)>, filter: MailboxFilter, state: ListingState) -> String {
        let mut suspended = lock(&self.0);
        suspended.remove_expired();
        while suspended.listings.len() >= MAX_SUSPENDED {
            suspended.listings.pop_front();
        }
        let cursor = match cursor {
            Some((listing, page)) => (listing, page + 1),
            None => {
                suspended.last += 1;
                (suspended.last, 1)
            }
        };
        suspended.listings.push_back(Listing {
            cursor,
            filter,
            state,
            since: Instant::now(),
        });
        format!("{}-{}", cursor.0, cursor.1)
    }
}

impl SuspendedListings {
    fn remove_expired(&mut self) {
        self.listings.retain(|listing| listing.since.elapsed() < CURSOR_TTL);
    }
}

/// The server stopped at a limit, or no longer knows the cookie.
fn continuation_failed(failure: ServerError) -> Error {
    match failure.kind {
        ServerErrorKind::Declined(code) if LIMITS.contains(&code) => failure.into(),
        _ => cursor_expired().caused_by(Error::from(failure)),
    }
}

fn cursor_expired() -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        "The list of mailboxes cannot be continued: the server no longer has its state.",
    )
    .action("Run the command again, from the beginning.")
}

#[cfg(test)]
mod tests;
