//! A directory that stands before the real one: it notes what is asked of it, and lets a test act between question and answer.

use std::sync::{Arc, Mutex, PoisonError};

use umpin::Result;
use umpin::audit::AuditBatch;
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::directory::{
    Applied, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page, PolicyObject, Route,
    StoredCredential,
};
use umpin::identity::Identity;
use umpin::import::ImportPlan;
use umpin::mailbox::ObjectId;

/// What was asked, in the order of the questions; a change counts when it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Find,
    FindById(ObjectId),
    Applied(ObjectId),
    DummyWrite,
}

type Apply = dyn Fn(&EmbeddedDirectory, CredentialChange) -> Result<Applied> + Send + Sync;
type Find = dyn Fn(&EmbeddedDirectory, &Identity) -> Result<Matches> + Send + Sync;
type Import = dyn Fn(&EmbeddedDirectory, &ImportPlan, Option<&AuditBatch>, bool) -> Result<ImportCounts> + Send + Sync;
type Dummy = dyn Fn(&EmbeddedDirectory) -> Result<()> + Send + Sync;
type ById = dyn Fn(&EmbeddedDirectory, ObjectId) -> Result<Option<Found>> + Send + Sync;

pub struct Double {
    real: Arc<EmbeddedDirectory>,
    asked: Mutex<Vec<Asked>>,
    apply: Box<Apply>,
    find: Box<Find>,
    by_id: Box<ById>,
    import: Box<Import>,
    dummy: Box<Dummy>,
}

impl Double {
    /// Answers as the real one.
    pub fn new(real: &Arc<EmbeddedDirectory>) -> Self {
        Self {
            real: Arc::clone(real),
            asked: Mutex::default(),
            apply: Box::new(|real, change| real.apply(change)),
            find: Box::new(|real, identity| real.find(identity, Route::Preferred)),
            by_id: Box::new(|real, id| real.find_by_object_id(id, Route::Preferred)),
            import: Box::new(|real, plan, audit, dry_run| real.import(plan, audit, dry_run)),
            dummy: Box::new(|real| real.dummy_write(Route::Preferred)),
        }
    }

    pub fn on_apply(
        mut self,
        apply: impl Fn(&EmbeddedDirectory, CredentialChange) -> Result<Applied> + Send + Sync + 'static,
    ) -> Self {
        self.apply = Box::new(apply);
        self
    }

    pub fn on_find(
        mut self,
        find: impl Fn(&EmbeddedDirectory, &Identity) -> Result<Matches> + Send + Sync + 'static,
    ) -> Self {
        self.find = Box::new(find);
        self
    }

    pub fn on_find_by_id(
        mut self,
        by_id: impl Fn(&EmbeddedDirectory, ObjectId) -> Result<Option<Found>> + Send + Sync + 'static,
    ) -> Self {
        self.by_id = Box::new(by_id);
        self
    }

    pub fn on_import(
        mut self,
        import: impl Fn(&EmbeddedDirectory, &ImportPlan, Option<&AuditBatch>, bool) -> Result<ImportCounts>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.import = Box::new(import);
        self
    }

    pub fn on_dummy_write(mut self, dummy: impl Fn(&EmbeddedDirectory) -> Result<()> + Send + Sync + 'static) -> Self {
        self.dummy = Box::new(dummy);
        self
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, asked: Asked) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    }
}

impl Directory for Double {
    fn kind(&self) -> &'static str {
        self.real.kind()
    }

    fn location(&self) -> String {
        self.real.location()
    }

    fn store_id(&self) -> Result<[u8; 16]> {
        self.real.store_id()
    }

    fn find(&self, identity: &Identity, _: Route<'_>) -> Result<Matches> {
        self.note(Asked::Find);
        (self.find)(&self.real, identity)
    }

    fn find_by_extension(&self, number: &str, dial_plan: Option<&str>, route: Route<'_>) -> Result<Matches> {
        self.real.find_by_extension(number, dial_plan, route)
    }

    fn find_by_object_id(&self, id: ObjectId, _: Route<'_>) -> Result<Option<Found>> {
        self.note(Asked::FindById(id));
        (self.by_id)(&self.real, id)
    }

    fn mailboxes(
        &self,
        filter: MailboxFilter,
        route: Route<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>> {
        self.real.mailboxes(filter, route, after, limit)
    }

    fn policy(&self, name: &str, route: Route<'_>) -> Result<Option<PolicyObject>> {
        self.real.policy(name, route)
    }

    fn policies(&self, route: Route<'_>) -> Result<Vec<PolicyObject>> {
        self.real.policies(route)
    }

    fn holds_sealed_data(&self) -> Result<bool> {
        self.real.holds_sealed_data()
    }

    fn some_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        self.real.some_records(limit)
    }

    fn credential(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        self.real.credential(id, controller)
    }

    fn apply(&self, change: CredentialChange) -> Result<Applied> {
        let mailbox = change.mailbox;
        let answer = (self.apply)(&self.real, change);
        self.note(Asked::Applied(mailbox));
        answer
    }

    fn dummy_write(&self, _: Route<'_>) -> Result<()> {
        let answer = (self.dummy)(&self.real);
        self.note(Asked::DummyWrite);
        answer
    }

    fn import(&self, plan: &ImportPlan, audit: Option<&AuditBatch>, dry_run: bool) -> Result<ImportCounts> {
        (self.import)(&self.real, plan, audit, dry_run)
    }
}
