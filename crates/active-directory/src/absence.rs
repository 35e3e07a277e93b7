//! A value that is not there, told apart from one that the account may not read.
//!
//! Both look the same, in an entry as in a filter (MS-ADTS 3.1.1.4.3). So a value counts as absent only where the object's own security
//! descriptor says that the account could have read it: it comes in the same entry as the values, and is judged by the groups that the
//! controller says this connection has, and by what the schema says of the attribute at that moment.

use super::ActiveDirectory;
use super::connection::{Connection, Depth, Entry, Search};
use super::failure::Failure;
use super::filter;
use super::reading::{Value, counter, record, stored};
use super::rights::{Lacking, Protection, Token, lacking};
use super::schema::{RECORD, Schema, definition};
use super::settings::Bind;
use umpin_core::directory::StoredCredential;
use umpin_core::{Error, ErrorCode, Result};

/// 1: is, or was, a member of an administrative group, and inherits no rights (MS-ADTS 3.1.1.6.1.2).
pub(super) const PROTECTED: &str = "adminCount";

/// What is asked for beside the values, so that it can be judged whether they might have been read.
pub(super) const EVIDENCE: [&str; 3] = ["nTSecurityDescriptor", "objectSid", PROTECTED];

/// What a connection may read, as its controller says now.
#[derive(Debug)]
pub(super) struct Reader {
    controller: String,
    token: Token,
    record: Option<Protection>,
    counter: Option<Protection>,
}

impl Reader {
    /// Asks only where one of the entries lacks a value: nothing else is judged.
    pub(crate) fn of(
        connection: &mut Connection,
        definitions: &str,
        schema: &Schema,
        entries: &[Entry],
    ) -> std::result::Result<Self, Failure> {
        let mut reader = Self {
            controller: connection.host().to_owned(),
            token: Token::default(),
            record: None,
            counter: None,
        };
        let lacks = |entry: &Entry| record(entry) == Value::None || counter(entry, schema) == Value::None;
        if entries.iter().any(lacks) {
            // Of this very connection: the account's groups are those that it had when it signed in.
            let server = connection.search(&Search {
                base: "",
                depth: Depth::Base,
                filter: "(objectClass=*)",
                attributes: &["tokenGroups"],
                size_limit: 1,
            })?;
            let sids = server.entries.iter().flat_map(|entry| entry.values("tokengroups"));
            reader.token = sids.map(<[u8]>::to_vec).collect();
            let names = [RECORD, schema.counter.as_str()].map(|name| filter::equality("lDAPDisplayName", name));
            let mut facts = vec!["lDAPDisplayName", "isDefunct"];
            facts.extend(Protection::FACTS);
            let answer = connection.search(&Search {
                base: definitions,
                depth: Depth::OneLevel,
                filter: &filter::any(&names),
                attributes: &facts,
                size_limit: 0,
            })?;
            let protection = |name| definition(&answer.entries, name).and_then(Protection::of);
            reader.record = protection(RECORD);
            reader.counter = protection(&schema.counter);
        }
        Ok(reader)
    }

    /// What the account lacks to know that a value of this object is absent.
    fn lacking(&self, entry: &Entry, protection: Option<&Protection>) -> Option<Lacking> {
        let (Some(descriptor), Some(protection)) = (entry.first("ntsecuritydescriptor"), protection) else {
            return Some(Lacking::ReadPermissions);
        };
        lacking(&self.token, descriptor, entry.first("objectsid"), protection)
    }
}

impl ActiveDirectory {
    /// The sealed values in an entry that was read together with [`EVIDENCE`].
    ///
    /// # Errors
    /// `AccessDenied` where a value may be there and not be readable; `ConfigurationInvalid` where the counter's attribute holds
    /// somebody else's value.
    pub(super) fn values(&self, entry: &Entry, reader: &Reader, schema: &Schema) -> Result<StoredCredential> {
        let (record, counter) = (record(entry), counter(entry, schema));
        if matches!(counter, Value::Foreign(_)) {
            return Err(occupied(entry, schema));
        }
        for (value, name, protection) in [
            (&record, RECORD, &reader.record),
            (&counter, schema.counter.as_str(), &reader.counter),
        ] {
            if *value == Value::None
                && let Some(lacking) = reader.lacking(entry, protection.as_ref())
            {
                return Err(self.unreadable(entry, &reader.controller, name, lacking));
            }
        }
        Ok(stored(record, counter))
    }

    fn unreadable(&self, entry: &Entry, controller: &str, attribute: &str, lacking: Lacking) -> Error {
        let (why, right) = match lacking {
            Lacking::ReadProperty => (
                "it lacks the right Read Property",
                format!("Read Property on {attribute}"),
            ),
            Lacking::ControlAccess => (
                "the attribute is marked confidential, and it lacks the right Control Access",
                format!("Control Access on {attribute}"),
            ),
            Lacking::ReadPermissions => (
                "whether it may cannot be seen without the right Read Permissions",
                "Read Permissions".to_owned(),
            ),
        };
        let place = if entry.first("admincount") == Some(b"1") {
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
            "Give the account the right {right} {place}, as docs/active-directory.md shows."
        ))
        .detail("server", controller)
        .detail("attributes", vec![attribute])
        .detail("identity", entry.dn.as_str())
    }

    /// Who asks, at the beginning of a sentence.
    pub(super) fn account(&self) -> String {
        match &self.servers.settings().bind {
            Bind::Simple { user, .. } => format!("The account \"{user}\""),
            Bind::Kerberos => "The account of the Kerberos ticket".to_owned(),
        }
    }
}

fn occupied(entry: &Entry, schema: &Schema) -> Error {
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
