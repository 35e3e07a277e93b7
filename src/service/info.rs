//! The state of PINs, as `Get-UMMailboxPIN` shows it. Never a PIN.

use super::Service;
use super::resolve::Lookup;
use crate::directory::{MailboxFilter, Page};
use crate::mailbox::Mailbox;
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

impl Service {
    /// The state of one mailbox's PIN.
    ///
    /// # Errors
    /// As for a reset.
    pub fn pin_info(&self, identity: &str, lookup: Lookup<'_>) -> Result<PinInfo> {
        let mailbox = self.resolve_um_enabled(identity, lookup)?;
        self.info_of(mailbox)
    }

    /// The state of all UM-enabled mailboxes in scope, page by page.
    ///
    /// # Errors
    /// As for [`Self::mailboxes`].
    pub fn pin_infos(&self, lookup: Lookup<'_>, after: Option<&str>, limit: usize) -> Result<Page<PinInfoItem>> {
        let filter = MailboxFilter { um_enabled_only: true };
        let page = self.mailboxes(filter, lookup, after, limit)?;
        Ok(Page {
            items: page
                .items
                .into_iter()
                .map(|mailbox| match self.info_of(mailbox.clone()) {
                    Ok(info) => PinInfoItem::Info(Box::new(info)),
                    Err(error) => PinInfoItem::Failed {
                        mailbox: Box::new(mailbox),
                        error,
                    },
                })
                .collect(),
            next: page.next,
        })
    }

    fn info_of(&self, mailbox: Mailbox) -> Result<PinInfo> {
        let policy = self.policy_of(&mailbox)?;
        let record = self.read_record(&mailbox)?.record;
        Ok(PinInfo {
            pin_expired: record.is_expired(&policy.settings, self.now()),
            locked_out: record.locked_at.is_some(),
            first_time_user: record.first_time,
            mailbox,
        })
    }
}
