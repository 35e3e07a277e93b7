//! Active Directory: Samba domain controllers, in namespaces that end with the tests.
//!
//! Needs Linux, root and Samba (the Debian packages that `.ci/run` names). Where they are missing each test says so and passes,
//! unless `CI` is `true`. See `rig/mod.rs` for how a test gets at a controller.
#![cfg(target_os = "linux")]

mod controllers;
mod keeper;
#[cfg(feature = "gssapi")]
mod kerberos;
mod rig;
mod transport;
