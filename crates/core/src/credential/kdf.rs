//! Key derivation of PINs: Argon2id with a salt per mailbox.
//!
//! A PIN has too few digits for hashing alone to protect it; the seal does that (see [`super::seal`]). The derivation matters
//! when both the store and the key are stolen: every guess then costs as much as a sign-in.

use std::fmt;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use rand::TryCryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::kdf_memory::KdfMemory;
use crate::pin::Pin;
use crate::random::random_bytes;
use crate::{Error, ErrorCode, Result};

/// The cost parameters of Argon2id. They are stored beside the salt, so that the cost can be raised while stored PINs stay
/// verifiable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Cost {
    /// The parameters that OWASP's password storage guide recommends for Argon2id: 19 MiB, two passes, one lane.
    pub const STANDARD: Self = Self {
        memory_kib: 19 * 1024,
        iterations: 2,
        parallelism: 1,
    };

    /// Whether the cost is within the bounds for a record: a record must not exhaust the host that reads it.
    #[must_use]
    pub fn is_acceptable(self) -> bool {
        (1..=16).contains(&self.parallelism)
            && (1..=100).contains(&self.iterations)
            && (8 * self.parallelism..=1024 * 1024).contains(&self.memory_kib)
    }
}

/// The parameters of a derivation. All PINs of a mailbox share them, so that one derivation checks the whole history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KdfParams {
    /// Random, one per mailbox and cost.
    pub salt: [u8; 16],
    /// The cost of a derivation.
    pub cost: Cost,
}

impl KdfParams {
    /// Parameters with a fresh salt.
    ///
    /// # Errors
    /// `NativeFault` when the random number generator fails.
    pub fn generate<R: TryCryptoRng + ?Sized>(cost: Cost, rng: &mut R) -> Result<Self> {
        let salt = random_bytes(rng)?;
        Ok(Self { salt, cost })
    }
}

/// The derived value that is stored in place of a PIN. Wiped on drop; comparison takes constant time.
#[derive(Clone, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PinVerifier([u8; 32]);

impl PinVerifier {
    /// A verifier read from a record.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the record.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ConstantTimeEq for PinVerifier {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for PinVerifier {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl fmt::Debug for PinVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinVerifier(..)")
    }
}

/// Derives verifiers, in memory that is kept between derivations: allocating 19 MiB for each one costs page faults.
#[derive(Default)]
pub struct KdfContext {
    memory: Arc<KdfMemory>,
    count: u64,
    /// Dropped when the first derivation is done.
    permit: Option<Box<dyn Send>>,
}

impl KdfContext {
    /// A context with its own memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A context that shares its memory with others. It drops `permit` after its first derivation, or when it is dropped itself.
    #[must_use]
    pub fn sharing(memory: Arc<KdfMemory>, permit: Option<Box<dyn Send>>) -> Self {
        Self {
            memory,
            count: 0,
            permit,
        }
    }

