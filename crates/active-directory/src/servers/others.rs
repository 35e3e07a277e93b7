//! The other controllers of the domain, for whoever must know whether they know more than one.

use super::Servers;
use crate::failure::Failure;

/// Hosts change a mailbox on the controllers that come first: more are not worth asking.
const MOST: usize = 4;

impl Servers {
    /// Other controllers of the domain than this one, the preferred ones of them.
    ///
    /// # Errors
    /// `Unreached`, `Hopeless`.
    pub(crate) fn others(&self, host: &str) -> Result<Vec<String>, Failure> {
        let this = self.named(host)?.server;
        let (all, _) = self.controllers(&self.settings().domain)?;
        Ok(all
            .into_iter()
            .filter(|server| *server != this)
            .take(MOST)
            .map(|server| server.to_string())
            .collect())
    }
}
