//! What a row or an entry says, checked and made into a mailbox: the rules that CSV, LDIF and Active Directory share.

use uuid::Uuid;

use super::addresses;
use super::faults::{Faults, Shown};
use crate::identity::DistinguishedName;
use crate::identity::fold::fold;
use crate::mailbox::{Extension, Mailbox, ObjectId};
use crate::notification::address::parse_address;

/// The longest name of a policy.
const MAX_POLICY_NAME: usize = 64;

/// The longest list of languages.
const MAX_LANGUAGE: usize = 256;

/// More is a mistake in the file, and would make the comparison of each with each slow.
const MAX_EXTENSIONS: usize = 500;

/// A mailbox in the words of a file or a directory. Empty strings count as absent.
#[derive(Default)]
pub struct Draft {
    pub distinguished_name: String,
    pub name: String,
    pub display_name: String,
    pub alias: String,
    pub sam_account_name: String,
    pub user_principal_name: String,
    pub primary_smtp_address: String,
    /// Where the primary address stands only if no proxy is marked as primary (`mail` in Active Directory).
    pub fallback_smtp_address: String,
    pub email_addresses: Vec<String>,
    pub legacy_exchange_dn: String,
    pub guid: String,
    pub um_enabled: String,
    pub extensions: String,
    pub um_mailbox_policy: String,
    pub preferred_language: String,
}

/// What is said of a mailbox; what identifies it is added by the directory.
pub struct MailboxProperties {
    /// Where it is given.
    pub guid: Option<Uuid>,
    pub distinguished_name: Option<DistinguishedName>,
    /// Empty where nothing can serve as a name.
    pub name: String,
    pub display_name: Option<String>,
    pub alias: Option<String>,
    pub sam_account_name: Option<String>,
    pub user_principal_name: Option<String>,
    pub primary_smtp_address: Option<String>,
    /// With prefix, the primary one first and alone as `SMTP:`.
    pub email_addresses: Vec<String>,
    pub legacy_exchange_dn: Option<String>,
    pub um_enabled: bool,
    pub extensions: Vec<Extension>,
    pub um_mailbox_policy: Option<String>,
    pub preferred_language: Option<String>,
}

impl MailboxProperties {
    pub fn into_mailbox(self, object_id: ObjectId, guid: Uuid) -> Mailbox {
        Mailbox {
            object_id,
            guid,
            distinguished_name: self.distinguished_name,
            name: self.name,
            display_name: self.display_name,
            alias: self.alias,
            sam_account_name: self.sam_account_name,
            user_principal_name: self.user_principal_name,
            primary_smtp_address: self.primary_smtp_address,
            email_addresses: self.email_addresses,
            legacy_exchange_dn: self.legacy_exchange_dn,
            um_enabled: self.um_enabled,
            extensions: self.extensions,
            um_mailbox_policy: self.um_mailbox_policy,
            um_mailbox_policy_link: None,
            preferred_language: self.preferred_language,
        }
    }
}

impl Draft {
    /// What can be understood. Every fault is added to `f`, and what is faulty is left out.
    pub fn read(self, f: &mut Faults) -> MailboxProperties {
        let distinguished_name =
            text(f, "DistinguishedName", &self.distinguished_name).and_then(|dn| dn_value(f, "DistinguishedName", &dn));
        let user_principal_name = text(f, "UserPrincipalName", &self.user_principal_name);
        let name = text(f, "Name", &self.name).or_else(|| distinguished_name.as_ref().and_then(leaf_value));
        let (primary_smtp_address, email_addresses) = self.addresses(f);
        let identified = [&self.distinguished_name, &self.guid]
            .iter()
            .any(|v| !v.trim().is_empty())
            || [&self.primary_smtp_address, &self.user_principal_name]
                .iter()
                .any(|v| !v.trim().is_empty())
            || !email_addresses.is_empty();
        if !identified {
            f.add(
                "nothing identifies the mailbox: the row has no DistinguishedName, Guid, UserPrincipalName or address",
            );
        }
        let mut extensions: Vec<Extension> = Vec::new();
        if let Some(cell) = text(f, "Extensions", &self.extensions) {
            match addresses::extensions(&cell) {
                Ok(list) if list.len() > MAX_EXTENSIONS => {
                    f.add(format!("there are more than {MAX_EXTENSIONS} extensions"));
                }
                Ok(list) => list
                    .into_iter()
                    .for_each(|e| addresses::add_extension(&mut extensions, e)),
                Err(bad) => f.add(format!("the extension {} is not 1 to 20 digits", Shown(&bad))),
            }
        }
        email_addresses
            .iter()
            .filter_map(|address| addresses::from_eum(address))
            .take(MAX_EXTENSIONS)
            .for_each(|e| addresses::add_extension(&mut extensions, e));
        let um_enabled = boolean(f, "UMEnabled", &self.um_enabled).unwrap_or(false);
        let um_mailbox_policy =
            text(f, "UMMailboxPolicy", &self.um_mailbox_policy).and_then(|value| policy_name(f, &value));
        MailboxProperties {
            guid: text(f, "Guid", &self.guid).and_then(|value| guid(f, &value)),
            name: name.unwrap_or_default(),
            display_name: text(f, "DisplayName", &self.display_name),
            alias: text(f, "Alias", &self.alias),
            sam_account_name: text(f, "SamAccountName", &self.sam_account_name),
            legacy_exchange_dn: text(f, "LegacyExchangeDN", &self.legacy_exchange_dn),
            um_mailbox_policy,
            preferred_language: language(f, &self.preferred_language),
            distinguished_name,
            user_principal_name,
            primary_smtp_address,
            email_addresses,
            um_enabled,
            extensions,
        }
    }

