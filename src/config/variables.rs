//! The caller's environment variables, which may hold passwords.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::Secret;

/// The prefix of their names.
pub(super) const PREFIX: &str = "UMPIN_";

/// By name; the values are wiped on drop and never shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Variables(BTreeMap<String, Secret>);

impl Variables {
    /// Whether every name begins with `UMPIN_`, so that no caller passes its whole environment.
    #[must_use]
    pub fn have_prefix(&self) -> bool {
        self.0.keys().all(|name| name.starts_with(PREFIX))
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Secret> {
        self.0.get(name).cloned()
    }
}
