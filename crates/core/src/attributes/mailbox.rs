//! Entries of mailboxes.

use super::raw_mailbox::RawMailbox;
use super::{Entry, utf8};

/// Attributes that only mail recipients have: a user without any of them has no mailbox.
pub const MAILBOX_ATTRIBUTES: &[&str] = &[
    "proxyaddresses",
    "mailnickname",
    "mail",
    "homemdb",
    "msexchmailboxguid",
    "msexchhomeservername",
    "msexchumenabledflags",
    "legacyexchangedn",
];

/// The attributes to request from a server.
pub const ATTRIBUTES: &[&str] = &[
    "objectClass",
    "objectGUID",
    "cn",
    "name",
    "displayName",
    "mailNickname",
    "sAMAccountName",
    "userPrincipalName",
    "mail",
    "proxyAddresses",
    "legacyExchangeDN",
    "homeMDB",
    "msExchMailboxGuid",
    "msExchHomeServerName",
    "msExchUMEnabledFlags",
    "msExchUMTemplateLink",
    "preferredLanguage",
];

/// `msExchUMEnabledFlags`: the bit that enables Unified Messaging.
pub const UM_ENABLED: u32 = 1;

/// Whether the entry is a mailbox.
pub fn is_mailbox(entry: &Entry) -> bool {
    let person = if entry.first("objectclass").is_some() {
        ["user", "person", "inetOrgPerson"]
            .iter()
            .any(|class| entry.has_class(class))
            // Computers are users and contacts are persons to the schema.
            && !["computer", "contact"].iter().any(|class| entry.has_class(class))
    } else {
        // An export of chosen attributes; groups have addresses too, but none of these.
        entry.first("userprincipalname").is_some() || entry.first("msexchumenabledflags").is_some()
    };
    person && MAILBOX_ATTRIBUTES.iter().any(|name| entry.first(name).is_some())
}

/// Whether `msExchUMEnabledFlags` enables Unified Messaging.
///
/// # Errors
/// A sentence for a value that the attribute cannot have.
pub(crate) fn enabled(flags: &str) -> Result<bool, String> {
    match flags.trim() {
        "" => Ok(false),
        // Signed on the wire, like every integer in the directory.
        value => value
            .parse::<i32>()
            .map(|flags| flags.cast_unsigned() & UM_ENABLED != 0)
            .map_err(|_| "msExchUMEnabledFlags is not a number.".to_owned()),
    }
}

/// The values of the attributes.
///
/// # Errors
/// A sentence for a value that its attribute cannot have.
pub fn raw_mailbox(entry: &Entry) -> Result<RawMailbox, String> {
    let text = |name: &str| entry.text(name);
    let name = text("cn")?;
    Ok(RawMailbox {
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
        guid: entry
            .guid("objectGUID")?
            .map(|guid| guid.to_string())
            .unwrap_or_default(),
        um_enabled: enabled(&text("msExchUMEnabledFlags")?)?.to_string(),
        um_mailbox_policy: text("msExchUMTemplateLink")?,
        preferred_language: text("preferredLanguage")?,
        ..RawMailbox::default()
    })
}