    /// The primary address, and all addresses with that one first and alone as `SMTP:`.
    fn addresses(&self, f: &mut Faults) -> (Option<String>, Vec<String>) {
        let mut list: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut marked: Option<String> = None;
        for given in &self.email_addresses {
            let Some(given) = text(f, "EmailAddresses", given) else {
                continue;
            };
            let (kind, value) = match addresses::prefix(&given) {
                Some(kind) => (kind, &given[kind.len() + 1..]),
                None => ("smtp", given.as_str()),
            };
            if !kind.eq_ignore_ascii_case("smtp") {
                if value.trim().is_empty() {
                    f.add(format!("the address {} is empty after its prefix", Shown(&given)));
                } else if seen.insert(fold(&given)) {
                    list.push(given);
                }
                continue;
            }
            if parse_address(value).is_none() {
                f.add(format!("{} is not an e-mail address", Shown(&given)));
                continue;
            }
            if kind == "SMTP" {
                match &marked {
                    Some(other) if fold(other) != fold(value) => {
                        f.add(format!(
                            "{} and {} are both marked as the primary address",
                            Shown(other),
                            Shown(value)
                        ));
                    }
                    _ => marked = Some(value.to_owned()),
                }
            } else if seen.insert(fold(&format!("smtp:{value}"))) {
                list.push(format!("smtp:{value}"));
            }
        }
        let stated = text(f, "PrimarySmtpAddress", &self.primary_smtp_address);
        if let Some(stated) = &stated {
            if parse_address(stated).is_none() {
                f.add(format!(
                    "the PrimarySmtpAddress {} is not an e-mail address",
                    Shown(stated)
                ));
            } else if let Some(marked) = &marked
                && fold(marked) != fold(stated)
            {
                f.add(format!(
                    "the PrimarySmtpAddress is {}, but EmailAddresses marks {} as the primary address",
                    Shown(stated),
                    Shown(marked)
                ));
            }
        }
        let primary = stated.or(marked).or_else(|| {
            text(f, "mail", &self.fallback_smtp_address).filter(|mail| match parse_address(mail) {
                Some(_) => true,
                None => {
                    f.add(format!(
                        "the address {} in 'mail' is not an e-mail address",
                        Shown(mail)
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

/// The trimmed value without control characters; empty is absent.
fn text(f: &mut Faults, column: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if value.is_empty() {
        return None;
    }
    if value.chars().any(char::is_control) {
        f.add(format!("{column} contains a line break or another control character"));
        return None;
    }
    if is_type_name(value) {
        f.add(format!(
            "{column} holds the name of a type instead of values (export it with -join ';')"
        ));
        return None;
    }
    Some(value.to_owned())
}

/// What `Export-Csv` writes for a collection.
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

/// `True`, `1`, `yes` and their opposites; `None` when blank or (then reported) unclear.
fn boolean(f: &mut Faults, column: &str, value: &str) -> Option<bool> {
    let value = text(f, column, value)?;
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => {
            f.add(format!("{column} is {}, neither True nor False", Shown(&value)));
            None
        }
    }
}

/// A GUID other than zero.
pub(crate) fn guid(f: &mut Faults, value: &str) -> Option<Uuid> {
    let parsed = Uuid::try_parse(value).ok().filter(|guid| !guid.is_nil());
    if parsed.is_none() {
        f.add(format!("{} is not a GUID", Shown(value)));
    }
    parsed
}

/// Kept as it is written: what the message does not understand of it, it passes over, and no mailbox is left out for it.
fn language(f: &mut Faults, value: &str) -> Option<String> {
    let value = text(f, "PreferredLanguage", value)?;
    if value.chars().count() > MAX_LANGUAGE {
        f.add(format!("PreferredLanguage is longer than {MAX_LANGUAGE} characters"));
        return None;
    }
    Some(value)
}

fn dn_value(f: &mut Faults, column: &str, value: &str) -> Option<DistinguishedName> {
    let parsed = DistinguishedName::parse(value);
    if parsed.is_none() {
        f.add(format!("the {column} {} cannot be parsed", Shown(value)));
    }
    parsed
}

/// A policy's name; of a DN, as `msExchUMTemplateLink` holds it, the first component.
fn policy_name(f: &mut Faults, value: &str) -> Option<String> {
    let is_dn = value.get(..3).is_some_and(|p| p.eq_ignore_ascii_case("cn="));
    let name = if is_dn {
        leaf_value(&dn_value(f, "UMMailboxPolicy", value)?).unwrap_or_default()
    } else {
        value.to_owned()
    };
    if let Err(fault) = check_policy_name(&name) {
        f.add(fault);
        return None;
    }
    Some(name)
}

/// The rule for the name of a policy, wherever it comes from.
pub(crate) fn check_policy_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if length > MAX_POLICY_NAME || name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(format!(
            "the policy name {} is not 1 to {MAX_POLICY_NAME} printable characters",
            Shown(name)
        ));
    }
    Ok(())
}

/// The unescaped value of a name's first component; `None` where that cannot serve as a name.
pub(crate) fn leaf_value(dn: &DistinguishedName) -> Option<String> {
    let value = dn.relative_name();
    let sound = !value.trim().is_empty() && !value.chars().any(char::is_control);
    sound.then_some(value)
}
