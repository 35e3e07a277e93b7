//! Whether an account may read an attribute of an object: the access check of Active Directory (MS-ADTS 5.1.3.3) on the object's security
//! descriptor (MS-DTYP 2.4.6).
//!
//! The check is conservative: conditional entries count if they deny, not if they allow.

use std::collections::HashSet;

use super::connection::Entry;

/// `RIGHT_DS_READ_PROPERTY` (MS-ADTS 5.1.3.2).
const READ_PROPERTY: u32 = 0x10;
/// `RIGHT_DS_CONTROL_ACCESS`: required as well for a confidential attribute (MS-ADTS 3.1.1.4.4).
const CONTROL_ACCESS: u32 = 0x100;
/// `RIGHT_GENERIC_READ` and `RIGHT_GENERIC_ALL`; servers map them to specific rights.
const GENERIC: u32 = 0x9000_0000;

/// `fCONFIDENTIAL` in `searchFlags` (MS-ADTS 2.2.10).
const CONFIDENTIAL: u32 = 0x80;

/// `INHERIT_ONLY_ACE` (MS-DTYP 2.4.4.1): applies to child objects only.
const INHERIT_ONLY: u8 = 0x08;
/// `ACE_OBJECT_TYPE_PRESENT`, `ACE_INHERITED_OBJECT_TYPE_PRESENT` (MS-DTYP 2.4.4.3).
const OBJECT_TYPE: u32 = 0x1;
const INHERITED_OBJECT_TYPE: u32 = 0x2;

/// `schemaIDGUID` of the classes `user` and `inetOrgPerson`: a denied class denies its attributes.
const USER_CLASSES: [Guid; 2] = [
    [
        0xba, 0x7a, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2,
    ],
    [
        0x14, 0xcc, 0x28, 0x48, 0x37, 0x14, 0xbc, 0x45, 0x9b, 0x07, 0xad, 0x6f, 0x01, 0x5e, 0x5f, 0x28,
    ],
];

/// S-1-5-10, the object itself, and S-1-3-4, its owner.
const SELF: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 5, 10, 0, 0, 0];
const OWNER: &[u8] = &[1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0];

/// In the byte order of the directory.
type Guid = [u8; 16];

/// The right that an account lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissingRight {
    ReadProperty,
    /// The attribute is confidential.
    ControlAccess,
    /// The security descriptor cannot be read, so the rights are unknown.
    ReadPermissions,
}

/// The security-related part of an attribute's schema definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttributeSecurity {
    attribute: Guid,
    property_set: Option<Guid>,
    is_confidential: bool,
}

impl AttributeSecurity {
    /// The attributes of the definition that are read.
    pub(crate) const ATTRIBUTES: [&str; 3] = ["schemaIDGUID", "attributeSecurityGUID", "searchFlags"];

    /// `None` if the definition is incomplete.
    pub(crate) fn of(definition: &Entry) -> Option<Self> {
        let guid = |name| definition.first(name).and_then(|value| Guid::try_from(value).ok());
        let flags = match definition.first("searchflags") {
            None => 0,
            Some(text) => std::str::from_utf8(text)
                .ok()?
                .trim()
                .parse::<i32>()
                .ok()?
                .cast_unsigned(),
        };
        Some(Self {
            attribute: guid("schemaidguid")?,
            property_set: guid("attributesecurityguid"),
            is_confidential: flags & CONFIDENTIAL != 0,
        })
    }
}

/// The SIDs of the account and of all its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Token(HashSet<Vec<u8>>);

impl FromIterator<Vec<u8>> for Token {
    fn from_iter<I: IntoIterator<Item = Vec<u8>>>(sids: I) -> Self {
        Self(sids.into_iter().collect())
    }
}

