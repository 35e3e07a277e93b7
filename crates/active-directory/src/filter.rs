//! Search filters (RFC 4515). User input is escaped and only used as the value of an equality match.

use std::fmt::Write as _;

use ldap3::ldap_escape;
use uuid::Uuid;

use umpin_core::attributes::mailbox::{MAILBOX_ATTRIBUTES, UM_ENABLED};
use umpin_core::directory::MailboxFilter;
use umpin_core::identity::fold::fold;
use umpin_core::identity::{DistinguishedName, Identity, LookupKeyKind, canonical_leaf};
use umpin_core::mailbox::{Extension, ObjectId};
use umpin_core::policy::dialled_digits;

/// Longer than any value that names an object in Active Directory; a longer clause is left out without a search.
const LONGEST: usize = 8192;

/// The matching rule that compares bits (`LDAP_MATCHING_RULE_BIT_AND`).
const BIT_AND: &str = "1.2.840.113556.1.4.803";

/// Matches the objects that an identity may name; `None` if it can name none.
///
/// A server's matching rules may be wider than ours, so its results are compared again.
pub(super) fn of_identity(identity: &Identity) -> Option<String> {
    let mut clauses: Vec<String> = Vec::new();
    for key in identity.lookup_keys() {
        for clause in clauses_of(key.kind, identity.text(), &key.value) {
            if clause.len() <= LONGEST && !clauses.contains(&clause) {
                clauses.push(clause);
            }
        }
    }
    (!clauses.is_empty()).then(|| users(&any(&clauses)))
}

/// The users with these GUIDs.
pub(super) fn of_ids(ids: &[ObjectId]) -> String {
    let clauses: Vec<String> = ids
        .iter()
        .map(|id| octets("objectGUID", &Uuid::from_bytes(id.0).to_bytes_le()))
        .collect();
    users(&any(&clauses))
}

/// Matches users that may have this extension; `None` if the text is not a number.
pub(super) fn of_extension(number: &str) -> Option<String> {
    let digits = dialled(number)?;
    if digits.len() > LONGEST {
        return None;
    }
    // E.164 dial plans write the country code with `+`.
    let clauses: Vec<String> = ["", "+"]
        .iter()
        .flat_map(|plus| {
            let address = format!("eum:{plus}{digits}");
            [
                format!("(proxyAddresses={address};*)"),
                format!("(proxyAddresses={address})"),
            ]
        })
        .collect();
    Some(users(&any(&clauses)))
}

/// The digits of a number that may contain separators.
pub(super) fn dialled(number: &str) -> Option<String> {
    dialled_digits(&Extension {
        number: number.to_owned(),
        dial_plan: None,
    })
}

/// All mailboxes, or those with Unified Messaging.
pub(super) fn of_mailboxes(filter: MailboxFilter) -> String {
    if filter.um_enabled_only {
        return users(&format!("(msExchUMEnabledFlags:{BIT_AND}:={UM_ENABLED})"));
    }
    let clauses: Vec<String> = MAILBOX_ATTRIBUTES.iter().map(|name| format!("({name}=*)")).collect();
    users(&any(&clauses))
}

/// Users that have a value in an attribute.
pub(super) fn users_with(attribute: &str) -> String {
    users(&format!("({attribute}=*)"))
}

/// `(attribute=value)`.
pub(super) fn equality(attribute: &str, value: &str) -> String {
    format!("({attribute}={})", ldap_escape(value))
}

/// Matches if any of the filters does (`|`); there must be one at least.
pub(super) fn any(filters: &[String]) -> String {
    format!("(|{})", filters.concat())
}

/// Restricts a filter to users. Computers are of class `user` too, but of another category. The selective clause comes first: Samba uses
/// the indexes in this order, and those of the other two list every user.
fn users(filter: &str) -> String {
    format!("(&{filter}(objectCategory=person)(objectClass=user))")
}

fn octets(attribute: &str, value: &[u8]) -> String {
    let mut clause = format!("({attribute}=");
    for byte in value {
        // Writing to a `String` cannot fail.
        let _ = write!(clause, "\\{byte:02x}");
    }
    clause.push(')');
    clause
}

fn clauses_of(kind: LookupKeyKind, text: &str, key: &str) -> Vec<String> {
    let spelled = |key: &str, attributes: &[(&str, &str)]| {
        let mut clauses = Vec::new();
        for value in spellings(text, key) {
            for (attribute, prefix) in attributes {
                clauses.push(equality(attribute, &format!("{prefix}{value}")));
            }
        }
        clauses
    };
    match kind {
        LookupKeyKind::Guid => match Uuid::try_parse(key) {
            Ok(guid) => ["objectGUID", "msExchMailboxGuid"]
                .map(|attribute| octets(attribute, &guid.to_bytes_le()))
                .into(),
            Err(_) => Vec::new(),
        },
        LookupKeyKind::DistinguishedName => [text, key]
            .iter()
            .filter_map(|name| DistinguishedName::parse(name))
            .map(|name| equality("distinguishedName", &name.normalized()))
            .collect(),
        LookupKeyKind::CanonicalName => [text, key]
            .iter()
            .map(|name| equality("name", &canonical_leaf(name)))
            .collect(),
        // The domain is compared afterwards.
        LookupKeyKind::Account => match after(key, '\\') {
            Some(account) => spelled(account, &[("sAMAccountName", "")]),
            None => Vec::new(),
        },
        LookupKeyKind::UserPrincipalName => spelled(key, &[("userPrincipalName", "")]),
        LookupKeyKind::SmtpAddress => spelled(key, &[("proxyAddresses", "smtp:"), ("mail", "")]),
        LookupKeyKind::LegacyExchangeDn => spelled(key, &[("legacyExchangeDN", ""), ("proxyAddresses", "x500:")]),
        LookupKeyKind::Alias => spelled(key, &[("mailNickname", "")]),
        LookupKeyKind::SamAccountName => spelled(key, &[("sAMAccountName", "")]),
        LookupKeyKind::Name => spelled(key, &[("name", "")]),
    }
}

/// The value as typed, and the folded one if that differs in more than ASCII case: a server with other folding rules finds `Straße` by
/// the first and `strasse` by the second.
fn spellings<'a>(text: &'a str, key: &'a str) -> Vec<&'a str> {
    let typed = [Some(text), after(text, ':'), after(text, '\\')]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|part| fold(part) == key);
    match typed {
        Some(typed) if typed.eq_ignore_ascii_case(key) => vec![typed],
        Some(typed) => vec![typed, key],
        None => vec![key],
    }
}

fn after(text: &str, separator: char) -> Option<&str> {
    text.split_once(separator).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests;
