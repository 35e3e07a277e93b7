//! Key rotation: lists the mailboxes with a value under another key than the given one. They are found by one search, then read and
//! returned page by page.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::connection::Entry;
use super::lookup::{search_pages, subtree_search};
use super::mailbox_entry::{counter_attribute, record_attribute};
use super::schema::RECORD;
use super::servers::ServerSelector;
use super::{ActiveDirectory, filter, lock};
use umpin_core::credential::master_key::KeyId;
use umpin_core::directory::{Page, SealedOtherwise, StoredCredential};
use umpin_core::mailbox::ObjectId;
use umpin_core::{Error, ErrorCode, Result};

/// The most recent list.
#[derive(Default)]
pub(super) struct Lists(Mutex<List>);

#[derive(Default)]
struct List {
    number: u64,
    /// Mailboxes with the controller on which they were found, grouped by domain.
    mailboxes: VecDeque<(String, ObjectId)>,
}

impl ActiveDirectory {
    pub(super) fn page_of_stale_credentials(
        &self,
        key: KeyId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<SealedOtherwise>> {
        let number = match after {
            Some(cursor) => cursor.parse().map_err(|_| list_expired())?,
            None => self.list_stale_credentials(key)?,
        };
        let mut list = lock(&self.key_rotation.0);
        if list.number != number {
            return Err(list_expired());
        }
        let Some((controller, _)) = list.mailboxes.front().cloned() else {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        };
        let is_on_controller = |(host, _): &&(String, ObjectId)| *host == controller;
        let count = list.mailboxes.iter().take(limit).take_while(is_on_controller).count();
        let ids: Vec<ObjectId> = list.mailboxes.drain(..count).map(|(_, id)| id).collect();
        let next = (!list.mailboxes.is_empty()).then(|| number.to_string());
        drop(list);
        let values = self.read_credentials(&ids, Some(&controller))?;
        let items = ids.into_iter().zip(values).filter_map(|(mailbox, stored)| {
            // Changed or deleted since it was listed.
            let is_done = match &stored {
                Ok(stored) => !stored.is_under_another(key),
                Err(error) => error.code() == ErrorCode::ManagementObjectNotFound,
            };
            (!is_done).then(|| SealedOtherwise {
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

    /// Reads every record of the forest, on the preferred controllers: mailboxes of any domain may have one.
    fn list_stale_credentials(&self, key: KeyId) -> Result<u64> {
        let forest = self.forest()?;
        let schema = &forest.schema;
        let stale_id = |entry: &Entry| {
            let id = entry.guid("objectGUID").ok()??;
            let stored = StoredCredential {
                record: record_attribute(entry).sealed(),
                counter: counter_attribute(entry, schema).sealed(),
                ..StoredCredential::default()
            };
            stored.is_under_another(key).then(|| ObjectId(id.into_bytes()))
        };
        let mut mailboxes = VecDeque::new();
        for domain in forest.domains() {
            mailboxes.extend(
                self.servers
                    .execute(ServerSelector::DomainController(domain), |connection| {
                        let (host, base) = (connection.host().to_owned(), connection.root_dse().domain.clone());
                        let filter = filter::users_with(RECORD);
                        let attributes = ["objectGUID", RECORD, &schema.counter];
                        let mut found = Vec::new();
                        search_pages(connection, &subtree_search(&base, &filter, &attributes), |page| {
                            found.extend(page.iter().filter_map(stale_id).map(|id| (host.clone(), id)));
                            true
                        })?;
                        Ok(found)
                    })?,
            );
        }
        let mut list = lock(&self.key_rotation.0);
        let number = list.number + 1;
        *list = List { number, mailboxes };
        Ok(number)
    }
}

fn list_expired() -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        "The list of mailboxes cannot be continued.",
    )
    .action("Run the command again: it continues with the remaining mailboxes.")
}
