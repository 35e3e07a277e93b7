//! Audit entries: who changed what, bound into one keyed chain per host so that changes to the log show.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::clock::Timestamp;
use crate::credential::keyring::keyed_hash;

/// One entry as it is written. The parameters never include a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Joins intent and outcome.
    pub operation: [u8; 16],
    /// UTC.
    pub at: Timestamp,
    /// The entry as JSON without line break: kind (`intent` or `outcome`), caller, host, cmdlet, target, parameters, outcome.
    pub body: String,
}

/// The key of the chain (a sub-key of the key ring): whoever lacks it cannot make a changed log look whole.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ChainKey([u8; 32]);

/// Entries to be recorded together with a change, and the key that chains them.
pub struct AuditTrail {
    /// The host whose chain the entries continue.
    pub host: String,
    /// In the order in which they are to be read.
    pub entries: Vec<AuditEntry>,
    /// Links each entry to the one before it.
    pub key: ChainKey,
}

impl ChainKey {
    /// Takes the sub-key over.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The MAC of an entry that follows the entry with MAC `previous` (all zero before the first one).
    #[must_use]
    pub fn link(&self, previous: &[u8; 32], entry: &AuditEntry) -> [u8; 32] {
        let body = entry.body.as_bytes();
        let mut mac = [0; 32];
        // Everything but the body has a fixed length, and the body says its own: no two entries hash the same bytes.
        keyed_hash(
            &self.0,
            &[
                b"umpin audit link v1",
                previous,
                &entry.operation,
                &entry.at.0.to_be_bytes(),
                &(body.len() as u64).to_be_bytes(),
                body,
            ],
            &mut mac,
        );
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            operation: [4; 16],
            at: Timestamp(1_700_000_000_000),
            body: r#"{"kind":"intent"}"#.to_owned(),
        }
    }

    #[test]
    fn everything_in_an_entry_is_bound() {
        let key = ChainKey::new([1; 32]);
        let base = key.link(&[0; 32], &entry());
        assert_eq!(key.link(&[0; 32], &entry()), base);

        let mut operation = entry();
        operation.operation[15] ^= 1;
        let mut at = entry();
        at.at = at.at.plus_millis(1);
        let mut body = entry();
        body.body.push(' ');
        for changed in [operation, at, body] {
            assert_ne!(key.link(&[0; 32], &changed), base, "{changed:?}");
        }
        let mut previous = [0; 32];
        previous[31] = 1;
        assert_ne!(key.link(&previous, &entry()), base);
        assert_ne!(ChainKey::new([2; 32]).link(&[0; 32], &entry()), base);
    }

    /// Logs must stay checkable: this value never changes.
    #[test]
    fn the_link_is_what_it_always_was() {
        let mac = ChainKey::new([1; 32]).link(&[0; 32], &entry());
        let hex: String = mac.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "8e5e1c3883db9e92c0e604c824070ed1b2a0891fcc05fbf23a9baa197a99be88");
    }
}
