//! Security descriptors of every kind that changes who may read.

use super::*;

/// The attribute, its property set, and another attribute.
const ATTRIBUTE: Guid = [7; 16];
const SET: Guid = [8; 16];
const OTHER: Guid = [9; 16];

const ACCOUNT: u8 = 100;
const GROUP: u8 = 101;
const STRANGER: u8 = 102;

/// A SID of the domain.
pub(crate) fn domain_sid(u32_at: u8) -> Vec<u8> {
    vec![1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, u32_at, 0, 0, 0]
}

/// One entry: its type, flags and mask, the type of object where there is one, and whom it is for.
#[derive(Clone)]
pub(crate) struct Ace(pub u8, pub u8, pub u32, pub Option<Guid>, pub Vec<u8>);

impl Ace {
    fn bytes(&self) -> Vec<u8> {
        let Self(kind, flags, mask, object, sid) = self;
        let mut body = mask.to_le_bytes().to_vec();
        if matches!(kind, 5 | 6 | 11 | 12) {
            body.extend(u32::from(object.is_some()).to_le_bytes());
            body.extend(object.iter().flatten());
        }
        body.extend(sid);
        if matches!(kind, 9..=12) {
            // A condition, which nothing here reads.
            body.extend(b"artx");
        }
        let size = u16::try_from(body.len() + 4).expect("a small entry");
        let mut bytes = vec![*kind, *flags];
        bytes.extend(size.to_le_bytes());
        bytes.extend(body);
        bytes
    }
}

