//! From what was typed to exactly one mailbox and its policy.

use std::sync::Arc;

use crate::directory::{Directory, Found, Matches, PolicyObject, Route};
use crate::identity::{DistinguishedName, Identity, Scope};
use crate::mailbox::{Mailbox, ObjectId};
use crate::{Error, ErrorCode, Result};

/// How an identity is to be looked up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lookup<'a> {
    /// The whole forest; demands a DN and forbids a domain controller.
    pub ignore_default_scope: bool,
    /// The domain controller asked for.
    pub domain_controller: Option<&'a str>,
    /// Further texts that name the same object, tried in order where those before them find nothing.
    pub alternatives: &'a [String],
}

impl<'a> Lookup<'a> {
    /// Where the directory is asked.
    pub(super) fn route(self) -> Route<'a> {
        match self.domain_controller {
            Some(controller) => Route::Controller(controller),
            None if self.ignore_default_scope => Route::Forest,
            None => Route::Preferred,
        }
    }

    /// What names the object, the strongest first.
    pub(super) fn candidates(self, first: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::once(first).chain(self.alternatives.iter().map(String::as_str))
    }

    pub(super) fn check(self) -> Result<()> {
        if self.ignore_default_scope && self.domain_controller.is_some() {
            return Err(Error::new(
                ErrorCode::InvalidParameterCombination,
                "IgnoreDefaultScope cannot be combined with DomainController, because the global catalog is chosen automatically.",
            ));
        }
        Ok(())
    }
}

/// Resolves identities to mailboxes, and mailboxes to their policies.
pub(super) struct Resolver {
    pub directory: Arc<dyn Directory>,
    /// Limits look-ups to a part of the tree.
    pub scope: Option<Scope>,
    /// The NetBIOS name of the domain, where it is not the first `DC=` component.
    pub netbios_name: Option<String>,
}

