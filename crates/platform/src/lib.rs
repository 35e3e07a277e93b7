//! Operating system services: files and their permissions, accounts, TCP options, TLS trust, and what differs between systems.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

pub mod access;
pub mod account;
pub mod files;
pub mod group;
pub mod host;
pub mod password;
pub mod secret;
pub mod tcp;
pub mod text;
pub mod tls;
pub mod volume;
