//! Collects checked rows into a plan: what must be unique in a file, and which policies it needs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{ImportPlan, MailboxRow, PolicyRow, Problem, Properties, Property};
use crate::Result;
use crate::attributes::addresses::unusable_extension;
use crate::attributes::draft::Draft;
use crate::attributes::faults::{Faults, Shown};
use crate::cancellation::Cancellation;
use crate::identity::fold::fold;
use crate::policy::UmMailboxPolicy;

/// A plan under construction.
pub(super) struct Builder {
    plan: ImportPlan,
    /// GUIDs, DNs, and for rows that have neither, sign-in names, else addresses; with the line that has them.
    seen: HashMap<(Key, String), u64>,
    described: HashMap<String, u64>,
    /// Folded name → name as first written, and the line.
    named: HashMap<String, (String, u64)>,
    /// Rows about objects that are no mailboxes, and the line of the first.
    passed_over: Option<(u64, u64)>,
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
            passed_over: None,
        }
    }

    /// Before each row.
    pub(super) fn check(&self) -> Result<()> {
        self.plan.cancellation.check()
    }

    pub(super) fn problem(&mut self, line: u64, message: impl Into<String>) {
        self.plan.problems.push(Problem {
            line,
            message: message.into(),
        });
    }

    pub(super) fn notice(&mut self, line: u64, message: impl Into<String>) {
        self.plan.notices.push(Problem {
            line,
            message: message.into(),
        });
    }

    /// A row about a group, a computer or a user without a mailbox.
    pub(super) fn passed_over(&mut self, line: u64) {
        self.passed_over.get_or_insert((0, line)).0 += 1;
    }

    /// Takes a mailbox over, of which the file speaks of these properties; one with any fault is left out.
    pub(super) fn mailbox(&mut self, line: u64, draft: Draft, given: Properties) {
        let mut faults = Faults::default();
        let row = self.row(line, draft, given, &mut faults);
        if row.name.is_empty() && row.distinguished_name.is_some() && faults.is_empty() {
            faults.add("the row has no Name, and the DistinguishedName does not begin with one");
        }
        if let Some(message) = faults.into_message() {
            self.problem(line, capitalized(&message));
            return;
        }
        let guid = row.guid.map(|g| (Key::Guid, g.to_string()));
        let dn = row
            .distinguished_name
            .as_ref()
            .map(|dn| (Key::DistinguishedName, dn.comparable()));
        let upn = match (&guid, &dn, &row.user_principal_name) {
            (None, None, Some(upn)) => Some((Key::UserPrincipalName, fold(upn))),
            _ => None,
        };
        let address = match (&guid, &dn, &upn, &row.primary_smtp_address) {
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
                let message = format!("The same {what} stands in line {first}.");
                self.problem(line, message);
                return;
            }
        }
        self.seen.extend(keys.into_iter().map(|key| (key, line)));
        for address in row.email_addresses.iter().filter(|address| unusable_extension(address)) {
            let message = format!(
                "The address {} of '{}' is no extension of 1 to 20 digits: no PIN is compared with it, and no telephone finds the mailbox by it.",
                Shown(address),
                row.label()
            );
            self.plan.notices.push(Problem { line, message });
        }
        // Whether the default policy is needed may depend on what is stored.
        let undecided = !given.contains(Property::UmEnabled) && given.contains(Property::UmMailboxPolicy);
        let policy = row.um_mailbox_policy.as_ref();
        if let Some(policy) = policy.or(undecided.then_some(&self.plan.default_policy)) {
            self.named.entry(fold(policy)).or_insert_with(|| (policy.clone(), line));
        }
        self.plan.mailboxes.push(row);
    }

    /// What an LDIF file speaks of is known at its end.
    pub(super) fn all_given(&mut self, given: Properties) {
        for row in &mut self.plan.mailboxes {
            row.given = given;
        }
    }

    fn row(&self, line: u64, draft: Draft, given: Properties, faults: &mut Faults) -> MailboxRow {
        let said = draft.read(faults);
        let default_policy = || said.um_enabled.then(|| self.plan.default_policy.clone());
        MailboxRow {
            line,
            given,
            guid: said.guid,
            um_mailbox_policy: said.um_mailbox_policy.or_else(default_policy),
            distinguished_name: said.distinguished_name,
            name: said.name,
            display_name: said.display_name,
            alias: said.alias,
            sam_account_name: said.sam_account_name,
            user_principal_name: said.user_principal_name,
            primary_smtp_address: said.primary_smtp_address,
            email_addresses: said.email_addresses,
            legacy_exchange_dn: said.legacy_exchange_dn,
            um_enabled: said.um_enabled,
            extensions: said.extensions,
            preferred_language: said.preferred_language,
        }
    }

    /// Takes a described policy over.
    pub(super) fn policy(&mut self, row: PolicyRow) {
        match self.described.entry(fold(&row.settings.name)) {
            Entry::Occupied(first) => {
                let message = format!(
                    "The policy {} is already described in line {}.",
                    Shown(&row.settings.name),
                    first.get()
                );
                self.problem(row.line, message);
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
        if let Some((count, line)) = self.passed_over {
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
        self.plan.problems.sort_by_key(|problem| problem.line);
        // One spelling of each policy's name, so that the store can link by it.
        let spelling: HashMap<String, String> = self
            .plan
            .policies
            .iter()
            .map(|row| (fold(&row.settings.name), row.settings.name.clone()))
            .collect();
        for row in &mut self.plan.mailboxes {
            if let Some(policy) = &mut row.um_mailbox_policy
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
