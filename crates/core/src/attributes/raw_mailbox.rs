//! The values of a row or an entry, validated and converted to a mailbox: the rules that CSV, LDIF and Active Directory share.

use uuid::Uuid;

use super::addresses;
use super::value_errors::{Quoted, ValueErrors};
use crate::identity::DistinguishedName;
use crate::identity::fold::fold;
use crate::mailbox::{Extension, MailboxProperties};
use crate::notification::address::parse_address;

/// The longest name of a policy.
const MAX_POLICY_NAME: usize = 64;

/// The longest list of languages.
const MAX_LANGUAGE: usize = 256;

/// A longer list is a mistake in the file, and comparing each extension with each would be slow.
const MAX_EXTENSIONS: usize = 500;

/// The values of a mailbox as a file or a directory has them. Empty strings count as absent.
#[derive(Default)]
pub struct RawMailbox {
    pub distinguished_name: String,
    pub name: String,
    pub display_name: String,
    pub alias: String,
    pub sam_account_name: String,
    pub user_principal_name: String,
    pub primary_smtp_address: String,
    /// The primary address if no proxy address is marked as primary (`mail` in Active Directory).
    pub fallback_smtp_address: String,
    pub email_addresses: Vec<String>,
    pub legacy_exchange_dn: String,
    pub guid: String,
    pub um_enabled: String,
    pub extensions: String,
    pub um_mailbox_policy: String,
    pub preferred_language: String,
}

impl RawMailbox {
    /// The valid properties. Each invalid value is left out, and its error is added to `errors`.
    pub fn validate(self, errors: &mut ValueErrors) -> MailboxProperties {
        let distinguished_name = text(errors, "DistinguishedName", &self.distinguished_name)
            .and_then(|dn| dn_value(errors, "DistinguishedName", &dn));
        let user_principal_name = text(errors, "UserPrincipalName", &self.user_principal_name);
        let name = text(errors, "Name", &self.name).or_else(|| distinguished_name.as_ref().and_then(leaf_value));
        let (primary_smtp_address, email_addresses) = self.addresses(errors);
        let identified = [&self.distinguished_name, &self.guid]
            .iter()
            .any(|v| !v.trim().is_empty())
            || [&self.primary_smtp_address, &self.user_principal_name]
                .iter()
                .any(|v| !v.trim().is_empty())
            || !email_addresses.is_empty();
        if !identified {
            errors.add(
                "nothing identifies the mailbox: the row has no DistinguishedName, Guid, UserPrincipalName or address",
            );
        }
        let mut extensions: Vec<Extension> = Vec::new();
        if let Some(cell) = text(errors, "Extensions", &self.extensions) {
            match addresses::extensions(&cell) {
                Ok(list) if list.len() > MAX_EXTENSIONS => {
                    errors.add(format!("there are more than {MAX_EXTENSIONS} extensions"));
                }
                Ok(list) => list
                    .into_iter()
                    .for_each(|e| addresses::add_extension(&mut extensions, e)),
                Err(bad) => errors.add(format!("the extension {} is not 1 to 20 digits", Quoted(&bad))),
            }
        }
        email_addresses
            .iter()
            .filter_map(|address| addresses::from_eum(address))
            .take(MAX_EXTENSIONS)
            .for_each(|e| addresses::add_extension(&mut extensions, e));
        let um_enabled = boolean(errors, "UMEnabled", &self.um_enabled).unwrap_or(false);
        let um_mailbox_policy =
            text(errors, "UMMailboxPolicy", &self.um_mailbox_policy).and_then(|value| policy_name(errors, &value));
        MailboxProperties {
            object_id: (),
            um_mailbox_policy_link: None,
            guid: text(errors, "Guid", &self.guid).and_then(|value| guid(errors, &value)),
            name: name.unwrap_or_default(),
            display_name: text(errors, "DisplayName", &self.display_name),
            alias: text(errors, "Alias", &self.alias),
            sam_account_name: text(errors, "SamAccountName", &self.sam_account_name),
            legacy_exchange_dn: text(errors, "LegacyExchangeDN", &self.legacy_exchange_dn),
            um_mailbox_policy,
            preferred_language: language(errors, &self.preferred_language),
            distinguished_name,
            user_principal_name,
            primary_smtp_address,
            email_addresses,
            um_enabled,
            extensions,
        }
    }

