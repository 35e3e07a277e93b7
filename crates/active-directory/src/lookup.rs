//! Finds mailboxes: one search, whose results are compared again.

use std::collections::BTreeMap;

use super::ActiveDirectory;
use super::connection::{Connection, Entry, Scope, Search, SearchResult};
use super::filter;
use super::forest::Forest;
use super::mailbox_entry::{MailboxEntry, mailbox_attributes};
use super::schema::RECORD;
use super::server_error::ServerError;
use super::servers::ServerSelector;
use umpin_core::credential::seal::is_sealed;
use umpin_core::directory::{Found, Matches, Route};
use umpin_core::identity::fold::fold;
use umpin_core::identity::{DistinguishedName, Identity};
use umpin_core::mailbox::ObjectId;
use umpin_core::policy::dialled_digits;
use umpin_core::{Error, Result};

/// Matches that are returned in full: one more than a message names.
const MAX_MATCHES: usize = 11;

/// The default `MaxPageSize` of Active Directory.
const PAGE_SIZE: i32 = 1000;

impl ActiveDirectory {
    pub(super) fn find_by_identity(&self, identity: &Identity, route: Route<'_>) -> Result<Matches> {
        match filter::of_identity(identity) {
            Some(filter) => self.search_mailboxes(&filter, route, |candidate| candidate.matches_identity(identity)),
            None => Ok(no_matches()),
        }
    }

    pub(super) fn search_by_extension(
        &self,
        number: &str,
        dial_plan: Option<&str>,
        route: Route<'_>,
    ) -> Result<Matches> {
        let Some(filter) = filter::of_extension(number) else {
            return Ok(no_matches());
        };
        let dialled = filter::dialled(number);
        let dial_plan = dial_plan.map(fold);
        self.search_mailboxes(&filter, route, |candidate| {
            candidate.found.mailbox.extensions.iter().any(|extension| {
                dialled_digits(extension) == dialled
                    && (dial_plan.is_none() || extension.dial_plan.as_deref().map(fold) == dial_plan)
            })
        })
    }

    pub(super) fn search_by_object_id(&self, id: ObjectId, route: Route<'_>) -> Result<Option<Found>> {
        let search_mailboxes = self.search_mailboxes(&filter::of_ids(&[id]), route, |candidate| {
            candidate.found.mailbox.object_id == id
        })?;
        Ok(search_mailboxes.found.into_iter().next())
    }

