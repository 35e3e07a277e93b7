//! What binds entries: each to the one before it, and the last one to the head.
//!
//! The link alone shows that an entry was changed, inserted or moved, or that one in the middle is gone. That the *last* ones
//! are gone shows only against the head, which says how many there are and is sealed with the same key.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::entry::{AuditEntry, StoredEntry};
use crate::clock::Timestamp;
use crate::credential::keyring::keyed_hash;

/// A MAC of the chain.
pub type Mac = [u8; 32];

/// The key of the chain (a sub-key of the key ring): whoever lacks it cannot make a changed log look whole.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ChainKey([u8; 32]);

/// Names a chain key in the clear; says nothing about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainKeyId(#[serde(with = "super::file::hex")] pub [u8; 8]);

impl fmt::Display for ChainKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A place in a chain: after how many entries, and the MAC of the last of them. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Entries up to here.
    pub position: u64,
    /// Of the last of them; all zero before the first.
    #[serde(with = "super::file::hex")]
    pub mac: Mac,
}

/// The anchor of a host's chain: where it begins and where it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Head {
    /// Whose chain.
    pub host: String,
    /// What the first entry follows: the beginning, or the last entry that retention removed.
    pub base: Point,
    /// When the newest entry that retention removed was written.
    pub base_at: Option<Timestamp>,
    /// How many entries were there before the chain had a head: those of a store of version 1.
    pub adopted: u64,
    /// The last entry.
    pub tip: Point,
    /// Names the key of `mac`.
    pub key: ChainKeyId,
    /// Binds all of this.
    #[serde(with = "super::file::hex")]
    pub mac: Mac,
}

impl ChainKey {
    /// Takes the sub-key over.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// What names it.
    #[must_use]
    pub fn id(&self) -> ChainKeyId {
        let mut hash = [0; 32];
        keyed_hash(&self.0, &[b"umpin audit key id v1"], &mut hash);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        ChainKeyId(id)
    }

    /// The MAC of an entry of a store of version 1 that follows the entry with MAC `previous` (all zero before the first one).
    #[must_use]
    pub fn link(&self, previous: &Mac, entry: &AuditEntry) -> Mac {
        let body = entry.body.as_bytes();
        // Everything but the body has a fixed length, and the body says its own: no two entries hash the same bytes.
        self.hash(&[
            b"umpin audit link v1",
            previous,
            &entry.operation,
            &entry.at.0.to_be_bytes(),
            &length(body),
            body,
        ])
    }

    /// The MAC of the entry of this host that follows the place `previous`.
    #[must_use]
    pub fn bind(&self, host: &str, previous: &Point, entry: &AuditEntry) -> Mac {
        let (host, body) = (host.as_bytes(), entry.body.as_bytes());
        self.hash(&[
            b"umpin audit link v2",
            &length(host),
            host,
            &previous.position.wrapping_add(1).to_be_bytes(),
            &previous.mac,
            &entry.operation,
            &entry.at.0.to_be_bytes(),
            &length(body),
            body,
        ])
    }

    /// Binds a head: sets its key and MAC.
    pub fn seal(&self, head: &mut Head) {
        head.key = self.id();
        head.mac = self.head_mac(head);
    }

    fn head_mac(&self, head: &Head) -> Mac {
        let host = head.host.as_bytes();
        let (removed, at) = match head.base_at {
            None => ([0], 0),
            Some(at) => ([1], at.0),
        };
        self.hash(&[
            b"umpin audit head v1",
            &length(host),
            host,
            &head.base.position.to_be_bytes(),
            &head.base.mac,
            &removed,
            &at.to_be_bytes(),
            &head.adopted.to_be_bytes(),
            &head.tip.position.to_be_bytes(),
            &head.tip.mac,
        ])
    }

    fn hash(&self, parts: &[&[u8]]) -> Mac {
        let mut mac = [0; 32];
        keyed_hash(&self.0, parts, &mut mac);
        mac
    }
}

fn length(bytes: &[u8]) -> [u8; 8] {
    (bytes.len() as u64).to_be_bytes()
}

/// The keys that a chain may be bound with, the active one first.
#[derive(Clone)]
pub struct ChainKeys(Vec<(ChainKeyId, ChainKey)>);

/// Whether something is what a key of the ring made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Genuine,
    Altered,
    UnknownKey,
}

impl ChainKeys {
    /// The active key first.
    #[must_use]
    pub fn new(keys: Vec<ChainKey>) -> Self {
        Self(keys.into_iter().map(|key| (key.id(), key)).collect())
    }

    /// The key that binds new entries.
    #[must_use]
    pub fn active(&self) -> Option<&ChainKey> {
        self.0.first().map(|(_, key)| key)
    }

