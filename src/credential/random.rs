//! Random bytes from a generator that may fail.

use rand::TryCryptoRng;

use crate::{Error, ErrorCode, Result};

/// `N` fresh random bytes: salts, nonces, epochs, PIN ids. Production code passes [`rand::rngs::SysRng`].
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
        Error::new(ErrorCode::NativeFault, "The operating system gave no random numbers.")
            .action("Check that the operating system's random number generator works.")
            .caused_by(error.to_string())
    })
}
