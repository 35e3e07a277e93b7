//! The state of PINs, as `Get-UMMailboxPIN` shows it. Never a PIN.

use std::sync::Arc;

use super::Warning;
use super::commit::conflict_warning;
use super::resolve::Lookup;
use crate::clock::{Clock, Timestamp};
use crate::credential::lockout::locked_since;
use crate::directory::{Found, MailboxFilter, Page, Route};
use crate::mailbox::Mailbox;
use crate::service::commit::Commit;
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::{Error, Result};

/// What can be told about a mailbox's PIN.
#[derive(Clone, Debug)]
pub struct PinInfo {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// By flag, by age under the policy that applies now, or because there never was one.
    pub pin_expired: bool,
    /// Locked until an administrator acts.
    pub locked_out: bool,
    /// Until the user's own first change.
    pub first_time_user: bool,
    /// When the PIN was set; `None`: there never was one.
    pub last_set: Option<Timestamp>,
    /// When its lifetime ends under the policy that applies now; `None`: never, or there is no PIN.
    pub expires_at: Option<Timestamp>,
    /// Wrong PINs in a row, towards the lock-out.
    pub failed_attempts: u32,
    /// The last of them.
    pub last_failure_at: Option<Timestamp>,
    /// Since when the mailbox is locked.
    pub locked_since: Option<Timestamp>,
    /// Resets by this computer that did not last. Asking does not note that they were told.
    pub warnings: Vec<Warning>,
}

/// One line of a listing: a mailbox whose record cannot be read does not end it.
pub enum PinInfoItem {
    /// Its state.
    Info(Box<PinInfo>),
    /// Whose state cannot be told, and why.
    Failed {
        /// The mailbox.
        mailbox: Box<Mailbox>,
        /// Why.
        error: Error,
    },
}

/// Tells the state of PINs.
pub(super) struct PinStates {
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub commits: Arc<dyn Commit>,
    pub clock: Arc<dyn Clock>,
}

impl PinStates {
    /// [`Service::pin_info`](crate::service::Service::pin_info).
    pub(in crate::service) fn pin_info(&self, identity: &str, lookup: Lookup<'_>) -> Result<PinInfo> {
        let found = self.resolver.resolve_um_enabled(identity, lookup)?;
        self.info_of(found, lookup.route())
    }

    /// [`Service::pin_infos`](crate::service::Service::pin_infos).
    pub(in crate::service) fn pin_infos(
        &self,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<PinInfoItem>> {
        let filter = MailboxFilter { um_enabled_only: true };
        let page = self.resolver.visible(filter, lookup, after, limit)?;
        let items = self.records.with_values(page.items)?.into_iter().map(|(found, read)| {
            let mailbox = found.mailbox.clone();
            match read.and_then(|()| self.info_of(found, lookup.route())) {
                Ok(info) => PinInfoItem::Info(Box::new(info)),
                Err(error) => PinInfoItem::Failed {
                    mailbox: Box::new(mailbox),
                    error,
                },
            }
        });
        Ok(Page {
            items: items.collect(),
            next: page.next,
        })
    }

    fn info_of(&self, found: Found, route: Route<'_>) -> Result<PinInfo> {
        let policy = self.resolver.policy_of(&found.mailbox, route)?;
        let loaded = self.records.read_record(&found)?;
        let mailbox = found.mailbox;
        // Who may read the directory may not be one of those who may read this computer's journal.
        let conflicts = self
            .commits
            .conflicts_of(mailbox.object_id, loaded.controller.as_deref(), &loaded.record);
        let warnings = conflicts
            .unwrap_or_default()
            .iter()
            .map(|note| conflict_warning(&mailbox, note))
            .collect();
        let counter = self.records.counter_of(&mailbox, &loaded)?;
        let (record, policy) = (&loaded.record, &policy.settings);
        let locked_since = locked_since(record, &counter, policy);
        Ok(PinInfo {
            pin_expired: record.is_expired(policy, self.clock.now()),
            locked_out: locked_since.is_some(),
            first_time_user: record.first_time,
            last_set: record.set_at(),
            expires_at: record.set_at().and_then(|at| policy.expires_at(at)),
            failed_attempts: counter.failures,
            last_failure_at: counter.last_failure_at,
            locked_since,
            warnings,
            mailbox,
        })
    }
}
