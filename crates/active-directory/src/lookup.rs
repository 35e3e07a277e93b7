//! Finding mailboxes: one search, and our own comparison of what it found.

use std::collections::BTreeMap;

use super::ActiveDirectory;
use super::connection::{Answer, Connection, Depth, Entry, Search};
use super::failure::Failure;
use super::filter;
use super::forest::Forest;
use super::reading::{Reading, attributes};
use super::schema::RECORD;
use super::servers::Whom;
use umpin_core::credential::seal::is_sealed;
use umpin_core::directory::{Found, Matches, Route};
use umpin_core::identity::fold::fold;
use umpin_core::identity::{DistinguishedName, Identity};
use umpin_core::mailbox::ObjectId;
use umpin_core::policy::dialled_digits;
use umpin_core::{Error, Result};

/// How many matches are returned in full: one more than a message ever names.
const MATCHES: usize = 11;

/// Where a search is answered in pages, how many entries each has: what a server gives at most (`MaxPageSize`).
const PAGE: i32 = 1000;

impl ActiveDirectory {
    pub(super) fn matching(&self, identity: &Identity, route: Route<'_>) -> Result<Matches> {
        match filter::of_identity(identity) {
            Some(filter) => self.matches(&filter, route, |reading| reading.is_named_by(identity)),
            None => Ok(nobody()),
        }
    }

    pub(super) fn with_extension(&self, number: &str, dial_plan: Option<&str>, route: Route<'_>) -> Result<Matches> {
        let Some(filter) = filter::of_extension(number) else {
            return Ok(nobody());
        };
        let dialled = filter::dialled(number);
        let dial_plan = dial_plan.map(fold);
        self.matches(&filter, route, |reading| {
            reading.found.mailbox.extensions.iter().any(|extension| {
                dialled_digits(extension) == dialled
                    && (dial_plan.is_none() || extension.dial_plan.as_deref().map(fold) == dial_plan)
            })
        })
    }

    pub(super) fn with_object_id(&self, id: ObjectId, route: Route<'_>) -> Result<Option<Found>> {
        let matches = self.matches(&filter::of_ids(&[id]), route, |reading| {
            reading.found.mailbox.object_id == id
        })?;
        Ok(matches.found.into_iter().next())
    }

