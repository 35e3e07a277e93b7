//! The keys of a store, and what they seal and open.

use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::master_key::{KeyId, MasterKey, Purpose, SubKeys};
use super::seal::{self, OpenError, SealContext};
use crate::audit::ChainKey;
use crate::mailbox::ObjectId;
use crate::random::system_rng;

/// The keys of a store: one that seals, and any number that only open. Without `Debug`.
pub struct KeyRing {
    /// The active one first, each key once.
    keys: Vec<SubKeys>,
    /// The chain keys of keys that were replaced, for verification of old entries.
    former: Vec<(KeyId, ChainKey)>,
}

impl KeyRing {
    /// A ring that seals under `active` and also opens what was sealed under `others`.
    #[must_use]
    pub fn new(active: &MasterKey, others: &[MasterKey]) -> Self {
        let mut keys = vec![SubKeys::of(active)];
        for other in others {
            if keys.iter().all(|known| known.id != other.id()) {
                keys.push(SubKeys::of(other));
            }
        }
        Self {
            keys,
            former: Vec::new(),
        }
    }

    /// Makes this key the active one; false if it is not in the ring.
    #[must_use]
    pub fn activate(&mut self, id: KeyId) -> bool {
        let position = self.keys.iter().position(|keys| keys.id == id);
        if let Some(position) = position {
            self.keys[..=position].rotate_right(1);
        }
        position.is_some()
    }

    /// Adds the audit sub-key of a key that was replaced, as [`Self::sealed_chain_key`] sealed it; the file of the key may be missing.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn add_former(&mut self, id: KeyId, sealed: &[u8]) -> Result<(), OpenError> {
        let plain = self.open(Purpose::AuditKey, &context_of(id), sealed)?;
        let key = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| OpenError::Damaged)?;
        self.former.push((id, ChainKey::new(key)));
        Ok(())
    }

    /// The audit sub-key of a key, sealed under the active one; `None` for a key that is not known.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn sealed_chain_key(&self, id: KeyId) -> crate::Result<Option<Vec<u8>>> {
        let former = self
            .former
            .iter()
            .find(|(known, _)| *known == id)
            .map(|(_, key)| key.bytes());
        let Some(key) = self.key(id, Purpose::Audit).or(former) else {
            return Ok(None);
        };
        self.seal(Purpose::AuditKey, &context_of(id), key, &mut system_rng())
            .map(Some)
    }

    /// The chain key of this master key, also of one that was replaced.
    #[must_use]
    pub fn chain_key_of(&self, id: KeyId) -> Option<ChainKey> {
        let own = self.key(id, Purpose::Audit).map(|key| ChainKey::new(*key));
        own.or_else(|| {
            self.former
                .iter()
                .find(|(known, _)| *known == id)
                .map(|(_, key)| key.clone())
        })
    }

    /// Whether both have the same keys in the same order.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let former = |ring: &Self| ring.former.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        self.key_ids().eq(other.key_ids()) && former(self) == former(other)
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn active(&self) -> KeyId {
        self.keys[0].id
    }

    /// All keys, the active one first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|keys| keys.id)
    }

    /// Every chain key, the active one first, for the verification of the whole log.
    #[must_use]
    pub fn chain_keys(&self) -> Vec<ChainKey> {
        let own = self.keys.iter().map(|keys| ChainKey::new(*keys.get(Purpose::Audit)));
        let former = self
            .former
            .iter()
            .filter(|(id, _)| self.key(*id, Purpose::Audit).is_none());
        own.chain(former.map(|(_, key)| key.clone())).collect()
    }

    /// Seals a value under the active key.
    ///
    /// # Errors
    /// Those of the generator.
    pub fn seal<R: TryCryptoRng + ?Sized>(
        &self,
        purpose: Purpose,
        context: &SealContext,
        plaintext: &[u8],
        rng: &mut R,
    ) -> crate::Result<Vec<u8>> {
        let key = (self.active(), self.keys[0].get(purpose));
        seal::seal(key, purpose, context, plaintext, rng)
    }

    /// Opens a value sealed under any key of the ring.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        &self,
        purpose: Purpose,
        context: &SealContext,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        seal::open(|id| self.key(id, purpose), purpose, context, sealed)
    }

    /// The content sealed again under the active key.
    ///
    /// # Errors
    /// As `open` and `seal`.
    pub fn reseal<R: TryCryptoRng + ?Sized>(
        &self,
        purpose: Purpose,
        context: &SealContext,
        sealed: &[u8],
        rng: &mut R,
    ) -> crate::Result<Vec<u8>> {
        let plaintext = self.open(purpose, context, sealed)?;
        self.seal(purpose, context, &plaintext, rng)
    }

    fn key(&self, id: KeyId, purpose: Purpose) -> Option<&[u8; 32]> {
        self.keys
            .iter()
            .find(|keys| keys.id == id)
            .map(|keys| keys.get(purpose))
    }
}

/// The seal context of an audit sub-key: its master key, in any store.
fn context_of(id: KeyId) -> SealContext {
    let mut object_id = [0; 16];
    object_id[..8].copy_from_slice(&id.0);
    SealContext {
        store_id: [0; 16],
        object_id: ObjectId(object_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_given_twice_is_there_once_and_the_active_one_leads() {
        let [a, b] = [MasterKey::new(&[1; 32]), MasterKey::new(&[2; 32])];
        let others = [MasterKey::new(&[1; 32]), MasterKey::new(&[2; 32])];
        let ring = KeyRing::new(&b, &others);
        assert_eq!(ring.key_ids().collect::<Vec<_>>(), [b.id(), a.id()]);
        assert_eq!(ring.active(), b.id());
        assert_eq!(ring.chain_keys().len(), 2);
    }

    #[test]
    fn a_former_key_still_checks_what_was_chained_with_it() {
        let [old, new] = [MasterKey::new(&[1; 32]), MasterKey::new(&[2; 32])];
        let id = old.id();
        let mut both = KeyRing::new(&old, &[MasterKey::new(&[2; 32])]);
        let chain = both.chain_keys().remove(0);
        assert!(both.activate(new.id()) && !both.activate(MasterKey::new(&[3; 32]).id()));
        assert_eq!(both.active(), new.id());
        let sealed = both.sealed_chain_key(id).unwrap().unwrap();

        let mut ring = KeyRing::new(&new, &[]);
        assert!(ring.chain_key_of(id).is_none() && ring.sealed_chain_key(id).unwrap().is_none());
        ring.add_former(id, &sealed).unwrap();
        assert_eq!(ring.chain_keys().len(), 2);
        assert_eq!(ring.chain_key_of(id).unwrap().id(), chain.id());
        // It binds no entry, opens nothing, and is passed on to the next key.
        assert_eq!(ring.active(), new.id());
        assert!(ring.key(id, Purpose::Record).is_none());
        assert!(ring.sealed_chain_key(id).unwrap().is_some());
        assert!(!ring.is_same(&KeyRing::new(&new, &[])) && ring.is_same(&ring));
        // It is bound to its key.
        assert_eq!(ring.add_former(new.id(), &sealed), Err(OpenError::Damaged));
    }
}