    /// A few sealed records. The search is paged, because any number of entries may hold a value of Exchange instead.
    pub(super) fn sample_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        let domain = &self.servers.settings().domain;
        let record = |entry: &Entry| {
            let id = entry.guid("objectGUID").ok()??;
            let value = entry.first(&RECORD.to_ascii_lowercase())?;
            is_sealed(value).then(|| (ObjectId(id.into_bytes()), value.to_vec()))
        };
        let sample_records = self
            .servers
            .execute(ServerSelector::DomainController(domain), |connection| {
                let base = connection.root_dse().domain.clone();
                let filter = filter::users_with(RECORD);
                let mut sample_records = Vec::new();
                search_pages(
                    connection,
                    &subtree_search(&base, &filter, &["objectGUID", RECORD]),
                    |page| {
                        sample_records.extend(page.iter().filter_map(record));
                        sample_records.len() < limit
                    },
                )?;
                Ok(sample_records)
            })?;
        Ok(sample_records.into_iter().take(limit).collect())
    }

    /// The mailboxes that match a filter and `is_match`, ordered by DN.
    fn search_mailboxes(
        &self,
        filter: &str,
        route: Route<'_>,
        is_match: impl Fn(&MailboxEntry) -> bool,
    ) -> Result<Matches> {
        let forest = self.forest()?;
        let domain = &self.servers.settings().domain;
        let mut candidates = match route {
            Route::Preferred => self.search_on(ServerSelector::DomainController(domain), filter, &forest)?,
            Route::Controller(name) => self.search_on(ServerSelector::Server(name), filter, &forest)?,
            Route::Forest => self.search_forest(filter, &forest)?,
        };
        candidates.retain(is_match);
        candidates.sort_by_cached_key(|candidate| {
            let dn = candidate.found.mailbox.distinguished_name.as_ref();
            dn.map(DistinguishedName::comparable)
        });
        let count = candidates.len();
        candidates.truncate(MAX_MATCHES);
        Ok(Matches {
            count,
            found: candidates.into_iter().map(|candidate| candidate.found).collect(),
        })
    }

    /// Searches the domain of one controller.
    fn search_on(&self, selector: ServerSelector<'_>, filter: &str, forest: &Forest) -> Result<Vec<MailboxEntry>> {
        let attributes = mailbox_attributes(&forest.schema);
        let (controller, entries) = self.servers.execute(selector, |connection| {
            let base = connection.root_dse().domain.clone();
            let entries = search_all(connection, &subtree_search(&base, filter, &attributes))?;
            Ok((connection.host().to_owned(), entries))
        })?;
        let candidate = |entry: &Entry| MailboxEntry::of(entry, &controller, forest);
        Ok(entries.iter().filter_map(candidate).collect())
    }

    /// Finds the objects in the global catalog, which holds a partial replica only, and reads each on a controller of its domain.
    fn search_forest(&self, filter: &str, forest: &Forest) -> Result<Vec<MailboxEntry>> {
        let entries = self.servers.execute(ServerSelector::GlobalCatalog, |connection| {
            search_all(connection, &subtree_search("", filter, &["objectGUID"]))
        })?;
        let mut by_domain: BTreeMap<String, Vec<ObjectId>> = BTreeMap::new();
        for entry in entries {
            let domain = DistinguishedName::parse(&entry.dn).and_then(|dn| dn.domain());
            let id = entry.guid("objectGUID").ok().flatten();
            if let (Some(domain), Some(id)) = (domain, id) {
                by_domain.entry(domain).or_default().push(ObjectId(id.into_bytes()));
            }
        }
        let mut candidates = Vec::new();
        for (domain, ids) in by_domain {
            for ids in ids.chunks(100) {
                candidates.extend(self.search_on(
                    ServerSelector::DomainController(&domain),
                    &filter::of_ids(ids),
                    forest,
                )?);
            }
        }
        Ok(candidates)
    }
}

fn no_matches() -> Matches {
    Matches {
        count: 0,
        found: Vec::new(),
    }
}

pub(super) fn subtree_search<'a>(base: &'a str, filter: &'a str, attributes: &'a [&'a str]) -> Search<'a> {
    Search {
        base,
        scope: Scope::Subtree,
        filter,
        attributes,
        size_limit: 0,
    }
}

/// All entries; paged only if one response does not hold them. The count must be exact.
pub(super) fn search_all(
    connection: &mut Connection,
    search: &Search<'_>,
) -> std::result::Result<Vec<Entry>, ServerError> {
    let answer = connection.search_up_to_limit(search)?;
    if !answer.is_truncated {
        return Ok(answer.entries);
    }
    let mut entries = Vec::new();
    search_pages(connection, search, |page| {
        entries.extend(page);
        true
    })?;
    Ok(entries)
}

/// Searches page by page (RFC 2696) until `take` returns false.
pub(super) fn search_pages(
    connection: &mut Connection,
    search: &Search<'_>,
    mut take: impl FnMut(Vec<Entry>) -> bool,
) -> std::result::Result<(), ServerError> {
    let mut cookie = Vec::new();
    loop {
        let (page, next): (SearchResult, _) = connection.search_page(search, PAGE_SIZE, &cookie)?;
        let is_wanted = take(page.entries);
        match next {
            Some(next) if is_wanted => cookie = next,
            _ => return Ok(()),
        }
    }
}

/// The mailbox was deleted after it was looked up.
pub(super) fn mailbox_missing() -> Error {
    Error::new(
        umpin_core::ErrorCode::ManagementObjectNotFound,
        "The mailbox is no longer in the directory.",
    )
}

/// As [`mailbox_missing`], and the server said so.
pub(super) fn mailbox_deleted(failure: ServerError) -> Error {
    let mut error = mailbox_missing();
    for (name, value) in failure.error.details() {
        error = error.detail(name, value.clone());
    }
    error.caused_by(failure.error)
}

#[cfg(test)]
mod tests;
