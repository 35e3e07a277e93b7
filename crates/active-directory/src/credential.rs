//! Reads record and counter on one controller and changes them there by compare-and-swap in one Modify (RFC 4511, 4.6).
//!
//! The comparison is the deletion of the expected value: if that is gone, the server rejects the whole Modify. A first value is only
//! added, which a single-valued attribute rejects if it has a value.

use std::collections::HashMap;
use std::time::Instant;

use uuid::Uuid;

use super::ActiveDirectory;
use super::connection::{Connection, Entry, Modification, Scope, Search};
use super::filter;
use super::lookup::{mailbox_deleted, mailbox_missing, search_all, subtree_search};
use super::mailbox_entry::{AttributeValue, counter_attribute, record_attribute};
use super::read_access::{ACCESS_ATTRIBUTES, ReadAccess};
use super::schema::{RECORD, Schema};
use super::server_error::{ATTRIBUTE_OR_VALUE_EXISTS, NO_SUCH_ATTRIBUTE, NO_SUCH_OBJECT, ServerError, ServerErrorKind};
use super::servers::ServerSelector;
use umpin_core::directory::{Applied, CounterChange, CredentialChange, StoredCredential, Swap};
use umpin_core::mailbox::ObjectId;
use umpin_core::{Error, ErrorCode, Result};

/// `constraintViolation`: some servers return it for a second value of a single-valued attribute.
const CONSTRAINT_VIOLATION: u32 = 19;
/// `insufficientAccessRights`.
const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;

/// Objects per search by GUID. Their security descriptors take some kilobytes each.
const IDS_PER_SEARCH: usize = 250;

/// Why a first value was rejected.
enum ConflictCause {
    /// A value sealed by umpin: another writer was first.
    ConcurrentWrite,
    /// A value of Exchange in the record's attribute, which is replaced.
    ForeignValue(Vec<u8>),
    /// No value that explains it.
    Unknown,
}

impl ActiveDirectory {
    pub(super) fn read_credential(&self, id: ObjectId, controller: Option<&str>) -> Result<StoredCredential> {
        let forest = self.forest()?;
        let (entry, access) = self.entry(id, controller)?;
        self.values(&entry, &access, &forest.schema)
    }

    /// Reads many objects, in the order of their ids.
    pub(super) fn read_credentials(
        &self,
        ids: &[ObjectId],
        controller: Option<&str>,
    ) -> Result<Vec<Result<StoredCredential>>> {
        let forest = self.forest()?;
        let mut attributes = vec!["objectGUID", RECORD, &forest.schema.counter];
        attributes.extend(ACCESS_ATTRIBUTES);
        let id_of = |entry: &Entry| Some(ObjectId(entry.guid("objectGUID").ok()??.into_bytes()));
        let mut by_id = self.servers.execute(self.selector(controller), |connection| {
            let root_dse = connection.root_dse().clone();
            let mut by_id = HashMap::new();
            for ids in ids.chunks(IDS_PER_SEARCH) {
                let filter = filter::of_ids(ids);
                let entries = search_all(connection, &subtree_search(&root_dse.domain, &filter, &attributes))?;
                let access = ReadAccess::of(connection, &root_dse.schema, &forest.schema, &entries)?;
                let values = |entry: &Entry| Some((id_of(entry)?, self.values(entry, &access, &forest.schema)));
                by_id.extend(entries.iter().filter_map(values));
            }
            Ok(by_id)
        })?;
        let values = |id| by_id.remove(id).unwrap_or_else(|| Err(mailbox_missing()));
        Ok(ids.iter().map(values).collect())
    }

