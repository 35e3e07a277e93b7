//! Collects checked rows into a plan: what must be unique in a file, and which policies it needs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{ImportPlan, MailboxRow, PolicyRow, Problem};
use crate::Result;
use crate::attributes::draft::Draft;
use crate::attributes::faults::{Faults, Shown};
use crate::cancellation::Cancellation;
use crate::identity::fold::fold;
use crate::policy::UmMailboxPolicy;

/// A plan under construction.
pub(super) struct Builder {
    plan: ImportPlan,
    default_policy: String,
    /// GUIDs, DNs, and for rows that have neither, sign-in names; with the line that has them.
    seen: HashMap<(Key, String), u64>,
    described: HashMap<String, u64>,
    /// Folded name → name as first written, and the line.
    named: HashMap<String, (String, u64)>,
}

#[derive(PartialEq, Eq, Hash, Clone, Copy)]
enum Key {
    Guid,
    DistinguishedName,
    UserPrincipalName,
}

impl Builder {
    pub(super) fn new(default_policy: &str, cancellation: Cancellation) -> Self {
        Self {
            plan: ImportPlan {
                cancellation,
                ..ImportPlan::default()
            },
            default_policy: default_policy.to_owned(),
            seen: HashMap::new(),
            described: HashMap::new(),
            named: HashMap::new(),
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

    /// Takes a mailbox over; one with any fault is left out.
    pub(super) fn mailbox(&mut self, line: u64, draft: Draft) {
        let mut faults = Faults::default();
        let row = self.row(line, draft, &mut faults);
        if row.name.is_empty() && faults.is_empty() {
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
        let keys: Vec<_> = [guid, dn, upn].into_iter().flatten().collect();
        for key in &keys {
            if let Some(first) = self.seen.get(key) {
                let what = match key.0 {
                    Key::Guid => "GUID",
                    Key::DistinguishedName => "DistinguishedName",
                    Key::UserPrincipalName => "UserPrincipalName",
                };
                let message = format!("The same {what} stands in line {first}.");
                self.problem(line, message);
                return;
            }
        }
        self.seen.extend(keys.into_iter().map(|key| (key, line)));
        if let Some(policy) = &row.um_mailbox_policy {
            self.named.entry(fold(policy)).or_insert_with(|| (policy.clone(), line));
        }
        self.plan.mailboxes.push(row);
    }

    fn row(&self, line: u64, draft: Draft, faults: &mut Faults) -> MailboxRow {
        let said = draft.read(faults);
        let default_policy = || said.um_enabled.then(|| self.default_policy.clone());
        MailboxRow {
            line,
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
