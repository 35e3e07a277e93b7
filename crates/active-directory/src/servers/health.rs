//! A circuit breaker per server: which servers are down, since when and why.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::server::Endpoint;
use crate::server_error::ServerError;

/// How long a server that failed is not used while another one is up.
pub(crate) const DOWN_PERIOD: Duration = Duration::from_secs(30);
/// A server whose failure took longer is not tried again during [`DOWN_PERIOD`], even if no other server is up.
const SLOW_FAILURE: Duration = Duration::from_secs(1);
/// Older diagnostics are dropped.
const MAX_DIAGNOSTICS: usize = 64;

struct Down {
    since: Instant,
    is_slow: bool,
    is_probing: bool,
    failure: ServerError,
}

#[derive(Default)]
struct HealthState {
    down: HashMap<Endpoint, Down>,
    diagnostics: VecDeque<String>,
}

impl HealthState {
    fn push_diagnostic(&mut self, line: String) {
        if self.diagnostics.len() == MAX_DIAGNOSTICS {
            self.diagnostics.pop_front();
        }
        self.diagnostics.push_back(line);
    }
}

/// The state of all servers.
#[derive(Default)]
pub(crate) struct Health(Mutex<HealthState>);

/// Which servers to try.
#[derive(Default)]
pub(crate) struct Plan {
    /// In this order.
    pub order: Vec<Endpoint>,
    /// Why the others are not.
    pub skipped: Vec<ServerError>,
    /// Servers whose down period is over, to be probed in the background because others are up.
    pub to_probe: Vec<Endpoint>,
}

impl Health {
    /// Servers that are up, then those that are down but failed quickly; without those that were slow to fail.
    pub(super) fn plan(&self, endpoints: &[Endpoint]) -> Plan {
        let mut state = self.state();
        let mut plan = Plan::default();
        let mut last = Vec::new();
        for endpoint in endpoints {
            match state.down.get_mut(endpoint) {
                None => plan.order.push(endpoint.clone()),
                Some(down) if down.is_slow && down.since.elapsed() < DOWN_PERIOD => {
                    plan.skipped.push(down.failure.duplicate())
                }
                Some(_) => last.push(endpoint.clone()),
            }
        }
        if !plan.order.is_empty() {
            for endpoint in &last {
                if let Some(down) = state.down.get_mut(endpoint)
                    && !down.is_probing
                    && down.since.elapsed() >= DOWN_PERIOD
                {
                    down.is_probing = true;
                    plan.to_probe.push(endpoint.clone());
                }
            }
        }
        plan.order.append(&mut last);
        plan
    }

    /// The server failed after that time.
    pub(super) fn mark_down(&self, endpoint: &Endpoint, failure: &ServerError, took: Duration) {
        let mut state = self.state();
        let down = Down {
            since: Instant::now(),
            is_slow: took >= SLOW_FAILURE,
            is_probing: false,
            failure: failure.duplicate(),
        };
        if state.down.insert(endpoint.clone(), down).is_none() {
            let line = format!(
                "{} It is not used for {} s.",
                failure.error.message(),
                DOWN_PERIOD.as_secs()
            );
            state.push_diagnostic(line);
        }
    }

    /// The probe failed for another reason than the server: repeat it after another down period.
    pub(super) fn postpone_probe(&self, endpoint: &Endpoint) {
        if let Some(down) = self.state().down.get_mut(endpoint) {
            (down.since, down.is_probing) = (Instant::now(), false);
        }
    }

    /// The server serves requests.
    pub(super) fn mark_up(&self, endpoint: &Endpoint) {
        let mut state = self.state();
        if state.down.remove(endpoint).is_some() {
            state.push_diagnostic(format!("{endpoint} serves again."));
        }
    }

    /// The error to report instead of trying the server: it went down since `begun` or, without that, it was slow to fail and its down
    /// period is not over.
    pub(super) fn down_reason(&self, endpoint: &Endpoint, begun: Option<Instant>) -> Option<ServerError> {
        let state = self.state();
        let down = state.down.get(endpoint)?;
        let is_down = match begun {
            Some(begun) => down.since >= begun,
            None => down.is_slow && down.since.elapsed() < DOWN_PERIOD,
        };
        is_down.then(|| down.failure.duplicate())
    }

    /// Lets servers that were slow to fail be tried once more if no other is up.
    pub(super) fn reset(&self) {
        for down in self.state().down.values_mut() {
            down.is_slow = false;
        }
    }

    #[cfg(test)]
    pub(super) fn expire_down_period(&self, endpoint: &Endpoint) {
        if let Some(down) = self.state().down.get_mut(endpoint) {
            down.since = down
                .since
                .checked_sub(DOWN_PERIOD)
                .expect("the computer has been up for longer");
        }
    }

    /// The diagnostics since the last call.
    pub(super) fn take_diagnostics(&self) -> Vec<String> {
        self.state().diagnostics.drain(..).collect()
    }

    fn state(&self) -> MutexGuard<'_, HealthState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Role, Server};
    use crate::server_error::ServerErrorKind;

    fn endpoint(host: &str) -> Endpoint {
        Endpoint {
            server: Server::parse(host).unwrap(),
            role: Role::Controller,
        }
    }

    fn mark_down(health: &Health, host: &str, took: Duration) {
        let endpoint = endpoint(host);
        let failure = ServerError::unavailable(ServerErrorKind::NotSent, &endpoint, "cannot be reached");
        health.mark_down(&endpoint, &failure, took);
    }

    fn order(health: &Health) -> Vec<String> {
        let plan = health.plan(&["dc1", "dc2", "dc3"].map(endpoint));
        plan.order.iter().map(|endpoint| endpoint.server.host.clone()).collect()
    }

    #[test]
    fn failed_servers_are_tried_last_and_slow_ones_not_at_all() {
        let health = Health::default();
        assert_eq!(order(&health), ["dc1", "dc2", "dc3"]);
        mark_down(&health, "dc1", Duration::ZERO);
        assert_eq!(order(&health), ["dc2", "dc3", "dc1"]);
        mark_down(&health, "dc2", Duration::from_secs(30));
        assert_eq!(order(&health), ["dc3", "dc1"]);
        assert!(health.down_reason(&endpoint("dc2"), None).is_some());
        assert!(health.down_reason(&endpoint("dc1"), None).is_none());
        health.mark_up(&endpoint("dc1"));
        health.mark_up(&endpoint("dc1"));
        assert_eq!(order(&health), ["dc1", "dc3"]);
        health.reset();
        assert_eq!(order(&health), ["dc1", "dc3", "dc2"]);
        let diagnostics = health.take_diagnostics();
        assert_eq!(diagnostics.len(), 3, "{diagnostics:?}");
        assert!(diagnostics[2].contains("dc1 serves again"), "{diagnostics:?}");
        assert!(health.take_diagnostics().is_empty());
    }

    #[test]
    fn diagnostics_are_bounded() {
        let health = Health::default();
        for n in 0..1000 {
            mark_down(&health, &format!("dc{n}"), Duration::ZERO);
        }
        let diagnostics = health.take_diagnostics();
        assert_eq!(diagnostics.len(), MAX_DIAGNOSTICS);
        assert!(diagnostics[MAX_DIAGNOSTICS - 1].contains("dc999 "), "{diagnostics:?}");
    }
}
