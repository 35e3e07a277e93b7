//! From a PIN to the tag that is stored: Argon2id with a salt per mailbox.
//!
//! A PIN has too few digits for hashing alone to protect it; the seal does that (see [`super::seal`]). The derivation is the
//! second line, for the case that store *and* key are stolen: then every guess costs what a sign-in costs.

use std::fmt;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use rand::TryCryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::memory::DerivationMemory;
use crate::pin::Pin;
use crate::random::random_bytes;
use crate::{Error, ErrorCode, Result};

/// What a derivation costs. Stored beside the salt, so that it can be raised without a PIN becoming uncheckable.
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
    /// What OWASP's password storage guide recommends for Argon2id: 19 MiB, two passes, one lane.
    pub const STANDARD: Self = Self {
        memory_kib: 19 * 1024,
        iterations: 2,
        parallelism: 1,
    };

    /// Whether a record may ask for this: bounded, so that a record cannot exhaust the host that reads it.
    #[must_use]
    pub fn is_acceptable(self) -> bool {
        (1..=16).contains(&self.parallelism)
            && (1..=100).contains(&self.iterations)
            && (8 * self.parallelism..=1024 * 1024).contains(&self.memory_kib)
    }
}

/// One way to derive tags: all PINs of a mailbox share one, so that a single derivation checks the whole history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Derivation {
    /// Random, one per mailbox and cost.
    pub salt: [u8; 16],
    /// What it costs.
    pub cost: Cost,
}

impl Derivation {
    /// A derivation with a fresh salt.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn generate<R: TryCryptoRng + ?Sized>(cost: Cost, rng: &mut R) -> Result<Self> {
        let salt = random_bytes(rng)?;
        Ok(Self { salt, cost })
    }
}

/// What is kept of a PIN. Wiped on drop; equality takes the same time wherever the first difference lies.
#[derive(Clone, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Tag([u8; 32]);

impl Tag {
    /// A tag read from a record.
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

impl ConstantTimeEq for Tag {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(..)")
    }
}

/// Derives tags, in memory that is kept between derivations: allocating 19 MiB anew each time costs page faults.
#[derive(Default)]
pub struct Deriver {
    memory: Arc<DerivationMemory>,
    count: u64,
    /// Dropped when the first derivation is done.
    place: Option<Box<dyn Send>>,
}

impl Deriver {
    /// A deriver with memory of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A deriver that shares its memory with others, and drops `place` once it has derived something, or with itself.
    #[must_use]
    pub fn sharing(memory: Arc<DerivationMemory>, place: Option<Box<dyn Send>>) -> Self {
        Self {
            memory,
            count: 0,
            place,
        }
    }

