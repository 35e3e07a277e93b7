//! The connection pool: connections are opened on demand and kept for later requests.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;

use super::bind_guard::BindGuard;
use super::connector::{Connector, Credentials};
use super::request::OpError;
use super::threads::{RunError, Threads};
use super::{Connection, RawConnection};
use crate::admission::Admission;
use crate::server::Endpoint;
use crate::server_error::{ServerError, ServerErrorKind, Step};
use crate::settings::{ActiveDirectorySettings, Bind};
use umpin_core::threads::no_thread;
use umpin_platform::tls::Trust;
use umpin_platform::{password, tls};

/// Idle connections per server: as many as a session uses at once.
const MAX_IDLE: usize = 16;
/// Servers and firewalls drop idle connections, some of them silently (Active Directory: `MaxConnIdleTime`, 900 s).
const IDLE_TIMEOUT: Duration = Duration::from_secs(240);

/// Connections to all servers.
pub(crate) struct Pool {
    pub settings: ActiveDirectorySettings,
    threads: Threads,
    trust: OnceCell<Trust>,
    bind_guard: BindGuard,
    idle: Mutex<HashMap<Endpoint, Vec<RawConnection>>>,
}

impl Pool {
    /// Opens no connection yet.
    pub(crate) fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            settings,
            threads: Threads::default(),
            trust: OnceCell::new(),
            bind_guard: BindGuard::default(),
            idle: Mutex::default(),
        }
    }

    /// Starts the I/O threads.
    pub(crate) fn start_threads(&self) -> umpin_core::Result<()> {
        self.threads.start().map_err(|e| no_thread(&e))
    }

    /// An idle connection that is open as far as this computer knows.
    pub(crate) fn take_idle(self: &Arc<Self>, endpoint: &Endpoint) -> Option<Connection> {
        let mut all = self.idle();
        let idle = all.get_mut(endpoint)?;
        while let Some(mut raw) = idle.pop() {
            if raw.last_used_at.elapsed() < IDLE_TIMEOUT && !raw.ldap.is_closed() {
                return Some(Connection::new(Arc::clone(self), endpoint.clone(), raw));
            }
        }
        None
    }

    /// Opens a new connection within the limit. Binds are serialised until the credentials are verified: `failed_meanwhile` returns the
    /// error of an attempt that failed while this one waited, and `on_failure` reports the error of this one to those that wait.
    pub(crate) fn open(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        admission: Admission,
        limit: Duration,
        failed_meanwhile: impl FnOnce() -> Option<ServerError>,
        on_failure: impl FnOnce(&ServerError),
    ) -> Result<Connection, ServerError> {
        let credentials = self.credentials()?;
        let secret = credentials.secret();
        let guard = self.bind_guard.lock_unverified(&secret);
        if let Some(failure) = self.bind_guard.recent_rejection(&secret) {
            return Err(failure);
        }
        if let Some(failure) = guard.as_ref().and_then(|_| failed_meanwhile()) {
            return Err(failure);
        }
        let connector = self.connector(endpoint, admission, credentials, limit)?;
        // The connector has its own timeout and reports the step; this limit is a safety net.
        let opened = match self.threads.run(limit * 2, connector.open()) {
            Ok(opened) => opened,
            Err(run_error) => Err(self.run_error(endpoint, Step::Bind, run_error)),
        };
        self.bind_guard.record_result(secret, opened.as_ref().err());
        if let Err(failure) = &opened {
            on_failure(failure);
        }
        drop(guard);
        Ok(Connection::new(Arc::clone(self), endpoint.clone(), opened?))
    }

    /// Opens a connection in the background and keeps it. `on_result` receives the outcome.
    pub(crate) fn probe_in_background(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        admission: Admission,
        on_result: impl FnOnce(Result<(), ServerError>) + Send + 'static,
    ) {
        let connector = self.credentials().and_then(|credentials| {
            if self.bind_guard.is_verified(&credentials.secret()) {
                self.connector(endpoint, admission, credentials, self.settings.timeout)
            } else {
                // Unverified credentials are only used in the foreground, where the error is reported.
                Err(ServerError::configuration("The credentials are not verified yet"))
            }
        });
        let connector = match connector {
            Ok(connector) => connector,
            Err(failure) => return on_result(Err(failure)),
        };
        let (pool, endpoint) = (Arc::clone(self), endpoint.clone());
        self.threads.spawn(async move {
            on_result(connector.open().await.map(|raw| pool.put_back(&endpoint, raw)));
        });
    }

    /// Returns a connection to the pool.
    pub(crate) fn put_back(&self, endpoint: &Endpoint, mut raw: RawConnection) {
        let mut all = self.idle();
        let idle = all.entry(endpoint.clone()).or_default();
        if idle.len() < MAX_IDLE && !raw.ldap.is_closed() {
            idle.push(raw);
        }
    }

    /// Discards the connections to this server that were last used before `since`.
    pub(crate) fn discard_idle(&self, endpoint: &Endpoint, since: Instant) {
        if let Some(idle) = self.idle().get_mut(endpoint) {
            idle.retain(|raw| raw.last_used_at > since);
        }
    }

    /// Runs one operation within the limit.
    pub(crate) fn execute<T: Send + 'static>(
        &self,
        endpoint: &Endpoint,
        step: Step,
        limit: Duration,
        operation: impl Future<Output = Result<T, OpError>> + Send + 'static,
    ) -> Result<T, ServerError> {
        match self.threads.run(limit, operation) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(ServerError::from_operation(endpoint, step, error)),
            Err(RunError::TimedOut) => Err(ServerError::timed_out(endpoint, step, limit)),
            Err(run_error) => Err(self.run_error(endpoint, step, run_error)),
        }
    }

    /// Runs a future on the I/O threads within the limit.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RunError> {
        self.threads.run(limit, future)
    }

    fn run_error(&self, endpoint: &Endpoint, step: Step, run_error: RunError) -> ServerError {
        match run_error {
            RunError::TimedOut => ServerError::timed_out(endpoint, step, self.settings.timeout),
            RunError::Failed(why) => {
                let kind = if step == Step::Bind {
                    ServerErrorKind::NotSent
                } else {
                    ServerErrorKind::NoResponse
                };
                ServerError::unavailable(kind, endpoint, &format!("cannot be used: {why}"))
            }
        }
    }

    fn connector(
        &self,
        endpoint: &Endpoint,
        admission: Admission,
        credentials: Credentials,
        timeout: Duration,
    ) -> Result<Connector, ServerError> {
        // Loaded once. An error is not cached, so that a corrected file is read.
        let trust = self
            .trust
            .get_or_try_init(|| tls::client(self.settings.ca_file.as_deref()))
            .map_err(|why| ServerError::configuration(&why))?;
        Ok(Connector {
            endpoint: endpoint.clone(),
            tls: self.settings.tls,
            trust: trust.clone(),
            admission,
            credentials,
            timeout,
        })
    }

    fn credentials(&self) -> Result<Credentials, ServerError> {
        match &self.settings.bind {
            Bind::Simple { user, password } => Ok(Credentials::Simple {
                user: user.clone(),
                password: password::load(password, self.settings.group.as_deref())
                    .map_err(|why| ServerError::configuration(&why))?,
            }),
            Bind::Kerberos => Ok(Credentials::Kerberos),
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Endpoint, Vec<RawConnection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
