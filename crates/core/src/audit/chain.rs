//! The MAC chain: each entry is bound to the one before it, and the last one to the head.
//!
//! The links show that an entry was changed, inserted or moved, or that one in the middle was removed. The removal of the *last*
//! entries shows only in the head, which has their number and is sealed with the same key.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::entry::{AuditEntry, ChainKeyId, Mac, StoredEntry};
use crate::clock::Timestamp;
use crate::credential::master_key::keyed_hash;

/// The key of the chain (a sub-key of the key ring): without it nobody can forge a log.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ChainKey([u8; 32]);

/// A link of a chain: the number of entries up to here, and the MAC of the last of them. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainLink {
    /// The number of entries up to here.
    pub position: u64,
    /// The MAC of the last of them; all zero before the first.
    #[serde(with = "super::file::hex")]
    pub mac: Mac,
}

/// The anchor of a host's chain: where it begins and where it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Head {
    /// The host of the chain.
    pub host: String,
    /// The link before the first entry: the beginning, or the last entry that retention removed.
    pub base: ChainLink,
    /// When the newest entry that retention removed was written.
    pub base_at: Option<Timestamp>,
    /// The last entry.
    #[serde(rename = "tip")]
    pub last: ChainLink,
    /// The id of the key of `mac`.
    pub key: ChainKeyId,
    /// The MAC of all the fields above.
    #[serde(with = "super::file::hex")]
    pub mac: Mac,
}

impl ChainKey {
    /// A chain key from the sub-key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its public id.
    #[must_use]
    pub fn id(&self) -> ChainKeyId {
        let mut hash = [0; 32];
        keyed_hash(&self.0, &[b"umpin audit key id v1"], &mut hash);
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        ChainKeyId(id)
    }

