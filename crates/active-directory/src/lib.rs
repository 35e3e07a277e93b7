//! The `Directory` port on Active Directory, over LDAP: mailboxes and policies with Exchange's attributes, the sealed record and the counter
//! of failed sign-ins in attributes of the user.
//!
//! `servers.rs` selects servers, `filter.rs` builds filters, `mailbox_entry.rs` maps entries, `credential.rs` changes record and counter.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

mod admission;
mod configuration_check;
mod connection;
mod credential;
mod filter;
mod forest;
mod key_rotation;
mod listing;
mod lookup;
mod mailbox_entry;
mod policies;
mod read_access;
mod rights;
mod schema;
mod server;
mod server_error;
mod servers;
mod settings;

/// A scripted LDAP server for unit tests.
#[cfg(test)]
mod scripted;
/// A forest of scripted servers.
#[cfg(test)]
mod scripted_forest;

pub use server::{Role, Server, Tls};
#[cfg(not(feature = "gssapi"))]
pub use settings::NO_KERBEROS;
pub use settings::{ActiveDirectorySettings, Bind, DEFAULT_COUNTER_ATTRIBUTE};

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::forest::Forest;
use self::servers::Servers;
use umpin_core::audit::AuditBatch;
use umpin_core::cancellation::Cancellation;
use umpin_core::check::Check;
use umpin_core::credential::master_key::KeyId;
use umpin_core::directory::{
    Applied, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page, PolicyObject, Route,
    SealedOtherwise, StoredCredential,
};
use umpin_core::identity::Identity;
use umpin_core::import::ImportPlan;
use umpin_core::mailbox::{Mailbox, ObjectId};
use umpin_core::{Error, ErrorCode, Result};

/// A directory in Active Directory. Only record and counter are written; message and audit entries of a change are stored elsewhere.
pub struct ActiveDirectory {
    servers: Servers,
    forest: Mutex<Option<Arc<Forest>>>,
    policies: policies::Cache,
    listings: listing::Listings,
    key_rotation: key_rotation::Lists,
}

impl fmt::Debug for ActiveDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveDirectory")
            .field("settings", self.servers.settings())
            .finish_non_exhaustive()
    }
}

impl ActiveDirectory {
    /// Opens no connection yet.
    #[must_use]
    pub fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            servers: Servers::new(settings),
            forest: Mutex::default(),
            policies: policies::Cache::default(),
            listings: listing::Listings::default(),
            key_rotation: key_rotation::Lists::default(),
        }
    }
}

impl Directory for ActiveDirectory {
    fn kind(&self) -> &'static str {
        "activeDirectory"
    }

    fn location(&self) -> String {
        self.servers.settings().domain.clone()
    }

    fn store_id(&self) -> Result<[u8; 16]> {
        Ok(self.forest()?.id.into_bytes())
    }

    fn find(&self, identity: &Identity, route: Route<'_>) -> Result<Matches> {
        self.find_by_identity(identity, route)
    }

    fn find_by_extension(&self, number: &str, dial_plan: Option<&str>, route: Route<'_>) -> Result<Matches> {
        self.search_by_extension(number, dial_plan, route)
    }

    fn find_by_object_id(&self, id: ObjectId, route: Route<'_>) -> Result<Option<Found>> {
        self.search_by_object_id(id, route)
    }

    fn mailboxes(
        &self,
        filter: MailboxFilter,
        route: Route<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>> {
        self.page(filter, route, after, limit)
    }

    fn policy(&self, name: &str, route: Route<'_>) -> Result<Option<PolicyObject>> {
        self.policy_named(name, route)
    }

    fn policy_of(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<Option<PolicyObject>> {
        self.policy_linked(mailbox, route)
    }

    fn policies(&self, route: Route<'_>) -> Result<Vec<PolicyObject>> {
        self.all_policies(route)
    }

    fn start_threads(&self) -> Result<()> {
        self.servers.pool().start_threads()
    }

    fn refresh(&self) {
        self.policies.clear();
        self.servers.reset_health();
    }

    fn forget_policies(&self) {
        self.policies.clear();
    }

    fn examine(&self, cancellation: &Cancellation) -> Result<Vec<Check>> {
        self.checks(cancellation)
    }

    fn examine_mailbox(&self, found: &Found) -> Vec<Check> {
        self.mailbox_checks(found)
    }

    fn take_diagnostics(&self) -> Vec<String> {
        self.servers.take_diagnostics()
    }

    /// Always true: for a directory that several hosts share a key is never created.
    fn holds_sealed_data(&self) -> Result<bool> {
        Ok(true)
    }

    fn some_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        self.sample_records(limit)
    }

    fn credential(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        self.read_credential(id, controller)
    }

    fn credentials(&self, ids: &[ObjectId], controller: Option<&str>) -> Result<Vec<Result<StoredCredential>>> {
        self.read_credentials(ids, controller)
    }

    fn elsewhere(&self, id: ObjectId, controller: Option<&str>) -> Result<Vec<StoredCredential>> {
        let replicas = controller.and_then(|controller| self.servers.replicas(controller).ok());
        let mut credentials = Vec::new();
        for replica in replicas.unwrap_or_default() {
            match self.read_credential(id, Some(&replica)) {
                Ok(read_credential) => credentials.push(read_credential),
                // The controller can be reached, and the account may not read the value there.
                Err(error) if error.code() == ErrorCode::AccessDenied => return Err(error),
                Err(_) => {}
            }
        }
        Ok(credentials)
    }

    fn sealed_otherwise(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        self.page_of_stale_credentials(key, after, limit)
    }

    fn apply(&self, change: CredentialChange) -> Result<Applied> {
        self.change(&change)
    }

    fn check_policies_changeable(&self) -> Result<()> {
        Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            "UM mailbox policies in Active Directory are not changed by umpin: they belong to its configuration partition.",
        )
        .action("Change the policy with the tools of the directory, for example the Exchange Management Shell or ADSI Edit."))
    }

    fn import(&self, _: &ImportPlan, _: Option<&AuditBatch>, _: bool) -> Result<ImportCounts> {
        Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            "Active Directory is not filled by import: mailboxes and policies are managed there.",
        )
        .action("Manage mailboxes and policies in Active Directory, or set 'directory.type' to 'embedded'."))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
