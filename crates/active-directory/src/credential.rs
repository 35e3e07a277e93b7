//! Record and counter: read on one controller, changed there by compare-and-swap in one Modify (RFC 4511, 4.6).
//!
//! Deleting the value that the new one was computed from is the comparison: where it is gone, the server refuses everything. A
//! first value is only added, which a single-valued attribute refuses when there is one.

use std::collections::HashMap;
use std::time::Instant;

use uuid::Uuid;

use super::ActiveDirectory;
use super::absence::{EVIDENCE, Reader};
use super::connection::{Connection, Depth, Entry, Modification, Search};
use super::failure::{ATTRIBUTE_OR_VALUE_EXISTS, Failure, FailureKind, NO_SUCH_ATTRIBUTE, NO_SUCH_OBJECT};
use super::filter;
use super::lookup::{all, gone, missing, subtree};
use super::reading::{Value, counter, record};
use super::schema::{RECORD, Schema};
use super::servers::Whom;
use umpin_core::directory::{Applied, CounterChange, CredentialChange, StoredCredential, Swap};
use umpin_core::mailbox::ObjectId;
use umpin_core::{Error, ErrorCode, Result};

/// `constraintViolation`: also what some servers say to a second value where there can be but one.
const CONSTRAINT_VIOLATION: u32 = 19;
/// `insufficientAccessRights`.
const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;

/// How many objects one search asks for by their GUIDs. Their security descriptors take some kilobytes each.
const IDS: usize = 250;

/// What was in the way of a first value.
enum Obstacle {
    /// A value of ours: another writer was first.
    Rival,
    /// A value of Exchange's in the record's attribute, which is worth nothing without Exchange.
    Foreign(Vec<u8>),
    /// Nothing that can be seen.
    None,
}

impl ActiveDirectory {
    pub(super) fn stored(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        let forest = self.forest()?;
        let (entry, reader) = self.entry(id, controller)?;
        self.values(&entry, &reader, &forest.schema)
    }

    /// Of many objects at once, in the order of their ids.
    pub(super) fn all_stored(
        &self,
        ids: &[ObjectId],
        controller: Option<&str>,
    ) -> Result<Vec<Result<StoredCredential>>> {
        let forest = self.forest()?;
        let mut wanted = vec!["objectGUID", RECORD, &forest.schema.counter];
        wanted.extend(EVIDENCE);
        let id_of = |entry: &Entry| Some(ObjectId(entry.guid("objectGUID").ok()??.into_bytes()));
        let mut by_id = self.servers.ask(self.whom(controller), |connection| {
            let about = connection.about().clone();
            let mut by_id = HashMap::new();
            for ids in ids.chunks(IDS) {
                let filter = filter::of_ids(ids);
                let entries = all(connection, &subtree(&about.domain, &filter, &wanted))?;
                let reader = Reader::of(connection, &about.schema, &forest.schema, &entries)?;
                let values = |entry: &Entry| Some((id_of(entry)?, self.values(entry, &reader, &forest.schema)));
                by_id.extend(entries.iter().filter_map(values));
            }
            Ok(by_id)
        })?;
        let values = |id| by_id.remove(id).unwrap_or_else(|| Err(missing()));
        Ok(ids.iter().map(values).collect())
    }