    /// The primary address, and all addresses with that one first and alone as `SMTP:`.
    fn addresses(&self, errors: &mut ValueErrors) -> (Option<String>, Vec<String>) {
        let mut list: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut marked: Option<String> = None;
        for given in &self.email_addresses {
            let Some(given) = text(errors, "EmailAddresses", given) else {
                continue;
            };
            let (kind, value) = match addresses::prefix(&given) {
                Some(kind) => (kind, &given[kind.len() + 1..]),
                None => ("smtp", given.as_str()),
            };
            if !kind.eq_ignore_ascii_case("smtp") {
                if value.trim().is_empty() {
                    errors.add(format!("the address {} is empty after its prefix", Quoted(&given)));
                } else if seen.insert(fold(&given)) {
                    list.push(given);
                }
                continue;
            }
            if parse_address(value).is_none() {
                errors.add(format!("{} is not an e-mail address", Quoted(&given)));
                continue;
            }
            if kind == "SMTP" {
                match &marked {
                    Some(other) if fold(other) != fold(value) => {
                        errors.add(format!(
                            "{} and {} are both marked as the primary address",
                            Quoted(other),
                            Quoted(value)
                        ));
                    }
                    _ => marked = Some(value.to_owned()),
                }
            } else if seen.insert(fold(&format!("smtp:{value}"))) {
                list.push(format!("smtp:{value}"));
            }
        }
        let given_primary = text(errors, "PrimarySmtpAddress", &self.primary_smtp_address);
        if let Some(given_primary) = &given_primary {
            if parse_address(given_primary).is_none() {
                errors.add(format!(
                    "the PrimarySmtpAddress {} is not an e-mail address",
                    Quoted(given_primary)
                ));
            } else if let Some(marked) = &marked
                && fold(marked) != fold(given_primary)
            {
                errors.add(format!(
                    "the PrimarySmtpAddress is {}, but EmailAddresses marks {} as the primary address",
                    Quoted(given_primary),
                    Quoted(marked)
                ));
            }
        }
        let primary = given_primary.or(marked).or_else(|| {
            text(errors, "mail", &self.fallback_smtp_address).filter(|mail| match parse_address(mail) {
                Some(_) => true,
                None => {
                    errors.add(format!(
                        "the address {} in 'mail' is not an e-mail address",
                        Quoted(mail)
                    ));
                    false
                }
            })
        });
        if let Some(primary) = &primary {
            let key = fold(primary);
            list.retain(|a| a.strip_prefix("smtp:").is_none_or(|a| fold(a) != key));
            list.insert(0, format!("SMTP:{primary}"));
        }
        (primary, list)
    }
}

/// The trimmed value; `None` when empty, or (reported) with control characters.
fn text(errors: &mut ValueErrors, column: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    if value.chars().any(char::is_control) {
        errors.add(format!("{column} contains a line break or another control character"));
        return None;
    }
    if is_type_name(value) {
        errors.add(format!(
            "{column} holds the name of a type instead of values (export it with -join ';')"
        ));
        return None;
    }
    Some(value.to_owned())
}

/// Whether it is the type name that `Export-Csv` writes for a collection.
pub(crate) fn is_type_name(value: &str) -> bool {
    [
        "System.",
        "Microsoft.Exchange.Data.",
        "Microsoft.ActiveDirectory.Management.",
        "Deserialized.",
    ]
    .iter()
    .any(|start| value.starts_with(start))
        && (value.ends_with("[]")
            || value.contains("Collection")
            || value.contains("MultiValuedProperty")
            || value.ends_with("List"))
}

/// `True`, `1`, `yes` and their opposites; `None` when empty or (reported) another value.
fn boolean(errors: &mut ValueErrors, column: &str, value: &str) -> Option<bool> {
    let value = text(errors, column, value)?;
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => {
            errors.add(format!("{column} is {}, neither True nor False", Quoted(&value)));
            None
        }
    }
}

/// A GUID other than zero.
pub(crate) fn guid(errors: &mut ValueErrors, value: &str) -> Option<Uuid> {
    let parsed = Uuid::try_parse(value).ok().filter(|guid| !guid.is_nil());
    if parsed.is_none() {
        errors.add(format!("{} is not a GUID", Quoted(value)));
    }
    parsed
}

/// The value as it is written: messages ignore the parts that are not valid, and no mailbox is refused for them.
fn language(errors: &mut ValueErrors, value: &str) -> Option<String> {
    let value = text(errors, "PreferredLanguage", value)?;
    if value.chars().count() > MAX_LANGUAGE {
        errors.add(format!("PreferredLanguage is longer than {MAX_LANGUAGE} characters"));
        return None;
    }
    Some(value)
}

fn dn_value(errors: &mut ValueErrors, column: &str, value: &str) -> Option<DistinguishedName> {
    let parsed = DistinguishedName::parse(value);
    if parsed.is_none() {
        errors.add(format!("the {column} {} cannot be parsed", Quoted(value)));
    }
    parsed
}

/// The name of a policy, or the first component of its DN (`msExchUMTemplateLink`).
fn policy_name(errors: &mut ValueErrors, value: &str) -> Option<String> {
    let is_dn = value.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("cn="));
    let name = if is_dn {
        leaf_value(&dn_value(errors, "UMMailboxPolicy", value)?).unwrap_or_default()
    } else {
        value.to_owned()
    };
    if let Err(error) = check_policy_name(&name) {
        errors.add(error);
        return None;
    }
    Some(name)
}

/// Validates the name of a policy.
pub(crate) fn check_policy_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if length > MAX_POLICY_NAME || name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(format!(
            "the policy name {} is not 1 to {MAX_POLICY_NAME} printable characters",
            Quoted(name)
        ));
    }
    Ok(())
}

/// The unescaped value of the first component of a DN; `None` when it cannot be a name.
pub(crate) fn leaf_value(dn: &DistinguishedName) -> Option<String> {
    let value = dn.relative_name();
    let is_valid = !value.trim().is_empty() && !value.chars().any(char::is_control);
    is_valid.then_some(value)
}