    fn find(&self, id: ChainKeyId) -> Option<&ChainKey> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, key)| key)
    }

    /// Whether the head is as one of these keys sealed it.
    #[must_use]
    pub fn sealed(&self, head: &Head) -> bool {
        self.check_head(head) == Check::Genuine
    }

    /// Whether the entry is the one that follows `previous`.
    #[must_use]
    pub fn follows(&self, previous: &Point, stored: &StoredEntry) -> bool {
        self.check_entry(previous, stored) == Check::Genuine
    }

    pub(super) fn check_head(&self, head: &Head) -> Check {
        match self.find(head.key) {
            None => Check::UnknownKey,
            Some(key) if key.head_mac(head) == head.mac => Check::Genuine,
            Some(_) => Check::Altered,
        }
    }

    pub(super) fn check_entry(&self, previous: &Point, stored: &StoredEntry) -> Check {
        let genuine = match stored.bound {
            Some(bound) => {
                let Some(key) = self.find(bound.key) else {
                    return Check::UnknownKey;
                };
                previous.position.checked_add(1) == Some(bound.position)
                    && key.bind(&stored.host, previous, &stored.entry) == stored.mac
            }
            None => self
                .0
                .iter()
                .any(|(_, key)| key.link(&previous.mac, &stored.entry) == stored.mac),
        };
        if genuine { Check::Genuine } else { Check::Altered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Bound;

    fn entry() -> AuditEntry {
        AuditEntry {
            operation: [4; 16],
            at: Timestamp(1_700_000_000_000),
            body: r#"{"kind":"intent"}"#.to_owned(),
        }
    }

    fn head() -> Head {
        let point = |n: u8| Point {
            position: n.into(),
            mac: [n; 32],
        };
        Head {
            host: "host".to_owned(),
            base: point(1),
            base_at: Some(Timestamp(5)),
            adopted: 2,
            tip: point(3),
            key: ChainKeyId::default(),
            mac: [0; 32],
        }
    }

    fn text(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn everything_in_an_entry_is_bound() {
        let key = ChainKey::new([1; 32]);
        let previous = Point::default();
        let links = |key: &ChainKey, host: &str, previous: &Point, entry: &AuditEntry| {
            [key.link(&previous.mac, entry), key.bind(host, previous, entry)]
        };
        let base = links(&key, "host", &previous, &entry());
        assert_eq!(links(&key, "host", &previous, &entry()), base);
        assert_ne!(base[0], base[1]);

        let mut operation = entry();
        operation.operation[15] ^= 1;
        let mut at = entry();
        at.at = at.at.plus_millis(1);
        let mut body = entry();
        body.body.push(' ');
        let mut mac = previous;
        mac.mac[31] = 1;
        let mut changed = vec![
            links(&ChainKey::new([2; 32]), "host", &previous, &entry()),
            links(&key, "host", &mac, &entry()),
        ];
        changed.extend([operation, at, body].map(|entry| links(&key, "host", &previous, &entry)));
        for changed in changed {
            assert!(changed[0] != base[0] && changed[1] != base[1]);
        }
        let later = Point {
            position: 1,
            ..previous
        };
        assert_ne!(key.bind("host", &later, &entry()), base[1]);
        assert_ne!(key.bind("hosts", &previous, &entry()), base[1]);
    }

    #[test]
    fn everything_in_a_head_is_bound() {
        let keys = ChainKeys::new(vec![ChainKey::new([1; 32])]);
        let mut sealed = head();
        keys.active().unwrap().seal(&mut sealed);
        assert!(keys.sealed(&sealed));
        let changes: [fn(&mut Head); 10] = [
            |h| h.host.push('x'),
            |h| h.base.position += 1,
            |h| h.base.mac[0] ^= 1,
            |h| h.base_at = None,
            |h| h.base_at = Some(Timestamp(6)),
            |h| h.adopted += 1,
            |h| h.tip.position += 1,
            |h| h.tip.mac[0] ^= 1,
            |h| h.key.0[0] ^= 1,
            |h| h.mac[0] ^= 1,
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert!(!keys.sealed(&changed), "change {n}");
        }
        let mut never = sealed;
        (never.base_at, never.mac) = (None, [0; 32]);
        let none = keys.active().unwrap().head_mac(&never);
        never.base_at = Some(Timestamp(0));
        assert_ne!(keys.active().unwrap().head_mac(&never), none);
    }

    #[test]
    fn an_entry_must_stand_where_it_says() {
        let keys = ChainKeys::new(vec![ChainKey::new([1; 32])]);
        let key = keys.active().unwrap();
        let previous = Point::default();
        let stored = |position: u64| StoredEntry {
            seq: 1,
            host: "host".to_owned(),
            bound: Some(Bound {
                position,
                key: key.id(),
            }),
            entry: entry(),
            mac: key.bind("host", &previous, &entry()),
        };
        assert!(keys.follows(&previous, &stored(1)));
        assert!(!keys.follows(&previous, &stored(2)));
    }

    /// Logs must stay checkable: these values never change.
    #[test]
    fn the_bindings_are_what_they_always_were() {
        let key = ChainKey::new([1; 32]);
        assert_eq!(
            text(&key.link(&[0; 32], &entry())),
            "8e5e1c3883db9e92c0e604c824070ed1b2a0891fcc05fbf23a9baa197a99be88"
        );
        let mut sealed = head();
        key.seal(&mut sealed);
        let values = [
            text(&key.bind("host", &Point::default(), &entry())),
            text(&sealed.mac),
            sealed.key.to_string(),
        ];
        // By Python's `hashlib.blake2b`.
        assert_eq!(
            values,
            [
                "8976874f9e13f68aa7f1f92cc58999c1072b78f3baeb55e3672a2fa1c32c7e32",
                "6c96f4cbf8763f8f5289614d825cb430bde9dd23836b3b49d5c56b825fd11972",
                "071ef0cffd85a06c",
            ]
        );
    }
}
