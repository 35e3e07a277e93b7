//! Which servers are left aside, since when and why.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::server::Endpoint;

/// How long a server that failed is not tried while another serves.
pub(crate) const PAUSE: Duration = Duration::from_secs(30);
/// A failure that took longer is not waited for again during the pause, even if no other server is left.
const SLOW: Duration = Duration::from_secs(1);
/// More lines are not kept; the oldest go.
const LINES: usize = 64;

struct Left {
    since: Instant,
    is_slow: bool,
    is_tried: bool,
    failure: Failure,
}

#[derive(Default)]
struct State {
    left: HashMap<Endpoint, Left>,
    lines: VecDeque<String>,
}

impl State {
    fn tell(&mut self, line: String) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

/// The standing of all servers.
#[derive(Default)]
pub(crate) struct Health(Mutex<State>);

/// Who is asked, and who is not.
#[derive(Default)]
pub(crate) struct Plan {
    /// In this order.
    pub order: Vec<Endpoint>,
    /// Why the others are not.
    pub passed_over: Vec<Failure>,
    /// Whose pause is over: to be tried while nobody waits, because others serve.
    pub aside: Vec<Endpoint>,
}

impl Health {
    /// Those that serve first, then those that failed, because they may serve again; without those that let everybody wait.
    pub(super) fn plan(&self, endpoints: &[Endpoint]) -> Plan {
        let mut state = self.state();
        let mut plan = Plan::default();
        let mut last = Vec::new();
        for endpoint in endpoints {
            match state.left.get_mut(endpoint) {
                None => plan.order.push(endpoint.clone()),
                Some(left) if left.is_slow && left.since.elapsed() < PAUSE => {
                    plan.passed_over.push(left.failure.again())
                }
                Some(_) => last.push(endpoint.clone()),
            }
        }
        if !plan.order.is_empty() {
            for endpoint in &last {
                if let Some(left) = state.left.get_mut(endpoint)
                    && !left.is_tried
                    && left.since.elapsed() >= PAUSE
                {
                    left.is_tried = true;
                    plan.aside.push(endpoint.clone());
                }
            }
        }
        plan.order.append(&mut last);
        plan
    }

    /// It failed, after that time.
    pub(super) fn leave(&self, endpoint: &Endpoint, failure: &Failure, took: Duration) {
        let mut state = self.state();
        let left = Left {
            since: Instant::now(),
            is_slow: took >= SLOW,
            is_tried: false,
            failure: failure.again(),
        };
        if state.left.insert(endpoint.clone(), left).is_none() {
            let line = format!(
                "{} It is left aside for {} s.",
                failure.error.message(),
                PAUSE.as_secs()
            );
            state.tell(line);
        }
    }

    /// It could not be tried, for a reason that is not its own: again after another pause.
    pub(super) fn postpone(&self, endpoint: &Endpoint) {
        if let Some(left) = self.state().left.get_mut(endpoint) {
            (left.since, left.is_tried) = (Instant::now(), false);
        }
    }

    /// It serves.
    pub(super) fn serves(&self, endpoint: &Endpoint) {
        let mut state = self.state();
        if state.left.remove(endpoint).is_some() {
            state.tell(format!("{endpoint} serves again."));
        }
    }

    /// Why it is not asked, where somebody waited for it in vain since `begun`, or during the pause.
    pub(super) fn passed_over(&self, endpoint: &Endpoint, begun: Option<Instant>) -> Option<Failure> {
        let state = self.state();
        let left = state.left.get(endpoint)?;
        let in_vain = match begun {
            Some(begun) => left.since >= begun,
            None => left.is_slow && left.since.elapsed() < PAUSE,
        };
        in_vain.then(|| left.failure.again())
    }

    /// A new command may wait for them once more, if no other serves.
    pub(super) fn forgive(&self) {
        for left in self.state().left.values_mut() {
            left.is_slow = false;
        }
    }

    #[cfg(test)]
    pub(super) fn end_pause(&self, endpoint: &Endpoint) {
        if let Some(left) = self.state().left.get_mut(endpoint) {
            left.since = left.since.checked_sub(PAUSE).expect("the computer runs for longer");
        }
    }

    /// What was told since the last time.
    pub(super) fn take_lines(&self) -> Vec<String> {
        self.state().lines.drain(..).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;
    use crate::server::{Role, Server};

    fn endpoint(host: &str) -> Endpoint {
        Endpoint {
            server: Server::parse(host).unwrap(),
            role: Role::Controller,
        }
    }

    fn leave(health: &Health, host: &str, took: Duration) {
        let endpoint = endpoint(host);
        let failure = Failure::unavailable(FailureKind::Unreached, &endpoint, "cannot be reached");
        health.leave(&endpoint, &failure, took);
    }

    fn order(health: &Health) -> Vec<String> {
        let plan = health.plan(&["dc1", "dc2", "dc3"].map(endpoint));
        plan.order.iter().map(|endpoint| endpoint.server.host.clone()).collect()
    }

    #[test]
    fn who_failed_is_tried_last_and_who_let_wait_not_at_all() {
        let health = Health::default();
        assert_eq!(order(&health), ["dc1", "dc2", "dc3"]);
        leave(&health, "dc1", Duration::ZERO);
        assert_eq!(order(&health), ["dc2", "dc3", "dc1"]);
        leave(&health, "dc2", Duration::from_secs(30));
        assert_eq!(order(&health), ["dc3", "dc1"]);
        assert!(health.passed_over(&endpoint("dc2"), None).is_some());
        assert!(health.passed_over(&endpoint("dc1"), None).is_none());
        health.serves(&endpoint("dc1"));
        health.serves(&endpoint("dc1"));
        assert_eq!(order(&health), ["dc1", "dc3"]);
        health.forgive();
        assert_eq!(order(&health), ["dc1", "dc3", "dc2"]);
        let lines = health.take_lines();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[2].contains("dc1 serves again"), "{lines:?}");
        assert!(health.take_lines().is_empty());
    }

    #[test]
    fn lines_are_bounded() {
        let health = Health::default();
        for n in 0..1000 {
            leave(&health, &format!("dc{n}"), Duration::ZERO);
        }
        let lines = health.take_lines();
        assert_eq!(lines.len(), LINES);
        assert!(lines[LINES - 1].contains("dc999 "), "{lines:?}");
    }
}
