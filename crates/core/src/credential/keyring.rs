//! Master keys and their sub-keys.

use std::fmt;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{KeyInit, Mac};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::seal::{OpenError, SealContext};
use crate::audit::ChainKey;
use crate::mailbox::ObjectId;
use crate::random::system_rng;

/// Length of a master key in bytes.
pub const KEY_LENGTH: usize = 32;

/// A master key as read from its file. Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MasterKey(Box<[u8; KEY_LENGTH]>);

impl MasterKey {
    /// Copies the key; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The public id of the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut mac = [0; 32];
        self.derive("umpin key id v1", &mut mac);
        let mut id = [0; 8];
        id.copy_from_slice(&mac[..8]);
        KeyId(id)
    }

    fn derive(&self, label: &str, out: &mut [u8; 32]) {
        keyed_hash(&self.0, &[label.as_bytes()], out);
    }
}

/// Keyed BLAKE2b-256 (RFC 7693) of the parts' concatenation.
pub(crate) fn keyed_hash(key: &[u8; 32], parts: &[&[u8]], out: &mut [u8; 32]) {
    let mut mac = <Blake2bMac<U32> as KeyInit>::new_from_slice(key).expect("BLAKE2b takes keys of up to 64 bytes");
    for part in parts {
        Mac::update(&mut mac, part);
    }
    out.copy_from_slice(&mac.finalize().into_bytes());
}

/// The id of a master key, in the header of sealed values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

impl KeyId {
    /// Parses what `Display` writes: exactly 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 16 || !text.bytes().all(digits) {
            return None;
        }
        u64::from_str_radix(text, 16).ok().map(|id| Self(id.to_be_bytes()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// The purpose of a sub-key: a value sealed for one purpose does not open for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Credential records.
    Record,
    /// Failure counters.
    Counter,
    /// Messages waiting for delivery.
    Outbox,
    /// The chain of the audit log.
    Audit,
    /// The audit sub-keys of keys that were replaced.
    AuditKey,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [Self::Record, Self::Counter, Self::Outbox, Self::Audit, Self::AuditKey];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Record => "umpin sub-key v1: credential record",
            Self::Counter => "umpin sub-key v1: failure counter",
            Self::Outbox => "umpin sub-key v1: outbox message",
            Self::Audit => "umpin sub-key v1: audit chain",
            Self::AuditKey => "umpin sub-key v1: audit key",
        }
    }
}

/// The sub-keys of a master key, which itself is not kept.
#[derive(Zeroize, ZeroizeOnDrop)]
struct SubKeys {
    #[zeroize(skip)]
    id: KeyId,
    keys: Box<[[u8; 32]; 5]>,
}

impl SubKeys {
    fn of(master: &MasterKey) -> Self {
        let mut keys = Box::new([[0; 32]; 5]);
        for purpose in Purpose::ALL {
            master.derive(purpose.label(), &mut keys[purpose as usize]);
        }
        Self { id: master.id(), keys }
    }

    fn get(&self, purpose: Purpose) -> &[u8; 32] {
        &self.keys[purpose as usize]
    }
}

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

    pub(super) fn active_key(&self, purpose: Purpose) -> &[u8; 32] {
        self.keys[0].get(purpose)
    }

    pub(super) fn key(&self, id: KeyId, purpose: Purpose) -> Option<&[u8; 32]> {
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
    fn every_sub_key_and_the_id_differ() {
        let keys = SubKeys::of(&MasterKey::new(&[1; 32]));
        let mut seen: Vec<Vec<u8>> = Purpose::ALL.iter().map(|&purpose| keys.get(purpose).to_vec()).collect();
        seen.push(vec![1; 32]);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
        assert!(seen.iter().all(|key| key[..8] != keys.id.0));
    }

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

    /// RFC 7693 does not list a keyed BLAKE2b-256; this value is Python's `hashlib.blake2b(b"abc", digest_size=32, key=bytes(range(32)))`.
    #[test]
    fn the_keyed_hash_is_blake2b_256() {
        let key: [u8; 32] = std::array::from_fn(|i| i as u8);
        let mut out = [0; 32];
        keyed_hash(&key, &[b"a", b"", b"bc"], &mut out);
        let hex: String = out.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "d63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f");
    }
}
