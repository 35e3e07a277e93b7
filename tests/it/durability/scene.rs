//! Sessions on a directory that a test can hold up, and what it holds it up with.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use umpin::clock::SystemClock;
use umpin::directory::Directory;
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::mailbox::ObjectId;
use umpin::session::Session;

use super::double::Double;
use super::fixture::{self, CHEAP};
use crate::support;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A store, its directory, and sessions on it.
pub struct Scene {
    home: TempDir,
    pub real: Arc<EmbeddedDirectory>,
}

impl Scene {
    pub fn new(mailboxes: usize) -> Self {
        let home = fixture::store(mailboxes);
        let real = Arc::new(support::embedded(home.path()));
        Self { home, real }
    }

    pub fn data(&self) -> &Path {
        self.home.path()
    }

    pub fn id(&self, number: usize) -> ObjectId {
        fixture::mailbox(&self.real, &fixture::address(number)).object_id
    }

    pub fn session(&self, double: &Arc<Double>) -> Session {
        let seen = Arc::clone(double) as Arc<dyn Directory>;
        Session::with_service(fixture::service(
            self.data(),
            Arc::clone(&self.real),
            seen,
            Arc::new(SystemClock),
            CHEAP,
        ))
    }
}

/// Something that threads wait for; never for ever, lest a failing test hang.
#[derive(Default)]
pub struct Gate {
    passed: Mutex<HashSet<&'static str>>,
    changed: Condvar,
}

impl Gate {
    pub fn open(&self, name: &'static str) {
        self.passed.lock().expect("no panic inside").insert(name);
        self.changed.notify_all();
    }

    pub fn wait(&self, name: &'static str) {
        let passed = self.passed.lock().expect("no panic inside");
        let (_passed, waited) = self
            .changed
            .wait_timeout_while(passed, PATIENCE, |passed| !passed.contains(name))
            .expect("no panic inside");
        assert!(!waited.timed_out(), "\"{name}\" never happened");
    }
}
