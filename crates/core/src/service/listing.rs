//! Mailboxes and policies as the directory describes them.

use super::resolve::{Lookup, Resolver, any_of, shortened};
use crate::directory::{Found, MailboxFilter, Page, PolicyObject};
use crate::identity::DistinguishedName;
use crate::identity::fold::fold;
use crate::mailbox::Mailbox;
use crate::{Error, ErrorCode, Result};

impl Resolver {
    /// [`Service::mailbox`](crate::service::Service::mailbox).
    pub(in crate::service) fn mailbox(
        &self,
        identity: &str,
        filter: MailboxFilter,
        lookup: Lookup<'_>,
    ) -> Result<Mailbox> {
        let found = if filter.um_enabled_only {
            self.resolve_um_enabled(identity, lookup)
        } else {
            self.resolve(identity, lookup)
        };
        Ok(found?.mailbox)
    }

    /// [`Service::mailboxes`](crate::service::Service::mailboxes).
    pub(in crate::service) fn mailboxes(
        &self,
        filter: MailboxFilter,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Mailbox>> {
        let page = self.visible(filter, lookup, after, limit)?;
        Ok(Page {
            items: page.items.into_iter().map(|found| found.mailbox).collect(),
            next: page.next,
        })
    }

    /// As [`Self::mailboxes`], with what was read with them.
    pub(super) fn visible(
        &self,
        filter: MailboxFilter,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>> {
        lookup.check()?;
        let mut page = self.directory.mailboxes(filter, lookup.route(), after, limit)?;
        page.items.retain(|found| self.is_visible(&found.mailbox, lookup));
        Ok(page)
    }

    /// [`Service::policies`](crate::service::Service::policies).
    pub(in crate::service) fn policies(&self, identity: Option<&str>, lookup: Lookup<'_>) -> Result<Vec<PolicyObject>> {
        lookup.check()?;
        let Some(first) = identity else {
            return self.directory.policies(lookup.route());
        };
        for text in lookup.candidates(first) {
            if let Some(policy) = self.named_policy(text.trim(), lookup)? {
                return Ok(vec![policy]);
            }
        }
        let texts: Vec<String> = lookup.candidates(first).map(|text| shortened(text.trim())).collect();
        Err(Error::new(
            ErrorCode::ManagementObjectNotFound,
            format!(
                "No UM mailbox policy {} was found in {}.",
                any_of(&texts),
                self.directory.location()
            ),
        )
        .action("Check the spelling, or list the policies with Get-UMMailboxPolicy.")
        .detail("identity", texts[0].as_str()))
    }

    fn named_policy(&self, text: &str, lookup: Lookup<'_>) -> Result<Option<PolicyObject>> {
        if let Some(policy) = self.directory.policy(text, lookup.route())? {
            return Ok(Some(policy));
        }
        let guid = uuid::Uuid::try_parse(text).ok();
        let dn = DistinguishedName::parse(text).map(|dn| dn.comparable());
        Ok(self.directory.policies(lookup.route())?.into_iter().find(|policy| {
            Some(policy.guid) == guid
                || fold(&policy.settings.name) == fold(text)
                || dn.is_some()
                    && policy
                        .distinguished_name
                        .as_deref()
                        .and_then(DistinguishedName::parse)
                        .map(|dn| dn.comparable())
                        == dn
        }))
    }
}
