//! Collects rows into a plan: checks what must be unique in a file, and finds the policies that it needs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{ImportPlan, MailboxRow, PolicyRow, Properties, Property, RowError};
use crate::Result;
use crate::attributes::addresses::unusable_extension;
use crate::attributes::raw_mailbox::RawMailbox;
use crate::attributes::value_errors::{Quoted, ValueErrors};
use crate::cancellation::Cancellation;
use crate::identity::fold::fold;
use crate::policy::UmMailboxPolicy;

/// A plan under construction.
pub(super) struct Builder {
    plan: ImportPlan,
    /// GUIDs, DNs, and for rows without either, user principal names, else addresses; with their line.
    seen: HashMap<(Key, String), u64>,
    described: HashMap<String, u64>,
    /// Folded name → name as first written, and the line.
    named: HashMap<String, (String, u64)>,
    /// The number of rows about objects that are not mailboxes, and the line of the first.
    skipped: Option<(u64, u64)>,
}

#[derive(PartialEq, Eq, Hash, Clone, Copy)]
enum Key {
    Guid,
    DistinguishedName,
    UserPrincipalName,
    PrimarySmtpAddress,
}

impl Builder {
    pub(super) fn new(default_policy: &str, cancellation: Cancellation) -> Self {
        Self {
            plan: ImportPlan {
                cancellation,
                default_policy: default_policy.to_owned(),
                ..ImportPlan::default()
            },
            seen: HashMap::new(),
            described: HashMap::new(),
            named: HashMap::new(),
            skipped: None,
        }
    }

    /// Checks for cancellation, before each row.
    pub(super) fn check(&self) -> Result<()> {
        self.plan.cancellation.check()
    }

    pub(super) fn error(&mut self, line: u64, message: impl Into<String>) {
        self.plan.errors.push(RowError {
            line,
            message: message.into(),
        });
    }

    pub(super) fn notice(&mut self, line: u64, message: impl Into<String>) {
        self.plan.notices.push(RowError {
            line,
            message: message.into(),
        });
    }

    /// A row about a group, a computer or a user without a mailbox.
    pub(super) fn skipped(&mut self, line: u64) {
        self.skipped.get_or_insert((0, line)).0 += 1;
    }

    /// Adds a row with columns for these properties; one with any error is left out.
    pub(super) fn mailbox(&mut self, line: u64, raw: RawMailbox, given: Properties) {
        let mut errors = ValueErrors::default();
        let row = self.row(line, raw, given, &mut errors);
        if row.mailbox.name.is_empty() && row.mailbox.distinguished_name.is_some() && errors.is_empty() {
            errors.add("the row has no Name, and the DistinguishedName does not begin with one");
        }
        if let Some(message) = errors.into_message() {
            self.error(line, capitalized(&message));
            return;
        }
        let guid = row.mailbox.guid.map(|g| (Key::Guid, g.to_string()));
        let dn = row
            .mailbox
            .distinguished_name
            .as_ref()
            .map(|dn| (Key::DistinguishedName, dn.comparable()));
        let upn = match (&guid, &dn, &row.mailbox.user_principal_name) {
            (None, None, Some(upn)) => Some((Key::UserPrincipalName, fold(upn))),
            _ => None,
        };
        let address = match (&guid, &dn, &upn, &row.mailbox.primary_smtp_address) {
            (None, None, None, Some(address)) => Some((Key::PrimarySmtpAddress, fold(address))),
            _ => None,
        };
        let keys: Vec<_> = [guid, dn, upn, address].into_iter().flatten().collect();
        for key in &keys {
            if let Some(first) = self.seen.get(key) {
                let what = match key.0 {
                    Key::Guid => "GUID",
                    Key::DistinguishedName => "DistinguishedName",
                    Key::UserPrincipalName => "UserPrincipalName",
                    Key::PrimarySmtpAddress => "PrimarySmtpAddress",
                };
                let message = format!("The same {what} is in line {first}.");
                self.error(line, message);
                return;
            }
        }
        self.seen.extend(keys.into_iter().map(|key| (key, line)));
        for address in row
            .mailbox
            .email_addresses
            .iter()
            .filter(|address| unusable_extension(address))
        {
            let message = format!(
                "The address {} of '{}' is no extension of 1 to 20 digits: no PIN is compared with it, and no telephone finds the mailbox by it.",
                Quoted(address),
                row.label()
            );
            self.plan.notices.push(RowError { line, message });
        }
        // Whether the default policy is needed may depend on what is stored.
        let undecided = !given.contains(Property::UmEnabled) && given.contains(Property::UmMailboxPolicy);
        let policy = row.mailbox.um_mailbox_policy.as_ref();
        if let Some(policy) = policy.or(undecided.then_some(&self.plan.default_policy)) {
            self.named.entry(fold(policy)).or_insert_with(|| (policy.clone(), line));
        }
        self.plan.mailboxes.push(row);
    }

    /// Sets the properties of all rows: those of an LDIF file are known at its end.
    pub(super) fn all_given(&mut self, given: Properties) {
        for row in &mut self.plan.mailboxes {
            row.given = given;
        }
    }

    fn row(&self, line: u64, raw: RawMailbox, given: Properties, errors: &mut ValueErrors) -> MailboxRow {
        let mut mailbox = raw.validate(errors);
        if mailbox.um_enabled && mailbox.um_mailbox_policy.is_none() {
            mailbox.um_mailbox_policy = Some(self.plan.default_policy.clone());
        }
        MailboxRow { line, given, mailbox }
    }

    /// Adds a described policy.
    pub(super) fn policy(&mut self, row: PolicyRow) {
        match self.described.entry(fold(&row.settings.name)) {
            Entry::Occupied(first) => {
                let message = format!(
                    "The policy {} is already described in line {}.",
                    Quoted(&row.settings.name),
                    first.get()
                );
                self.error(row.line, message);
            }
            Entry::Vacant(place) => {
                place.insert(row.line);
                self.plan.policies.push(row);
            }
        }
    }

    pub(super) fn ignored_columns(&mut self, columns: Vec<String>) {
        self.plan.ignored_columns = columns;
    }

    pub(super) fn finish(mut self) -> Result<ImportPlan> {
        self.check()?;
        if let Some((count, line)) = self.skipped {
            let message = match count {
                1 => "The row is about no mailbox and was passed over.".to_owned(),
                _ => format!(
                    "{count} rows from here on are about groups, computers or users without a mailbox and were passed over."
                ),
            };
            self.notice(line, message);
        }
        let mut named: Vec<PolicyRow> = self
            .named
            .into_iter()
            .filter(|(key, _)| !self.described.contains_key(key))
            .map(|(_, (name, line))| PolicyRow {
                line,
                guid: None,
                distinguished_name: None,
                settings: UmMailboxPolicy::with_defaults(&name),
                described: false,
            })
            .collect();
        named.sort_by_key(|row| row.line);
        self.plan.policies.append(&mut named);
        self.plan.errors.sort_by_key(|error| error.line);
        // One spelling of each policy's name, so that the store can link by it.
        let spelling: HashMap<String, String> = self
            .plan
            .policies
            .iter()
            .map(|row| (fold(&row.settings.name), row.settings.name.clone()))
            .collect();
        for row in &mut self.plan.mailboxes {
            if let Some(policy) = &mut row.mailbox.um_mailbox_policy
                && let Some(name) = spelling.get(&fold(policy))
            {
                policy.clone_from(name);
            }
        }
        Ok(self.plan)
    }
}

fn capitalized(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
