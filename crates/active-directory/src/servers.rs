//! Server selection and fail-over: the preferred controller, the next one if it fails, a named one, or a global catalog.

mod dc_locator;
mod health;
mod pdc_emulator;
pub(super) mod probe;
mod replicas;
mod srv;
mod ttl_cache;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use self::dc_locator::DcLocator;
use self::health::Health;
use self::pdc_emulator::PdcEmulator;
use self::ttl_cache::{LookupResult, TtlCache};
use super::admission::{Admission, DomainRequirement, Source};
use super::connection::Connection;
use super::connection::pool::Pool;
use super::connection::root_dse::{comparable, dns_name};
use super::server::{Endpoint, Role, Server};
use super::server_error::{ServerError, ServerErrorKind};
use super::settings::ActiveDirectorySettings;
use umpin_core::{Error, ErrorCode, Result};
use umpin_platform::tcp;

/// Minimum time for a new connection that replaces a failed one, however long that one took to fail.
const MIN_CONNECT_TIME: Duration = Duration::from_secs(5);

/// Which servers may serve a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum ServerSelector<'a> {
    /// Any writable controller of the domain with this DNS name, the PDC emulator first.
    DomainController(&'a str),
    /// This controller of the configured domain only.
    Server(&'a str),
    /// Only this controller, on which a mailbox was read or changed: of any domain of the forest, unless it is a configured one.
    Recorded(&'a str),
    /// Any global catalog of the forest.
    GlobalCatalog,
}

/// The forest, as a controller of the configured domain names it.
struct ForestName {
    root_domain: String,
    configuration: String,
}

impl ForestName {
    fn requirement(&self) -> DomainRequirement {
        DomainRequirement::Forest {
            name: self.root_domain.clone(),
            configuration: self.configuration.clone(),
        }
    }
}

/// The servers of the forest, and the connections to them.
pub(super) struct Servers {
    pool: Arc<Pool>,
    health: Arc<Health>,
    dc_locator: DcLocator,
    pdc_emulators: TtlCache<String, PdcEmulator>,
    /// NTDS Settings objects of the servers that have been contacted.
    ntds_settings: Mutex<HashMap<Endpoint, String>>,
    forest: OnceLock<ForestName>,
}

impl Servers {
    /// Opens no connection yet.
    pub(crate) fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            pool: Arc::new(Pool::new(settings)),
            health: Arc::default(),
            dc_locator: DcLocator::default(),
            pdc_emulators: TtlCache::default(),
            ntds_settings: Mutex::default(),
            forest: OnceLock::new(),
        }
    }

    pub(crate) fn settings(&self) -> &ActiveDirectorySettings {
        &self.pool.settings
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Executes an idempotent operation, on the next server if one cannot be reached, does not answer or declines.
    ///
    /// # Errors
    /// The most specific one, if no server serves the operation.
    pub(crate) fn execute<T>(
        &self,
        selector: ServerSelector<'_>,
        mut operation: impl FnMut(&mut Connection) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        let (endpoints, admission) = self.endpoints(selector)?;
        self.execute_with_failover(&endpoints, &admission, &mut operation)
    }

    /// A connection to this controller only, for a change or for a listing of several pages.
    ///
    /// # Errors
    /// `NotSent`, `Fatal`.
    pub(crate) fn connect(&self, host: &str) -> Result<Connection, ServerError> {
        let endpoint = self.endpoint_named(host)?;
        if let Some(failure) = self.health.down_reason(&endpoint, None) {
            return Err(not_sent(failure));
        }
        let begun = Instant::now();
        let admission = self.recorded_admission(&endpoint);
        let connection = match self.pooled_connection(&endpoint, &admission) {
            Ok(Some(pooled)) => Ok(pooled),
            Ok(None) => self.open(&endpoint, &admission, begun),
            Err(failure) => Err(failure),
        };
        match &connection {
            Ok(_) => self.health.mark_up(&endpoint),
            Err(failure) => self.record_failure(&endpoint, failure, begun),
        }
        connection.map_err(not_sent)
    }

    /// Marks a server that could not take a change as down, so that later requests go to others first.
    pub(crate) fn report_failure(&self, host: &str, failure: &ServerError, begun: Instant) {
        if let Ok(endpoint) = self.endpoint_named(host) {
            self.record_failure(&endpoint, failure, begun);
        }
    }

    /// For a new command: servers that were slow to fail may be tried once more if no other is up.
    pub(crate) fn reset_health(&self) {
        self.health.reset();
    }

    /// Sentences for the administrator about servers that went down, with the reason, or came up again.
    pub(crate) fn take_diagnostics(&self) -> Vec<String> {
        self.health.take_diagnostics()
    }

    fn execute_with_failover<T>(
        &self,
        endpoints: &[Endpoint],
        admission: &Admission,
        operation: &mut dyn FnMut(&mut Connection) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        let plan = self.health.plan(endpoints);
        for endpoint in plan.to_probe {
            self.probe_in_background(endpoint, admission);
        }
        let mut failures = plan.skipped;
        for endpoint in &plan.order {
            let begun = Instant::now();
            let failure = match self.execute_on(endpoint, admission, operation) {
                Ok(answer) => {
                    self.health.mark_up(endpoint);
                    return Ok(answer);
                }
                Err(failure) if !failure.allows_failover() => return Err(failure),
                Err(failure) => failure,
            };
            self.record_failure(endpoint, &failure, begun);
            failures.push(failure);
        }
        Err(ServerError::most_specific(failures))
    }

    fn execute_on<T>(
        &self,
        endpoint: &Endpoint,
        admission: &Admission,
        operation: &mut dyn FnMut(&mut Connection) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        let begun = Instant::now();
        if let Some(mut pooled) = self.pooled_connection(endpoint, admission)? {
            let execute_on = Instant::now();
            match operation(&mut pooled) {
                // The idle connection was dead: retry on a new one. A timeout counts as the server's own if the system would have ended
                // a connection whose path is gone.
                Err(failure)
                    if matches!(failure.kind, ServerErrorKind::NotSent | ServerErrorKind::NoResponse)
                        && (execute_on.elapsed() < self.settings().timeout || !tcp::HAS_USER_TIMEOUT) => {}
                other => return other,
            }
        }
        operation(&mut self.open(endpoint, admission, begun)?)
    }

    /// An idle connection that still works.
    fn pooled_connection(&self, endpoint: &Endpoint, admission: &Admission) -> Result<Option<Connection>, ServerError> {
        match self.pool.take_idle(endpoint).and_then(Connection::alive) {
            Some(pooled) => {
                self.check_admission(&pooled, admission)?;
                Ok(Some(pooled))
            }
            None => Ok(None),
        }
    }

    fn open(&self, endpoint: &Endpoint, admission: &Admission, begun: Instant) -> Result<Connection, ServerError> {
        let timeout = self.settings().timeout;
        let limit = timeout
            .saturating_sub(begun.elapsed())
            .max(MIN_CONNECT_TIME.min(timeout));
        let failed_meanwhile = || self.health.down_reason(endpoint, Some(begun));
        let on_failure = |failure: &ServerError| self.record_failure(endpoint, failure, begun);
        let connection = self
            .pool
            .open(endpoint, admission.clone(), limit, failed_meanwhile, on_failure)?;
        self.check_admission(&connection, admission)?;
        Ok(connection)
    }

    /// The default requirement: the configured domain.
    fn domain(&self) -> DomainRequirement {
        DomainRequirement::Domain(comparable(&self.settings().domain))
    }

    /// Checks the server again: a pooled connection may have been opened for another requirement, and its rootDSE may be newer.
    fn check_admission(&self, connection: &Connection, admission: &Admission) -> Result<(), ServerError> {
        let (endpoint, root_dse) = (connection.endpoint(), connection.root_dse());
        admission.check(endpoint, root_dse)?;
        let mut ntds_settings = self.ntds_settings();
        if ntds_settings.get(endpoint) != Some(&root_dse.settings) {
            ntds_settings.insert(endpoint.clone(), root_dse.settings.clone());
        }
        if admission.requirement == self.domain() {
            self.forest.get_or_init(|| ForestName {
                root_domain: dns_name(&root_dse.root_domain).unwrap_or_else(|| self.settings().domain.clone()),
                configuration: root_dse.configuration.clone(),
            });
        }
        Ok(())
    }

    fn ntds_settings(&self) -> MutexGuard<'_, HashMap<Endpoint, String>> {
        self.ntds_settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn probe_in_background(&self, endpoint: Endpoint, admission: &Admission) {
        let health = Arc::clone(&self.health);
        let probed_endpoint = endpoint.clone();
        let begun = Instant::now();
        self.pool
            .probe_in_background(&endpoint, admission.clone(), move |opened| match opened {
                Ok(()) => health.mark_up(&probed_endpoint),
                Err(failure) if failure.allows_failover() => {
                    health.mark_down(&probed_endpoint, &failure, begun.elapsed())
                }
                Err(_) => health.postpone_probe(&probed_endpoint),
            });
    }

    fn record_failure(&self, endpoint: &Endpoint, failure: &ServerError, begun: Instant) {
        if failure.allows_failover() {
            let took = match failure.kind {
                // It may serve as a controller of its own domain.
                ServerErrorKind::WrongDomain => Duration::ZERO,
                _ => begun.elapsed(),
            };
            self.health.mark_down(endpoint, failure, took);
            self.pool.discard_idle(endpoint, begun);
        }
    }

    fn endpoints(&self, selector: ServerSelector<'_>) -> Result<(Vec<Endpoint>, Admission), ServerError> {
        let (servers, role, requirement, source) = match selector {
            ServerSelector::Server(host) => {
                let admission = Admission {
                    requirement: self.domain(),
                    source: Source::Parameter,
                    is_named: true,
                };
                return Ok((vec![self.endpoint_named(host)?], admission));
            }
            ServerSelector::Recorded(host) => {
                let endpoint = self.endpoint_named(host)?;
                let admission = self.recorded_admission(&endpoint);
                return Ok((vec![endpoint], admission));
            }
            ServerSelector::DomainController(domain) => {
                let (servers, source) = self.controllers(domain)?;
                (
                    servers,
                    Role::Controller,
                    DomainRequirement::Domain(comparable(domain)),
                    source,
                )
            }
            ServerSelector::GlobalCatalog => {
                let (servers, source) = self.catalogs()?;
                (servers, Role::Catalog, self.forest()?.requirement(), source)
            }
        };
        let admission = Admission {
            requirement,
            source,
            is_named: false,
        };
        Ok((to_endpoints(servers, role), admission))
    }

    /// The forest of the configured domain.
    fn forest(&self) -> Result<&ForestName, ServerError> {
        if self.forest.get().is_none() {
            self.execute(ServerSelector::DomainController(&self.settings().domain), |_| Ok(()))?;
        }
        // Set by the admission check.
        self.forest
            .get()
            .ok_or_else(|| ServerError::configuration("The forest of 'directory.domain' is not known"))
    }

    /// The requirement for a controller on which a mailbox was read or changed. One of another domain was found by the global catalog.
    fn recorded_admission(&self, endpoint: &Endpoint) -> Admission {
        let settings = self.settings();
        let is_configured = settings.domain_controllers.contains(&endpoint.server);
        let forest = self.forest.get().filter(|_| !is_configured);
        Admission {
            requirement: forest.map_or_else(|| self.domain(), ForestName::requirement),
            source: if is_configured {
                Source::Configuration
            } else {
                Source::Recorded
            },
            is_named: true,
        }
    }

    /// The controller of this name, completed from the configuration.
    fn endpoint_named(&self, host: &str) -> Result<Endpoint, ServerError> {
        let settings = self.settings();
        let mut server = Server::parse(host.trim()).ok_or_else(|| ServerError {
            kind: ServerErrorKind::Fatal,
            error: Error::new(
                ErrorCode::DirectoryUnavailable,
                "The name of the domain controller is not a host name.",
            )
            .action("Pass the DNS name of a domain controller, such as dc1.contoso.com."),
        })?;
        let configured = settings.domain_controllers.iter().find(|known| {
            let is_first_label = || known.host.split('.').next() == Some(server.host.as_str());
            (known.host == server.host || is_first_label()) && (server.port.is_none() || server.port == known.port)
        });
        if let Some(known) = configured {
            server = known.clone();
        } else if server.is_short() {
            server.host = format!("{}.{}", server.host, settings.domain);
        }
        Ok(Endpoint {
            server,
            role: Role::Controller,
        })
    }

    fn controllers(&self, domain: &str) -> Result<(Vec<Server>, Source), ServerError> {
        let domain = comparable(domain);
        let settings = self.settings();
        let configured = &settings.domain_controllers;
        if configured.is_empty() || domain != comparable(&settings.domain) {
            let found = self.dc_locator.controllers(&self.pool, &domain);
            let found = from_dns(found, &format!("domain controllers of {domain}"))?;
            return Ok((found, Source::Dns));
        }
        let mut servers = configured.clone();
        if servers.len() > 1
            && let Some(first) = self.configured_pdc_emulator(&servers)
        {
            servers.sort_by_key(|server| *server != first);
        }
        Ok((servers, Source::Configuration))
    }

    /// The PDC emulator, if it is one of these servers.
    fn configured_pdc_emulator(&self, servers: &[Server]) -> Option<Server> {
        let endpoints = to_endpoints(servers.to_vec(), Role::Controller);
        let admission = Admission {
            requirement: self.domain(),
            source: Source::Configuration,
            is_named: false,
        };
        let pdc_emulator = self.pdc_emulators.get(self.settings().domain.clone(), || {
            let found = self.execute_with_failover(&endpoints, &admission, &mut |connection| {
                let domain = connection.root_dse().domain.clone();
                PdcEmulator::find(connection, &domain)
            });
            match found {
                Ok(found) => found.ok_or_else(|| "no controller holds the role".to_owned()),
                Err(failure) => Err(failure.error.message().to_owned()),
            }
        });
        let pdc_emulator = pdc_emulator.ok()?;
        let ntds_settings = self.ntds_settings();
        let holder = endpoints.into_iter().find(|endpoint| {
            let by_object = || {
                let object = ntds_settings.get(endpoint);
                object.is_some_and(|object| object.eq_ignore_ascii_case(&pdc_emulator.ntds_settings))
            };
            endpoint.server.host == pdc_emulator.host || by_object()
        });
        holder.map(|endpoint| endpoint.server)
    }

    fn catalogs(&self) -> Result<(Vec<Server>, Source), ServerError> {
        let settings = self.settings();
        if !settings.global_catalogs.is_empty() {
            return Ok((settings.global_catalogs.clone(), Source::Configuration));
        }
        let found = self.dc_locator.catalogs(&self.pool, &self.forest()?.root_domain);
        if let Ok(servers) = &found
            && !servers.is_empty()
        {
            return Ok((servers.clone(), Source::Dns));
        }
        // Without SRV records: in a small forest every controller is a global catalog.
        let without_port = |mut server: Server| {
            server.port = None;
            server
        };
        let (servers, source) = self.controllers(&settings.domain)?;
        Ok((servers.into_iter().map(without_port).collect(), source))
    }
}

fn to_endpoints(servers: Vec<Server>, role: Role) -> Vec<Endpoint> {
    servers.into_iter().map(|server| Endpoint { server, role }).collect()
}

fn from_dns(found: LookupResult<Vec<Server>>, what: &str) -> Result<Vec<Server>, ServerError> {
    let why = match found {
        Ok(servers) if !servers.is_empty() => return Ok(servers),
        Ok(_) => format!("DNS names no {what}"),
        Err(why) => format!("The DNS look-up of the {what} failed: {why}"),
    };
    Err(ServerError {
        kind: ServerErrorKind::NotSent,
        error: Error::new(
            ErrorCode::DirectoryUnavailable,
            format!("{}.", why.trim_end_matches('.')),
        )
        .action("Correct this computer's DNS, or name the servers in 'directory.domainControllers'."),
    })
}

/// Classifies the error of a connection attempt: no request was sent.
fn not_sent(mut failure: ServerError) -> ServerError {
    if failure.kind != ServerErrorKind::Fatal {
        failure.kind = ServerErrorKind::NotSent;
    }
    failure
}

#[cfg(test)]
mod tests;
