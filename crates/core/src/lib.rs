//! The domain (PIN, policy, credential, identity), the ports to what lies outside, and one module per use case.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

pub mod attributes;
pub mod audit;
pub mod cancellation;
pub mod certificate;
pub mod check;
pub mod clock;
pub mod credential;
pub mod directory;
pub mod error;
pub mod generate;
pub mod identity;
pub mod import;
pub mod keys;
pub mod mailbox;
pub mod notification;
pub mod pin;
pub mod policy;
pub mod random;
pub mod service;
pub mod threads;

#[cfg(all(feature = "test-hooks", not(debug_assertions)))]
compile_error!("the feature `test-hooks` weakens PIN protection and is for debug builds only");

pub use error::{Error, ErrorCode, Result};
