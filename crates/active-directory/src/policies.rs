//! UM mailbox policies. They are in the configuration partition, which every controller of the forest holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::connection::{Scope, Search};
use super::lookup::search_all;
use super::servers::ServerSelector;
use super::{ActiveDirectory, lock};
use umpin_core::attributes::policy::{ATTRIBUTES, CLASS, read};
use umpin_core::attributes::value_errors::ValueErrors;
use umpin_core::directory::{PolicyObject, Route};
use umpin_core::identity::DistinguishedName;
use umpin_core::identity::fold::fold;
use umpin_core::mailbox::Mailbox;
use umpin_core::{Error, ErrorCode, Result};

/// A policy, and the errors in its attributes.
struct CachedPolicy {
    policy: PolicyObject,
    /// Its normalised DN.
    dn: Option<String>,
    faults: Option<String>,
}

/// The policies as read on one controller, ordered by name.
type Policies = Arc<Vec<CachedPolicy>>;

/// The policies of the current command, by controller. A telephone system runs no commands; it reads them again after [`CACHE_TTL`].
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Option<String>, (Instant, Policies)>>);

/// How long policies are cached within one command.
const CACHE_TTL: Duration = Duration::from_secs(300);

impl Cache {
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}

impl ActiveDirectory {
    /// The policy with this name.
    pub(super) fn policy_named(&self, name: &str, route: Route<'_>) -> Result<Option<PolicyObject>> {
        let policies = self.cached_policies(route)?;
        let name = fold(name);
        self.usable(
            policies
                .iter()
                .find(|cached| fold(&cached.policy.settings.name) == name),
        )
    }

    /// The policy that the mailbox links to. The name is not unique: two containers may have policies of the same name.
    pub(super) fn policy_linked(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<Option<PolicyObject>> {
        let Some(link) = &mailbox.um_mailbox_policy_link else {
            return match &mailbox.um_mailbox_policy {
                Some(name) => self.policy_named(name, route),
                None => Ok(None),
            };
        };
        let policies = self.cached_policies(route)?;
        let link = link.comparable();
        self.usable(policies.iter().find(|cached| cached.dn.as_ref() == Some(&link)))
    }

    fn usable(&self, cached: Option<&CachedPolicy>) -> Result<Option<PolicyObject>> {
        match cached {
            None => Ok(None),
            Some(CachedPolicy {
                policy, faults: None, ..
            }) => Ok(Some(policy.clone())),
            Some(CachedPolicy {
                policy,
                faults: Some(faults),
                ..
            }) => Err(Error::new(
                ErrorCode::StoreCorrupt,
                format!(
                    "The UM mailbox policy \"{}\" in {} cannot be used: {faults}",
                    policy.settings.name,
                    self.servers.settings().domain
                ),
            )
            .action("Correct the policy where it is managed.")),
        }
    }

    /// All policies, including those with errors: an administrator must see one to correct it.
    pub(super) fn all_policies(&self, route: Route<'_>) -> Result<Vec<PolicyObject>> {
        let policies = self.cached_policies(route)?;
        Ok(policies.iter().map(|cached| cached.policy.clone()).collect())
    }

    fn cached_policies(&self, route: Route<'_>) -> Result<Policies> {
        let controller = match route {
            Route::Controller(name) => Some(name.to_ascii_lowercase()),
            Route::Preferred | Route::Forest => None,
        };
        if let Some((since, policies)) = lock(&self.policies.0).get(&controller)
            && since.elapsed() < CACHE_TTL
        {
            return Ok(Arc::clone(policies));
        }
        let since = Instant::now();
        let forest = self.forest()?;
        let selector = match &controller {
            Some(name) => ServerSelector::Server(name),
            None => ServerSelector::DomainController(&self.servers.settings().domain),
        };
        let entries = self.servers.execute(selector, |connection| {
            let search = Search {
                base: &forest.configuration,
                scope: Scope::Subtree,
                filter: &format!("(objectClass={CLASS})"),
                attributes: ATTRIBUTES,
                size_limit: 0,
            };
            search_all(connection, &search)
        })?;
        let mut policies: Vec<CachedPolicy> = entries
            .iter()
            .filter_map(|entry| {
                let mut faults = ValueErrors::default();
                // The schema rules such values out.
                let policy = read(entry, &mut faults).ok()?;
                Some(CachedPolicy {
                    dn: policy.distinguished_name.as_ref().map(DistinguishedName::comparable),
                    policy: PolicyObject {
                        guid: policy.guid?,
                        distinguished_name: policy.distinguished_name.map(|dn| dn.as_str().to_owned()),
                        settings: policy.settings,
                    },
                    faults: faults.into_message(),
                })
            })
            .collect();
        policies.sort_by_cached_key(|cached| fold(&cached.policy.settings.name));
        let policies = Arc::new(policies);
        lock(&self.policies.0).insert(controller, (since, Arc::clone(&policies)));
        Ok(policies)
    }
}
