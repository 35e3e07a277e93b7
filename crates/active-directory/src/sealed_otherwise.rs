//! The mailboxes whose values are not all sealed under one key: found by one search, then read and given page by page.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::connection::Entry;
use super::lookup::{pages, subtree};
use super::reading::{counter, record};
use super::schema::RECORD;
use super::servers::Whom;
use super::{ActiveDirectory, filter, lock};
use umpin_core::credential::keyring::KeyId;
use umpin_core::directory::{Page, SealedOtherwise, StoredCredential};
use umpin_core::mailbox::ObjectId;
use umpin_core::{Error, ErrorCode, Result};

/// The list that is being given, the last one that was asked for.
#[derive(Default)]
pub(super) struct Lists(Mutex<List>);

#[derive(Default)]
struct List {
    number: u64,
    /// Each with the controller that it was found on, together with the others of its domain.
    mailboxes: VecDeque<(String, ObjectId)>,
}

impl ActiveDirectory {
    pub(super) fn page_sealed_otherwise(
        &self,
        key: KeyId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<SealedOtherwise>> {
        let number = match after {
            Some(cursor) => cursor.parse().map_err(|_| lost())?,
            None => self.list_sealed_otherwise(key)?,
        };
        let mut list = lock(&self.sealed_otherwise.0);
        if list.number != number {
            return Err(lost());
        }
        let Some((controller, _)) = list.mailboxes.front().cloned() else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        let is_here = |(host, _): &&(String, ObjectId)| *host == controller;
        let count = list.mailboxes.iter().take(limit).take_while(is_here).count();
        let ids: Vec<ObjectId> = list.mailboxes.drain(..count).map(|(_, id)| id).collect();
        let next = (!list.mailboxes.is_empty()).then(|| number.to_string());
        drop(list);
        let values = self.all_stored(&ids, Some(&controller))?;
        let items = ids.into_iter().zip(values).filter_map(|(mailbox, stored)| {
            // Changed, or gone, since it was listed.
            let is_over = match &stored {
                Ok(stored) => !stored.is_under_another(key),
                Err(error) => error.code() == ErrorCode::ManagementObjectNotFound,
            };
            (!is_over).then(|| SealedOtherwise {
                mailbox,
                controller: Some(controller.clone()),
                stored: stored.map_err(|error| error.to_string()),
            })
        });
        Ok(Page {
            items: items.collect(),
            next,
        })
    }

    /// Looks through every record of the forest, on the controllers that changes are asked of: a mailbox of any domain may have one.
    fn list_sealed_otherwise(&self, key: KeyId) -> Result<u64> {
        let forest = self.forest()?;
        let schema = &forest.schema;
        let needed = |entry: &Entry| {
            let id = entry.guid("objectGUID").ok()??;
            let stored = StoredCredential {
                record: record(entry).sealed(),
                counter: counter(entry, schema).sealed(),
                ..StoredCredential::default()
            };
            stored.is_under_another(key).then(|| ObjectId(id.into_bytes()))
        };
        let mut mailboxes = VecDeque::new();
        for domain in forest.domains() {
            mailboxes.extend(self.servers.ask(Whom::DomainController(domain), |connection| {
                let (host, base) = (connection.host().to_owned(), connection.about().domain.clone());
                let filter = filter::users_with(RECORD);
                let wanted = ["objectGUID", RECORD, &schema.counter];
                let mut found = Vec::new();
                pages(connection, &subtree(&base, &filter, &wanted), |page| {
                    found.extend(page.iter().filter_map(needed).map(|id| (host.clone(), id)));
                    true
                })?;
                Ok(found)
            })?);
        }
        let mut list = lock(&self.sealed_otherwise.0);
        let number = list.number + 1;
        *list = List { number, mailboxes };
        Ok(number)
    }
}

fn lost() -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        "The list of mailboxes cannot be continued where it was left.",
    )
    .action("Run the command again: it goes on with what is left.")
}