    /// The MAC of the entry of this host that follows `previous`.
    #[must_use]
    pub fn bind(&self, host: &str, previous: &ChainLink, entry: &AuditEntry) -> Mac {
        let (host, body) = (host.as_bytes(), entry.body.as_bytes());
        // Fields of variable length have a length prefix, so that no two entries hash the same bytes.
        self.hash(&[
            b"umpin audit link v1",
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

    /// Sets the key and the MAC of a head.
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
            &head.last.position.to_be_bytes(),
            &head.last.mac,
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

/// The keys of a chain, the active one first.
#[derive(Clone)]
pub struct ChainKeys(Vec<(ChainKeyId, ChainKey)>);

/// The result of the verification of a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacCheck {
    Valid,
    Invalid,
    UnknownKey,
}

impl ChainKeys {
    /// `keys` has the active key first.
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

    /// Whether the MAC of the head is valid under one of these keys.
    #[must_use]
    pub fn is_valid_head(&self, head: &Head) -> bool {
        self.check_head(head) == MacCheck::Valid
    }

    /// Whether the MAC of the entry is valid at the position after `previous`.
    #[must_use]
    pub fn is_valid_entry(&self, previous: &ChainLink, stored: &StoredEntry) -> bool {
        self.check_entry(previous, stored) == MacCheck::Valid
    }

    pub(super) fn check_head(&self, head: &Head) -> MacCheck {
        match self.find(head.key) {
            None => MacCheck::UnknownKey,
            Some(key) if key.head_mac(head) == head.mac => MacCheck::Valid,
            Some(_) => MacCheck::Invalid,
        }
    }

    pub(super) fn check_entry(&self, previous: &ChainLink, stored: &StoredEntry) -> MacCheck {
        let Some(key) = self.find(stored.binding.key) else {
            return MacCheck::UnknownKey;
        };
        let is_valid = previous.position.checked_add(1) == Some(stored.binding.position)
            && key.bind(&stored.host, previous, &stored.entry) == stored.mac;
        if is_valid { MacCheck::Valid } else { MacCheck::Invalid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Binding;

    fn entry() -> AuditEntry {
        AuditEntry {
            operation: [4; 16],
            at: Timestamp(1_700_000_000_000),
            body: r#"{"kind":"intent"}"#.to_owned(),
        }
    }

    fn head() -> Head {
        let point = |n: u8| ChainLink {
            position: n.into(),
            mac: [n; 32],
        };
        Head {
            host: "host".to_owned(),
            base: point(1),
            base_at: Some(Timestamp(5)),
            last: point(3),
            key: ChainKeyId::default(),
            mac: [0; 32],
        }
    }

    fn text(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn the_mac_of_an_entry_covers_every_field() {
        let key = ChainKey::new([1; 32]);
        let previous = ChainLink::default();
        let base = key.bind("host", &previous, &entry());
        assert_eq!(key.bind("host", &previous, &entry()), base);

        let mut operation = entry();
        operation.operation[15] ^= 1;
        let mut at = entry();
        at.at = at.at.plus_millis(1);
        let mut body = entry();
        body.body.push(' ');
        let mut mac = previous;
        mac.mac[31] = 1;
        let later = ChainLink {
            position: 1,
            ..previous
        };
        let mut changed = vec![
            ChainKey::new([2; 32]).bind("host", &previous, &entry()),
            key.bind("host", &mac, &entry()),
            key.bind("host", &later, &entry()),
            key.bind("hosts", &previous, &entry()),
        ];
        changed.extend([operation, at, body].map(|entry| key.bind("host", &previous, &entry)));
        for (n, changed) in changed.into_iter().enumerate() {
            assert_ne!(changed, base, "change {n}");
        }
    }

    #[test]
    fn the_mac_of_a_head_covers_every_field() {
        let keys = ChainKeys::new(vec![ChainKey::new([1; 32])]);
        let mut sealed = head();
        keys.active().unwrap().seal(&mut sealed);
        assert!(keys.is_valid_head(&sealed));
        let changes: [fn(&mut Head); 9] = [
            |h| h.host.push('x'),
            |h| h.base.position += 1,
            |h| h.base.mac[0] ^= 1,
            |h| h.base_at = None,
            |h| h.base_at = Some(Timestamp(6)),
            |h| h.last.position += 1,
            |h| h.last.mac[0] ^= 1,
            |h| h.key.0[0] ^= 1,
            |h| h.mac[0] ^= 1,
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert!(!keys.is_valid_head(&changed), "change {n}");
        }
        let mut never = sealed;
        (never.base_at, never.mac) = (None, [0; 32]);
        let none = keys.active().unwrap().head_mac(&never);
        never.base_at = Some(Timestamp(0));
        assert_ne!(keys.active().unwrap().head_mac(&never), none);
    }

    #[test]
    fn an_entry_is_valid_only_at_its_position() {
        let keys = ChainKeys::new(vec![ChainKey::new([1; 32])]);
        let key = keys.active().unwrap();
        let previous = ChainLink::default();
        let stored = |position: u64| StoredEntry {
            seq: 1,
            host: "host".to_owned(),
            binding: Binding {
                position,
                key: key.id(),
            },
            entry: entry(),
            mac: key.bind("host", &previous, &entry()),
        };
        assert!(keys.is_valid_entry(&previous, &stored(1)));
        assert!(!keys.is_valid_entry(&previous, &stored(2)));
    }

    /// Logs must stay checkable: these values never change.
    #[test]
    fn the_macs_never_change() {
        let key = ChainKey::new([1; 32]);
        let mut sealed = head();
        key.seal(&mut sealed);
        let values = [
            text(&key.bind("host", &ChainLink::default(), &entry())),
            text(&sealed.mac),
            sealed.key.to_string(),
        ];
        // By Python's `hashlib.blake2b`.
        assert_eq!(
            values,
            [
                "98d04e8ce3747f953c6740475ea170f4fe59ebd8b6f55419d06647245ffad666",
                "726e333371f00c768b69a8e51093f54af6947054085b778cde8333c0d393fed2",
                "071ef0cffd85a06c",
            ]
        );
    }
}
