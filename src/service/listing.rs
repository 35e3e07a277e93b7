//! Mailboxes and policies as the directory describes them.

use super::Service;
use super::resolve::Lookup;
use crate::directory::{MailboxFilter, Page, PolicyObject};
use crate::identity::DistinguishedName;
use crate::identity::fold::fold;
use crate::mailbox::Mailbox;
use crate::{Error, ErrorCode, Result};

impl Service {
    /// One mailbox.
    ///
    /// # Errors
    /// `ManagementObjectNotFound`, `ManagementObjectAmbiguous`; `MailboxNotUmEnabled` if only enabled ones are wanted.
    pub fn mailbox(&self, identity: &str, filter: MailboxFilter, lookup: Lookup<'_>) -> Result<Mailbox> {
        if filter.um_enabled_only {
            self.resolve_um_enabled(identity, lookup)
        } else {
            self.resolve(identity, lookup)
        }
    }

    /// All mailboxes in scope, page by page. A page may be short although another follows.
    ///
    /// # Errors
    /// Those of the directory; `InvalidParameterCombination`.
    pub fn mailboxes(
        &self,
        filter: MailboxFilter,
        lookup: Lookup<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Mailbox>> {
        lookup.check()?;
        let mut page = self.directory().mailboxes(filter, after, limit)?;
        page.items.retain(|mailbox| self.is_visible(mailbox, lookup));
        Ok(page)
    }

    /// All policies, or the one with this name, GUID or DN.
    ///
    /// # Errors
    /// `ManagementObjectNotFound`.
    pub fn policies(&self, identity: Option<&str>) -> Result<Vec<PolicyObject>> {
        let Some(text) = identity.map(str::trim) else {
            return self.directory().policies();
        };
        if let Some(policy) = self.directory().policy(text)? {
            return Ok(vec![policy]);
        }
        let guid = uuid::Uuid::try_parse(text).ok();
        let dn = DistinguishedName::parse(text).map(|dn| dn.comparable());
        let found = self.directory().policies()?.into_iter().find(|policy| {
            Some(policy.guid) == guid
                || fold(&policy.settings.name) == fold(text)
                || dn.is_some()
                    && policy
                        .distinguished_name
                        .as_deref()
                        .and_then(DistinguishedName::parse)
                        .map(|dn| dn.comparable())
                        == dn
        });
        found.map(|policy| vec![policy]).ok_or_else(|| {
            Error::new(
                ErrorCode::ManagementObjectNotFound,
                format!(
                    "No UM mailbox policy \"{text}\" was found in {}.",
                    self.directory().location()
                ),
            )
            .action("Check the spelling, or list the policies with Get-UMMailboxPolicy.")
            .detail("identity", text)
        })
    }
}
