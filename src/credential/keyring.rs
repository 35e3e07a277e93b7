//! Master keys and what is derived from them.

use std::fmt;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{KeyInit, Mac};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::audit::ChainKey;

/// Length of a master key in bytes.
pub const KEY_LENGTH: usize = 32;

/// A master key as read from its file. Wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MasterKey(Box<[u8; KEY_LENGTH]>);

impl MasterKey {
    /// Takes a copy; the caller wipes its own.
    #[must_use]
    pub fn new(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self(Box::new(*bytes))
    }

    /// What names this key in the clear; says nothing about the key itself.
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

/// Names a master key in the header of what is sealed under it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

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

/// What a sub-key is for: a value sealed for one purpose does not open for another.
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
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Record, Self::Counter, Self::Outbox, Self::Audit];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Record => "umpin sub-key v1: credential record",
            Self::Counter => "umpin sub-key v1: failure counter",
            Self::Outbox => "umpin sub-key v1: outbox message",
            Self::Audit => "umpin sub-key v1: audit chain",
        }
    }
}

/// The sub-keys of one master key, which itself is not kept.
#[derive(Zeroize, ZeroizeOnDrop)]
struct SubKeys {
    #[zeroize(skip)]
    id: KeyId,
    keys: Box<[[u8; 32]; 4]>,
}

impl SubKeys {
    fn of(master: &MasterKey) -> Self {
        let mut keys = Box::new([[0; 32]; 4]);
        for purpose in Purpose::ALL {
            master.derive(purpose.label(), &mut keys[purpose as usize]);
        }
        Self { id: master.id(), keys }
    }

    fn get(&self, purpose: Purpose) -> &[u8; 32] {
        &self.keys[purpose as usize]
    }
}

/// The keys of a store: one that seals, any number that still open. Without `Debug`.
pub struct KeyRing {
    /// The active one first, each key once.
    keys: Vec<SubKeys>,
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
        Self { keys }
    }

    /// The key that seals.
    #[must_use]
    pub fn active(&self) -> KeyId {
        self.keys[0].id
    }

    /// All keys, the active one first.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys.iter().map(|keys| keys.id)
    }

    /// The key that new audit entries are chained with.
    #[must_use]
    pub fn chain_key(&self) -> ChainKey {
        ChainKey::new(*self.keys[0].get(Purpose::Audit))
    }

    /// Every key that entries may have been chained with, the active one first: for checking a log that is older than it.
    #[must_use]
    pub fn chain_keys(&self) -> Vec<ChainKey> {
        self.keys
            .iter()
            .map(|keys| ChainKey::new(*keys.get(Purpose::Audit)))
            .collect()
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
        assert_eq!(seen.len(), 5);
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
