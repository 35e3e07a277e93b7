//! Listing mailboxes page by page. A page continues where the one before ended only on the connection that gave that (RFC 2696), so
//! the connection waits here in between; the cursor names it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::connection::{Connection, Depth, Entry, Search};
use super::failure::{Failure, FailureKind, LIMITS};
use super::filter;
use super::reading::{Reading, attributes};
use super::servers::Whom;
use super::{ActiveDirectory, lock};
use umpin_core::directory::{Found, MailboxFilter, Page, Route};
use umpin_core::{Error, ErrorCode, Result};

/// Listings that wait at the same time; of more the one that waits longest is forgotten.
const MOST: usize = 16;

/// How long one waits. Servers themselves close idle connections after a while (Active Directory: 15 minutes).
const PATIENCE: Duration = Duration::from_secs(600);

/// The largest page: what a server gives at most (`MaxPageSize`).
const LARGEST: usize = 1000;

/// How often the first page is asked for; later ones can be continued nowhere else.
const ATTEMPTS: u32 = 3;

/// The listings that wait to be continued.
#[derive(Default)]
pub(super) struct Listings(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    last: u64,
    /// The one that waits longest first.
    listings: VecDeque<Listing>,
}

struct Listing {
    /// Number of the listing, and of the page to come.
    cursor: (u64, u64),
    filter: MailboxFilter,
    place: Place,
    since: Instant,
}

/// Where the next page is.
struct Place {
    /// In the middle of a domain.
    open: Option<Open>,
    /// Then in these.
    domains: VecDeque<Where>,
}

struct Open {
    connection: Connection,
    base: String,
    cookie: Vec<u8>,
}

enum Where {
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
        let (cursor, mut place) = match after {
            None => (None, self.beginning(route)?),
            Some(text) => {
                let listing = self.listings.take(text, filter)?;
                (Some(listing.cursor), listing.place)
            }
        };
        let limit = limit.clamp(1, LARGEST);
        let items = self.next_page(&mut place, filter, limit)?;
        let is_over = place.open.is_none() && place.domains.is_empty();
        let next = (!is_over).then(|| self.listings.keep(cursor, filter, place));
        Ok(Page { items, next })
    }

    fn beginning(&self, route: Route<'_>) -> Result<Place> {
        let domains = match route {
            Route::Preferred => [Where::Domain(self.servers.settings().domain.clone())].into(),
            Route::Controller(name) => [Where::Controller(name.to_owned())].into(),
            Route::Forest => {
                let forest = self.forest()?;
                forest.domains().map(|name| Where::Domain(name.to_owned())).collect()
            }
        };
        Ok(Place { open: None, domains })
    }

    fn next_page(&self, place: &mut Place, filter: MailboxFilter, limit: usize) -> Result<Vec<Found>> {
        let forest = self.forest()?;
        let filter = filter::of_mailboxes(filter);
        let wanted = attributes(&forest.schema);
        let size = i32::try_from(limit).unwrap_or(i32::MAX);
        let ask = |open: &mut Open| {
            let search = Search {
                base: &open.base,
                depth: Depth::Subtree,
                filter: &filter,
                attributes: &wanted,
                size_limit: 0,
            };
            open.connection.search_page(&search, size, &open.cookie)
        };
        let (mut open, (answer, next)) = match place.open.take() {
            Some(mut open) => {
                if !open.connection.is_alive() {
                    return Err(lost());
                }
                let page = ask(&mut open).map_err(not_continued)?;
                (open, page)
            }
            None => {
                let Some(domain) = place.domains.pop_front() else {
                    return Ok(Vec::new());
                };
                self.first_page(&domain, ask)?
            }
        };
        let controller = open.connection.host().to_owned();
        if let Some(next) = next {
            open.cookie = next;
            place.open = Some(open);
        }
        let found = |entry: &Entry| Some(Reading::of(entry, &controller, &forest)?.found);
        Ok(answer.entries.iter().filter_map(found).collect())
    }

    /// Of a controller that answers: as long as there was no page, another may serve.
    fn first_page<T>(
        &self,
        place: &Where,
        ask: impl Fn(&mut Open) -> std::result::Result<T, Failure>,
    ) -> Result<(Open, T)> {
        let whom = match place {
            Where::Domain(name) => Whom::DomainController(name),
            Where::Controller(name) => Whom::Server(name),
        };
        let mut attempt = 1;
        loop {
            let begun = Instant::now();
            let (host, base) = self.servers.ask(whom, |connection| {
                Ok((connection.host().to_owned(), connection.about().domain.clone()))
            })?;
            let page = self.servers.connect(&host).and_then(|connection| {
                let mut open = Open {
                    connection,
                    base,
                    cookie: Vec::new(),
                };
                let page = ask(&mut open)?;
                Ok((open, page))
            });
            match page {
                Ok(page) => return Ok(page),
                Err(failure) if failure.is_of_server() && attempt < ATTEMPTS => {
                    self.servers.leave(&host, &failure, begun);
                    attempt += 1;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

impl Listings {
    /// Takes the listing that the cursor names: for as long as it is asked nobody else can.
    fn take(&self, cursor: &str, filter: MailboxFilter) -> Result<Listing> {
        let number = |text: &str| text.parse::<u64>().ok();
        let cursor = cursor
            .split_once('-')
            .and_then(|(listing, page)| Some((number(listing)?, number(page)?)))
            .ok_or_else(|| Error::new(ErrorCode::InvalidRequest, "The listing's cursor is not one."))?;
        let mut waiting = lock(&self.0);
        waiting.forget_old();
        let position = waiting
            .listings
            .iter()
            .position(|listing| listing.cursor == cursor && listing.filter == filter);
        position
            .and_then(|position| waiting.listings.remove(position))
            .ok_or_else(lost)
    }

    /// Lets it wait, and gives the cursor of the next page.
    fn keep(&self, cursor: Option<(u64, u64)>, filter: MailboxFilter, place: Place) -> String {
        let mut waiting = lock(&self.0);
        waiting.forget_old();
        while waiting.listings.len() >= MOST {
            waiting.listings.pop_front();
        }
        let cursor = match cursor {
            Some((listing, page)) => (listing, page + 1),
            None => {
                waiting.last += 1;
                (waiting.last, 1)
            }
        };
        waiting.listings.push_back(Listing {
            cursor,
            filter,
            place,
            since: Instant::now(),
        });
        format!("{}-{}", cursor.0, cursor.1)
    }
}

impl Waiting {
    fn forget_old(&mut self) {
        self.listings.retain(|listing| listing.since.elapsed() < PATIENCE);
    }
}

/// The server stopped at a limit, or knows of the listing no more.
fn not_continued(failure: Failure) -> Error {
    match failure.kind {
        FailureKind::Declined(code) if LIMITS.contains(&code) => failure.into(),
        _ => lost().caused_by(Error::from(failure)),
    }
}

fn lost() -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        "The list of mailboxes cannot be continued where it was left: the server no longer knows of it.",
    )
    .action("Run the command again, from the beginning.")
}

#[cfg(test)]
mod tests;