    pub(super) fn change(&self, change: &CredentialChange) -> Result<Applied> {
        let forest = self.forest()?;
        let schema = &forest.schema;
        let values = Values::of(change, schema)?;
        let controller = match &change.controller {
            Some(controller) => controller.clone(),
            None => self.preferred_controller()?,
        };
        let mut foreign = None;
        loop {
            let modifications = values.modifications(schema, foreign.as_deref());
            if modifications.is_empty() {
                return Ok(Applied::Committed);
            }
            let begun = Instant::now();
            let mut connection = match self.servers.connect(&controller) {
                Ok(connection) => connection,
                Err(failure) if failure.kind == FailureKind::Unreached => return Ok(Applied::Unreached),
                Err(failure) => return Err(failure.into()),
            };
            let modified = connection.modify(&name_of(change.mailbox), &modifications, &change.cancellation);
            let Err(failure) = modified else {
                return Ok(Applied::Committed);
            };
            drop(connection);
            match failure.kind {
                // Whoever declines has changed nothing, and another may serve, where the mailbox is read anew.
                FailureKind::Unreached | FailureKind::Declined(_) | FailureKind::Foreign => {
                    self.servers.leave(&controller, &failure, begun);
                    return Ok(Applied::Unreached);
                }
                FailureKind::Lost => return self.after_silence(change, &controller, failure),
                FailureKind::Refused(NO_SUCH_ATTRIBUTE) => return Ok(Applied::Conflict),
                FailureKind::Refused(ATTRIBUTE_OR_VALUE_EXISTS | CONSTRAINT_VIOLATION) => {
                    match self.obstacle(change, &controller)? {
                        Obstacle::Rival => return Ok(Applied::Conflict),
                        // Once: whoever puts other values there all the time is a rival.
                        Obstacle::Foreign(_) if foreign.is_some() => return Ok(Applied::Conflict),
                        Obstacle::Foreign(value) => foreign = Some(value),
                        Obstacle::None => return Err(failure.into()),
                    }
                }
                FailureKind::Refused(NO_SUCH_OBJECT) => return Err(gone(failure)),
                FailureKind::Refused(INSUFFICIENT_ACCESS_RIGHTS) => {
                    return Err(self.forbidden(change, &controller, &modifications, failure));
                }
                FailureKind::Refused(_) | FailureKind::Hopeless => return Err(failure.into()),
            }
        }
    }

    /// The answer was lost. If the new value is there, the change was made; if not, it may still come.
    fn after_silence(&self, change: &CredentialChange, controller: &str, failure: Failure) -> Result<Applied> {
        if let Ok(stored) = self.stored(change.mailbox, Some(controller))
            && change.is_in_force(&stored)
        {
            return Ok(Applied::Committed);
        }
        Err(Error::new(
            ErrorCode::OutcomeUnknown,
            format!(
                "It cannot be known whether the PIN record was changed: {}",
                failure.error
            ),
        )
        .detail("server", controller)
        .caused_by(failure.error))
    }

    fn obstacle(&self, change: &CredentialChange, controller: &str) -> Result<Obstacle> {
        let forest = self.forest()?;
        let (entry, reader) = self.entry(change.mailbox, Some(controller))?;
        // A value that is in the way may be one that the account does not see.
        self.values(&entry, &reader, &forest.schema)?;
        if matches!(&change.counter, CounterChange::Swap(Swap { expected: None, .. }))
            && matches!(counter(&entry, &forest.schema), Value::Ours(_))
        {
            return Ok(Obstacle::Rival);
        }
        if matches!(&change.record, Some(Swap { expected: None, .. })) {
            match record(&entry) {
                Value::None => {}
                Value::Ours(_) => return Ok(Obstacle::Rival),
                Value::Foreign(value) => return Ok(Obstacle::Foreign(value)),
            }
        }
        Ok(Obstacle::None)
    }

    fn whom<'a>(&'a self, controller: Option<&'a str>) -> Whom<'a> {
        match controller {
            Some(name) => Whom::Recorded(name),
            None => Whom::DomainController(&self.servers.settings().domain),
        }
    }

    /// The two attributes of the object, as that controller or the preferred one has them, and what may be read there.
    fn entry(&self, id: ObjectId, controller: Option<&str>) -> Result<(Entry, Reader)> {
        let forest = self.forest()?;
        let mut wanted = vec![RECORD, &forest.schema.counter];
        wanted.extend(EVIDENCE);
        let question = |connection: &mut Connection| {
            let answer = connection.search(&Search {
                base: &name_of(id),
                depth: Depth::Base,
                filter: "(objectClass=*)",
                attributes: &wanted,
                size_limit: 1,
            })?;
            let schema = connection.about().schema.clone();
            let reader = Reader::of(connection, &schema, &forest.schema, &answer.entries)?;
            Ok((answer.entries, reader))
        };
        match self.servers.ask(self.whom(controller), question) {
            Ok((entries, reader)) => entries.into_iter().next().map(|entry| (entry, reader)).ok_or_else(|| {
                Error::new(
                    ErrorCode::AccessDenied,
                    format!("The account may not read the object {} in the directory.", name_of(id)),
                )
            }),
            Err(failure) if failure.kind == FailureKind::Refused(NO_SUCH_OBJECT) => Err(gone(failure)),
            Err(failure) => Err(failure.into()),
        }
    }

