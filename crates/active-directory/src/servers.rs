//! Which server is asked: the preferred one, the next where that fails, a certain one, or one of the global catalogs.

mod emulator;
mod health;
mod others;
mod places;
mod srv;
pub(super) mod survey;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use self::emulator::Emulator;
use self::health::Health;
use self::places::{Places, Remembered};
use super::admission::{Admission, Holding, Source};
use super::connection::Connection;
use super::connection::pool::Pool;
use super::connection::root_dse::{comparable, dns_name};
use super::failure::{Failure, FailureKind};
use super::server::{Endpoint, Role, Server};
use super::settings::ActiveDirectorySettings;
use umpin_core::{Error, ErrorCode, Result};
use umpin_platform::tcp;

/// A new connection that takes the place of one that failed has at least this long, however long that took.
const LEAST_TO_CONNECT: Duration = Duration::from_secs(5);

/// Who may answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom<'a> {
    /// Any controller of the domain of that DNS name, the one that holds the PDC emulator's role first; read-only ones never.
    DomainController(&'a str),
    /// This controller of the configured domain and no other.
    Server(&'a str),
    /// This controller and no other, where a mailbox was read or changed: of any domain of the forest, unless it is a configured one.
    Recorded(&'a str),
    /// Any global catalog of the forest.
    GlobalCatalog,
}

/// As a controller of the configured domain has it.
struct ForestName {
    root_domain: String,
    configuration: String,
}

impl ForestName {
    fn holding(&self) -> Holding {
        Holding::Forest {
            name: self.root_domain.clone(),
            configuration: self.configuration.clone(),
        }
    }
}

/// The servers of the forest, and the connections to them.
pub(super) struct Servers {
    pool: Arc<Pool>,
    health: Arc<Health>,
    places: Places,
    emulators: Remembered<String, Emulator>,
    /// Their NTDS Settings objects, as far as they have been asked.
    objects: Mutex<HashMap<Endpoint, String>>,
    forest: OnceLock<ForestName>,
}

impl Servers {
    /// Touches nothing yet.
    pub(crate) fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            pool: Arc::new(Pool::new(settings)),
            health: Arc::default(),
            places: Places::default(),
            emulators: Remembered::default(),
            objects: Mutex::default(),
            forest: OnceLock::new(),
        }
    }

    pub(crate) fn settings(&self) -> &ActiveDirectorySettings {
        &self.pool.settings
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Puts a question, which may be put again: to the next server where one cannot be reached, does not answer or declines.
    ///
    /// # Errors
    /// Where nobody answers, the most telling of the failures.
    pub(crate) fn ask<T>(
        &self,
        whom: Whom<'_>,
        mut question: impl FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (endpoints, admission) = self.endpoints(whom)?;
        self.ask_in_turn(&endpoints, &admission, &mut question)
    }

    /// A connection to this controller and no other, for a change or for a listing of several pages.
    ///
    /// # Errors
    /// `Unreached`, `Hopeless`.
    pub(crate) fn connect(&self, host: &str) -> Result<Connection, Failure> {
        let endpoint = self.named(host)?;
        if let Some(failure) = self.health.passed_over(&endpoint, None) {
            return Err(unreached(failure));
        }
        let begun = Instant::now();
        let admission = self.recorded(&endpoint);
        let connection = match self.kept(&endpoint, &admission) {
            Ok(Some(kept)) => Ok(kept),
            Ok(None) => self.open(&endpoint, &admission, begun),
            Err(failure) => Err(failure),
        };
        match &connection {
            Ok(_) => self.health.serves(&endpoint),
            Err(failure) => self.note(&endpoint, failure, begun),
        }
        connection.map_err(unreached)
    }

    /// It declined a change, or could not be reached for it: questions go to others first, as after a question that it did not answer.
    pub(crate) fn leave(&self, host: &str, failure: &Failure, begun: Instant) {
        if let Ok(endpoint) = self.named(host) {
            self.note(&endpoint, failure, begun);
        }
    }

    /// A new command begins: if no other server is left, it may wait once more for one that let the earlier ones wait.
    pub(crate) fn refresh(&self) {
        self.health.forgive();
    }

    /// Which servers were left and why, which serve again: a sentence each, of which the administrator may want to know.
    pub(crate) fn take_diagnostics(&self) -> Vec<String> {
        self.health.take_lines()
    }

    fn ask_in_turn<T>(
        &self,
        endpoints: &[Endpoint],
        admission: &Admission,
        question: &mut dyn FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let plan = self.health.plan(endpoints);
        for endpoint in plan.aside {
            self.try_aside(endpoint, admission);
        }
        let mut failures = plan.passed_over;
        for endpoint in &plan.order {
            let begun = Instant::now();
            let failure = match self.put(endpoint, admission, question) {
                Ok(answer) => {
                    self.health.serves(endpoint);
                    return Ok(answer);
                }
                Err(failure) if !failure.is_of_server() => return Err(failure),
                Err(failure) => failure,
            };
            self.note(endpoint, &failure, begun);
            failures.push(failure);
        }
        Err(Failure::most_telling(failures))
    }

    fn put<T>(
        &self,
        endpoint: &Endpoint,
        admission: &Admission,
        question: &mut dyn FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        if let Some(mut kept) = self.kept(endpoint, admission)? {
            let put = Instant::now();
            match question(&mut kept) {
                // It ended meanwhile. A silence as long as an operation may take is the server's, where the system would have ended a
                // connection whose path is gone.
                Err(failure)
                    if matches!(failure.kind, FailureKind::Unreached | FailureKind::Lost)
                        && (put.elapsed() < self.settings().timeout || !tcp::ENDS_DEAD_PATHS) => {}
                other => return other,
            }
        }
        question(&mut self.open(endpoint, admission, begun)?)
    }

    /// A kept connection on which the server still answers.
    fn kept(&self, endpoint: &Endpoint, admission: &Admission) -> Result<Option<Connection>, Failure> {
        match self.pool.kept(endpoint).and_then(Connection::alive) {
            Some(kept) => {
                self.admitted(&kept, admission)?;
                Ok(Some(kept))
            }
            None => Ok(None),
        }
    }

    fn open(&self, endpoint: &Endpoint, admission: &Admission, begun: Instant) -> Result<Connection, Failure> {
        let timeout = self.settings().timeout;
        let limit = timeout
            .saturating_sub(begun.elapsed())
            .max(LEAST_TO_CONNECT.min(timeout));
        let meanwhile = || self.health.passed_over(endpoint, Some(begun));
        let failed = |failure: &Failure| self.note(endpoint, failure, begun);
        let connection = self.pool.open(endpoint, admission.clone(), limit, meanwhile, failed)?;
        self.admitted(&connection, admission)?;
        Ok(connection)
    }

    /// What is demanded where nothing else is: the configured domain.
    fn domain(&self) -> Holding {
        Holding::Domain(comparable(&self.settings().domain))
    }

    /// Whether its server is as demanded. A kept connection may have been opened for another demand, and was perhaps asked anew.
    fn admitted(&self, connection: &Connection, admission: &Admission) -> Result<(), Failure> {
        let (endpoint, about) = (connection.endpoint(), connection.about());
        admission.check(endpoint, about)?;
        let mut objects = self.objects();
        if objects.get(endpoint) != Some(&about.settings) {
            objects.insert(endpoint.clone(), about.settings.clone());
        }
        if admission.holding == self.domain() {
            self.forest.get_or_init(|| ForestName {
                root_domain: dns_name(&about.root_domain).unwrap_or_else(|| self.settings().domain.clone()),
                configuration: about.configuration.clone(),
            });
        }
        Ok(())
    }

    fn objects(&self) -> MutexGuard<'_, HashMap<Endpoint, String>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_aside(&self, endpoint: Endpoint, admission: &Admission) {
        let health = Arc::clone(&self.health);
        let told = endpoint.clone();
        let begun = Instant::now();
        self.pool
            .try_aside(&endpoint, admission.clone(), move |opened| match opened {
                Ok(()) => health.serves(&told),
                Err(failure) if failure.is_of_server() => health.leave(&told, &failure, begun.elapsed()),
                Err(_) => health.postpone(&told),
            });
    }

    fn note(&self, endpoint: &Endpoint, failure: &Failure, begun: Instant) {
        if failure.is_of_server() {
            let took = match failure.kind {
                // Asked as a controller of its own domain, it may serve.
                FailureKind::Foreign => Duration::ZERO,
                _ => begun.elapsed(),
            };
            self.health.leave(endpoint, failure, took);
            self.pool.forget(endpoint, begun);
        }
    }

    fn endpoints(&self, whom: Whom<'_>) -> Result<(Vec<Endpoint>, Admission), Failure> {
        let (servers, role, holding, source) = match whom {
            Whom::Server(host) => {
                let admission = Admission {
                    holding: self.domain(),
                    source: Source::Parameter,
                    is_named: true,
                };
                return Ok((vec![self.named(host)?], admission));
            }
            Whom::Recorded(host) => {
                let endpoint = self.named(host)?;
                let admission = self.recorded(&endpoint);
                return Ok((vec![endpoint], admission));
            }
            Whom::DomainController(domain) => {
                let (servers, source) = self.controllers(domain)?;
                (servers, Role::Controller, Holding::Domain(comparable(domain)), source)
            }
            Whom::GlobalCatalog => {
                let (servers, source) = self.catalogs()?;
                (servers, Role::Catalog, self.forest()?.holding(), source)
            }
        };
        let admission = Admission {
            holding,
            source,
            is_named: false,
        };
        Ok((endpoints_of(servers, role), admission))
    }

    /// The forest of the configured domain.
    fn forest(&self) -> Result<&ForestName, Failure> {
        if self.forest.get().is_none() {
            self.ask(Whom::DomainController(&self.settings().domain), |_| Ok(()))?;
        }
        // Whoever was admitted has said it.
        self.forest
            .get()
            .ok_or_else(|| Failure::local("The forest of 'directory.domain' is not known"))
    }

    /// What is demanded of a controller on which a mailbox was read or changed: that of another domain was found in the catalog.
    fn recorded(&self, endpoint: &Endpoint) -> Admission {
        let settings = self.settings();
        let is_configured = settings.domain_controllers.contains(&endpoint.server);
        let forest = self.forest.get().filter(|_| !is_configured);
        Admission {
            holding: forest.map_or_else(|| self.domain(), ForestName::holding),
            source: if is_configured {
                Source::Configuration
            } else {
                Source::Record
            },
            is_named: true,
        }
    }

    /// The controller of that name, completed by what is configured.
    fn named(&self, host: &str) -> Result<Endpoint, Failure> {
        let settings = self.settings();
        let mut server = Server::parse(host.trim()).ok_or_else(|| Failure {
            kind: FailureKind::Hopeless,
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

    fn controllers(&self, domain: &str) -> Result<(Vec<Server>, Source), Failure> {
        let domain = comparable(domain);
        let settings = self.settings();
        let configured = &settings.domain_controllers;
        if configured.is_empty() || domain != comparable(&settings.domain) {
            let found = self.places.controllers(&self.pool, &domain);
            let found = found_in_dns(found, &format!("domain controllers of {domain}"))?;
            return Ok((found, Source::Dns));
        }
        let mut servers = configured.clone();
        if servers.len() > 1
            && let Some(first) = self.configured_emulator(&servers)
        {
            servers.sort_by_key(|server| *server != first);
        }
        Ok((servers, Source::Configuration))
    }

    /// Which of these holds the PDC emulator's role, if one of them does.
    fn configured_emulator(&self, servers: &[Server]) -> Option<Server> {
        let endpoints = endpoints_of(servers.to_vec(), Role::Controller);
        let admission = Admission {
            holding: self.domain(),
            source: Source::Configuration,
            is_named: false,
        };
        let emulator = self.emulators.get(self.settings().domain.clone(), || {
            let found = self.ask_in_turn(&endpoints, &admission, &mut |connection| {
                let domain = connection.about().domain.clone();
                Emulator::find(connection, &domain)
            });
            match found {
                Ok(found) => found.ok_or_else(|| "nobody holds the role".to_owned()),
                Err(failure) => Err(failure.error.message().to_owned()),
            }
        });
        let emulator = emulator.ok()?;
        let objects = self.objects();
        let holder = endpoints.into_iter().find(|endpoint| {
            let by_object = || {
                let object = objects.get(endpoint);
                object.is_some_and(|object| object.eq_ignore_ascii_case(&emulator.settings))
            };
            endpoint.server.host == emulator.host || by_object()
        });
        holder.map(|endpoint| endpoint.server)
    }

    fn catalogs(&self) -> Result<(Vec<Server>, Source), Failure> {
        let settings = self.settings();
        if !settings.global_catalogs.is_empty() {
            return Ok((settings.global_catalogs.clone(), Source::Configuration));
        }
        let found = self.places.catalogs(&self.pool, &self.forest()?.root_domain);
        if let Ok(servers) = &found
            && !servers.is_empty()
        {
            return Ok((servers.clone(), Source::Dns));
        }
        // Where DNS does not say: every small forest's controllers hold the catalog too.
        let without_port = |mut server: Server| {
            server.port = None;
            server
        };
        let (servers, source) = self.controllers(&settings.domain)?;
        Ok((servers.into_iter().map(without_port).collect(), source))
    }
}

fn endpoints_of(servers: Vec<Server>, role: Role) -> Vec<Endpoint> {
    servers.into_iter().map(|server| Endpoint { server, role }).collect()
}

fn found_in_dns(found: places::Found<Vec<Server>>, what: &str) -> Result<Vec<Server>, Failure> {
    let why = match found {
        Ok(servers) if !servers.is_empty() => return Ok(servers),
        Ok(_) => format!("DNS names no {what}"),
        Err(why) => format!("DNS could not be asked for the {what}: {why}"),
    };
    Err(Failure {
        kind: FailureKind::Unreached,
        error: Error::new(
            ErrorCode::DirectoryUnavailable,
            format!("{}.", why.trim_end_matches('.')),
        )
        .action("Correct this computer's DNS, or name the servers in 'directory.domainControllers'."),
    })
}

/// Nothing was sent, whatever the server said to the attempt.
fn unreached(mut failure: Failure) -> Failure {
    if failure.kind != FailureKind::Hopeless {
        failure.kind = FailureKind::Unreached;
    }
    failure
}

#[cfg(test)]
mod tests;
