//! Whether the directory can be used at all.

use super::Warning;
use super::check::Checks;
use crate::Result;

/// The directory that this session uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its type, as in the configuration.
    pub directory: &'static str,
    /// A path or a server's name.
    pub location: String,
    /// What the administrator should mend although commands go on.
    pub warnings: Vec<Warning>,
    /// What became of its servers, for `-Verbose`.
    pub diagnostics: Vec<String>,
}

impl Checks {
    /// [`Service::status`](crate::service::Service::status).
    pub(in crate::service) fn status(&self) -> Result<Status> {
        self.directory.refresh();
        self.directory.store_id()?;
        if self.directory.holds_sealed_data()? {
            // A key that was lost since is told here, once, and not by every mailbox.
            self.records.ring_on_disk()?;
        }
        Ok(Status {
            directory: self.directory.kind(),
            location: self.directory.location(),
            warnings: self.exposed_parents(),
            diagnostics: self.directory.take_diagnostics(),
        })
    }
}
