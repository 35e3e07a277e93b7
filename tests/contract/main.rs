//! What callers and files on disk rely on: the C ABI, the requests, the errors, and the formats of records, stores, messages and imports.

mod exports;
mod ffi_hostile;
mod golden_credential;
mod golden_store;
mod header;
mod import;
mod notification_message;
mod requests;
mod status_table;
#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../support/mod.rs"]
mod support;
