//! The credential record of a mailbox. The encoding is in `record/codec.rs`.

mod codec;

use subtle::{Choice, ConstantTimeEq};

use super::kdf::{Cost, KdfContext, KdfParams, PinVerifier, PinVerifiers};
use crate::Result;
use crate::clock::Timestamp;
use crate::policy::UmMailboxPolicy;

/// The number of former PINs in a record: the largest `PINHistoryCount` less the current PIN, whatever the policy, so that raising
/// the count takes effect at once.
pub const MAX_HISTORY: usize = 19;

/// A PIN in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPin {
    /// A random id, which names the PIN in the outbox.
    pub pin_id: [u8; 16],
    /// The index of its parameters in the record.
    pub params: u8,
    /// The verifier.
    pub verifier: PinVerifier,
}

/// A PIN to be set.
#[derive(Clone, Debug)]
pub struct NewPin {
    /// New and random.
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
    /// New and random: failures counted so far are void.
    pub epoch: [u8; 16],
}

/// The state of a PIN id in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinState {
    /// It names the PIN in force.
    Current,
    /// It names a former PIN.
    Superseded,
    /// It names no PIN of this record.
    Unknown,
}

/// The PINs and the state of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    // Private, because of their invariants: every stored PIN refers to parameters; history and `set_at` exist only with a current PIN.
    kdf_params: Vec<KdfParams>,
    current: Option<StoredPin>,
    history: Vec<StoredPin>,
    set_at: Option<Timestamp>,
    /// Marked as expired, whatever its age.
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

    /// The record with a new PIN; the current one becomes the newest of the history.
    #[must_use]
    pub fn with_new_pin(&self, new: NewPin) -> Self {
        let former: Vec<&StoredPin> = self.retained().take(MAX_HISTORY).collect();
        // Only parameters that are referenced are kept, the new PIN's first, so at most 20.
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

    /// The record without lock; the new epoch voids the counted failures.
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

    /// The parameters that stored PINs refer to.
    #[must_use]
    pub fn kdf_params(&self) -> &[KdfParams] {
        &self.kdf_params
    }

    /// The parameters of a stored PIN of this record.
    #[must_use]
    pub fn params_of(&self, pin: &StoredPin) -> &KdfParams {
        &self.kdf_params[usize::from(pin.params)]
    }

    /// The parameters for a new PIN of this cost, so that one derivation serves it and the history.
    #[must_use]
    pub fn params_for(&self, cost: Cost) -> Option<&KdfParams> {
        self.kdf_params.iter().find(|params| params.cost == cost)
    }

    /// Whether the user must change the PIN: there is none, it is marked, or its lifetime is over.
    #[must_use]
    pub fn is_expired(&self, policy: &UmMailboxPolicy, now: Timestamp) -> bool {
        let Some(set_at) = self.set_at else {
            return true;
        };
        self.expired || policy.expires_at(set_at).is_some_and(|end| now >= end)
    }

    /// Whether a PIN is among the last `history_count`, the current one included, in constant time.
    ///
    /// # Errors
    /// As [`KdfContext::derive`].
    pub fn is_reused(&self, verifiers: &mut PinVerifiers, kdf: &mut KdfContext, history_count: u32) -> Result<bool> {
        let mut reused = Choice::from(0);
        for pin in self.window(history_count) {
            reused |= verifiers.verifier(self.params_of(pin), kdf)?.ct_eq(&pin.verifier);
        }
        Ok(reused.into())
    }

    /// The number of PINs in a history of that length, the current one included.
    #[must_use]
    pub fn history_length(&self, history_count: u32) -> usize {
        self.window(history_count).count()
    }

    /// Whether a PIN is the current one; false if there is none.
    ///
    /// # Errors
    /// As [`KdfContext::derive`].
    pub fn is_current(&self, verifiers: &mut PinVerifiers, kdf: &mut KdfContext) -> Result<bool> {
        self.is_reused(verifiers, kdf, 1)
    }

    /// The state of a PIN id in a record.
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

    /// Whether the change that set `pin_id`, right after `previous`, was lost: the record descends from a version without that change.
    /// A record forgets its oldest PINs, so a full one that has neither id may descend from both.
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

/// The index of the parameters, which are appended if they are new.
fn index_of(params: &KdfParams, kdf_params: &mut Vec<KdfParams>) -> u8 {
    let index = kdf_params.iter().position(|known| known == params).unwrap_or_else(|| {
        kdf_params.push(*params);
        kdf_params.len() - 1
    });
    u8::try_from(index).expect("a record has at most 20 sets of parameters")
}

#[cfg(test)]
mod tests;
