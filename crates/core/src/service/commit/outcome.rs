//! What is known of a PIN that a change was to set.

use crate::Result;
use crate::credential::record::PinState;
use crate::mailbox::ObjectId;
use crate::notification::outbox::OutboxEntry;
use crate::service::records::Records;

/// A PIN that a change was to set.
#[derive(Clone, Copy)]
pub(in crate::service) struct AnnouncedPin<'a> {
    pub mailbox: ObjectId,
    /// Where the change was sent to.
    pub controller: Option<&'a str>,
    pub id: [u8; 16],
}

impl<'a> From<&'a OutboxEntry> for AnnouncedPin<'a> {
    fn from(entry: &'a OutboxEntry) -> Self {
        Self {
            mailbox: entry.mailbox,
            controller: entry.controller.as_deref(),
            id: entry.pin_id,
        }
    }
}

/// What is known of such a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum ChangeOutcome {
    /// It is the PIN in force.
    InForce,
    /// It was, or it would have been but for a later one.
    Replaced,
    /// It never was and never will be.
    NeverSet,
    /// There is no such mailbox any more.
    MailboxGone,
}

impl ChangeOutcome {
    /// Why a message is not sent.
    pub(in crate::service) const fn explained(self) -> &'static str {
        match self {
            Self::InForce => "the PIN is in force",
            Self::Replaced => "the PIN has been replaced since",
            Self::NeverSet => "the PIN was never set",
            Self::MailboxGone => "the mailbox is gone",
        }
    }

    /// Of a change that is known to have been made.
    pub(super) fn of_committed(records: &Records, pin: AnnouncedPin<'_>) -> Result<Self> {
        let found = records.look(pin.mailbox, pin.controller)?;
        Ok(found.map_or(Self::MailboxGone, |(_, record)| {
            Self::from_state(record.pin_state(pin.id))
        }))
    }

    /// Of a change that is known to have been made. A record does not remember every PIN; or another controller's change has won.
    pub(super) const fn from_state(state: PinState) -> Self {
        match state {
            PinState::Current => Self::InForce,
            PinState::Superseded | PinState::Unknown => Self::Replaced,
        }
    }
}
