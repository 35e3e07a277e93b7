//! The real relays, as the tests of the mail itself start them.

#[path = "../../smtp/certificates.rs"]
pub mod certificates;
#[cfg(unix)]
#[path = "../../smtp/postfix_server.rs"]
pub mod postfix_server;
#[path = "../../smtp/rig.rs"]
pub mod rig;
