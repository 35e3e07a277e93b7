//! How messages are delivered: in a pickup folder or to an SMTP relay.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

pub mod pickup;
pub mod smtp;