    /// Derives the tag of a PIN.
    ///
    /// # Errors
    /// `StoreCorrupt` for a cost outside the bounds, `NativeFault` when there is no memory for it.
    pub fn derive(&mut self, pin: &Pin, derivation: &Derivation) -> Result<Tag> {
        let cost = derivation.cost;
        let params = Some(cost)
            .filter(|cost| cost.is_acceptable())
            .and_then(|c| Params::new(c.memory_kib, c.iterations, c.parallelism, Some(32)).ok())
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::StoreCorrupt,
                    "A credential record asks for an impossible derivation.",
                )
            })?;
        let mut memory = self.memory.take(params.block_count())?;
        let mut tag = Tag([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(pin.expose().as_bytes(), &derivation.salt, &mut tag.0, &mut *memory)
            .map_err(|error| {
                Error::new(
                    ErrorCode::NativeFault,
                    format!("The PIN could not be derived: {error}."),
                )
            })?;
        drop(memory);
        self.place = None;
        self.count += 1;
        #[cfg(feature = "test-hooks")]
        DERIVATIONS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(tag)
    }

    /// How many tags this deriver has derived.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(feature = "test-hooks")]
static DERIVATIONS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// How many tags this process has derived, whichever the deriver: tests assert that a reset costs one.
#[cfg(feature = "test-hooks")]
#[must_use]
pub fn derivations_so_far() -> u64 {
    DERIVATIONS.load(std::sync::atomic::Ordering::Relaxed)
}

/// The tags of one PIN, each derived at most once however often a check or a lost race asks for it.
pub struct PinTags {
    pin: Pin,
    tags: Vec<(Derivation, Tag)>,
}

impl PinTags {
    /// No tag of this PIN yet.
    #[must_use]
    pub fn of(pin: Pin) -> Self {
        Self {
            pin,
            tags: Vec::with_capacity(1),
        }
    }

    /// The PIN itself.
    #[must_use]
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// The tag under a derivation, derived now if it was not before.
    ///
    /// # Errors
    /// Those of [`Deriver::derive`].
    pub fn tag(&mut self, derivation: &Derivation, deriver: &mut Deriver) -> Result<Tag> {
        if let Some((_, tag)) = self.tags.iter().find(|(known, _)| known == derivation) {
            return Ok(tag.clone());
        }
        let tag = deriver.derive(&self.pin, derivation)?;
        self.tags.push((*derivation, tag.clone()));
        Ok(tag)
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

    fn hex(tag: &Tag) -> String {
        tag.as_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The expected values come from another implementation (Python's `argon2-cffi`, which wraps the reference C code).
    #[test]
    fn agrees_with_the_reference_implementation() {
        let mut deriver = Deriver::new();
        let standard = Derivation {
            salt: *b"0123456789abcdef",
            cost: Cost::STANDARD,
        };
        assert_eq!(
            hex(&deriver.derive(&pin("482913"), &standard).unwrap()),
            "050c1c8d6173440235435e8f0e3e794bf41069966a6fa2fb95d2a2b220f61d52"
        );
        let small = Derivation {
            salt: *b"fedcba9876543210",
            cost: SMALL,
        };
        assert_eq!(
            hex(&deriver.derive(&pin("0000"), &small).unwrap()),
            "9390ef412d079ec7c10e4f2fb978b564fe3b1a377b1c63b9dfb1195ff964c1f1"
        );
        assert_eq!(deriver.count(), 2);
    }

    #[test]
    fn left_over_memory_of_a_larger_derivation_changes_nothing() {
        let large = Derivation {
            salt: [1; 16],
            cost: Cost {
                memory_kib: 256,
                ..SMALL
            },
        };
        let small = Derivation {
            salt: [2; 16],
            cost: SMALL,
        };
        let fresh = Deriver::new().derive(&pin("482913"), &small).unwrap();
        let mut used = Deriver::new();
        used.derive(&pin("777123"), &large).unwrap();
        assert_eq!(used.derive(&pin("482913"), &small).unwrap(), fresh);
    }

    #[test]
    fn salt_cost_and_pin_all_matter() {
        let mut deriver = Deriver::new();
        let base = Derivation {
            salt: [1; 16],
            cost: SMALL,
        };
        let tag = deriver.derive(&pin("482913"), &base).unwrap();
        let mut other_salt = base;
        other_salt.salt[15] ^= 1;
        let mut other_cost = base;
        other_cost.cost.iterations += 1;
        assert_ne!(deriver.derive(&pin("482913"), &other_salt).unwrap(), tag);
        assert_ne!(deriver.derive(&pin("482913"), &other_cost).unwrap(), tag);
        assert_ne!(deriver.derive(&pin("482914"), &base).unwrap(), tag);
    }

    #[test]
    fn costs_outside_the_bounds_are_refused_before_memory_is_taken() {
        let mut deriver = Deriver::new();
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
            let derivation = Derivation { salt: [0; 16], cost };
            let error = deriver.derive(&pin("482913"), &derivation).unwrap_err();
            assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{cost:?}");
        }
        assert_eq!((deriver.count(), deriver.memory.kept()), (0, 0));
    }

    #[test]
    fn a_tag_is_derived_once() {
        let mut deriver = Deriver::new();
        let mut tags = PinTags::of(pin("482913"));
        let derivation = Derivation {
            salt: [3; 16],
            cost: SMALL,
        };
        let first = tags.tag(&derivation, &mut deriver).unwrap();
        assert_eq!(tags.tag(&derivation, &mut deriver).unwrap(), first);
        assert_eq!(deriver.count(), 1);
    }

    #[test]
    fn debug_shows_no_byte_of_a_tag() {
        assert_eq!(format!("{:?}", Tag::new([0xab; 32])), "Tag(..)");
    }
}
