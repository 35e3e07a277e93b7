//! UM mailbox policies, which stand in the configuration partition and so on every controller of the forest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::connection::{Depth, Search};
use super::lookup::all;
use super::servers::Whom;
use super::{ActiveDirectory, lock};
use umpin_core::attributes::policy::{ATTRIBUTES, CLASS, read};
use umpin_core::attributes::value_errors::ValueErrors;
use umpin_core::directory::{PolicyObject, Route};
use umpin_core::identity::DistinguishedName;
use umpin_core::identity::fold::fold;
use umpin_core::mailbox::Mailbox;
use umpin_core::{Error, ErrorCode, Result};

/// A policy, and what of it cannot be understood.
struct Known {
    policy: PolicyObject,
    /// Its DN as it can be compared.
    dn: Option<String>,
    faults: Option<String>,
}

/// As one controller, or the preferred one, had them, ordered by name.
type Policies = Arc<Vec<Known>>;

/// What was read for the command that runs. A telephone system has no commands that begin: it asks anew after [`PATIENCE`].
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Option<String>, (Instant, Policies)>>);

/// How long policies are taken to be unchanged within one command.
const PATIENCE: Duration = Duration::from_secs(300);

impl Cache {
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}

impl ActiveDirectory {
    /// The policy of this name.
    pub(super) fn policy_named(&self, name: &str, route: Route<'_>) -> Result<Option<PolicyObject>> {
        let policies = self.known_policies(route)?;
        let name = fold(name);
        self.usable(policies.iter().find(|known| fold(&known.policy.settings.name) == name))
    }

    /// The policy that the mailbox's link names. Its name would not do: two containers may have policies of the same name.
    pub(super) fn policy_linked(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<Option<PolicyObject>> {
        let Some(link) = &mailbox.um_mailbox_policy_link else {
            return match &mailbox.um_mailbox_policy {
                Some(name) => self.policy_named(name, route),
                None => Ok(None),
            };
        };
        let policies = self.known_policies(route)?;
        let link = link.comparable();
        self.usable(policies.iter().find(|known| known.dn.as_ref() == Some(&link)))
    }

    fn usable(&self, known: Option<&Known>) -> Result<Option<PolicyObject>> {
        match known {
            None => Ok(None),
            Some(Known {
                policy, faults: None, ..
            }) => Ok(Some(policy.clone())),
            Some(Known {
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

    /// Every policy, those with faults included: whoever wants to correct one must be able to see it.
    pub(super) fn all_policies(&self, route: Route<'_>) -> Result<Vec<PolicyObject>> {
        let policies = self.known_policies(route)?;
        Ok(policies.iter().map(|known| known.policy.clone()).collect())
    }

    fn known_policies(&self, route: Route<'_>) -> Result<Policies> {
        let controller = match route {
            Route::Controller(name) => Some(name.to_ascii_lowercase()),
            Route::Preferred | Route::Forest => None,
        };
        if let Some((since, policies)) = lock(&self.policies.0).get(&controller)
            && since.elapsed() < PATIENCE
        {
            return Ok(Arc::clone(policies));
        }
        let since = Instant::now();
        let forest = self.forest()?;
        let whom = match &controller {
            Some(name) => Whom::Server(name),
            None => Whom::DomainController(&self.servers.settings().domain),
        };
        let entries = self.servers.ask(whom, |connection| {
            let search = Search {
                base: &forest.configuration,
                depth: Depth::Subtree,
                filter: &format!("(objectClass={CLASS})"),
                attributes: ATTRIBUTES,
                size_limit: 0,
            };
            all(connection, &search)
        })?;
        let mut policies: Vec<Known> = entries
            .iter()
            .filter_map(|entry| {
                let mut faults = ValueErrors::default();
                // What the schema would not allow is not there.
                let policy = read(entry, &mut faults).ok()?;
                Some(Known {
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
        policies.sort_by_cached_key(|known| fold(&known.policy.settings.name));
        let policies = Arc::new(policies);
        lock(&self.policies.0).insert(controller, (since, Arc::clone(&policies)));
        Ok(policies)
    }
}
