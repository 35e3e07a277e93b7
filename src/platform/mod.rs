//! What differs between operating systems.

pub mod access;
pub mod account;
pub mod files;
pub mod group;
pub mod host;
pub mod volume;
