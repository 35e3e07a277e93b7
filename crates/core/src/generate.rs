//! PIN generation: unbiased digits from the operating system's random number generator.
//!
//! The PINs that a policy allows are counted and numbered, a number is drawn, and the PIN with that number is built. So every valid
//! PIN is equally likely, however few there are, and a policy that leaves none is detected without a loop.

mod automaton;

use rand::TryCryptoRng;
use zeroize::{Zeroize, Zeroizing};

use self::automaton::Automaton;
use crate::error::{Error, ErrorCode, Result};
use crate::mailbox::Extension;
use crate::pin::{MAX_PIN_LENGTH, Pin};
use crate::policy::{LEAST_MIN_PIN_LENGTH, UmMailboxPolicy, dialled_digits};

/// The PINs of exactly `MinPINLength` digits that a policy and a user's extensions allow, to be drawn without replacement.
///
/// Whether a PIN is in the history is known only after an expensive derivation, so the caller draws until one is not. No PIN
/// comes twice: with n PINs in the history, that ends after at most n + 1 draws.
pub struct PinSpace {
    automaton: Automaton,
    length: usize,
    /// Ranks, ascending, of the PINs that the automaton accepts but that may not be drawn.
    excluded: Zeroizing<Vec<u128>>,
    drawn: u32,
    policy_name: String,
}

impl PinSpace {
    /// Counts and numbers the valid PINs. Its cost grows with the number of extensions, not with that of the PINs.
    ///
    /// # Errors
    /// `ConfigurationInvalid` for a `MinPINLength` that is out of range.
    pub fn new(policy: &UmMailboxPolicy, extensions: &[Extension]) -> Result<Self> {
        let length = usize::try_from(policy.min_pin_length)
            .ok()
            .filter(|_| policy.min_pin_length >= LEAST_MIN_PIN_LENGTH)
            .filter(|length| *length <= MAX_PIN_LENGTH)
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::ConfigurationInvalid,
                    format!(
                        "MinPINLength of the policy '{}' must be from {LEAST_MIN_PIN_LENGTH} to {MAX_PIN_LENGTH}, not {}.",
                        policy.name, policy.min_pin_length
                    ),
                )
                .action("Correct the policy.")
            })?;
        let extensions: Vec<Vec<u8>> = extensions
            .iter()
            .filter_map(dialled_digits)
            .map(|digits| digits.bytes().map(|b| b - b'0').collect())
            .collect();
        let automaton = Automaton::new(&extensions, length);

        let mut single: Vec<Vec<u8>> = extensions
            .iter()
            .filter(|digits| digits.len() >= length)
            .map(|digits| digits[digits.len() - length..].to_vec())
            .collect();
        if !policy.allow_common_patterns {
            single.extend(common_patterns(length));
        }
        let mut excluded: Vec<u128> = single.iter().filter_map(|pin| automaton.rank(pin)).collect();
        excluded.sort_unstable();
        excluded.dedup();
        // With room for the draws, because growing leaves an unwiped copy behind.
        excluded.reserve_exact(DRAWS_WITHOUT_GROWTH);

        Ok(Self {
            automaton,
            length,
            excluded: Zeroizing::new(excluded),
            drawn: 0,
            policy_name: policy.name.clone(),
        })
    }

    /// How many PINs are left to draw.
    #[must_use]
    pub fn remaining(&self) -> u128 {
        let excluded = u128::try_from(self.excluded.len()).unwrap_or(u128::MAX);
        self.automaton.count().saturating_sub(excluded)
    }

    /// Takes one of the remaining PINs, each equally likely.
    ///
    /// # Errors
    /// `NoValidPin` when none is left, `NativeFault` when the random number generator fails.
    pub fn draw<R>(&mut self, rng: &mut R) -> Result<Pin>
    where
        R: TryCryptoRng + ?Sized,
        R::Error: Send + Sync + 'static,
    {
        let remaining = self.remaining();
        if remaining == 0 {
            return Err(self.exhausted());
        }
        let mut rank = Zeroizing::new(below(remaining, rng)?);
        // The n-th remaining PIN: step over every excluded one that comes before it.
        let position = self
            .excluded
            .iter()
            .take_while(|excluded| {
                let passed = **excluded <= *rank;
                *rank += u128::from(passed);
                passed
            })
            .count();
        let mut text = String::with_capacity(self.length);
        self.automaton
            .unrank(*rank, |digit| text.push(char::from(b'0' + digit)));
        self.grow_if_full();
        self.excluded.insert(position, *rank);
        self.drawn = self.drawn.saturating_add(1);
        Ok(Pin::new(text))
    }

    /// Moves to a larger buffer and wipes the old one, which `Vec` would not.
    fn grow_if_full(&mut self) {
        if self.excluded.len() == self.excluded.capacity() {
            let mut larger = Vec::with_capacity(self.excluded.len().saturating_mul(2) + DRAWS_WITHOUT_GROWTH);
            larger.extend_from_slice(&self.excluded);
            self.excluded.zeroize();
            self.excluded = Zeroizing::new(larger);
        }
    }

    fn exhausted(&self) -> Error {
        let (length, policy) = (self.length, &self.policy_name);
        if self.drawn > 0 {
            Error::new(
                ErrorCode::NoValidPin,
                format!(
                    "The policy '{policy}', the user's extensions and the PIN history leave no PIN of {length} digits."
                ),
            )
        } else {
            Error::new(
                ErrorCode::NoValidPin,
                format!("The policy '{policy}' and the user's extensions leave no PIN of {length} digits."),
            )
            .action("Raise MinPINLength in the mailbox's policy, or correct the user's extensions.")
        }
    }
}

/// The longest possible PIN history is 20, so that a caller hardly ever draws more often.
const DRAWS_WITHOUT_GROWTH: usize = 24;

/// One digit repeated, and consecutive digits up and down.
fn common_patterns(length: usize) -> impl Iterator<Item = Vec<u8>> {
    let repeated = (0..10).map(move |digit| vec![digit; length]);
    let sequential = (0..10u8).flat_map(move |first| {
        let up: Vec<u8> = (first..10).take(length).collect();
        let down: Vec<u8> = (0..=first).rev().take(length).collect();
        [up, down]
    });
    repeated.chain(sequential.filter(move |pin| pin.len() == length))
}

/// A uniform number below `bound`, which is not 0.
///
/// Not rand's ranges: they need a generator that cannot fail, and accept a small bias.
fn below<R>(bound: u128, rng: &mut R) -> Result<u128>
where
    R: TryCryptoRng + ?Sized,
    R::Error: Send + Sync + 'static,
{
    // Each attempt succeeds with a probability of at least one half; a generator that misses them all is broken.
    const ATTEMPTS: u32 = 256;
    let bits = u128::BITS - (bound - 1).leading_zeros();
    let mask = u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0);
    let mut bytes = Zeroizing::new([0u8; 16]);
    for _ in 0..ATTEMPTS {
        rng.try_fill_bytes(&mut *bytes)
            .map_err(|error| rng_failure().caused_by(error))?;
        let number = u128::from_le_bytes(*bytes) & mask;
        if number < bound {
            return Ok(number);
        }
    }
    Err(rng_failure())
}

fn rng_failure() -> Error {
    Error::new(
        ErrorCode::NativeFault,
        "The operating system's random number generator failed, so that no PIN could be generated.",
    )
    .action("Check the operating system's random number generator, then run the command again.")
}

#[cfg(test)]
mod tests;
