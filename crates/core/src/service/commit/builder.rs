//! Builds a change of one mailbox's sealed values.

use crate::Result;
use crate::credential::counter::FailureCounter;
use crate::credential::keyring::KeyRing;
use crate::credential::master_key::Purpose;
use crate::credential::record::CredentialRecord;
use crate::credential::seal::SealContext;
use crate::directory::{CounterChange, CredentialChange, StoredCredential, Swap};
use crate::random::system_rng;

/// A change that replaces what was read: each new value is sealed and compared with the one that it was computed from.
pub(in crate::service) struct ChangeBuilder<'a> {
    ring: &'a KeyRing,
    context: SealContext,
    stored: &'a StoredCredential,
    change: CredentialChange,
}

impl<'a> ChangeBuilder<'a> {
    /// A change that leaves all values as they are; `controller` is where they were read.
    pub(in crate::service) fn new(
        ring: &'a KeyRing,
        context: SealContext,
        stored: &'a StoredCredential,
        controller: Option<&str>,
    ) -> Self {
        let change = CredentialChange::new(context.object_id, controller.map(str::to_owned));
        Self {
            ring,
            context,
            stored,
            change,
        }
    }

    /// Replaces the record.
    pub(in crate::service) fn record(mut self, record: &CredentialRecord) -> Result<Self> {
        let new = self.seal(Purpose::Record, &record.encode())?;
        self.change.record = Some(Swap {
            expected: self.stored.replaced(),
            new,
        });
        Ok(self)
    }

    /// Replaces the counter of failed sign-ins, if it is as it was read.
    pub(in crate::service) fn swap_counter(mut self, counter: &FailureCounter) -> Result<Self> {
        let new = self.seal(Purpose::Counter, &counter.encode())?;
        self.change.counter = CounterChange::Swap(Swap {
            expected: self.stored.counter.clone(),
            new,
        });
        Ok(self)
    }

    /// Replaces the counter of failed sign-ins, whatever it is by then.
    pub(in crate::service) fn set_counter(mut self, counter: &FailureCounter) -> Result<Self> {
        self.change.counter = CounterChange::Set(self.seal(Purpose::Counter, &counter.encode())?);
        Ok(self)
    }

    pub(in crate::service) fn build(self) -> CredentialChange {
        self.change
    }

    fn seal(&self, purpose: Purpose, plain: &[u8]) -> Result<Vec<u8>> {
        self.ring.seal(purpose, &self.context, plain, &mut system_rng())
    }
}
