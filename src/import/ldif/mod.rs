//! LDIF as `ldifde` and `ldapsearch` export it from Active Directory: which entries are mailboxes and policies.

mod policy;
mod reader;

use uuid::Uuid;

use self::reader::Entry;
use super::builder::Builder;
use super::draft::Draft;
use super::invalid;
use crate::Result;

/// Attributes that only mail recipients have: a user with none of them is no mailbox.
const MAILBOX_ATTRIBUTES: &[&str] = &[
    "proxyaddresses",
    "mailnickname",
    "mail",
    "homemdb",
    "msexchmailboxguid",
    "msexchhomeservername",
    "msexchumenabledflags",
    "legacyexchangedn",
];

/// `msExchUMEnabledFlags`: the bit that enables Unified Messaging.
const UM_ENABLED: u32 = 1;

/// Reads the file's text.
pub(super) fn read(text: &str, builder: &mut Builder) -> Result<()> {
    if !reader::looks_like_ldif(text) {
        return Err(invalid("is not LDIF: it begins with neither 'dn:' nor 'version:'"));
    }
    for item in reader::entries(text) {
        match item {
            Err((line, reason)) => builder.problem(line, reason),
            Ok(entry) if policy::is_policy(&entry) => match policy::row(&entry) {
                Ok(row) => builder.policy(row),
                Err(message) => builder.problem(entry.line, message),
            },
            Ok(entry) if is_mailbox(&entry) => match draft(&entry) {
                Ok(draft) => builder.mailbox(draft),
                Err(message) => builder.problem(entry.line, message),
            },
            // Containers, computers, groups and what else a subtree holds.
            Ok(_) => {}
        }
    }
    Ok(())
}

fn has_class(entry: &Entry, class: &str) -> bool {
    entry
        .values("objectclass")
        .any(|value| value.eq_ignore_ascii_case(class.as_bytes()))
}

fn is_mailbox(entry: &Entry) -> bool {
    let person = if entry.first("objectclass").is_some() {
        ["user", "person", "inetOrgPerson"]
            .iter()
            .any(|class| has_class(entry, class))
            // Computers are users and contacts are persons to the schema.
            && !["computer", "contact"].iter().any(|class| has_class(entry, class))
    } else {
        // An export of chosen attributes; groups have addresses too, but none of these.
        entry.first("userprincipalname").is_some() || entry.first("msexchumenabledflags").is_some()
    };
    person && MAILBOX_ATTRIBUTES.iter().any(|name| entry.first(name).is_some())
}

fn draft(entry: &Entry) -> Result<Draft, String> {
    let text = |name: &str| text(entry, name);
    let flags = match text("msExchUMEnabledFlags")?.trim() {
        "" => 0,
        // Signed on the wire, like every integer in the directory.
        value => value
            .parse::<i32>()
            .map(i32::cast_unsigned)
            .map_err(|_| "msExchUMEnabledFlags is not a number.".to_owned())?,
    };
    let name = text("cn")?;
    Ok(Draft {
        line: entry.line,
        distinguished_name: entry.dn.clone(),
        name: if name.is_empty() { text("name")? } else { name },
        display_name: text("displayName")?,
        alias: text("mailNickname")?,
        sam_account_name: text("sAMAccountName")?,
        user_principal_name: text("userPrincipalName")?,
        fallback_smtp_address: text("mail")?,
        email_addresses: entry
            .values("proxyaddresses")
            .map(|value| utf8(value, "proxyAddresses"))
            .collect::<Result<_, _>>()?,
        legacy_exchange_dn: text("legacyExchangeDN")?,
        guid: guid(entry)?.map(|guid| guid.to_string()).unwrap_or_default(),
        um_enabled: (flags & UM_ENABLED != 0).to_string(),
        um_mailbox_policy: text("msExchUMTemplateLink")?,
        preferred_language: text("preferredLanguage")?,
        ..Draft::default()
    })
}

/// `objectGUID`: 16 bytes in the directory's byte order (the first three groups little-endian), or as text where a tool prints it so.
fn guid(entry: &Entry) -> Result<Option<Uuid>, String> {
    let Some(value) = entry.first("objectguid") else {
        return Ok(None);
    };
    if let Ok(bytes) = <[u8; 16]>::try_from(value) {
        return Ok(Some(Uuid::from_bytes_le(bytes)));
    }
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| Uuid::try_parse(text.trim()).ok())
        .map(Some)
        .ok_or_else(|| "objectGUID is not a GUID.".to_owned())
}

/// The first value of an attribute; absent is empty.
fn text(entry: &Entry, name: &str) -> Result<String, String> {
    entry
        .first(&name.to_ascii_lowercase())
        .map_or(Ok(String::new()), |value| utf8(value, name))
}

fn utf8(value: &[u8], name: &str) -> Result<String, String> {
    String::from_utf8(value.to_vec()).map_err(|_| format!("{name} is not UTF-8."))
}
