//! Delivery of messages: to a pickup folder or an SMTP relay.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

pub mod pickup;
pub mod smtp;
