//! The counter of failed sign-ins of a mailbox. It is stored beside the record, not in it: where the attribute with more writes wins a
//! replication conflict, counting must not undo a reset.

use super::encoding::{DecodeError, Reader};
use crate::clock::Timestamp;

const VERSION: u8 = 1;
const HAS_FAILURE: u8 = 1;
const LOCKED: u8 = 2;

/// Failed sign-ins under one epoch of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCounter {
    /// The record's epoch at the time of counting.
    pub epoch: [u8; 16],
    /// Consecutive failures, towards the lock-out; an automatic reset does not clear them.
    pub failures: u32,
    /// Consecutive failures since the last automatic reset, towards the next one.
    pub failures_since_reset: u32,
    /// The last of them.
    pub last_failure_at: Option<Timestamp>,
    /// Since when too many failures lock the mailbox. Stored here, so that guessing never writes the record only to lock it.
    pub locked_at: Option<Timestamp>,
}

impl FailureCounter {
    /// No failures.
    #[must_use]
    pub fn zero(epoch: [u8; 16]) -> Self {
        Self {
            epoch,
            failures: 0,
            failures_since_reset: 0,
            last_failure_at: None,
            locked_at: None,
        }
    }

    /// The counter under the record's epoch: zero if it was counted under another.
    #[must_use]
    pub fn under(self, epoch: [u8; 16]) -> Self {
        if self.epoch == epoch { self } else { Self::zero(epoch) }
    }

    /// One more failure.
    #[must_use]
    pub fn after_failure(self, at: Timestamp) -> Self {
        Self {
            failures: self.failures.saturating_add(1),
            failures_since_reset: self.failures_since_reset.saturating_add(1),
            last_failure_at: Some(at),
            ..self
        }
    }

    /// Locks; the time of an earlier lock stays.
    #[must_use]
    pub fn locked(self, at: Timestamp) -> Self {
        Self {
            locked_at: self.locked_at.or(Some(at)),
            ..self
        }
    }

    /// After an automatic reset, which gives no further guesses before the lock-out. The epoch stays, so that two controllers that
    /// reset independently do not void each other's counts.
    #[must_use]
    pub fn after_automatic_reset(self) -> Self {
        Self {
            failures_since_reset: 0,
            ..self
        }
    }

    /// The bytes to be sealed: version (1), flags (1), epoch (16), failures (4), since reset (4), time of the last (8), time of
    /// the lock (8); an absent time is zero.
    ///
    /// The length is constant, so that the sealed value does not show whether there were failures.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let flags =
            u8::from(self.last_failure_at.is_some()) * HAS_FAILURE + u8::from(self.locked_at.is_some()) * LOCKED;
        let mut out = vec![VERSION, flags];
        out.extend_from_slice(&self.epoch);
        out.extend_from_slice(&self.failures.to_be_bytes());
        out.extend_from_slice(&self.failures_since_reset.to_be_bytes());
        for at in [self.last_failure_at, self.locked_at] {
            out.extend_from_slice(&at.map_or(0, |at| at.0).to_be_bytes());
        }
        out
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`], for every other sequence of bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::versioned(bytes, VERSION)?;
        let flags = reader.flags(HAS_FAILURE | LOCKED)?;
        let counter = Self {
            epoch: reader.array()?,
            failures: reader.u32()?,
            failures_since_reset: reader.u32()?,
            last_failure_at: time(&mut reader, flags & HAS_FAILURE != 0)?,
            locked_at: time(&mut reader, flags & LOCKED != 0)?,
        };
        reader.end()?;
        Ok(counter)
    }
}

fn time(reader: &mut Reader<'_>, is_present: bool) -> Result<Option<Timestamp>, DecodeError> {
    let at = reader.timestamp()?;
    match (is_present, at.0) {
        (true, _) => Ok(Some(at)),
        (false, 0) => Ok(None),
        (false, _) => Err(DecodeError::Impossible("time")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn failures_under_another_epoch_do_not_count() {
        let counter = FailureCounter::zero([1; 16]).after_failure(Timestamp(5));
        assert_eq!(counter.under([1; 16]), counter);
        assert_eq!(counter.under([2; 16]), FailureCounter::zero([2; 16]));
    }

    #[test]
    fn an_automatic_reset_keeps_the_row_towards_the_lock_out() {
        let counter = FailureCounter::zero([1; 16])
            .after_failure(Timestamp(5))
            .after_failure(Timestamp(6))
            .after_automatic_reset()
            .after_failure(Timestamp(7));
        assert_eq!(
            counter,
            FailureCounter {
                epoch: [1; 16],
                failures: 3,
                failures_since_reset: 1,
                last_failure_at: Some(Timestamp(7)),
                locked_at: None,
            }
        );
    }

    #[test]
    fn counting_stops_at_the_top_instead_of_wrapping_to_zero() {
        let mut counter = FailureCounter::zero([1; 16]);
        counter.failures = u32::MAX;
        counter.failures_since_reset = u32::MAX;
        let counter = counter.after_failure(Timestamp(1));
        assert_eq!((counter.failures, counter.failures_since_reset), (u32::MAX, u32::MAX));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_itself(
            epoch: [u8; 16], failures: u32, since: u32, at: Option<i64>, locked: Option<i64>
        ) {
            let counter = FailureCounter {
                epoch,
                failures,
                failures_since_reset: since,
                last_failure_at: at.map(Timestamp),
                locked_at: locked.map(Timestamp),
            };
            let bytes = counter.encode();
            prop_assert_eq!(bytes.len(), FailureCounter::zero(epoch).encode().len());
            prop_assert_eq!(FailureCounter::decode(&bytes), Ok(counter));
            for length in 0..bytes.len() {
                prop_assert_eq!(FailureCounter::decode(&bytes[..length]), Err(DecodeError::Truncated));
            }
        }

        #[test]
        fn arbitrary_bytes_decode_only_if_they_encode_back(mut bytes in prop::collection::vec(any::<u8>(), 0..50), plausible: bool) {
            if plausible && bytes.len() > 2 {
                bytes[0] = 1;
                bytes[1] &= 3;
                bytes.resize(42, 0);
            }
            if let Ok(counter) = FailureCounter::decode(&bytes) {
                prop_assert_eq!(counter.encode(), bytes);
            }
        }
    }
}