    pub(super) fn change(&self, change: &CredentialChange) -> Result<Applied> {
        let forest = self.forest()?;
        let schema = &forest.schema;
        let values = AttributeValues::of(change, schema)?;
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
                Err(failure) if failure.kind == ServerErrorKind::NotSent => return Ok(Applied::Unreached),
                Err(failure) => return Err(failure.into()),
            };
            let modified = connection.modify(&guid_dn(change.mailbox), &modifications, &change.cancellation);
            let Err(failure) = modified else {
                return Ok(Applied::Committed);
            };
            drop(connection);
            match failure.kind {
                // Nothing was changed; the caller may read the mailbox again on another controller.
                ServerErrorKind::NotSent | ServerErrorKind::Declined(_) | ServerErrorKind::WrongDomain => {
                    self.servers.report_failure(&controller, &failure, begun);
                    return Ok(Applied::Unreached);
                }
                ServerErrorKind::NoResponse => return self.resolve_lost_response(change, &controller, failure),
                ServerErrorKind::Rejected(NO_SUCH_ATTRIBUTE) => return Ok(Applied::Conflict),
                ServerErrorKind::Rejected(ATTRIBUTE_OR_VALUE_EXISTS | CONSTRAINT_VIOLATION) => {
                    match self.conflict_cause(change, &controller)? {
                        ConflictCause::ConcurrentWrite => return Ok(Applied::Conflict),
                        // Replaced once; a value that comes back is a concurrent write.
                        ConflictCause::ForeignValue(_) if foreign.is_some() => return Ok(Applied::Conflict),
                        ConflictCause::ForeignValue(value) => foreign = Some(value),
                        ConflictCause::Unknown => return Err(failure.into()),
                    }
                }
                ServerErrorKind::Rejected(NO_SUCH_OBJECT) => return Err(mailbox_deleted(failure)),
                ServerErrorKind::Rejected(INSUFFICIENT_ACCESS_RIGHTS) => {
                    return Err(self.write_denied(change, &controller, &modifications, failure));
                }
                ServerErrorKind::Rejected(_) | ServerErrorKind::Fatal => return Err(failure.into()),
            }
        }
    }

    /// The response was lost: the change was made if the new value is there. If it is not, the Modify may still be in progress.
    fn resolve_lost_response(
        &self,
        change: &CredentialChange,
        controller: &str,
        failure: ServerError,
    ) -> Result<Applied> {
        if let Ok(read_credential) = self.read_credential(change.mailbox, Some(controller))
            && change.is_in_force(&read_credential)
        {
            return Ok(Applied::Committed);
        }
        Err(Error::new(
            ErrorCode::OutcomeUnknown,
            format!("It is unknown whether the PIN record was changed: {}", failure.error),
        )
        .detail("server", controller)
        .caused_by(failure.error))
    }

    fn conflict_cause(&self, change: &CredentialChange, controller: &str) -> Result<ConflictCause> {
        let forest = self.forest()?;
        let (entry, access) = self.entry(change.mailbox, Some(controller))?;
        // The conflicting value may be one that the account may not read.
        self.values(&entry, &access, &forest.schema)?;
        if matches!(&change.counter, CounterChange::Swap(Swap { expected: None, .. }))
            && matches!(counter_attribute(&entry, &forest.schema), AttributeValue::Sealed(_))
        {
            return Ok(ConflictCause::ConcurrentWrite);
        }
        if matches!(&change.record, Some(Swap { expected: None, .. })) {
            match record_attribute(&entry) {
                AttributeValue::Absent => {}
                AttributeValue::Sealed(_) => return Ok(ConflictCause::ConcurrentWrite),
                AttributeValue::Foreign(value) => return Ok(ConflictCause::ForeignValue(value)),
            }
        }
        Ok(ConflictCause::Unknown)
    }

    fn selector<'a>(&'a self, controller: Option<&'a str>) -> ServerSelector<'a> {
        match controller {
            Some(name) => ServerSelector::Recorded(name),
            None => ServerSelector::DomainController(&self.servers.settings().domain),
        }
    }

    /// The two attributes of the object on that controller or the preferred one, and the account's read access there.
    fn entry(&self, id: ObjectId, controller: Option<&str>) -> Result<(Entry, ReadAccess)> {
        let forest = self.forest()?;
        let mut attributes = vec![RECORD, &forest.schema.counter];
        attributes.extend(ACCESS_ATTRIBUTES);
        let operation = |connection: &mut Connection| {
            let answer = connection.search(&Search {
                base: &guid_dn(id),
                scope: Scope::Base,
                filter: "(objectClass=*)",
                attributes: &attributes,
                size_limit: 1,
            })?;
            let schema = connection.root_dse().schema.clone();
            let access = ReadAccess::of(connection, &schema, &forest.schema, &answer.entries)?;
            Ok((answer.entries, access))
        };
        match self.servers.execute(self.selector(controller), operation) {
            Ok((entries, access)) => entries.into_iter().next().map(|entry| (entry, access)).ok_or_else(|| {
                Error::new(
                    ErrorCode::AccessDenied,
                    format!("The account may not read the object {} in the directory.", guid_dn(id)),
                )
            }),
            Err(failure) if failure.kind == ServerErrorKind::Rejected(NO_SUCH_OBJECT) => Err(mailbox_deleted(failure)),
            Err(failure) => Err(failure.into()),
        }
    }

    fn preferred_controller(&self) -> Result<String> {
        let domain = &self.servers.settings().domain;
        let controller = self
            .servers
            .execute(ServerSelector::DomainController(domain), |connection| {
                Ok(connection.host().to_owned())
            })?;
        Ok(controller)
    }

    fn write_denied(
        &self,
        change: &CredentialChange,
        controller: &str,
        modifications: &[Modification<'_>],
        failure: ServerError,
    ) -> Error {
        let account = self.account();
        let mut attributes: Vec<&str> = modifications.iter().map(attribute).collect();
        attributes.dedup();
        let (name, is_protected) = match self.entry(change.mailbox, Some(controller)) {
            Ok((entry, _)) => {
                let is_protected = entry.first("admincount") == Some(b"1");
                (entry.dn, is_protected)
            }
            Err(_) => (guid_dn(change.mailbox), false),
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

/// The values of a change, encoded for their attributes.
struct AttributeValues<'a> {
    record: Option<&'a Swap>,
    counter: Option<CounterValues>,
}

enum CounterValues {
    Set(Vec<u8>),
    Swap { expected: Option<Vec<u8>>, new: Vec<u8> },
}

impl<'a> AttributeValues<'a> {
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

    /// The modifications of the change. `foreign` is a value of Exchange that the first record replaces.
    fn modifications<'b>(&'b self, schema: &'b Schema, foreign: Option<&'b [u8]>) -> Vec<Modification<'b>> {
        let mut search_all = Vec::new();
        if let Some(swap) = self.record {
            let expected = swap.expected.as_deref().or(foreign);
            search_all.extend(expected.map(|old| Modification::Delete(RECORD, old)));
            search_all.extend((!swap.removes()).then(|| Modification::Add(RECORD, &swap.new)));
        }
        match &self.counter {
            None => {}
            Some(CounterValues::Set(new)) => search_all.push(Modification::Replace(&schema.counter, new)),
            Some(CounterValues::Swap { expected, new }) => {
                let expected = expected.as_deref();
                search_all.extend(expected.map(|old| Modification::Delete(&schema.counter, old)));
                search_all.extend((!new.is_empty()).then(|| Modification::Add(&schema.counter, new)));
            }
        }
        search_all
    }
}

fn attribute<'a>(modification: &Modification<'a>) -> &'a str {
    match modification {
        Modification::Add(name, _) | Modification::Delete(name, _) | Modification::Replace(name, _) => name,
    }
}

/// The GUID form of a DN, which stays valid when the object is moved (MS-ADTS 3.1.1.3.1.2.4).
fn guid_dn(id: ObjectId) -> String {
    format!("<GUID={}>", Uuid::from_bytes(id.0).hyphenated())
}

#[cfg(test)]
mod tests;
