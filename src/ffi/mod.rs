//! The C ABI: the only unsafe code of the crate. Each file exports the functions of one handle; their common contract
//! is the header's introduction (`include/prologue.h`).

#![allow(non_camel_case_types, reason = "the names of the C header")]

mod batch;
mod boundary;
mod boundary_error;
mod buffer;
mod error;
mod error_object;
mod fork;
mod plan;
mod pointers;
mod request;
mod session;
mod sign_in;
mod status;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod version;

pub use batch::*;
pub use buffer::*;
pub use error::*;
pub use error_object::*;
pub use plan::*;
pub use request::*;
pub use session::*;
pub use sign_in::*;
pub use status::*;
#[cfg(feature = "test-hooks")]
pub use test_hooks::*;
pub use version::*;
