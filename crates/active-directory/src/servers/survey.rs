//! Every server that is configured or found, each tried by itself, for the check of the configuration.

use std::time::Instant;

use super::{Servers, Source, endpoints_of, found_in_dns};
use crate::admission::Admission;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::server::{Endpoint, Role};
use umpin_core::Result;
use umpin_core::cancellation::Cancellation;

/// A server, and what came of trying it.
pub(crate) struct Tried {
    pub endpoint: Endpoint,
    /// Whether the configuration names it; DNS does otherwise.
    pub is_configured: bool,
    pub connection: std::result::Result<Connection, Failure>,
}

impl Servers {
    /// The controllers of the domain.
    ///
    /// # Errors
    /// Where none is configured and DNS names none; `Cancelled`.
    pub(crate) fn survey_controllers(&self, cancellation: &Cancellation) -> Result<Vec<Tried>> {
        let settings = self.settings();
        let (servers, source) = if settings.domain_controllers.is_empty() {
            let found = self.places.controllers(&self.pool, &settings.domain);
            let what = format!("domain controllers of {}", settings.domain);
            (found_in_dns(found, &what)?, Source::Dns)
        } else {
            (settings.domain_controllers.clone(), Source::Configuration)
        };
        // Read-only ones among those of DNS are no fault.
        let admission = Admission {
            holding: self.domain(),
            source,
            is_named: true,
        };
        self.survey(endpoints_of(servers, Role::Controller), &admission, cancellation)
    }

    /// The global catalogs of the forest.
    ///
    /// # Errors
    /// Where the forest is not known; `Cancelled`.
    pub(crate) fn survey_catalogs(&self, cancellation: &Cancellation) -> Result<Vec<Tried>> {
        let (servers, source) = self.catalogs()?;
        let admission = Admission {
            holding: self.forest()?.holding(),
            source,
            is_named: true,
        };
        self.survey(endpoints_of(servers, Role::Catalog), &admission, cancellation)
    }

    fn survey(
        &self,
        endpoints: Vec<Endpoint>,
        admission: &Admission,
        cancellation: &Cancellation,
    ) -> Result<Vec<Tried>> {
        let mut tried = Vec::new();
        for endpoint in endpoints {
            cancellation.check()?;
            // A connection of its own: a kept one would not show the certificate that the server has now.
            let connection = self.open(&endpoint, admission, Instant::now());
            match &connection {
                Ok(_) => self.health.serves(&endpoint),
                Err(failure) => self.note(&endpoint, failure, Instant::now()),
            }
            tried.push(Tried {
                is_configured: admission.source == Source::Configuration,
                endpoint,
                connection,
            });
        }
        Ok(tried)
    }
}
