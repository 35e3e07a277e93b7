//! The credential record: what is kept of a PIN, and how it is protected (design: docs/decisions.md).

pub mod counter;
pub mod derive;
mod encoding;
pub mod keyring;
pub mod lockout;
pub mod memory;
pub mod record;
pub mod seal;

pub use encoding::DecodeError;
