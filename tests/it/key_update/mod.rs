//! Replacing the key of a store that is in use.
//!
//! The other process of the kill loop is this test binary once more (`child.rs`).

mod child;
mod kill;
mod late;
mod rules;
mod store;

use crate::support::{attempt, double, key_update as update, process, stores as fixture};
