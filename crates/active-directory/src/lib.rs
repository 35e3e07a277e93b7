//! The directory in Active Directory, over LDAP: mailboxes and policies as Exchange left them there, the sealed record and the
//! counter of failed sign-ins in attributes of the user.
//!
//! Which server is asked: `servers.rs`. What is asked: `filter.rs`. What an answer means: `reading.rs`. What a change is:
//! `credential.rs`.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

mod absence;
mod admission;
mod connection;
mod credential;
mod examination;
mod failure;
mod filter;
mod forest;
mod listing;
mod lookup;
mod policies;
mod reading;
mod rights;
mod schema;
mod sealed_otherwise;
mod server;
mod servers;
mod settings;

/// A server that answers as told, for the tests of the connections.
#[cfg(test)]
mod scripted;
/// A forest on such servers.
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
use umpin_core::credential::keyring::KeyId;
use umpin_core::directory::{
    Applied, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page, PolicyObject, Route,
    SealedOtherwise, StoredCredential,
};
use umpin_core::identity::Identity;
use umpin_core::import::ImportPlan;
use umpin_core::mailbox::{Mailbox, ObjectId};
use umpin_core::{Error, ErrorCode, Result};

/// A directory in Active Directory. Message and audit of a change are kept elsewhere: nothing but record and counter is written.
pub struct ActiveDirectory {
    servers: Servers,
    forest: Mutex<Option<Arc<Forest>>>,
    policies: policies::Cache,
    listings: listing::Listings,
    sealed_otherwise: sealed_otherwise::Lists,
}

impl fmt::Debug for ActiveDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveDirectory")
            .field("settings", self.servers.settings())
            .finish_non_exhaustive()
    }
}

impl ActiveDirectory {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            servers: Servers::new(settings),
            forest: Mutex::default(),
            policies: policies::Cache::default(),
            listings: listing::Listings::default(),
            sealed_otherwise: sealed_otherwise::Lists::default(),
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
        self.matching(identity, route)
    }

    fn find_by_extension(&self, number: &str, dial_plan: Option<&str>, route: Route<'_>) -> Result<Matches> {
        self.with_extension(number, dial_plan, route)
    }

    fn find_by_object_id(&self, id: ObjectId, route: Route<'_>) -> Result<Option<Found>> {
        self.with_object_id(id, route)
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
        self.servers.refresh();
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

    /// Always: a directory that several hosts share never gets a key that only one of them has.
    fn holds_sealed_data(&self) -> Result<bool> {
        Ok(true)
    }

    fn some_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        self.records(limit)
    }

    fn credential(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        self.stored(id, controller)
    }

    fn credentials(&self, ids: &[ObjectId], controller: Option<&str>) -> Result<Vec<Result<StoredCredential>>> {
        self.all_stored(ids, controller)
    }

    fn elsewhere(&self, id: ObjectId, controller: Option<&str>) -> Result<Vec<StoredCredential>> {
        let others = controller.and_then(|controller| self.servers.others(controller).ok());
        let mut all = Vec::new();
        for other in others.unwrap_or_default() {
            match self.stored(id, Some(&other)) {
                Ok(stored) => all.push(stored),
                // It can be asked, and does not tell.
                Err(error) if error.code() == ErrorCode::AccessDenied => return Err(error),
                Err(_) => {}
            }
        }
        Ok(all)
    }

    fn sealed_otherwise(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        self.page_sealed_otherwise(key, after, limit)
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