    fn preferred_controller(&self) -> Result<String> {
        let domain = &self.servers.settings().domain;
        let controller = self.servers.ask(Whom::DomainController(domain), |connection| {
            Ok(connection.host().to_owned())
        })?;
        Ok(controller)
    }

    fn forbidden(
        &self,
        change: &CredentialChange,
        controller: &str,
        modifications: &[Modification<'_>],
        failure: Failure,
    ) -> Error {
        let account = self.account();
        let mut attributes: Vec<&str> = modifications.iter().map(attribute).collect();
        attributes.dedup();
        let (name, is_protected) = match self.entry(change.mailbox, Some(controller)) {
            Ok((entry, _)) => {
                let is_protected = entry.first("admincount") == Some(b"1");
                (entry.dn, is_protected)
            }
            Err(_) => (name_of(change.mailbox), false),
        };
        let action = if is_protected {
            "Give the account the rights at CN=AdminSDHolder as docs/active-directory.md shows: the mailbox belongs to an \
             administrator (adminCount is 1) and inherits none from its organizational unit."
        } else {
            "Give the account the right to write these attributes of users, as docs/active-directory.md shows."
        };
        let mut error = Error::new(
            ErrorCode::AccessDenied,
            format!(
                "{account} may not write {} of \"{name}\" on {controller}.",
                attributes.join(" and ")
            ),
        )
        .action(action);
        for (name, value) in failure.error.details() {
            error = error.detail(name, value.clone());
        }
        error.detail("attributes", attributes).caused_by(failure.error)
    }
}

/// The values of a change, in the form that their attributes hold them.
struct Values<'a> {
    record: Option<&'a Swap>,
    counter: Option<CounterValues>,
}

enum CounterValues {
    Set(Vec<u8>),
    Swap { expected: Option<Vec<u8>>, new: Vec<u8> },
}

impl<'a> Values<'a> {
    fn of(change: &'a CredentialChange, schema: &Schema) -> Result<Self> {
        if let Some(swap) = &change.record {
            schema.check_record(swap.new.len())?;
        }
        let counter = match &change.counter {
            CounterChange::Keep => None,
            CounterChange::Set(new) => Some(CounterValues::Set(schema.counter_value(new)?)),
            CounterChange::Swap(swap) => Some(CounterValues::Swap {
                expected: swap
                    .expected
                    .as_deref()
                    .map(|value| schema.counter_value(value))
                    .transpose()?,
                new: if swap.removes() {
                    Vec::new()
                } else {
                    schema.counter_value(&swap.new)?
                },
            }),
        };
        Ok(Self {
            record: change.record.as_ref(),
            counter,
        })
    }

    /// All of it or nothing; `foreign` is the value of somebody else's that the record's first one replaces.
    fn modifications<'b>(&'b self, schema: &'b Schema, foreign: Option<&'b [u8]>) -> Vec<Modification<'b>> {
        let mut all = Vec::new();
        if let Some(swap) = self.record {
            let expected = swap.expected.as_deref().or(foreign);
            all.extend(expected.map(|old| Modification::Delete(RECORD, old)));
            all.extend((!swap.removes()).then(|| Modification::Add(RECORD, &swap.new)));
        }
        match &self.counter {
            None => {}
            Some(CounterValues::Set(new)) => all.push(Modification::Replace(&schema.counter, new)),
            Some(CounterValues::Swap { expected, new }) => {
                let expected = expected.as_deref();
                all.extend(expected.map(|old| Modification::Delete(&schema.counter, old)));
                all.extend((!new.is_empty()).then(|| Modification::Add(&schema.counter, new)));
            }
        }
        all
    }
}

fn attribute<'a>(modification: &Modification<'a>) -> &'a str {
    match modification {
        Modification::Add(name, _) | Modification::Delete(name, _) | Modification::Replace(name, _) => name,
    }
}

/// The name that an object keeps wherever it is moved (MS-ADTS 3.1.1.3.1.2.4).
fn name_of(id: ObjectId) -> String {
    format!("<GUID={}>", Uuid::from_bytes(id.0).hyphenated())
}

#[cfg(test)]
mod tests;
