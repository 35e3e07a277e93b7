//! The credential record: what is kept of a PIN, and how it is protected (design: docs/decisions.md).

pub mod counter;
mod encoding;
pub mod kdf;
pub mod kdf_memory;
pub mod keyring;
pub mod lockout;
pub mod master_key;
pub mod record;
pub mod seal;

pub use encoding::DecodeError;
