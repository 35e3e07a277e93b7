//! Where the servers of a domain or of the forest are, as configured or as DNS says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::srv::{self, Record};
use crate::connection::pool::Pool;
use crate::server::{Server, Tls};

/// What was found counts for this long …
const FOUND_FOR: Duration = Duration::from_secs(600);
/// … and what was not found for this long.
const MISSED_FOR: Duration = Duration::from_secs(60);
/// How long DNS may take in all.
const DNS_LIMIT: Duration = Duration::from_secs(10);

/// What was found once, for a while. One at a time looks for it, and the others have what it found.
pub(crate) struct Remembered<K, T>(Mutex<HashMap<K, Arc<Mutex<Known<T>>>>>);

/// Until when it counts.
type Known<T> = Option<(Instant, Found<T>)>;

/// What was found, or why nothing was.
pub(crate) type Found<T> = Result<T, String>;

impl<K, T> Default for Remembered<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: std::hash::Hash + Eq, T: Clone> Remembered<K, T> {
    /// Looks for it unless it is known. A search in vain leaves in force what was found before.
    pub(super) fn get(&self, key: K, find: impl FnOnce() -> Found<T>) -> Found<T> {
        let place = Arc::clone(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key)
                .or_default(),
        );
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, known)) = place.as_ref()
            && Instant::now() < *until
        {
            return known.clone();
        }
        let (found, lasts) = match (find(), place.take()) {
            (Ok(found), _) => (Ok(found), FOUND_FOR),
            (Err(_), Some((_, Ok(before)))) => (Ok(before), MISSED_FOR),
            (Err(why), _) => (Err(why), MISSED_FOR),
        };
        *place = Some((Instant::now() + lasts, found.clone()));
        found
    }
}

/// What DNS said.
#[derive(Default)]
pub(crate) struct Places(Remembered<String, Vec<Server>>);

impl Places {
    /// Controllers of a domain, the PDC emulator first; none where DNS knows none.
    pub(super) fn controllers(&self, pool: &Arc<Pool>, domain: &str) -> Found<Vec<Server>> {
        let mut servers = self.by_name(pool, &format!("_ldap._tcp.dc._msdcs.{domain}"), 389)?;
        if servers.len() > 1 {
            let emulator = self.by_name(pool, &format!("_ldap._tcp.pdc._msdcs.{domain}"), 389);
            if let Some(first) = emulator.ok().and_then(|found| found.into_iter().next()) {
                servers.sort_by_key(|server| *server != first);
            }
        }
        Ok(servers)
    }

    /// Global catalogs of a forest.
    pub(super) fn catalogs(&self, pool: &Arc<Pool>, forest: &str) -> Found<Vec<Server>> {
        self.by_name(pool, &format!("_gc._tcp.{forest}"), 3268)
    }

    /// As if DNS had said so.
    #[cfg(test)]
    pub(super) fn learn(&self, name: &str, servers: &[Server]) {
        let known = self.0.get(name.to_owned(), || Ok(servers.to_vec()));
        assert_eq!(known.as_deref(), Ok(servers), "{name} was looked up before");
    }

    fn by_name(&self, pool: &Arc<Pool>, name: &str, usual_port: u16) -> Found<Vec<Server>> {
        self.0.get(name.to_owned(), || {
            let limit = DNS_LIMIT.min(pool.settings.timeout);
            let records = pool
                .run(limit, srv::look_up(name.to_owned()))
                .unwrap_or_else(|_| Err("DNS did not answer in time".to_owned()))?;
            let records = records
                .into_iter()
                .map(|record| with_port(record, pool.settings.tls, usual_port));
            Ok(srv::order(records.collect(), |most| rand::random_range(0..=most)))
        })
    }
}

/// The port in DNS is that without TLS: it serves for StartTLS, and says nothing of LDAPS.
fn with_port(mut record: Record, tls: Tls, usual: u16) -> Record {
    if tls == Tls::Ldaps || record.target.port == Some(usual) {
        record.target.port = None;
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_in_vain_leaves_what_was_found() {
        let remembered = Remembered::<&str, u8>::default();
        assert_eq!(remembered.get("a", || Err("no".to_owned())), Err("no".to_owned()));
        assert_eq!(
            remembered.get("a", || Ok(1)),
            Err("no".to_owned()),
            "not asked again so soon"
        );
        assert_eq!(remembered.get("b", || Ok(2)), Ok(2));
        let place = Arc::clone(&remembered.0.lock().unwrap()["b"]);
        place.lock().unwrap().as_mut().unwrap().0 = Instant::now();
        assert_eq!(remembered.get("b", || Err("gone".to_owned())), Ok(2));
    }

    #[test]
    fn ports_of_dns_serve_for_start_tls_alone() {
        let record = |port| Record {
            priority: 0,
            weight: 0,
            target: Server {
                host: "dc1.contoso.com".to_owned(),
                port: Some(port),
            },
        };
        assert_eq!(with_port(record(389), Tls::StartTls, 389).target.port, None);
        assert_eq!(with_port(record(1389), Tls::StartTls, 389).target.port, Some(1389));
        assert_eq!(with_port(record(1389), Tls::Ldaps, 389).target.port, None);
    }
}
