//! Random numbers of the operating system. The domain gets the generator as an argument, so that tests can pass another.

use rand::TryCryptoRng;
use rand::rngs::SysRng;

use crate::{Error, ErrorCode, Result};

/// The operating system's random number generator. Its failure is an error, not a panic.
#[must_use]
pub fn system_rng() -> SysRng {
    SysRng
}

/// `N` random bytes of the operating system, for ids and epochs.
///
/// # Errors
/// As [`random_bytes`].
pub fn system_bytes<const N: usize>() -> Result<[u8; N]> {
    random_bytes(&mut SysRng)
}

/// `N` random bytes, for salts, nonces, epochs and PIN ids.
///
/// # Errors
/// `NativeFault` when the generator fails: nothing can be protected without it.
pub fn random_bytes<const N: usize, R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    fill_random(&mut bytes, rng)?;
    Ok(bytes)
}

/// Fills a buffer that the caller wipes, so that no copy of a key stays on the stack.
///
/// # Errors
/// As [`random_bytes`].
pub fn fill_random<R: TryCryptoRng + ?Sized>(bytes: &mut [u8], rng: &mut R) -> Result<()> {
    rng.try_fill_bytes(bytes).map_err(|error| {
        Error::new(
            ErrorCode::NativeFault,
            format!("The operating system gave no random numbers: {error}."),
        )
        .action("Check that the operating system's random number generator works.")
        .caused_by(error.to_string())
    })
}
