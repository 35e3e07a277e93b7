//! What the library does, on the embedded directory and with mail: all that is neither a promise of the C ABI or of a format nor
//! needs Active Directory.

mod audit;
mod audit_chain;
mod check_configuration;
mod clearing;
mod durability;
mod embedded_import;
mod embedded_processes;
mod embedded_store;
mod faults;
mod file_access;
mod hostile_store;
mod identity_forms;
mod import_matching;
mod import_steps;
mod key_update;
mod notification_fuzz;
mod notification_session;
mod open_files;
mod outbox;
mod policies;
mod policy_rules;
mod removal;
mod reset;
mod secrets;
mod signin;
mod signin_timing;
mod smtp;
#[allow(dead_code, reason = "each test program and set of features uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod workers;
