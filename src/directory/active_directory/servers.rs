//! Which server is asked: the preferred one, the next where that fails, a certain one, or one of the global catalogs.

mod emulator;
mod health;
mod others;
mod places;
mod root_dse;
mod srv;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use self::emulator::Emulator;
use self::health::Health;
use self::places::{Places, Remembered};
use self::root_dse::{RootDse, dns_name};
use super::connection::Connection;
use super::connection::pool::Pool;
use super::failure::{Failure, FailureKind};
use super::server::{Endpoint, Role, Server};
use super::settings::ActiveDirectorySettings;
use crate::{Error, ErrorCode, Result};

/// A kept connection that fails within this time was closed meanwhile; one that takes longer meets a server in trouble.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long it counts what a server said of itself.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// Who may answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom<'a> {
    /// Any controller of the domain of that DNS name, the one that holds the PDC emulator's role first; read-only ones never.
    DomainController(&'a str),
    /// This one and no other.
    Server(&'a str),
    /// Any global catalog of the forest.
    GlobalCatalog,
}

/// The servers of the forest, and the connections to them.
pub(super) struct Servers {
    pool: Arc<Pool>,
    health: Arc<Health>,
    places: Places,
    emulators: Remembered<String, Emulator>,
    known: Mutex<HashMap<Endpoint, (Instant, RootDse)>>,
}

impl Servers {
    /// Touches nothing yet.
    pub fn new(settings: ActiveDirectorySettings) -> Self {
        Self {
            pool: Arc::new(Pool::new(settings)),
            health: Arc::default(),
            places: Places::default(),
            emulators: Remembered::default(),
            known: Mutex::default(),
        }
    }

    pub fn settings(&self) -> &ActiveDirectorySettings {
        &self.pool.settings
    }

    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Puts a question, which may be put again: to the next server where one cannot be reached, does not answer or declines.
    ///
    /// # Errors
    /// Where nobody answers, the most telling of the failures.
    pub fn ask<T>(
        &self,
        whom: Whom<'_>,
        mut question: impl FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let endpoints = self.endpoints(whom)?;
        self.ask_in_turn(&endpoints, matches!(whom, Whom::Server(_)), &mut question)
    }

    /// A connection to this controller and no other, for a change or for a listing of several pages.
    ///
    /// # Errors
    /// `Unreached`, `Hopeless`.
    pub fn connect(&self, host: &str) -> Result<Connection, Failure> {
        let endpoint = self.named(host)?;
        if let Some(failure) = self.health.passed_over(&endpoint, None) {
            return Err(unreached(failure));
        }
        if let Some(mut kept) = self.pool.kept(&endpoint)
            && kept.is_alive()
        {
            return Ok(kept);
        }
        let begun = Instant::now();
        let opened = self.open(&endpoint, begun);
        match &opened {
            Ok(_) => self.health.serves(&endpoint),
            Err(failure) => self.note(&endpoint, failure, begun),
        }
        opened.map_err(unreached)
    }

    /// It declined a change, or could not be reached for it: questions go to others first, as after a question that it did not answer.
    pub fn leave(&self, host: &str, failure: &Failure, begun: Instant) {
        if let Ok(endpoint) = self.named(host) {
            self.note(&endpoint, failure, begun);
        }
    }

    /// A new command begins: if no other server is left, it may wait once more for one that let the earlier ones wait.
    pub fn refresh(&self) {
        self.health.forgive();
    }

    /// Which servers were left and why, which serve again: a sentence each, of which the administrator may want to know.
    pub fn take_diagnostics(&self) -> Vec<String> {
        self.health.take_lines()
    }

    fn ask_in_turn<T>(
        &self,
        endpoints: &[Endpoint],
        is_pinned: bool,
        question: &mut dyn FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let plan = self.health.plan(endpoints);
        for endpoint in plan.aside {
            self.try_aside(endpoint);
        }
        let mut failures = plan.passed_over;
        for endpoint in &plan.order {
            let begun = Instant::now();
            let failure = match self.put(endpoint, is_pinned, question) {
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
        is_pinned: bool,
        question: &mut dyn FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        if let Some(mut kept) = self.pool.kept(endpoint) {
            match self.admit(&mut kept, is_pinned).and_then(|()| question(&mut kept)) {
                Err(failure)
                    if matches!(failure.kind, FailureKind::Unreached | FailureKind::Lost)
                        && begun.elapsed() < AT_ONCE => {}
                other => return other,
            }
        }
        let mut connection = self.open(endpoint, begun)?;
        self.admit(&mut connection, is_pinned)?;
        question(&mut connection)
    }

    fn open(&self, endpoint: &Endpoint, begun: Instant) -> Result<Connection, Failure> {
        self.pool
            .open(endpoint, || self.health.passed_over(endpoint, Some(begun)))
    }

    /// Whether the server is what it is asked as.
    fn admit(&self, connection: &mut Connection, is_pinned: bool) -> Result<(), Failure> {
        let endpoint = connection.endpoint().clone();
        let about = self.about(connection)?;
        if about.is_read_only && !is_pinned {
            return Err(Failure::unavailable(
                FailureKind::Declined(0),
                &endpoint,
                "is read-only",
            ));
        }
        if endpoint.role == Role::Catalog && !about.is_catalog {
            return Err(Failure::unavailable(
                FailureKind::Declined(0),
                &endpoint,
                "does not hold the global catalog",
            ));
        }
        Ok(())
    }

    /// What the server says of itself, asked for anew after a while.
    pub fn about(&self, connection: &mut Connection) -> Result<RootDse, Failure> {
        let endpoint = connection.endpoint().clone();
        if let Some((since, about)) = self.known().get(&endpoint)
            && since.elapsed() < KNOWN_FOR
        {
            return Ok(about.clone());
        }
        let about = RootDse::read(connection)?;
        self.known().insert(endpoint, (Instant::now(), about.clone()));
        Ok(about)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Endpoint, (Instant, RootDse)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_aside(&self, endpoint: Endpoint) {
        let health = Arc::clone(&self.health);
        let told = endpoint.clone();
        let begun = Instant::now();
        self.pool.try_aside(&endpoint, move |opened| match opened {
            Ok(()) => health.serves(&told),
            Err(failure) if failure.is_of_server() => health.leave(&told, &failure, begun.elapsed()),
            Err(_) => health.postpone(&told),
        });
    }

    fn note(&self, endpoint: &Endpoint, failure: &Failure, begun: Instant) {
        if failure.is_of_server() {
            self.health.leave(endpoint, failure, begun.elapsed());
            self.pool.forget(endpoint);
        }
    }

    fn endpoints(&self, whom: Whom<'_>) -> Result<Vec<Endpoint>, Failure> {
        let (servers, role) = match whom {
            Whom::Server(host) => return Ok(vec![self.named(host)?]),
            Whom::DomainController(domain) => (self.controllers(domain)?, Role::Controller),
            Whom::GlobalCatalog => (self.catalogs()?, Role::Catalog),
        };
        Ok(endpoints_of(servers, role))
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

    fn controllers(&self, domain: &str) -> Result<Vec<Server>, Failure> {
        let domain = domain.trim_end_matches('.').to_ascii_lowercase();
        let settings = self.settings();
        let configured = &settings.domain_controllers;
        if configured.is_empty() || !domain.eq_ignore_ascii_case(&settings.domain) {
            let found = self.places.controllers(&self.pool, &domain);
            return found_in_dns(found, &format!("domain controllers of {domain}"));
        }
        let mut servers = configured.clone();
        if servers.len() > 1
            && let Some(first) = self.configured_emulator(&servers)
        {
            servers.sort_by_key(|server| *server != first);
        }
        Ok(servers)
    }

    /// Which of these holds the PDC emulator's role, if one of them does.
    fn configured_emulator(&self, servers: &[Server]) -> Option<Server> {
        let endpoints = endpoints_of(servers.to_vec(), Role::Controller);
        let emulator = self.emulators.get(self.settings().domain.clone(), || {
            let found = self.ask_in_turn(&endpoints, false, &mut |connection| {
                let domain = self.about(connection)?.domain;
                Emulator::find(connection, &domain)
            });
            match found {
                Ok(found) => found.ok_or_else(|| "nobody holds the role".to_owned()),
                Err(failure) => Err(failure.error.message().to_owned()),
            }
        });
        let emulator = emulator.ok()?;
        let known = self.known();
        let holder = endpoints.into_iter().find(|endpoint| {
            let by_object = || {
                let about = known.get(endpoint).map(|(_, about)| about.settings.as_str());
                about.is_some_and(|settings| settings.eq_ignore_ascii_case(&emulator.settings))
            };
            endpoint.server.host == emulator.host || by_object()
        });
        holder.map(|endpoint| endpoint.server)
    }

    fn catalogs(&self) -> Result<Vec<Server>, Failure> {
        let settings = self.settings();
        if !settings.global_catalogs.is_empty() {
            return Ok(settings.global_catalogs.clone());
        }
        let forest = self.ask(Whom::DomainController(&settings.domain), |connection| {
            self.about(connection)
        })?;
        let forest = dns_name(&forest.root_domain).unwrap_or_else(|| settings.domain.clone());
        let found = self.places.catalogs(&self.pool, &forest);
        if let Ok(servers) = &found
            && !servers.is_empty()
        {
            return Ok(servers.clone());
        }
        // Where DNS does not say: every small forest's controllers hold the catalog too.
        let without_port = |mut server: Server| {
            server.port = None;
            server
        };
        Ok(self
            .controllers(&settings.domain)?
            .into_iter()
            .map(without_port)
            .collect())
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