impl Resolver {
    /// The one mailbox that the text names, within the scope.
    ///
    /// With alternatives the first one that names exactly one mailbox decides. One that names several narrows the choice: what
    /// a later one names must be among them. One that names a mailbox outside the scope ends the search, because
    /// the object is known and something weaker could name another.
    pub(super) fn resolve<'a>(&self, text: &'a str, lookup: Lookup<'a>) -> Result<Found> {
        lookup.check()?;
        let mut unknown = Vec::new();
        let mut several: Option<Error> = None;
        let mut narrowed: Vec<Identity> = Vec::new();
        let mut refused = None;
        for text in lookup.candidates(text) {
            let identity = Identity::parse_with(text, self.netbios_name.as_deref())?;
            if let Err(error) = require_distinguished_name(&identity, lookup) {
                refused.get_or_insert(error);
                continue;
            }
            let matches = self.directory.find(&identity, lookup.route())?;
            if matches.count == 0 {
                unknown.push(identity.text().to_owned());
                continue;
            }
            match self.only(matches, identity.text(), lookup) {
                Ok(found) if narrowed.iter().all(|earlier| earlier.matches(&found.mailbox)) => return Ok(found),
                Ok(_) => {}
                Err(error) if error.code() == ErrorCode::ManagementObjectAmbiguous => {
                    several.get_or_insert(error);
                    narrowed.push(identity);
                }
                Err(error) => return Err(error),
            }
        }
        Err(match (several, refused) {
            (Some(error), _) => error,
            (None, Some(error)) if unknown.is_empty() => error,
            (None, _) => self.not_found(&unknown),
        })
    }

    /// The one visible mailbox among those that a name matches.
    pub(super) fn only(&self, matches: Matches, name: &str, lookup: Lookup<'_>) -> Result<Found> {
        let visible = |found: &Found| self.is_visible(&found.mailbox, lookup);
        if matches.count > 1 {
            let inside: Vec<&Found> = matches.found.iter().filter(|found| visible(found)).collect();
            let complete = matches.found.len() == matches.count;
            return match inside.as_slice() {
                [] if complete => Err(self.not_found(&[name.to_owned()])),
                [only] if complete => Ok((*only).clone()),
                several => {
                    let count = if complete { several.len() } else { matches.count };
                    Err(self.ambiguous(name, count, several))
                }
            };
        }
        matches
            .found
            .into_iter()
            .next()
            .filter(visible)
            .ok_or_else(|| self.not_found(&[name.to_owned()]))
    }

    /// As [`Self::resolve`], and the mailbox has Unified Messaging.
    pub(super) fn resolve_um_enabled<'a>(&self, text: &'a str, lookup: Lookup<'a>) -> Result<Found> {
        let found = self.resolve(text, lookup)?;
        require_um_enabled(&found.mailbox)?;
        Ok(found)
    }

    pub(super) fn is_visible(&self, mailbox: &Mailbox, lookup: Lookup<'_>) -> bool {
        let Some(scope) = self.scope.as_ref().filter(|_| !lookup.ignore_default_scope) else {
            return true;
        };
        // A mailbox without a position in the tree lies outside every scope.
        mailbox.distinguished_name.as_ref().is_some_and(|dn| scope.contains(dn))
    }

    /// The policy that applies to a UM-enabled mailbox.
    pub(super) fn policy_of(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<PolicyObject> {
        require_um_enabled(mailbox)?;
        let link = mailbox.um_mailbox_policy_link.as_ref().map(DistinguishedName::as_str);
        let name = mailbox.um_mailbox_policy.as_deref().or(link).unwrap_or_default();
        let policy = self.directory.policy_of(mailbox, route)?.ok_or_else(|| {
            Error::new(
                ErrorCode::StoreCorrupt,
                format!(
                    "The UM mailbox policy \"{name}\" of \"{}\" does not exist in {}.",
                    mailbox.identity(),
                    self.directory.location()
                ),
            )
            .action("Assign an existing policy to the mailbox where it is managed. In the embedded directory, name it in the column UMMailboxPolicy of the CSV file and import the file again.")
        })?;
        // Whoever can write the directory must not get a PIN of no length accepted, or one of millions of digits made.
        policy.settings.validate().map_err(|fault| {
            Error::new(
                ErrorCode::StoreCorrupt,
                format!(
                    "The UM mailbox policy \"{name}\" in {} has impossible settings: {fault}.",
                    self.directory.location()
                ),
            )
            .action("Correct the policy where it is managed; the embedded directory learns of it by the next import.")
        })?;
        Ok(policy)
    }

    pub(super) fn not_found(&self, texts: &[String]) -> Error {
        let texts: Vec<String> = texts.iter().map(|text| shortened(text)).collect();
        let place = self.directory.location();
        let scope = self.scope.as_ref().map_or_else(String::new, |s| format!(", scope {s}"));
        Error::new(
            ErrorCode::ManagementObjectNotFound,
            format!("No mailbox {} was found in {place}{scope}.", any_of(&texts)),
        )
        .detail("identity", texts.first().map_or("", String::as_str))
        .detail("location", place)
    }

    /// The same object as it is by now, by its immutable id and never by what was typed.
    pub(super) fn again(&self, mailbox: &Mailbox, route: Route<'_>) -> Result<Found> {
        let found = self.directory.find_by_object_id(mailbox.object_id, route)?;
        let found = found.ok_or_else(|| {
            Error::new(
                ErrorCode::ManagementObjectNotFound,
                format!(
                    "The mailbox \"{}\" was removed from {} while its PIN was being changed.",
                    mailbox.identity(),
                    self.directory.location()
                ),
            )
        })?;
        require_um_enabled(&found.mailbox)?;
        Ok(found)
    }

    /// The mailbox with this id; `None` when it is gone.
    pub(super) fn mailbox_of(&self, id: ObjectId) -> Result<Option<Mailbox>> {
        let found = self.directory.find_by_object_id(id, Route::Preferred)?;
        Ok(found.map(|found| found.mailbox))
    }

    /// The GUIDs of the mailboxes that the text names today.
    pub(super) fn guids_of(&self, text: &str) -> Result<Vec<String>> {
        let Ok(identity) = Identity::parse_with(text, self.netbios_name.as_deref()) else {
            return Ok(Vec::new());
        };
        let matches = self.directory.find(&identity, Route::Preferred)?;
        Ok(matches
            .found
            .iter()
            .map(|found| found.mailbox.guid.to_string())
            .collect())
    }

    fn ambiguous(&self, text: &str, count: usize, some: &[&Found]) -> Error {
        let names: Vec<String> = some.iter().take(10).map(|found| found.mailbox.identity()).collect();
        Error::new(
            ErrorCode::ManagementObjectAmbiguous,
            format!("\"{text}\" matches {count} mailboxes in {}.", self.directory.location()),
        )
        .detail("identity", text)
        .detail("count", count)
        .detail("matches", names)
    }
}

/// What was typed, as an error repeats it: it may be a whole file, passed by mistake.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 500;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

pub(super) fn require_um_enabled(mailbox: &Mailbox) -> Result<()> {
    if mailbox.um_enabled && mailbox.um_mailbox_policy.is_none() && mailbox.um_mailbox_policy_link.is_none() {
        // Exchange enables with a policy or not at all, and one that is guessed may be laxer than the organisation's.
        return Err(Error::new(
            ErrorCode::MailboxNotUmEnabled,
            format!(
                "The mailbox \"{}\" is marked as enabled for Unified Messaging, but has no UM mailbox policy, so it can have no PIN.",
                mailbox.identity()
            ),
        )
        .action("Assign a UM mailbox policy to the mailbox where it is managed. In the embedded directory, name it in the column UMMailboxPolicy of the CSV file and import the file again."));
    }
    if mailbox.um_enabled {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::MailboxNotUmEnabled,
        format!(
            "The mailbox \"{}\" is not enabled for Unified Messaging, so it has no PIN.",
            mailbox.identity()
        ),
    ))
}

/// `"a"`, `"a" or "b"`, `"a", "b" or "c"`.
pub(super) fn any_of(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn require_distinguished_name(identity: &Identity, lookup: Lookup<'_>) -> Result<()> {
    if lookup.ignore_default_scope && !identity.is_distinguished_name() {
        return Err(Error::new(
            ErrorCode::InvalidParameterCombination,
            format!(
                "With IgnoreDefaultScope the identity must be a distinguished name; \"{}\" is not one.",
                shortened(identity.text())
            ),
        )
        .action("Pass the distinguished name of the mailbox, or omit -IgnoreDefaultScope."));
    }
    Ok(())
}