    /// A few sealed records, wherever they are: what Exchange left in the attribute may stand before them all, and a server gives
    /// only so much at once.
    pub(super) fn records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        let domain = &self.servers.settings().domain;
        let record = |entry: &Entry| {
            let id = entry.guid("objectGUID").ok()??;
            let value = entry.first(&RECORD.to_ascii_lowercase())?;
            is_sealed(value).then(|| (ObjectId(id.into_bytes()), value.to_vec()))
        };
        let records = self.servers.ask(Whom::DomainController(domain), |connection| {
            let base = connection.about().domain.clone();
            let filter = filter::users_with(RECORD);
            let mut records = Vec::new();
            pages(connection, &subtree(&base, &filter, &["objectGUID", RECORD]), |page| {
                records.extend(page.iter().filter_map(record));
                records.len() < limit
            })?;
            Ok(records)
        })?;
        Ok(records.into_iter().take(limit).collect())
    }

    /// The mailboxes that a filter finds and that count, ordered by their names.
    fn matches(&self, filter: &str, route: Route<'_>, counts: impl Fn(&Reading) -> bool) -> Result<Matches> {
        let forest = self.forest()?;
        let domain = &self.servers.settings().domain;
        let mut readings = match route {
            Route::Preferred => self.read_on(Whom::DomainController(domain), filter, &forest)?,
            Route::Controller(name) => self.read_on(Whom::Server(name), filter, &forest)?,
            Route::Forest => self.read_in_forest(filter, &forest)?,
        };
        readings.retain(counts);
        readings.sort_by_cached_key(|reading| {
            let dn = reading.found.mailbox.distinguished_name.as_ref();
            dn.map(DistinguishedName::comparable)
        });
        let count = readings.len();
        readings.truncate(MATCHES);
        Ok(Matches {
            count,
            found: readings.into_iter().map(|reading| reading.found).collect(),
        })
    }

    /// What one controller has in its domain.
    fn read_on(&self, whom: Whom<'_>, filter: &str, forest: &Forest) -> Result<Vec<Reading>> {
        let wanted = attributes(&forest.schema);
        let (controller, entries) = self.servers.ask(whom, |connection| {
            let base = connection.about().domain.clone();
            let entries = all(connection, &subtree(&base, filter, &wanted))?;
            Ok((connection.host().to_owned(), entries))
        })?;
        let reading = |entry: &Entry| Reading::of(entry, &controller, forest);
        Ok(entries.iter().filter_map(reading).collect())
    }

    /// The global catalog has of each object only a part, and takes no changes: it says which objects there are, and a controller
    /// of each one's own domain what they are.
    fn read_in_forest(&self, filter: &str, forest: &Forest) -> Result<Vec<Reading>> {
        let entries = self.servers.ask(Whom::GlobalCatalog, |connection| {
            all(connection, &subtree("", filter, &["objectGUID"]))
        })?;
        let mut by_domain: BTreeMap<String, Vec<ObjectId>> = BTreeMap::new();
        for entry in entries {
            let domain = DistinguishedName::parse(&entry.dn).and_then(|dn| dn.domain());
            let id = entry.guid("objectGUID").ok().flatten();
            if let (Some(domain), Some(id)) = (domain, id) {
                by_domain.entry(domain).or_default().push(ObjectId(id.into_bytes()));
            }
        }
        let mut readings = Vec::new();
        for (domain, ids) in by_domain {
            for ids in ids.chunks(100) {
                readings.extend(self.read_on(Whom::DomainController(&domain), &filter::of_ids(ids), forest)?);
            }
        }
        Ok(readings)
    }
}

fn nobody() -> Matches {
    Matches {
        count: 0,
        found: Vec::new(),
    }
}

pub(super) fn subtree<'a>(base: &'a str, filter: &'a str, attributes: &'a [&'a str]) -> Search<'a> {
    Search {
        base,
        depth: Depth::Subtree,
        filter,
        attributes,
        size_limit: 0,
    }
}

/// Everything, in pages only where the server does not give it at once: the count must be exact.
pub(super) fn all(connection: &mut Connection, search: &Search<'_>) -> std::result::Result<Vec<Entry>, Failure> {
    let answer = connection.search_at_once(search)?;
    if !answer.is_cut {
        return Ok(answer.entries);
    }
    let mut entries = Vec::new();
    pages(connection, search, |page| {
        entries.extend(page);
        true
    })?;
    Ok(entries)
}

/// Page by page (RFC 2696), as long as the next one is wanted.
pub(super) fn pages(
    connection: &mut Connection,
    search: &Search<'_>,
    mut take: impl FnMut(Vec<Entry>) -> bool,
) -> std::result::Result<(), Failure> {
    let mut cookie = Vec::new();
    loop {
        let (page, next): (Answer, _) = connection.search_page(search, PAGE, &cookie)?;
        let is_wanted = take(page.entries);
        match next {
            Some(next) if is_wanted => cookie = next,
            _ => return Ok(()),
        }
    }
}

/// The mailbox was there when it was looked up.
pub(super) fn missing() -> Error {
    Error::new(
        umpin_core::ErrorCode::ManagementObjectNotFound,
        "The mailbox is no longer in the directory.",
    )
}

/// As [`missing`], and the server said so.
pub(super) fn gone(failure: Failure) -> Error {
    let mut error = missing();
    for (name, value) in failure.error.details() {
        error = error.detail(name, value.clone());
    }
    error.caused_by(failure.error)
}

#[cfg(test)]
mod tests;
