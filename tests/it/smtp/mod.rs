//! Mail to real servers: `aiosmtpd` that fails on demand (`sink.py`), and Postfix.
//!
//! `cargo xtask test` provides them; where one is missing its tests say so and end, unless `CI` is `true`.

mod addresses;
mod check;
mod faults;
#[cfg(unix)]
mod postfix;
#[cfg(unix)]
pub mod postfix_server;
mod reuse;
pub mod rig;
mod session;
mod sign_in;
mod trust;

pub use crate::support::certificates;
