//! Which server is asked: the preferred one, the next where that fails, a certain one, or one of the global catalogs.

use super::connection::Connection;
use super::failure::Failure;
use super::settings::ActiveDirectorySettings;
use crate::Result;

/// Who may answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whom<'a> {
    /// Any controller of the domain of that DNS name, the one that holds the PDC emulator's role first; read-only ones never.
    DomainController(&'a str),
    /// This one and no other.
    Server(&'a str),
    /// Any global catalog of the forest.
    GlobalCatalog,
}

/// The servers of the forest, and the connections to them.
pub(super) struct Servers {
    settings: ActiveDirectorySettings,
}

impl Servers {
    /// Touches nothing yet.
    pub fn new(settings: ActiveDirectorySettings) -> Self {
        Self { settings }
    }

    pub fn settings(&self) -> &ActiveDirectorySettings {
        &self.settings
    }

    /// Puts a question, which may be put again: to the next server where one cannot be reached, does not answer or declines.
    ///
    /// # Errors
    /// Where nobody answers, the most telling of the failures.
    pub fn ask<T>(
        &self,
        whom: Whom<'_>,
        mut question: impl FnMut(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let _ = (whom, &mut question);
        todo!()
    }

    /// A connection to this controller and no other, for a change or for a listing of several pages.
    ///
    /// # Errors
    /// `Unreached`, `Hopeless`.
    pub fn connect(&self, host: &str) -> Result<Connection, Failure> {
        let _ = host;
        todo!()
    }
}