/// Self-relative, with an owner and a list.
pub(crate) fn descriptor(owner: &[u8], aces: &[Ace]) -> Vec<u8> {
    let entries: Vec<u8> = aces.iter().flat_map(Ace::bytes).collect();
    let list = u32::try_from(20 + owner.len()).expect("a small owner");
    let mut bytes = vec![1, 0, 0x04, 0x80];
    for offset in [20, 0, 0, list] {
        bytes.extend(offset.to_le_bytes());
    }
    bytes.extend(owner);
    bytes.extend([4, 0]);
    bytes.extend(u16::try_from(8 + entries.len()).expect("a short list").to_le_bytes());
    bytes.extend(u16::try_from(aces.len()).expect("a short list").to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(entries);
    bytes
}

fn token() -> Token {
    [ACCOUNT, GROUP].map(domain_sid).into_iter().collect()
}

fn plain() -> AttributeSecurity {
    AttributeSecurity {
        attribute: ATTRIBUTE,
        property_set: Some(SET),
        is_confidential: false,
    }
}

fn allow(mask: u32, who: u8) -> Ace {
    Ace(0, 0, mask, None, domain_sid(who))
}

fn allow_on(mask: u32, what: Guid, who: u8) -> Ace {
    Ace(5, 0, mask, Some(what), domain_sid(who))
}

fn deny_on(mask: u32, what: Guid, who: u8) -> Ace {
    Ace(6, 0, mask, Some(what), domain_sid(who))
}

#[track_caller]
fn check(aces: &[Ace], security: &AttributeSecurity, expected: Option<MissingRight>) {
    let descriptor = descriptor(&domain_sid(STRANGER), aces);
    let found = missing_read_right(&token(), &descriptor, Some(&domain_sid(STRANGER)), security);
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_allowed_is_lacking() {
    let lacks = Some(MissingRight::ReadProperty);
    check(&[], &plain(), lacks);
    check(&[allow(READ_PROPERTY, STRANGER)], &plain(), lacks);
    check(&[allow(!READ_PROPERTY, ACCOUNT)], &plain(), lacks);
    check(&[allow_on(READ_PROPERTY, OTHER, ACCOUNT)], &plain(), lacks);
    check(&[allow_on(READ_PROPERTY, USER_CLASSES[0], ACCOUNT)], &plain(), lacks);
    // What a server should have replaced says nothing.
    check(&[allow(GENERIC, ACCOUNT)], &plain(), lacks);
    // For those below it.
    check(
        &[Ace(0, INHERIT_ONLY, READ_PROPERTY, None, domain_sid(ACCOUNT))],
        &plain(),
        lacks,
    );
}

#[test]
fn the_attribute_its_set_and_everything_are_ways_to_allow_it() {
    for who in [ACCOUNT, GROUP] {
        check(&[allow(READ_PROPERTY, who)], &plain(), None);
        check(&[allow_on(READ_PROPERTY, ATTRIBUTE, who)], &plain(), None);
        check(&[allow_on(READ_PROPERTY, SET, who)], &plain(), None);
        // Entries that are about objects, and name none.
        check(&[Ace(5, 0, READ_PROPERTY, None, domain_sid(who))], &plain(), None);
    }
    let without_set = AttributeSecurity {
        property_set: None,
        ..plain()
    };
    check(
        &[allow_on(READ_PROPERTY, SET, ACCOUNT)],
        &without_set,
        Some(MissingRight::ReadProperty),
    );
}

#[test]
fn the_first_entry_that_says_it_counts() {
    let lacks = Some(MissingRight::ReadProperty);
    let (allows, denies) = (allow(READ_PROPERTY, GROUP), deny_on(READ_PROPERTY, ATTRIBUTE, ACCOUNT));
    check(&[denies.clone(), allows.clone()], &plain(), lacks);
    check(&[allows.clone(), denies], &plain(), None);
    for (denied, expected) in [
        (deny_on(READ_PROPERTY, SET, GROUP), lacks),
        (deny_on(READ_PROPERTY, USER_CLASSES[1], GROUP), lacks),
        (deny_on(GENERIC, ATTRIBUTE, GROUP), lacks),
        (deny_on(READ_PROPERTY, OTHER, GROUP), None),
        (deny_on(READ_PROPERTY, ATTRIBUTE, STRANGER), None),
        (deny_on(!READ_PROPERTY & !GENERIC, ATTRIBUTE, GROUP), None),
    ] {
        check(&[denied, allows.clone()], &plain(), expected);
    }
}

#[test]
fn a_confidential_attribute_needs_control_access_as_well() {
    let confidential = AttributeSecurity {
        is_confidential: true,
        ..plain()
    };
    let lacks = Some(MissingRight::ControlAccess);
    let reads = allow(READ_PROPERTY, GROUP);
    check(std::slice::from_ref(&reads), &confidential, lacks);
    check(
        &[reads.clone(), allow_on(CONTROL_ACCESS, OTHER, ACCOUNT)],
        &confidential,
        lacks,
    );
    check(
        &[reads.clone(), allow_on(CONTROL_ACCESS, ATTRIBUTE, ACCOUNT)],
        &confidential,
        None,
    );
    check(
        &[deny_on(CONTROL_ACCESS, ATTRIBUTE, GROUP), allow(u32::MAX, ACCOUNT)],
        &confidential,
        lacks,
    );
    check(
        &[allow(CONTROL_ACCESS, GROUP)],
        &confidential,
        Some(MissingRight::ReadProperty),
    );
    let definition = |flags: &str| {
        AttributeSecurity::of(&Entry {
            dn: String::new(),
            attributes: vec![
                ("schemaidguid".to_owned(), ATTRIBUTE.to_vec()),
                ("attributesecurityguid".to_owned(), SET.to_vec()),
                ("searchflags".to_owned(), flags.as_bytes().to_vec()),
            ],
        })
    };
    assert_eq!(definition("0"), Some(plain()));
    assert_eq!(definition("25"), Some(plain()));
    assert_eq!(definition("664"), Some(confidential.clone()));
    assert_eq!(definition("-1"), Some(confidential));
    assert_eq!(definition("many"), None);
}

#[test]
fn conditions_are_no_grant_but_a_refusal() {
    let conditional = |kind| Ace(kind, 0, READ_PROPERTY, Some(ATTRIBUTE), domain_sid(ACCOUNT));
    for kind in [9, 11] {
        check(&[conditional(kind)], &plain(), Some(MissingRight::ReadProperty));
    }
    for kind in [10, 12] {
        check(
            &[conditional(kind), allow(READ_PROPERTY, GROUP)],
            &plain(),
            Some(MissingRight::ReadProperty),
        );
    }
    // Entries for audits and the like.
    check(
        &[Ace(2, 0, READ_PROPERTY, None, domain_sid(ACCOUNT))],
        &plain(),
        Some(MissingRight::ReadProperty),
    );
}

#[test]
fn the_object_itself_and_its_owner_are_whoever_they_are() {
    let for_sid = |kind, sid: &[u8]| Ace(kind, 0, READ_PROPERTY, None, sid.to_vec());
    let verdict = |aces: &[Ace], owner: u8, object: Option<u8>| {
        let object = object.map(domain_sid);
        let descriptor = descriptor(&domain_sid(owner), aces);
        missing_read_right(&token(), &descriptor, object.as_deref(), &plain()).is_none()
    };
    let itself = [for_sid(0, SELF)];
    assert!(verdict(&itself, STRANGER, Some(ACCOUNT)));
    assert!(!verdict(&itself, STRANGER, Some(STRANGER)));
    assert!(!verdict(&itself, STRANGER, None));
    let not_itself = [for_sid(1, SELF), allow(READ_PROPERTY, GROUP)];
    assert!(!verdict(&not_itself, STRANGER, Some(ACCOUNT)));
    assert!(verdict(&not_itself, STRANGER, Some(STRANGER)));
    assert!(!verdict(&not_itself, STRANGER, None), "it may be the account");
    let owners = [for_sid(0, OWNER)];
    assert!(verdict(&owners, GROUP, Some(STRANGER)));
    assert!(!verdict(&owners, STRANGER, Some(STRANGER)));
}

#[test]
fn what_is_no_descriptor_proves_nothing() {
    let whole = descriptor(&domain_sid(STRANGER), &[allow_on(READ_PROPERTY, ATTRIBUTE, ACCOUNT)]);
    let verdict = |bytes: &[u8]| missing_read_right(&token(), bytes, None, &plain());
    assert_eq!(verdict(&whole), None);
    for length in 0..whole.len() {
        assert_eq!(
            verdict(&whole[..length]),
            Some(MissingRight::ReadPermissions),
            "the first {length} bytes"
        );
    }
    for offset in [4, 16] {
        let mut wild = whole.clone();
        wild[offset..offset + 4].fill(0xff);
        assert_eq!(verdict(&wild), Some(MissingRight::ReadPermissions));
    }
    // No list at all.
    let mut without = whole;
    without[16..20].fill(0);
    assert_eq!(verdict(&without), Some(MissingRight::ReadPermissions));
}
