//! The outbox as JSON: its entries, and the results of sending. Never a recipient or content.

use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::bytes;
use super::rules::{check_version, require_identity};
use crate::Result;
use crate::cancellation::Cancellation;
use crate::clock::Timestamp;
use crate::directory::Page;
use crate::mailbox::Mailbox;
use crate::notification::outbox::EntryState;
use crate::service::Lookup;
use crate::service::outbox::{NotificationItem, SendReport, SendRequest, SentItem};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::session) struct SendMessage {
    v: u64,
    identity: Option<String>,
    #[serde(default)]
    alternatives: Vec<String>,
    due: Option<i64>,
    #[serde(default)]
    ignore_default_scope: bool,
    domain_controller: Option<String>,
}

impl SendMessage {
    pub(super) fn checked(self) -> Result<Self> {
        check_version(self.v)?;
        require_identity(self.identity.as_deref(), &self.alternatives)?;
        Ok(self)
    }

    pub(in crate::session) fn request(&self, cancellation: &Cancellation) -> SendRequest<'_> {
        SendRequest {
            identity: self.identity.as_deref(),
            lookup: Lookup {
                ignore_default_scope: self.ignore_default_scope,
                domain_controller: self.domain_controller.as_deref(),
                alternatives: &self.alternatives,
            },
            due: self.due.map(Timestamp),
            cancellation: cancellation.clone(),
        }
    }
}

pub(in crate::session) fn notifications(page: &Page<NotificationItem>) -> Vec<u8> {
    let items: Vec<Value> = page.items.iter().map(listed).collect();
    bytes(json!({ "items": items, "next": page.next }))
}

fn listed(item: &NotificationItem) -> Value {
    json!({
        "id": id(item.id),
        "identity": item.mailbox.as_ref().map(Mailbox::identity),
        "guid": item.mailbox.as_ref().map(|mailbox| mailbox.guid.to_string()),
        "state": match item.state {
            EntryState::Ready => "queued",
            EntryState::Unconfirmed => "unconfirmed",
            EntryState::Failed => "expired",
        },
        "queuedSince": item.queued_since.0,
        "attempts": item.attempts,
        "nextAttempt": item.next_attempt.map(|at| at.0),
        "expiresOn": item.expires_at.map(|at| at.0),
        "lastError": item.last_error,
    })
}

pub(in crate::session) fn sent(report: &SendReport) -> Vec<u8> {
    let items: Vec<Value> = report.items.iter().map(outcome).collect();
    bytes(json!({
        "items": items,
        "next": report.next.map(|due| due.0),
        "blocked": report.blocked,
    }))
}

fn outcome(item: &SentItem) -> Value {
    json!({
        "id": id(item.id),
        "identity": item.mailbox.as_ref().map(Mailbox::identity),
        "guid": item.mailbox.as_ref().map(|mailbox| mailbox.guid.to_string()),
        "queuedSince": item.queued_since.0,
        "attempts": item.attempts,
        "outcome": item.outcome,
        "reason": item.reason,
    })
}

fn id(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}
