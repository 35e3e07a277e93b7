//! Whether the directory can be used at all.

use super::{Service, Warning};
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

impl Service {
    /// Begins a command: reaches for the directory afresh and, where it holds sealed data, the key: what fails here would fail for every mailbox.
    ///
    /// # Errors
    /// `DirectoryUnavailable` where there is no store, `KeyUnavailable`, `StoreCorrupt`, `AccessDenied`.
    pub fn status(&self) -> Result<Status> {
        self.directory().refresh();
        self.directory().store_id()?;
        if self.directory().holds_sealed_data()? {
            // A key that was lost since is told here, once, and not by every mailbox.
            self.ring_on_disk()?;
        }
        Ok(Status {
            directory: self.directory().kind(),
            location: self.directory().location(),
            warnings: self.exposed_parents(),
            diagnostics: self.directory().take_diagnostics(),
        })
    }
}
