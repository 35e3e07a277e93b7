//! The connections: opened when needed, kept for the next question.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use super::dial::{Credentials, Dial};
use super::request::Trouble;
use super::sign_in::SignIn;
use super::threads::{Threads, Unfinished};
use super::{Connection, Line};
use crate::admission::Admission;
use crate::failure::{Failure, FailureKind, Step};
use crate::server::Endpoint;
use crate::settings::{ActiveDirectorySettings, Bind};
use umpin_core::threads::no_thread;
use umpin_platform::tls::Trust;
use umpin_platform::{password, tls};

/// More are not kept for one server: as many as a session asks with at once.
const KEPT: usize = 16;
/// Servers and firewalls drop what is idle for long, and not all of them say so (Active Directory: `MaxConnIdleTime`, 900 s).
const KEPT_FOR: Duration = Duration::from_secs(240);

/// The connections to all servers.
pub(crate) struct Pool {
    pub settings: ActiveDirectorySettings,
    threads: Threads,
    trust: OnceCell<Trust>,
    sign_in: SignIn,
    /// Those that nobody uses now.
    idle: Mutex<HashMap<Endpoint, Vec<Line>>>,
}

impl Pool {
    /// Connects to nothing yet.
    pub(crate) fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            settings,
            threads: Threads::default(),
            trust: OnceCell::new(),
            sign_in: SignIn::default(),
            idle: Mutex::default(),
        }
    }

    /// Starts the threads that speak to the servers.
    pub(crate) fn start_threads(&self) -> umpin_core::Result<()> {
        self.threads.start().map_err(|e| no_thread(&e))
    }

    /// A kept connection that is still open as far as this computer knows.
    pub(crate) fn kept(self: &Arc<Self>, endpoint: &Endpoint) -> Option<Connection> {
        let mut all = self.idle();
        let idle = all.get_mut(endpoint)?;
        while let Some(mut line) = idle.pop() {
            if line.used.elapsed() < KEPT_FOR && !line.ldap.is_closed() {
                return Some(Connection::new(Arc::clone(self), endpoint.clone(), line));
            }
        }
        None
    }

    /// A new connection, within this time. While the credentials are untried there is a queue; `meanwhile` says whether waiting in it
    /// was in vain, which those who wait learn by `failed`.
    pub(crate) fn open(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        admission: Admission,
        limit: Duration,
        meanwhile: impl FnOnce() -> Option<Failure>,
        failed: impl FnOnce(&Failure),
    ) -> Result<Connection, Failure> {
        let credentials = self.credentials()?;
        let secret = credentials.secret();
        let alone = self.sign_in.alone(&secret);
        if let Some(failure) = self.sign_in.refused(&secret) {
            return Err(failure);
        }
        if let Some(failure) = alone.as_ref().and_then(|_| meanwhile()) {
            return Err(failure);
        }
        let dial = self.dial(endpoint, admission, credentials, limit)?;
        // It watches its own time, and knows at which step it was over.
        let opened = match self.threads.run(limit * 2, dial.open()) {
            Ok(opened) => opened,
            Err(unfinished) => Err(self.unfinished(endpoint, Step::Bind, unfinished)),
        };
        self.sign_in.note(secret, opened.as_ref().err());
        if let Err(failure) = &opened {
            failed(failure);
        }
        drop(alone);
        Ok(Connection::new(Arc::clone(self), endpoint.clone(), opened?))
    }

    /// Opens a connection while nobody waits for it, and keeps it. `tell` learns whether it could be opened.
    pub(crate) fn try_aside(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        admission: Admission,
        tell: impl FnOnce(Result<(), Failure>) + Send + 'static,
    ) {
        let dial = self.credentials().and_then(|credentials| {
            if self.sign_in.is_good(&credentials.secret()) {
                self.dial(endpoint, admission, credentials, self.settings.timeout)
            } else {
                // They are tried where somebody learns of it.
                Err(Failure::local("The credentials are untried"))
            }
        });
        let dial = match dial {
            Ok(dial) => dial,
            Err(failure) => return tell(Err(failure)),
        };
        let (pool, endpoint) = (Arc::clone(self), endpoint.clone());
        self.threads.spawn(async move {
            tell(dial.open().await.map(|line| pool.keep(&endpoint, line)));
        });
    }

    /// Takes a connection back.
    pub(crate) fn keep(&self, endpoint: &Endpoint, mut line: Line) {
        let mut all = self.idle();
        let idle = all.entry(endpoint.clone()).or_default();
        if idle.len() < KEPT && !line.ldap.is_closed() {
            idle.push(line);
        }
    }

    /// The connections to this server that nobody has used since then are of no use.
    pub(crate) fn forget(&self, endpoint: &Endpoint, since: Instant) {
        if let Some(idle) = self.idle().get_mut(endpoint) {
            idle.retain(|line| line.used > since);
        }
    }

    /// One operation, within its time.
    pub(crate) fn operate<T: Send + 'static>(
        &self,
        endpoint: &Endpoint,
        step: Step,
        limit: Duration,
        operation: impl Future<Output = Result<T, Trouble>> + Send + 'static,
    ) -> Result<T, Failure> {
        match self.threads.run(limit, operation) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(trouble)) => Err(Failure::in_operation(endpoint, step, trouble)),
            Err(Unfinished::TimedOut) => Err(Failure::silent(endpoint, step, limit)),
            Err(unfinished) => Err(self.unfinished(endpoint, step, unfinished)),
        }
    }

    /// Anything else that takes no caller's thread.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unfinished> {
        self.threads.run(limit, future)
    }

    fn unfinished(&self, endpoint: &Endpoint, step: Step, unfinished: Unfinished) -> Failure {
        match unfinished {
            Unfinished::TimedOut => Failure::silent(endpoint, step, self.settings.timeout),
            Unfinished::Broken(why) => {
                let kind = if step == Step::Bind {
                    FailureKind::Unreached
                } else {
                    FailureKind::Lost
                };
                Failure::unavailable(kind, endpoint, &format!("cannot be spoken to: {why}"))
            }
        }
    }

    fn dial(
        &self,
        endpoint: &Endpoint,
        admission: Admission,
        credentials: Credentials,
        timeout: Duration,
    ) -> Result<Dial, Failure> {
        // Read once; a fault is not remembered, so that it can be mended meanwhile.
        let trust = self
            .trust
            .get_or_try_init(|| tls::client(self.settings.ca_file.as_deref()))
            .map_err(|why| Failure::local(&why))?;
        Ok(Dial {
            endpoint: endpoint.clone(),
            tls: self.settings.tls,
            trust: trust.clone(),
            admission,
            credentials,
            timeout,
        })
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        match &self.settings.bind {
            Bind::Simple { user, password } => Ok(Credentials::Simple {
                user: user.clone(),
                password: password::load(password, self.settings.group.as_deref())
                    .map_err(|why| Failure::local(&why))?,
            }),
            Bind::Kerberos => Ok(Credentials::Kerberos),
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Endpoint, Vec<Line>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
