//! Every answer that lets nobody in costs the same, whatever it is about: the same derivations, the same turns, and a write.
//! Otherwise its time, or that of the answers behind it in the queue, would tell which mailboxes exist and which are locked.

use super::{SignInRequest, SignIns, Subscriber};
use crate::credential::kdf::{KdfContext, KdfParams, PinVerifiers};
use crate::credential::record::CredentialRecord;
use crate::directory::Route;
use crate::identity::fold::fold;
use crate::mailbox::ObjectId;
use crate::pin::Pin;
use crate::service::keyed_mutex::LockKey;
use crate::service::random_id;
use crate::service::resolve::shortened;
use crate::{Error, ErrorCode, Result};

/// As many as the dearest of them needs: the PIN that was keyed, and the one that a reset by failures sets.
const DERIVATIONS: u64 = 2;

impl SignIns {
    /// An attempt at what is no mailbox with a PIN: takes its turn and does without effect what counting a wrong PIN does.
    /// Returns the error that says why, or, as for any other mailbox, why the attempt could not have been counted.
    pub(super) fn refuse(
        &self,
        request: &SignInRequest,
        verifiers: &mut PinVerifiers,
        kdf: &mut KdfContext,
        reason: Error,
    ) -> Result<Error> {
        if !tells_of_a_mailbox(reason.code()) {
            return Ok(reason);
        }
        let route = request.lookup().route();
        let (subject, name) = self.nobody(&request.subscriber);
        let stand_in = self.stand_in();
        let nobody = ObjectId(random_id()?);
        let _turn = match self.locks.try_lock(subject) {
            Some(turn) => turn,
            None => {
                verifiers.verifier(&stand_in, kdf)?;
                let turn = self.locks.lock(subject, &name)?;
                let _ = self.directory.credential(nobody, None);
                turn
            }
        };
        let _ = self.directory.policy("", route);
        self.commits
            .check_replication(nobody, None, &CredentialRecord::never_set(nobody.0));
        verifiers.verifier(&stand_in, kdf)?;
        self.count_nothing(route)?;
        Ok(reason)
    }

    /// What writing a count costs, where nothing is to be counted. Who hears its error hears what everybody does: an attempt that
    /// cannot be counted is not answered.
    pub(super) fn count_nothing(&self, route: Route<'_>) -> Result<()> {
        self.directory.dummy_write(route)?;
        self.commits.dummy_record();
        Ok(())
    }

    /// Derives what is missing of [`DERIVATIONS`] since `before`.
    pub(super) fn derive_as_often(&self, pin: &Pin, kdf: &mut KdfContext, before: u64) {
        for _ in kdf.count() - before..DERIVATIONS {
            let _ = kdf.derive(pin, &self.stand_in());
        }
    }

    /// Costs what a record's derivation costs.
    fn stand_in(&self) -> KdfParams {
        KdfParams {
            salt: [0; 16],
            cost: self.cost,
        }
    }

    /// What attempts at this name take turns at, and what an error calls it.
    fn nobody(&self, subscriber: &Subscriber) -> (LockKey, String) {
        match subscriber {
            Subscriber::Identity(text) => (self.locks.key_of_name(fold(text)), shortened(text.trim())),
            Subscriber::Extension { number, dial_plan } => {
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                let subject = self.locks.key_of_name((&digits, dial_plan.as_deref().map(fold)));
                (subject, shortened(&digits))
            }
        }
    }
}

/// Of which mailboxes there are, and not of the request or of the directory as a whole.
fn tells_of_a_mailbox(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::ManagementObjectNotFound | ErrorCode::ManagementObjectAmbiguous | ErrorCode::MailboxNotUmEnabled
    )
}
