//! The DC locator: finds domain controllers and global catalogs by DNS.

use std::sync::Arc;
use std::time::Duration;

use super::srv::{self, Record};
use super::ttl_cache::{LookupResult, TtlCache};
use crate::connection::pool::Pool;
use crate::server::{Server, Tls};

/// Time limit of all queries of a look-up.
const DNS_TIMEOUT: Duration = Duration::from_secs(10);

/// Servers by DNS name.
#[derive(Default)]
pub(crate) struct DcLocator(TtlCache<String, Vec<Server>>);

impl DcLocator {
    /// Controllers of a domain, the PDC emulator first; empty if DNS has no records.
    pub(super) fn controllers(&self, pool: &Arc<Pool>, domain: &str) -> LookupResult<Vec<Server>> {
        let mut servers = self.look_up(pool, &format!("_ldap._tcp.dc._msdcs.{domain}"), 389)?;
        if servers.len() > 1 {
            let pdc_emulator = self.look_up(pool, &format!("_ldap._tcp.pdc._msdcs.{domain}"), 389);
            if let Some(first) = pdc_emulator.ok().and_then(|found| found.into_iter().next()) {
                servers.sort_by_key(|server| *server != first);
            }
        }
        Ok(servers)
    }

    /// Global catalogs of a forest.
    pub(super) fn catalogs(&self, pool: &Arc<Pool>, forest: &str) -> LookupResult<Vec<Server>> {
        self.look_up(pool, &format!("_gc._tcp.{forest}"), 3268)
    }

    /// Caches these servers as the result for a name.
    #[cfg(test)]
    pub(super) fn seed(&self, name: &str, servers: &[Server]) {
        let cached = self.0.get(name.to_owned(), || Ok(servers.to_vec()));
        assert_eq!(cached.as_deref(), Ok(servers), "{name} was looked up before");
    }

    fn look_up(&self, pool: &Arc<Pool>, name: &str, usual_port: u16) -> LookupResult<Vec<Server>> {
        self.0.get(name.to_owned(), || {
            let limit = DNS_TIMEOUT.min(pool.settings.timeout);
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

/// SRV records give the port without TLS, which is used for StartTLS and does not apply to LDAPS.
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
    fn ports_of_srv_records_apply_to_start_tls_only() {
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