    /// Derives the verifier of a PIN.
    ///
    /// # Errors
    /// `StoreCorrupt` for a cost outside the bounds, `NativeFault` when there is no memory for it.
    pub fn derive(&mut self, pin: &Pin, kdf_params: &KdfParams) -> Result<PinVerifier> {
        let cost = kdf_params.cost;
        let params = Some(cost)
            .filter(|cost| cost.is_acceptable())
            .and_then(|c| Params::new(c.memory_kib, c.iterations, c.parallelism, Some(32)).ok())
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::StoreCorrupt,
                    "The key derivation parameters of a credential record are out of range.",
                )
            })?;
        let mut memory = self.memory.acquire(params.block_count())?;
        let mut verifier = PinVerifier([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(pin.expose().as_bytes(), &kdf_params.salt, &mut verifier.0, &mut *memory)
            .map_err(|error| {
                Error::new(
                    ErrorCode::NativeFault,
                    format!("The PIN could not be derived: {error}."),
                )
            })?;
        drop(memory);
        self.permit = None;
        self.count += 1;
        #[cfg(feature = "test-hooks")]
        DERIVATIONS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(verifier)
    }

    /// The number of derivations so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(feature = "test-hooks")]
static DERIVATIONS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// The number of derivations of all contexts of this process: tests assert that a reset costs one.
#[cfg(feature = "test-hooks")]
#[must_use]
pub fn derivations_so_far() -> u64 {
    DERIVATIONS.load(std::sync::atomic::Ordering::Relaxed)
}

/// The verifiers of one PIN. Each is derived at most once, however often a check or a retry needs it.
pub struct PinVerifiers {
    pin: Pin,
    verifiers: Vec<(KdfParams, PinVerifier)>,
}

impl PinVerifiers {
    /// Nothing is derived yet.
    #[must_use]
    pub fn new(pin: Pin) -> Self {
        Self {
            pin,
            verifiers: Vec::with_capacity(1),
        }
    }

    /// The PIN itself.
    #[must_use]
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// The verifier for these parameters, derived at the first call.
    ///
    /// # Errors
    /// As [`KdfContext::derive`].
    pub fn verifier(&mut self, params: &KdfParams, kdf: &mut KdfContext) -> Result<PinVerifier> {
        if let Some((_, verifier)) = self.verifiers.iter().find(|(known, _)| known == params) {
            return Ok(verifier.clone());
        }
        let verifier = kdf.derive(&self.pin, params)?;
        self.verifiers.push((*params, verifier.clone()));
        Ok(verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Cost = Cost {
        memory_kib: 32,
        iterations: 3,
        parallelism: 4,
    };

    fn pin(text: &str) -> Pin {
        Pin::new(text.to_owned())
    }

    fn hex(verifier: &PinVerifier) -> String {
        verifier.as_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The expected values come from another implementation (Python's `argon2-cffi`, which wraps the reference C code).
    #[test]
    fn agrees_with_the_reference_implementation() {
        let mut kdf = KdfContext::new();
        let standard = KdfParams {
            salt: *b"0123456789abcdef",
            cost: Cost::STANDARD,
        };
        assert_eq!(
            hex(&kdf.derive(&pin("482913"), &standard).unwrap()),
            "050c1c8d6173440235435e8f0e3e794bf41069966a6fa2fb95d2a2b220f61d52"
        );
        let small = KdfParams {
            salt: *b"fedcba9876543210",
            cost: SMALL,
        };
        assert_eq!(
            hex(&kdf.derive(&pin("0000"), &small).unwrap()),
            "9390ef412d079ec7c10e4f2fb978b564fe3b1a377b1c63b9dfb1195ff964c1f1"
        );
        assert_eq!(kdf.count(), 2);
    }

    #[test]
    fn left_over_memory_of_a_larger_derivation_changes_nothing() {
        let large = KdfParams {
            salt: [1; 16],
            cost: Cost {
                memory_kib: 256,
                ..SMALL
            },
        };
        let small = KdfParams {
            salt: [2; 16],
            cost: SMALL,
        };
        let fresh = KdfContext::new().derive(&pin("482913"), &small).unwrap();
        let mut used = KdfContext::new();
        used.derive(&pin("777123"), &large).unwrap();
        assert_eq!(used.derive(&pin("482913"), &small).unwrap(), fresh);
    }

    #[test]
    fn salt_cost_and_pin_all_matter() {
        let mut kdf = KdfContext::new();
        let base = KdfParams {
            salt: [1; 16],
            cost: SMALL,
        };
        let verifier = kdf.derive(&pin("482913"), &base).unwrap();
        let mut other_salt = base;
        other_salt.salt[15] ^= 1;
        let mut other_cost = base;
        other_cost.cost.iterations += 1;
        assert_ne!(kdf.derive(&pin("482913"), &other_salt).unwrap(), verifier);
        assert_ne!(kdf.derive(&pin("482913"), &other_cost).unwrap(), verifier);
        assert_ne!(kdf.derive(&pin("482914"), &base).unwrap(), verifier);
    }

    #[test]
    fn costs_outside_the_bounds_are_refused_before_memory_is_taken() {
        let mut kdf = KdfContext::new();
        for (memory_kib, iterations, parallelism) in [
            (u32::MAX, 1, 1),
            (1024 * 1024 + 1, 1, 1),
            (8, 101, 1),
            (8, 0, 1),
            (7, 1, 1),
            (8, 1, 0),
            (64, 1, 9),
            (8 * 17, 1, 17),
            (8, 1, u32::MAX),
        ] {
            let cost = Cost {
                memory_kib,
                iterations,
                parallelism,
            };
            let params = KdfParams { salt: [0; 16], cost };
            let error = kdf.derive(&pin("482913"), &params).unwrap_err();
            assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{cost:?}");
        }
        assert_eq!((kdf.count(), kdf.memory.idle_count()), (0, 0));
    }

    #[test]
    fn a_verifier_is_derived_once() {
        let mut kdf = KdfContext::new();
        let mut verifiers = PinVerifiers::new(pin("482913"));
        let params = KdfParams {
            salt: [3; 16],
            cost: SMALL,
        };
        let first = verifiers.verifier(&params, &mut kdf).unwrap();
        assert_eq!(verifiers.verifier(&params, &mut kdf).unwrap(), first);
        assert_eq!(kdf.count(), 1);
    }

    #[test]
    fn debug_shows_no_byte_of_a_verifier() {
        assert_eq!(format!("{:?}", PinVerifier::new([0xab; 32])), "PinVerifier(..)");
    }
}
