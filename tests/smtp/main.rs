//! Mail to real servers: `aiosmtpd` that fails on demand (`sink.py`), and Postfix.
//!
//! `cargo xtask test` provides them; where one is missing its tests say so and end, unless `CI` is `true`.

mod addresses;
mod certificates;
mod check;
mod faults;
#[cfg(unix)]
mod postfix;
#[cfg(unix)]
#[allow(dead_code, reason = "the tests of the outbox use more of it")]
mod postfix_server;
mod reuse;
mod rig;
mod session;
mod sign_in;
#[path = "../support/mod.rs"]
mod support;
mod trust;
