//! What is known of one mailbox's PINs. The encoding is in `record/codec.rs`.

mod codec;

use subtle::{Choice, ConstantTimeEq};

use super::derive::{Derivation, Tag};
use crate::clock::Timestamp;
use crate::policy::{Limit, UmMailboxPolicy};

/// How many former PINs are kept: the largest `PINHistoryCount` less the current PIN. They are kept whatever the policy says,
/// so that raising the count takes effect at once.
pub const MAX_HISTORY: usize = 19;

/// A PIN as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPin {
    pin_id: [u8; 16],
    // Of meaning only inside one record.
    derivation: u8,
    tag: Tag,
}

impl StoredPin {
    /// A PIN that [`CredentialRecord::set_pin`] puts into a record.
    #[must_use]
    pub fn new(pin_id: [u8; 16], tag: Tag) -> Self {
        Self {
            pin_id,
            derivation: 0,
            tag,
        }
    }

    /// Random; names the PIN in the outbox without telling anything about it.
    #[must_use]
    pub fn pin_id(&self) -> [u8; 16] {
        self.pin_id
    }

    /// Index of its derivation in the record.
    #[must_use]
    pub fn derivation(&self) -> u8 {
        self.derivation
    }
}

/// Where a PIN id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinState {
    /// It names the PIN in force.
    Current,
    /// It names a former PIN.
    Superseded,
    /// It names no PIN of this record.
    Unknown,
}

/// What is known of one mailbox's PINs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    // Private: every stored PIN refers to a derivation, history exists only behind a current PIN, and so does `set_at`.
    derivations: Vec<Derivation>,
    current: Option<StoredPin>,
    history: Vec<StoredPin>,
    set_at: Option<Timestamp>,
    /// Marked as expired whatever its age.
    pub expired: bool,
    /// Since when sign-in is locked. Whoever clears it renews the epoch.
    pub locked_at: Option<Timestamp>,
    /// The user has not yet chosen a PIN; only the user's own change ends that.
    pub first_time: bool,
    /// Binds the failure counter; each reset and unlock renews it, so that failures counted before no longer count.
    pub epoch: [u8; 16],
}

impl CredentialRecord {
    /// The record of a mailbox that never had a PIN.
    #[must_use]
    pub fn never_set(epoch: [u8; 16]) -> Self {
        Self {
            derivations: Vec::new(),
            current: None,
            history: Vec::new(),
            set_at: None,
            expired: false,
            locked_at: None,
            first_time: true,
            epoch,
        }
    }

    /// Puts a PIN in force; the current one becomes the newest of the history. Lock, expiry and epoch are the caller's.
    pub fn set_pin(&mut self, derivation: &Derivation, pin: StoredPin, now: Timestamp) {
        // Rebuilt from what stays, so that derivations without PINs go; the new PIN's comes first.
        let mut derivations = vec![*derivation];
        let history = self
            .retained()
            .take(MAX_HISTORY)
            .map(|former| StoredPin {
                derivation: index_of(self.derivation_of(former), &mut derivations),
                ..former.clone()
            })
            .collect();
        self.history = history;
        self.current = Some(StoredPin { derivation: 0, ..pin });
        self.derivations = derivations;
        self.set_at = Some(now);
    }

    /// The PIN in force.
    #[must_use]
    pub fn current(&self) -> Option<&StoredPin> {
        self.current.as_ref()
    }

    /// Former PINs, newest first.
    #[must_use]
    pub fn history(&self) -> &[StoredPin] {
        &self.history
    }

    /// When the current PIN was set.
    #[must_use]
    pub fn set_at(&self) -> Option<Timestamp> {
        self.set_at
    }

    /// The derivations that stored PINs refer to by index.
    #[must_use]
    pub fn derivations(&self) -> &[Derivation] {
        &self.derivations
    }

    /// The current PIN's derivation. A new PIN uses it too unless the cost has changed, so that one derivation serves the PIN
    /// and the whole history.
    #[must_use]
    pub fn newest_derivation(&self) -> Option<&Derivation> {
        self.current.as_ref().map(|pin| self.derivation_of(pin))
    }

    /// Whether the user must change the PIN before using it: there is none, it is marked, or its lifetime is over.
    #[must_use]
    pub fn is_expired(&self, policy: &UmMailboxPolicy, now: Timestamp) -> bool {
        let Some(set_at) = self.set_at else {
            return true;
        };
        let too_old = match policy.pin_lifetime_days {
            Limit::Unlimited => false,
            Limit::Of(days) => now >= set_at.plus_days(days),
        };
        self.expired || too_old
    }

    /// The indices of the derivations that a check of the last `history_count` PINs needs: normally one.
    #[must_use]
    pub fn derivations_to_check(&self, history_count: u32) -> Vec<u8> {
        let mut indices: Vec<u8> = self.window(history_count).map(|pin| pin.derivation).collect();
        indices.sort_unstable();
        indices.dedup();
        indices
    }

    /// Whether a PIN with this tag under the derivation `index` is among the last `history_count`, the current one included.
    /// How long it takes does not tell where.
    ///
    /// The answer for the PIN is yes if it is yes for any of [`Self::derivations_to_check`].
    #[must_use]
    pub fn is_reused(&self, index: u8, tag: &Tag, history_count: u32) -> bool {
        self.window(history_count)
            .filter(|pin| pin.derivation == index)
            .fold(Choice::from(0), |reused, pin| reused | tag.ct_eq(&pin.tag))
            .into()
    }

    /// Whether a tag under [`Self::newest_derivation`] is that of the PIN in force; never so where there is none.
    #[must_use]
    pub fn is_current(&self, tag: &Tag) -> bool {
        self.current.as_ref().is_some_and(|pin| pin.tag == *tag)
    }

    /// Where a PIN id stands.
    #[must_use]
    pub fn pin_state(&self, pin_id: &[u8; 16]) -> PinState {
        if self.current.as_ref().is_some_and(|p| p.pin_id == *pin_id) {
            PinState::Current
        } else if self.history.iter().any(|p| p.pin_id == *pin_id) {
            PinState::Superseded
        } else {
            PinState::Unknown
        }
    }

    fn derivation_of(&self, pin: &StoredPin) -> &Derivation {
        &self.derivations[usize::from(pin.derivation)]
    }

    /// All PINs, newest first.
    fn retained(&self) -> impl Iterator<Item = &StoredPin> {
        self.current.iter().chain(&self.history)
    }

    fn window(&self, history_count: u32) -> impl Iterator<Item = &StoredPin> {
        self.retained()
            .take(usize::try_from(history_count).unwrap_or(usize::MAX))
    }
}

/// The index of a derivation, appended where it is new.
fn index_of(derivation: &Derivation, derivations: &mut Vec<Derivation>) -> u8 {
    let index = derivations
        .iter()
        .position(|known| known == derivation)
        .unwrap_or_else(|| {
            derivations.push(*derivation);
            derivations.len() - 1
        });
    u8::try_from(index).expect("a record has at most 20 derivations")
}

#[cfg(test)]
mod tests;
