//! The other controllers of the domain, whose replicas are compared with the one of a given controller.

use super::Servers;
use crate::server_error::ServerError;

/// Hosts change mailboxes on the first controllers of the list; reading more replicas adds little.
const MAX_REPLICAS: usize = 4;

impl Servers {
    /// The preferred controllers of the domain without this one.
    ///
    /// # Errors
    /// `NotSent`, `Fatal`.
    pub(crate) fn replicas(&self, host: &str) -> Result<Vec<String>, ServerError> {
        let this = self.endpoint_named(host)?.server;
        let (all, _) = self.controllers(&self.settings().domain)?;
        Ok(all
            .into_iter()
            .filter(|server| *server != this)
            .take(MAX_REPLICAS)
            .map(|server| server.to_string())
            .collect())
    }
}
