//! Active Directory: Samba domain controllers, in namespaces that end with the tests.
//!
//! Needs Linux, root and Samba (the Debian packages that `.ci/run` names). Where they are missing, every test fails and
//! says so; `cargo xtask test --all` reports them as skipped then. See `rig/mod.rs` for how a test gets at a controller.
#![cfg(target_os = "linux")]

mod adapter;
mod check;
#[path = "replicas/child.rs"]
mod child;
mod clearing;
mod controllers;
mod credential;
mod domains;
mod foreign_values;
mod host;
mod identity;
mod idle;
mod injection;
mod keeper;
mod kerberos;
mod listing;
mod migration;
mod numbers;
mod policies;
mod refusals;
mod relays;
mod replicas;
mod resets;
mod rig;
mod rights;
mod sign_ins;
#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod traffic;
mod transport;
mod trust;
mod unreadable;

use support::{attempt, key_update, process, stores};
