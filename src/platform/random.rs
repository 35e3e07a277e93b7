//! Randomness from the operating system, and from nowhere else.

use rand::TryRng;
use rand::rngs::SysRng;

use crate::{Error, ErrorCode, Result};

/// The operating system's random number generator.
#[must_use]
pub fn rng() -> SysRng {
    SysRng
}

/// Random bytes for salts, nonces and ids.
///
/// # Errors
/// `NativeFault` when the operating system has no randomness to give.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|e| {
        Error::new(
            ErrorCode::NativeFault,
            "The operating system's random number generator failed.",
        )
        .action("Check the operating system's random number generator.")
        .caused_by(e)
    })?;
    Ok(bytes)
}
