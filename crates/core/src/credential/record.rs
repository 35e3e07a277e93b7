//! What is known of one mailbox's PINs. The encoding is in `record/codec.rs`.

mod codec;

use subtle::{Choice, ConstantTimeEq};

use super::kdf::{Cost, KdfContext, KdfParams, PinVerifier, PinVerifiers};
use crate::Result;
use crate::clock::Timestamp;
use crate::policy::UmMailboxPolicy;

/// How many former PINs are kept: the largest `PINHistoryCount` less the current PIN. They are kept whatever the policy says,
/// so that raising the count takes effect at once.
pub const MAX_HISTORY: usize = 19;

/// A PIN as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPin {
    /// Random; names the PIN in the outbox without telling anything about it.
    pub pin_id: [u8; 16],
    /// Index of its derivation in the record.
    pub params: u8,
    /// What the derivation made of it.
    pub verifier: PinVerifier,
}

/// A PIN to be set.
#[derive(Clone, Debug)]
pub struct NewPin {
    /// Fresh and random.
    pub pin_id: [u8; 16],
    /// How the verifier was derived; reuse [`CredentialRecord::params_for`] where it gives one.
    pub params: KdfParams,
    /// The verifier.
    pub verifier: PinVerifier,
    /// When it is set.
    pub set_at: Timestamp,
    /// Whether the user must change it at the next sign-in.
    pub expired: bool,
    /// Locked from the start (`-LockedOut $true`); a plain reset clears the lock.
    pub locked_at: Option<Timestamp>,
    /// Set by the user, which ends the first-time state; a reset by an administrator does not.
    pub by_user: bool,
    /// Fresh and random: failures counted so far no longer count.
    pub epoch: [u8; 16],
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
    kdf_params: Vec<KdfParams>,
    current: Option<StoredPin>,
    history: Vec<StoredPin>,
    set_at: Option<Timestamp>,
    /// Marked as expired whatever its age.
    pub expired: bool,
    /// Since when sign-in is locked.
    pub locked_at: Option<Timestamp>,
    /// The user has not yet chosen a PIN.
    pub first_time: bool,
    /// Binds the failure counter; renewed by each reset and unlock but an automatic reset.
    pub epoch: [u8; 16],
}

impl CredentialRecord {
    /// The record of a mailbox that never had a PIN.
    #[must_use]
    pub fn never_set(epoch: [u8; 16]) -> Self {
        Self {
            kdf_params: Vec::new(),
            current: None,
            history: Vec::new(),
            set_at: None,
            expired: false,
            locked_at: None,
            first_time: true,
            epoch,
        }
    }

    /// The record after a PIN was set: the current one becomes the newest of the history.
    #[must_use]
    pub fn with_new_pin(&self, new: NewPin) -> Self {
        let former: Vec<&StoredPin> = self.retained().take(MAX_HISTORY).collect();
        // Rebuilt from what is referenced; the new PIN's derivation comes first, so at most 20 are ever needed.
        let mut kdf_params = vec![new.params];
        let history = former
            .into_iter()
            .map(|pin| StoredPin {
                params: index_of(self.params_of(pin), &mut kdf_params),
                ..pin.clone()
            })
            .collect();
        Self {
            kdf_params,
            current: Some(StoredPin {
                pin_id: new.pin_id,
                params: 0,
                verifier: new.verifier,
            }),
            history,
            set_at: Some(new.set_at),
            expired: new.expired,
            locked_at: new.locked_at,
            first_time: self.first_time && !new.by_user,
            epoch: new.epoch,
        }
    }

    /// The record with sign-in locked. Keeps PIN, epoch and an earlier lock's time.
    #[must_use]
    pub fn locked(&self, at: Timestamp) -> Self {
        Self {
            locked_at: self.locked_at.or(Some(at)),
            ..self.clone()
        }
    }

