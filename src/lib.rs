//! Telephone PIN resets that behave like Exchange's `Set-UMMailboxPIN`: policy, generation, sealed storage, notification.
//!
//! The product of this crate is its C ABI (`include/umpin.h`); the Rust interface serves its tests and benchmarks.

#![deny(unsafe_code)]

pub mod attributes;
pub mod audit;
pub mod cancellation;
mod certificate;
pub mod check;
pub mod clock;
pub mod config;
pub mod credential;
pub mod directory;
pub mod error;
pub mod generate;
pub mod identity;
pub mod import;
mod json_fault;
pub mod keys;
pub mod mailbox;
pub mod notification;
pub mod password;
pub mod pin;
pub mod platform;
pub mod policy;
pub mod random;
pub mod secret;
pub mod service;
pub mod session;
mod tcp;
mod text;
mod threads;
mod tls;

#[allow(unsafe_code)]
pub mod ffi;

#[cfg(all(feature = "test-hooks", not(debug_assertions)))]
compile_error!("the feature `test-hooks` weakens PIN protection and is for debug builds only");

pub use error::{Error, ErrorCode, Result};
