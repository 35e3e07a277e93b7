//! Connects to every configured or located server, for the configuration check.

use std::time::Instant;

use super::{Servers, Source, from_dns, to_endpoints};
use crate::admission::Admission;
use crate::connection::Connection;
use crate::server::{Endpoint, Role};
use crate::server_error::ServerError;
use umpin_core::Result;
use umpin_core::cancellation::Cancellation;

/// A server and the result of a connection attempt.
pub(crate) struct ProbedServer {
    pub endpoint: Endpoint,
    /// The server is from the configuration, not from DNS.
    pub is_configured: bool,
    pub connection: std::result::Result<Connection, ServerError>,
}

impl Servers {
    /// Probes the controllers of the domain.
    ///
    /// # Errors
    /// `DirectoryUnavailable` if no controller is configured and DNS names none; `Cancelled`.
    pub(crate) fn probe_controllers(&self, cancellation: &Cancellation) -> Result<Vec<ProbedServer>> {
        let settings = self.settings();
        let (servers, source) = if settings.domain_controllers.is_empty() {
            let found = self.dc_locator.controllers(&self.pool, &settings.domain);
            let what = format!("domain controllers of {}", settings.domain);
            (from_dns(found, &what)?, Source::Dns)
        } else {
            (settings.domain_controllers.clone(), Source::Configuration)
        };
        // DNS may name read-only controllers.
        let admission = Admission {
            requirement: self.domain(),
            source,
            is_named: true,
        };
        self.probe(to_endpoints(servers, Role::Controller), &admission, cancellation)
    }

    /// Probes the global catalogs of the forest.
    ///
    /// # Errors
    /// `DirectoryUnavailable` if the forest is unknown; `Cancelled`.
    pub(crate) fn probe_catalogs(&self, cancellation: &Cancellation) -> Result<Vec<ProbedServer>> {
        let (servers, source) = self.catalogs()?;
        let admission = Admission {
            requirement: self.forest()?.requirement(),
            source,
            is_named: true,
        };
        self.probe(to_endpoints(servers, Role::Catalog), &admission, cancellation)
    }

    fn probe(
        &self,
        endpoints: Vec<Endpoint>,
        admission: &Admission,
        cancellation: &Cancellation,
    ) -> Result<Vec<ProbedServer>> {
        let mut probed = Vec::new();
        for endpoint in endpoints {
            cancellation.check()?;
            // A new connection: a pooled one may have been opened with an earlier certificate.
            let connection = self.open(&endpoint, admission, Instant::now());
            match &connection {
                Ok(_) => self.health.mark_up(&endpoint),
                Err(failure) => self.record_failure(&endpoint, failure, Instant::now()),
            }
            probed.push(ProbedServer {
                is_configured: admission.source == Source::Configuration,
                endpoint,
                connection,
            });
        }
        Ok(probed)
    }
}
