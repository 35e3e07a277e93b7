//! Mail to real servers: `aiosmtpd`, which fails on demand (`sink.py`), and Postfix.
//!
//! `cargo xtask test --all` provides `aiosmtpd`, and leaves the tests out whose server is missing.

pub mod harness;
mod needs_aiosmtpd;
#[cfg(unix)]
mod needs_postfix;
#[cfg(unix)]
pub mod postfix_server;

pub use crate::support::certificates;
