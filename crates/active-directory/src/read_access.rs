//! Distinguishes an absent value from one that the account may not read.
//!
//! A server hides unreadable values as if they were absent, in entries and in filters (MS-ADTS 3.1.1.4.3). A value therefore counts as
//! absent only if the account has the right to read it: the object's security descriptor, read in the same entry as the values, is
//! evaluated for the `tokenGroups` of the connection and the attribute's current schema definition.

use super::ActiveDirectory;
use super::connection::{Connection, Entry, Scope, Search};
use super::filter;
use super::mailbox_entry::{AttributeValue, counter_attribute, record_attribute, stored_credential};
use super::rights::{AttributeSecurity, MissingRight, Token, missing_read_right};
use super::schema::{RECORD, Schema, definition};
use super::server_error::ServerError;
use super::settings::Bind;
use umpin_core::directory::StoredCredential;
use umpin_core::{Error, ErrorCode, Result};

/// 1: the account is or was a member of an administrative group and inherits no rights (MS-ADTS 3.1.1.6.1.2).
pub(super) const ADMIN_COUNT: &str = "adminCount";

/// The attributes that are read with the values to evaluate the account's rights.
pub(super) const ACCESS_ATTRIBUTES: [&str; 3] = ["nTSecurityDescriptor", "objectSid", ADMIN_COUNT];

/// The rights of a connection's account, and the current definitions of the two attributes.
#[derive(Debug)]
pub(super) struct ReadAccess {
    controller: String,
    token: Token,
    record: Option<AttributeSecurity>,
    counter: Option<AttributeSecurity>,
}

impl ReadAccess {
    /// Searches only if an entry lacks a value; otherwise nothing has to be evaluated.
    pub(crate) fn of(
        connection: &mut Connection,
        definitions: &str,
        schema: &Schema,
        entries: &[Entry],
    ) -> std::result::Result<Self, ServerError> {
        let mut access = Self {
            controller: connection.host().to_owned(),
            token: Token::default(),
            record: None,
            counter: None,
        };
        let lacks = |entry: &Entry| {
            record_attribute(entry) == AttributeValue::Absent
                || counter_attribute(entry, schema) == AttributeValue::Absent
        };
        if entries.iter().any(lacks) {
            // On the same connection: it has the groups that the account had at the bind.
            let server = connection.search(&Search {
                base: "",
                scope: Scope::Base,
                filter: "(objectClass=*)",
                attributes: &["tokenGroups"],
                size_limit: 1,
            })?;
            let sids = server.entries.iter().flat_map(|entry| entry.values("tokengroups"));
            access.token = sids.map(<[u8]>::to_vec).collect();
            let names = [RECORD, schema.counter.as_str()].map(|name| filter::equality("lDAPDisplayName", name));
            let mut attributes = vec!["lDAPDisplayName", "isDefunct"];
            attributes.extend(AttributeSecurity::ATTRIBUTES);
            let answer = connection.search(&Search {
                base: definitions,
                scope: Scope::OneLevel,
                filter: &filter::any(&names),
                attributes: &attributes,
                size_limit: 0,
            })?;
            let security = |name| definition(&answer.entries, name).and_then(AttributeSecurity::of);
            access.record = security(RECORD);
            access.counter = security(&schema.counter);
        }
        Ok(access)
    }

    /// The right that the account lacks to read an attribute of this object.
    fn missing_right(&self, entry: &Entry, security: Option<&AttributeSecurity>) -> Option<MissingRight> {
        let (Some(descriptor), Some(security)) = (entry.first("ntsecuritydescriptor"), security) else {
            return Some(MissingRight::ReadPermissions);
        };
        missing_read_right(&self.token, descriptor, entry.first("objectsid"), security)
    }
}

impl ActiveDirectory {
    /// The sealed values of an entry that was read with [`ACCESS_ATTRIBUTES`].
    ///
    /// # Errors
    /// `AccessDenied` if a value may exist that the account may not read; `ConfigurationInvalid` if the counter's attribute holds a value
    /// of another application.
    pub(super) fn values(&self, entry: &Entry, access: &ReadAccess, schema: &Schema) -> Result<StoredCredential> {
        let (record_attribute, counter_attribute) = (record_attribute(entry), counter_attribute(entry, schema));
        if matches!(counter_attribute, AttributeValue::Foreign(_)) {
            return Err(counter_attribute_in_use(entry, schema));
        }
        for (value, name, security) in [
            (&record_attribute, RECORD, &access.record),
            (&counter_attribute, schema.counter.as_str(), &access.counter),
        ] {
            if *value == AttributeValue::Absent
                && let Some(missing_right) = access.missing_right(entry, security.as_ref())
            {
                return Err(self.unreadable(entry, &access.controller, name, missing_right));
            }
        }
        Ok(stored_credential(record_attribute, counter_attribute))
    }

    fn unreadable(&self, entry: &Entry, controller: &str, attribute: &str, missing_right: MissingRight) -> Error {
        let (why, right) = match missing_right {
            MissingRight::ReadProperty => (
                "it lacks the right Read Property",
                format!("Read Property on {attribute}"),
            ),
            MissingRight::ControlAccess => (
                "the attribute is marked confidential, and it lacks the right Control Access",
                format!("Control Access on {attribute}"),
            ),
            MissingRight::ReadPermissions => (
                "without the right Read Permissions its rights cannot be evaluated",
                "Read Permissions".to_owned(),
            ),
        };
        let where_to_grant = if entry.first("admincount") == Some(b"1") {
            "at CN=AdminSDHolder, because the mailbox belongs to an administrator (adminCount is 1) and inherits nothing from its \
             organizational unit"
        } else {
            "of objects of the class user"
        };
        Error::new(
            ErrorCode::AccessDenied,
            format!(
                "{} may not read {attribute} of \"{}\" on {controller}: {why}.",
                self.account(),
                entry.dn
            ),
        )
        .action(format!(
            "Give the account the right {right} {where_to_grant}, as docs/active-directory.md shows."
        ))
        .detail("server", controller)
        .detail("attributes", vec![attribute])
        .detail("identity", entry.dn.as_str())
    }

    /// The account, as the subject of a sentence.
    pub(super) fn account(&self) -> String {
        match &self.servers.settings().bind {
            Bind::Simple { user, .. } => format!("The account \"{user}\""),
            Bind::Kerberos => "The account of the Kerberos ticket".to_owned(),
        }
    }
}

fn counter_attribute_in_use(entry: &Entry, schema: &Schema) -> Error {
    Error::new(
        ErrorCode::ConfigurationInvalid,
        format!(
            "{} of \"{}\" holds a value of another application, which is not overwritten by the counter of failed sign-ins.",
            schema.counter, entry.dn
        ),
    )
    .action("Name an attribute that nothing else uses in 'directory.counterAttribute', or remove the value.")
    .detail("attribute", schema.counter.as_str())
    .detail("identity", entry.dn.as_str())
}
