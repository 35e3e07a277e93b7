//! Entries as an administrator reads them: intent and outcome of an operation in one.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audit::{Binding, OmittedFailures, StoredEntry};
use crate::clock::Timestamp;

/// Operations whose outcome is still looked for; with more, the oldest is taken for one that has none.
const MOST_PENDING: usize = 32;

/// An operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditItem {
    /// Of its first entry.
    pub seq: i64,
    /// Where it was done.
    pub host: String,
    /// Its id, as hexadecimal digits.
    pub operation: String,
    /// When it began.
    pub at: Timestamp,
    /// `operation`: intent and outcome; else the kind of the only entry.
    pub kind: String,
    /// With which command.
    pub cmdlet: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Who did it.
    pub caller: Option<String>,
    /// The account that carried it out, where that was another.
    pub run_as: Option<String>,
    /// With which program.
    pub application: Option<String>,
    /// To which mailbox.
    pub target: Option<String>,
    /// That mailbox's GUID.
    pub target_guid: Option<String>,
    /// The parameters of the command.
    pub parameters: Option<Value>,
    /// Unknown as long as there is no outcome.
    pub succeeded: Option<bool>,
    /// More of the outcome.
    pub result: Option<Value>,
    /// Whatever else was recorded.
    pub details: Map<String, Value>,
    /// Whether each of its entries is the one that must stand there.
    pub genuine: bool,
}

impl AuditItem {
    fn of(stored: &StoredEntry, genuine: bool) -> Self {
        let mut fields: Map<String, Value> = serde_json::from_str(&stored.entry.body).unwrap_or_default();
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let kind = text("kind").unwrap_or_default();
        // The chain's host is bound; the one in the text is the same unless the text is not ours.
        text("host");
        let mut item = Self {
            seq: stored.seq,
            host: stored.host.clone(),
            operation: crate::audit::file::hex::text(&stored.entry.operation),
            at: stored.entry.at,
            kind,
            cmdlet: text("cmdlet"),
            action: text("action"),
            caller: text("caller"),
            run_as: text("runAs"),
            application: text("application"),
            target: text("target"),
            target_guid: text("targetGuid"),
            parameters: None,
            succeeded: None,
            result: None,
            details: Map::new(),
            genuine,
        };
        item.parameters = fields.remove("parameters");
        item.succeeded = fields.remove("succeeded").and_then(|value| value.as_bool());
        item.result = fields.remove("result");
        item.details = fields;
        item
    }

    /// Failures that are counted; the entry that will tell of them is not written yet.
    pub(super) fn of_omitted(omitted: &OmittedFailures) -> Self {
        let stored = StoredEntry {
            seq: 0,
            host: omitted.host.clone(),
            binding: Binding::default(),
            entry: omitted.entry([0; 16], omitted.until),
            mac: [0; 32],
        };
        Self::of(&stored, true)
    }

    /// Takes the outcome in. What the outcome says counts: it is the later word.
    fn complete(&mut self, outcome: Self) {
        fn later<T>(mine: &mut Option<T>, theirs: Option<T>) {
            if theirs.is_some() {
                *mine = theirs;
            }
        }
        self.kind = "operation".to_owned();
        later(&mut self.cmdlet, outcome.cmdlet);
        later(&mut self.action, outcome.action);
        later(&mut self.caller, outcome.caller);
        later(&mut self.run_as, outcome.run_as);
        later(&mut self.application, outcome.application);
        later(&mut self.target, outcome.target);
        later(&mut self.target_guid, outcome.target_guid);
        later(&mut self.parameters, outcome.parameters);
        if outcome.succeeded.is_some() {
            // What an earlier outcome could not tell.
            self.details.remove("error");
        }
        later(&mut self.succeeded, outcome.succeeded);
        later(&mut self.result, outcome.result);
        self.details.extend(outcome.details);
        self.genuine &= outcome.genuine;
    }
}

/// Intents that wait for their outcome.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Pending(VecDeque<AuditItem>);

impl Pending {
    /// Takes the next entry; gives the operation that is complete now, if any.
    pub(super) fn add(&mut self, stored: &StoredEntry, genuine: bool) -> impl Iterator<Item = AuditItem> + use<> {
        let item = AuditItem::of(stored, genuine);
        if item.kind == "intent" {
            return self.wait(item).into_iter();
        }
        let intent = self
            .0
            .iter()
            .position(|known| known.operation == item.operation && known.host == item.host)
            .filter(|_| item.kind == "outcome")
            .and_then(|index| self.0.remove(index));
        match intent {
            None => Some(item),
            Some(mut whole) => {
                whole.complete(item);
                // An outcome that is not known may be found out later.
                match whole.succeeded {
                    Some(_) => Some(whole),
                    None => self.wait(whole),
                }
            }
        }
        .into_iter()
    }

    /// Lets an operation wait for more; gives the one that has waited for too long, if any.
    fn wait(&mut self, item: AuditItem) -> Option<AuditItem> {
        self.0.push_back(item);
        if self.0.len() > MOST_PENDING {
            self.0.pop_front()
        } else {
            None
        }
    }

    /// At the end of the log: the operations whose outcome nobody recorded.
    pub(super) fn rest(self) -> impl Iterator<Item = AuditItem> {
        self.0.into_iter()
    }
}
