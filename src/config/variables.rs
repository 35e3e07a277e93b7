//! The caller's environment variables, in which a password may be.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::Secret;

/// What every one of them begins with.
pub(super) const PREFIX: &str = "UMPIN_";

/// By name; the values are wiped on drop and never shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Variables(BTreeMap<String, Secret>);

impl Variables {
    /// Whether every name begins with `UMPIN_`: nobody shall hand over a whole environment.
    #[must_use]
    pub fn are_ours(&self) -> bool {
        self.0.keys().all(|name| name.starts_with(PREFIX))
    }

    /// The value of one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Secret> {
        self.0.get(name).cloned()
    }
}
