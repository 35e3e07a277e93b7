//! A master key and its sub-keys, one for each purpose.

use std::fmt;

use blake2::Blake2bMac;
use blake2::digest::consts::U32;
use blake2::digest::{KeyInit, Mac};
use zeroize::{Zeroize, ZeroizeOnDrop};

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
pub(super) struct SubKeys {
    #[zeroize(skip)]
    pub(super) id: KeyId,
    keys: Box<[[u8; 32]; 5]>,
}

impl SubKeys {
    pub(super) fn of(master: &MasterKey) -> Self {
        let mut keys = Box::new([[0; 32]; 5]);
        for purpose in Purpose::ALL {
            master.derive(purpose.label(), &mut keys[purpose as usize]);
        }
        Self { id: master.id(), keys }
    }

    pub(super) fn get(&self, purpose: Purpose) -> &[u8; 32] {
        &self.keys[purpose as usize]
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
