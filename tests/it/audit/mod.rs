//! The audit log of a real store: what is recorded, that tampering with the file shows, retention, export.

mod actions;
mod export;
mod failures;
mod fixture;
mod reading;
mod retention;
mod tampering;