    /// The record without lock; the fresh epoch makes the counted failures void.
    #[must_use]
    pub fn unlocked(&self, epoch: [u8; 16]) -> Self {
        Self {
            locked_at: None,
            epoch,
            ..self.clone()
        }
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

    /// The derivations that stored PINs refer to.
    #[must_use]
    pub fn kdf_params(&self) -> &[KdfParams] {
        &self.kdf_params
    }

    /// How a stored PIN of this record was derived.
    #[must_use]
    pub fn params_of(&self, pin: &StoredPin) -> &KdfParams {
        &self.kdf_params[usize::from(pin.params)]
    }

    /// The derivation that a new PIN of this cost should use, so that one derivation serves it and the history.
    #[must_use]
    pub fn params_for(&self, cost: Cost) -> Option<&KdfParams> {
        self.kdf_params.iter().find(|params| params.cost == cost)
    }

    /// Whether the user must change the PIN before using it: there is none, it is marked, or its lifetime is over.
    #[must_use]
    pub fn is_expired(&self, policy: &UmMailboxPolicy, now: Timestamp) -> bool {
        let Some(set_at) = self.set_at else {
            return true;
        };
        self.expired || policy.expires_at(set_at).is_some_and(|end| now >= end)
    }

    /// The derivations that a check of the last `history_count` PINs (the current one included) needs: normally one.
    #[must_use]
    pub fn params_to_check(&self, history_count: u32) -> Vec<&KdfParams> {
        let mut indices: Vec<u8> = self.window(history_count).map(|pin| pin.params).collect();
        indices.sort_unstable();
        indices.dedup();
        indices
            .into_iter()
            .map(|index| &self.kdf_params[usize::from(index)])
            .collect()
    }

    /// Whether a PIN is among the last `history_count`, the current one included; how long it takes does not tell where.
    ///
    /// # Errors
    /// Those of [`KdfContext::derive`].
    pub fn is_reused(&self, verifiers: &mut PinVerifiers, kdf: &mut KdfContext, history_count: u32) -> Result<bool> {
        let mut reused = Choice::from(0);
        for pin in self.window(history_count) {
            reused |= verifiers.verifier(self.params_of(pin), kdf)?.ct_eq(&pin.verifier);
        }
        Ok(reused.into())
    }

    /// How many PINs a history of that length has, the current one included.
    #[must_use]
    pub fn remembered(&self, history_count: u32) -> usize {
        self.window(history_count).count()
    }

    /// Whether a PIN is the one in force; never so where there is none.
    ///
    /// # Errors
    /// Those of [`KdfContext::derive`].
    pub fn is_current(&self, verifiers: &mut PinVerifiers, kdf: &mut KdfContext) -> Result<bool> {
        self.is_reused(verifiers, kdf, 1)
    }

    /// Where a PIN id stands.
    #[must_use]
    pub fn pin_state(&self, pin_id: [u8; 16]) -> PinState {
        if self.current.as_ref().is_some_and(|p| p.pin_id == pin_id) {
            PinState::Current
        } else if self.history.iter().any(|p| p.pin_id == pin_id) {
            PinState::Superseded
        } else {
            PinState::Unknown
        }
    }

    /// Whether a PIN that this record once had in force, right after `previous`, is gone from it otherwise than by being
    /// replaced: then the record is not a later state of that one, but of another that does not know the PIN. A record forgets its
    /// oldest PINs, so one that is full and knows neither may have known both.
    #[must_use]
    pub fn has_lost(&self, pin_id: [u8; 16], previous: Option<[u8; 16]>) -> bool {
        let known = |id| self.pin_state(id) != PinState::Unknown;
        !known(pin_id) && (self.history.len() < MAX_HISTORY || previous.is_some_and(known))
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
fn index_of(params: &KdfParams, kdf_params: &mut Vec<KdfParams>) -> u8 {
    let index = kdf_params.iter().position(|known| known == params).unwrap_or_else(|| {
        kdf_params.push(*params);
        kdf_params.len() - 1
    });
    u8::try_from(index).expect("a record has at most 20 kdf_params")
}

#[cfg(test)]
mod tests;
