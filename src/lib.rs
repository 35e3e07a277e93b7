//! Telephone PIN resets that behave like Exchange's `Set-UMMailboxPIN`: policy, generation, sealed storage, notification.
//!
//! The product of this crate is its C ABI (`include/umpin.h`); the Rust interface serves its tests and benchmarks. The domain and the
//! use cases are in `umpin-core`; each engine behind their ports has a crate of its own.

#![deny(unsafe_code)]

pub mod config;
mod json_error;
pub mod session;

#[allow(unsafe_code)]
pub mod ffi;

#[cfg(all(feature = "test-hooks", not(debug_assertions)))]
compile_error!("the feature `test-hooks` weakens PIN protection and is for debug builds only");

use umpin_core::threads;
pub use umpin_core::{
    Error, ErrorCode, Result, attributes, audit, cancellation, check, clock, credential, error, generate, identity,
    import, keys, mailbox, pin, policy, random, service,
};
pub use umpin_platform as platform;
pub use umpin_platform::{password, secret};

/// The directory's port, and the engines behind it.
pub mod directory {
    pub use umpin_active_directory as active_directory;
    pub use umpin_core::directory::*;
    pub use umpin_store as embedded;
}

/// Messages, their port, and the ways of delivery behind it.
pub mod notification {
    pub use umpin_core::notification::*;
    pub use umpin_mail::{pickup, smtp};
}
