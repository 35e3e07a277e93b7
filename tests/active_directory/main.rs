//! Tests on Samba domain controllers, which run in Linux namespaces.
//!
//! They need Linux, root and Samba (the Debian packages that `.ci/run` names). Without them every test fails and says so;
//! `cargo xtask test --all` reports them as skipped then. `harness/mod.rs` describes how a test gets a controller.
#![cfg(target_os = "linux")]

mod check;
#[path = "replicas/child.rs"]
mod child;
mod clearing;
mod credential;
mod directory_port;
mod domains;
mod errors;
mod foreign_values;
mod harness;
mod harness_controllers;
mod harness_relay;
mod host;
mod identity;
mod idle;
mod injection;
mod keep_forest;
mod kerberos;
mod listing;
mod migration;
mod policies;
mod replicas;
mod request_counts;
mod resets;
mod rights;
mod scaling;
mod sign_ins;
#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod transport;
mod trust;
mod unreadable_values;

use support::{attempt, key_update, process, stores};
