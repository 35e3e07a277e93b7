//! The directory as a host sees it: through a network that loses and delays.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use umpin::audit::AuditBatch;
use umpin::directory::{
    Applied, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page, PolicyObject, Route,
    StoredCredential,
};
use umpin::identity::Identity;
use umpin::import::ImportPlan;
use umpin::mailbox::ObjectId;
use umpin::{Error, ErrorCode, Result};

use super::simulation::{CrashPoint, Moment, NetworkFault, Simulation};

pub struct Remote {
    pub simulation: Arc<Simulation>,
    pub preferred: &'static str,
    pub crash_point: Arc<CrashPoint>,
}

impl Remote {
    fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        self.crash_point.around(|| {
            if self.simulation.landing.load(Ordering::Relaxed) > 0
                && self.simulation.landing.fetch_sub(1, Ordering::Relaxed) == 1
            {
                self.simulation.land();
            }
            call()
        })
    }
}

impl Remote {
    fn tell_where(&self, found: &mut [Found], route: Route<'_>) {
        let controller = match route {
            Route::Controller(name) => name,
            Route::Preferred | Route::Forest => self.preferred,
        };
        for found in found {
            found.controller = Some(controller.to_owned());
        }
    }

    fn read(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        let state = self.simulation.state();
        let is_up = |name: &str| !state.controllers[name].down;
        let preferred = || {
            let any = state.controllers.keys().find(|name| is_up(name));
            any.filter(|_| !is_up(self.preferred))
                .map_or(self.preferred, String::as_str)
        };
        let controller = controller.unwrap_or_else(preferred);
        if !is_up(controller) {
            let message = format!("{controller} cannot be reached.");
            return Err(Error::new(ErrorCode::DirectoryUnavailable, message));
        }
        Ok(state.stored(id, controller))
    }

    fn arrive(&self, controller: &str, change: CredentialChange) -> Result<Applied> {
        change.cancellation.enter_commit()?;
        let state = &mut *self.simulation.state();
        if state.controllers[controller].down {
            return Err(Error::new(ErrorCode::DirectoryUnavailable, "It cannot be reached."));
        }
        let unknown = || Err(Error::new(ErrorCode::OutcomeUnknown, "The answer was lost."));
        match state.ways.pop_front().unwrap_or(NetworkFault::Prompt) {
            NetworkFault::Prompt => Ok(self.simulation.swap(state, controller, &change)),
            NetworkFault::RequestLost => unknown(),
            NetworkFault::AnswerLost => {
                self.simulation.swap(state, controller, &change);
                unknown()
            }
            NetworkFault::Late => {
                state.in_flight.push((controller.to_owned(), change));
                unknown()
            }
        }
    }
}

impl Directory for Remote {
    fn kind(&self) -> &'static str {
        "remote"
    }

    fn location(&self) -> String {
        "contoso.com".to_owned()
    }

    fn store_id(&self) -> Result<[u8; 16]> {
        self.simulation.people.store_id()
    }

    fn find(&self, identity: &Identity, route: Route<'_>) -> Result<Matches> {
        let mut matches = self.simulation.people.find(identity, route)?;
        self.tell_where(&mut matches.found, route);
        Ok(matches)
    }

    fn find_by_extension(&self, number: &str, dial_plan: Option<&str>, route: Route<'_>) -> Result<Matches> {
        let mut matches = self.simulation.people.find_by_extension(number, dial_plan, route)?;
        self.tell_where(&mut matches.found, route);
        Ok(matches)
    }

    fn find_by_object_id(&self, id: ObjectId, route: Route<'_>) -> Result<Option<Found>> {
        let mut found = self.call(|| self.simulation.people.find_by_object_id(id, route))?;
        self.tell_where(found.as_mut_slice(), route);
        Ok(found)
    }

    fn mailboxes(
        &self,
        filter: MailboxFilter,
        route: Route<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Found>> {
        let mut page = self.simulation.people.mailboxes(filter, route, after, limit)?;
        self.tell_where(&mut page.items, route);
        Ok(page)
    }

    fn policy(&self, name: &str, route: Route<'_>) -> Result<Option<PolicyObject>> {
        self.simulation.people.policy(name, route)
    }

    fn policies(&self, route: Route<'_>) -> Result<Vec<PolicyObject>> {
        self.simulation.people.policies(route)
    }

    fn holds_sealed_data(&self) -> Result<bool> {
        Ok(true)
    }

    fn some_records(&self, _: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        Ok(Vec::new())
    }

    fn credential(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        self.call(|| {
            let read = self.read(id, controller);
            self.simulation.let_happen(Moment::AfterReading);
            read
        })
    }

    fn apply(&self, change: CredentialChange) -> Result<Applied> {
        let controller = change.controller.clone().expect("a controller");
        assert!(change.message.is_none(), "a directory elsewhere cannot record messages");
        self.call(|| {
            self.simulation.let_happen(Moment::BeforeChange);
            let answer = self.arrive(&controller, change);
            self.simulation.let_happen(Moment::AfterChange);
            answer
        })
    }

    fn import(&self, _: &ImportPlan, _: Option<&AuditBatch>, _: bool) -> Result<ImportCounts> {
        panic!("nobody imports into a directory elsewhere")
    }
}