/// The right that the account lacks to read the attribute of an object with this security descriptor and `objectSid`.
pub(super) fn missing_read_right(
    token: &Token,
    descriptor: &[u8],
    object_sid: Option<&[u8]>,
    security: &AttributeSecurity,
) -> Option<MissingRight> {
    let Some((owner, entries)) = parse(descriptor) else {
        return Some(MissingRight::ReadPermissions);
    };
    let mut remaining = READ_PROPERTY;
    if security.is_confidential {
        remaining |= CONTROL_ACCESS;
    }
    for entry in entries {
        let is_about = match entry.object_type {
            None => true,
            Some(guid) => {
                guid == security.attribute
                    || Some(guid) == security.property_set
                    || !entry.allows && USER_CLASSES.contains(&guid)
            }
        };
        let is_for = match entry.sid {
            // Without `objectSid` the object may be the account itself.
            SELF => object_sid.map_or(!entry.allows, |sid| token.0.contains(sid)),
            OWNER => token.0.contains(owner),
            sid => token.0.contains(sid),
        };
        if !is_about || !is_for {
            continue;
        }
        if !entry.allows {
            let denied = if entry.mask & GENERIC == 0 {
                entry.mask & remaining
            } else {
                remaining
            };
            if denied != 0 {
                return Some(missing_right(denied));
            }
        } else if !entry.is_conditional {
            remaining &= !entry.mask;
        }
        if remaining == 0 {
            return None;
        }
    }
    Some(missing_right(remaining))
}

fn missing_right(remaining: u32) -> MissingRight {
    if remaining & READ_PROPERTY != 0 {
        MissingRight::ReadProperty
    } else {
        MissingRight::ControlAccess
    }
}

/// An access control entry that applies to the object itself.
struct AccessEntry<'a> {
    allows: bool,
    is_conditional: bool,
    mask: u32,
    object_type: Option<Guid>,
    sid: &'a [u8],
}

/// The owner and the DACL's entries in order; `None` if the bytes are not a security descriptor or have no DACL.
fn parse(descriptor: &[u8]) -> Option<(&[u8], Vec<AccessEntry<'_>>)> {
    let owner = match u32_at(descriptor, 4)? {
        0 => &[],
        offset => sid(descriptor.get(usize::try_from(offset).ok()?..)?)?,
    };
    let list = match u32_at(descriptor, 16)? {
        0 => return None,
        offset => descriptor.get(usize::try_from(offset).ok()?..)?,
    };
    let mut rest = list.get(8..)?;
    let mut entries = Vec::new();
    for _ in 0..u16_at(list, 4)? {
        let size = usize::from(u16_at(rest, 2)?);
        let (entry, behind) = rest.split_at_checked(size).filter(|_| size >= 8)?;
        rest = behind;
        if entry[1] & INHERIT_ONLY == 0 {
            entries.extend(access_entry(entry)?);
        }
    }
    Some((owner, entries))
}

/// Parses an entry (types in MS-DTYP 2.4.4.1); `Some(None)` for one that neither allows nor denies.
fn access_entry(entry: &[u8]) -> Option<Option<AccessEntry<'_>>> {
    let (allows, is_object, is_conditional) = match entry[0] {
        0 => (true, false, false),
        1 => (false, false, false),
        5 => (true, true, false),
        6 => (false, true, false),
        9 => (true, false, true),
        10 => (false, false, true),
        11 => (true, true, true),
        12 => (false, true, true),
        _ => return Some(None),
    };
    let mask = u32_at(entry, 4)?;
    let mut rest = entry.get(8..)?;
    let mut object_type = None;
    if is_object {
        let flags = u32_at(rest, 0)?;
        rest = rest.get(4..)?;
        if flags & OBJECT_TYPE != 0 {
            object_type = Some(*rest.first_chunk::<16>()?);
            rest = rest.get(16..)?;
        }
        if flags & INHERITED_OBJECT_TYPE != 0 {
            rest = rest.get(16..)?;
        }
    }
    Some(Some(AccessEntry {
        allows,
        is_conditional,
        mask,
        object_type,
        sid: sid(rest)?,
    }))
}

/// The SID that begins here (MS-DTYP 2.4.2.2).
fn sid(bytes: &[u8]) -> Option<&[u8]> {
    let authorities = usize::from(*bytes.get(1)?);
    bytes.get(..8 + 4 * authorities)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
pub(super) mod tests;
