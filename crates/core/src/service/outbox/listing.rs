//! What waits in the outbox, and what was given up.

use super::Deliveries;
use crate::Result;
use crate::clock::Timestamp;
use crate::directory::Page;
use crate::mailbox::Mailbox;
use crate::notification::outbox::{EntryState, OutboxEntry};
use crate::service::resolve::Lookup;

/// One message in the outbox. Its recipient and content are sealed, and stay so.
#[derive(Clone, Debug)]
pub struct NotificationItem {
    /// The local part of its `Message-ID`.
    pub id: [u8; 16],
    /// Whose PIN it announces; `None` when the mailbox is gone.
    pub mailbox: Option<Mailbox>,
    /// What is known of the PIN, or that it was given up.
    pub state: EntryState,
    /// When the PIN was set.
    pub queued_since: Timestamp,
    /// How often delivery was tried.
    pub attempts: u32,
    /// Not tried again before this moment; `None` once given up.
    pub next_attempt: Option<Timestamp>,
    /// When it is given up at the latest attempt after; `None` once it was.
    pub expires_at: Option<Timestamp>,
    /// What the last attempt failed with.
    pub last_error: Option<String>,
}

impl Deliveries {
    /// [`Service::notifications`](crate::service::Service::notifications).
    pub(in crate::service) fn notifications(
        &self,
        identity: Option<&str>,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<NotificationItem>> {
        let found = identity.map(|text| self.resolver.resolve(text, lookup)).transpose()?;
        let mailbox = found.map(|found| found.mailbox);
        let of = mailbox.as_ref().map(|mailbox| mailbox.object_id);
        let page = self.outbox.entries(of, after, limit)?;
        let mut known = mailbox;
        let mut items = Vec::with_capacity(page.items.len());
        for entry in &page.items {
            if known.as_ref().map(|mailbox| mailbox.object_id) != Some(entry.mailbox) {
                known = self.resolver.mailbox_of(entry.mailbox)?;
            }
            items.push(self.item(entry, known.clone()));
        }
        Ok(Page { items, next: page.next })
    }

    fn item(&self, entry: &OutboxEntry, mailbox: Option<Mailbox>) -> NotificationItem {
        let waits = entry.state != EntryState::Failed;
        NotificationItem {
            id: entry.id,
            mailbox,
            state: entry.state,
            queued_since: entry.created,
            attempts: entry.attempts,
            next_attempt: waits.then_some(entry.leased_until),
            expires_at: waits.then(|| self.queue.expires_at(entry)),
            last_error: entry.last_error.clone(),
        }
    }
}
