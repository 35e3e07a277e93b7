//! The relay is `aiosmtpd`, which fails on demand (`../sink.py`).

mod addresses;
mod check;
mod faults;
mod reuse;
mod session;
mod sign_in;
mod trust;

use super::{certificates, harness};
