//! Encodes and decodes the LDAP messages that the adapter uses (RFC 4511, 4.1.1).

use bytes::BytesMut;
use lber::common::TagClass;
use lber::structure::{PL, StructureTag};

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    StartTls,
    Bind {
        user: String,
        password: String,
    },
    Search {
        base: String,
        attributes: Vec<String>,
        size_limit: u64,
        time_limit: u64,
        page: Option<Page>,
    },
    Modify {
        dn: String,
        changes: Vec<(u64, String, Vec<u8>)>,
    },
    Unbind,
    Other(u64),
}

/// The paged results control (RFC 2696).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub is_critical: bool,
    pub size: u64,
    pub cookie: Vec<u8>,
}

impl Request {
    /// Whether it is a search of the rootDSE.
    pub(crate) fn is_root_dse_search(&self) -> bool {
        matches!(self, Self::Search { base, .. } if base.is_empty())
    }
}

/// An action of the server.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// An entry: DN, and attributes with their values.
    Entry(String, Vec<(&'static str, Vec<Vec<u8>>)>),
    /// `SearchResultReference`.
    Reference(&'static str),
    /// The final response: result code and text.
    Done(u32, &'static str),
    /// A successful final response with the cookie of the next page.
    Page(Vec<u8>),
    Raw(Vec<u8>),
    Hang,
    Close,
}

pub(crate) fn entry(dn: &str, attributes: &[(&'static str, &[&str])]) -> Action {
    let attributes = attributes.iter().map(|(name, values)| {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        (*name, values)
    });
    Action::Entry(dn.to_owned(), attributes.collect())
}

/// The rootDSE of a writable controller that is a global catalog.
pub(crate) fn root_dse(more: &[(&'static str, &[&str])]) -> Vec<Action> {
    let mut attributes: Vec<(&'static str, &[&str])> = vec![
        ("defaultNamingContext", &["DC=contoso,DC=com"]),
        ("rootDomainNamingContext", &["DC=contoso,DC=com"]),
        ("isGlobalCatalogReady", &["TRUE"]),
    ];
    attributes.extend_from_slice(more);
    vec![entry("", &attributes), Action::Done(0, "")]
}

/// The response of a healthy server without objects.
pub(super) fn default_response(request: &Request) -> Vec<Action> {
    match request {
        Request::Bind { password, .. } if password != super::PASSWORD => vec![Action::Done(49, WRONG_PASSWORD)],
        Request::Unbind => vec![Action::Close],
        request if request.is_root_dse_search() => root_dse(&[]),
        _ => vec![Action::Done(0, "")],
    }
}

/// The diagnostic message of Active Directory.
pub(crate) const WRONG_PASSWORD: &str =
    "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 52e, v4563\0";

pub(super) fn parse(tag: StructureTag) -> Option<(u64, Request)> {
    let mut parts = tag.expect_constructed()?.into_iter();
    let id = number(parts.next()?)?;
    let operation = parts.next()?;
    let controls = parts
        .next()
        .and_then(StructureTag::expect_constructed)
        .unwrap_or_default();
    let request = match operation.id {
        0 => {
            let mut parts = operation.expect_constructed()?.into_iter().skip(1);
            Request::Bind {
                user: text(parts.next()?)?,
                password: text(parts.next()?)?,
            }
        }
        2 => Request::Unbind,
        3 => {
            let mut parts = operation.expect_constructed()?.into_iter();
            let base = text(parts.next()?)?;
            let size_limit = number(parts.nth(2)?)?;
            let time_limit = number(parts.next()?)?;
            let attributes = parts.nth(2)?.expect_constructed()?;
            Request::Search {
                base,
                attributes: attributes.into_iter().map(text).collect::<Option<_>>()?,
                size_limit,
                time_limit,
                page: controls.into_iter().find_map(page),
            }
        }
        6 => {
            let mut parts = operation.expect_constructed()?.into_iter();
            let dn = text(parts.next()?)?;
            let changes = parts.next()?.expect_constructed()?;
            Request::Modify {
                dn,
                changes: changes.into_iter().map(change).collect::<Option<_>>()?,
            }
        }
        23 => Request::StartTls,
        other => Request::Other(other),
    };
    Some((id, request))
}

fn change(tag: StructureTag) -> Option<(u64, String, Vec<u8>)> {
    let mut parts = tag.expect_constructed()?.into_iter();
    let kind = number(parts.next()?)?;
    let mut parts = parts.next()?.expect_constructed()?.into_iter();
    let name = text(parts.next()?)?;
    let value = parts
        .next()?
        .expect_constructed()?
        .into_iter()
        .next()?
        .expect_primitive()?;
    Some((kind, name, value))
}

fn page(control: StructureTag) -> Option<Page> {
    let parts = control.expect_constructed()?;
    let is_critical = parts.len() == 3;
    let value = parts.into_iter().last()?.expect_primitive()?;
    let (_, value) = lber::parse::parse_tag(&value).ok()?;
    let mut parts = value.expect_constructed()?.into_iter();
    let size = number(parts.next()?)?;
    Some(Page {
        is_critical,
        size,
        cookie: parts.next()?.expect_primitive()?,
    })
}

fn number(tag: StructureTag) -> Option<u64> {
    let bytes = tag.expect_primitive()?;
    Some(bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

fn text(tag: StructureTag) -> Option<String> {
    String::from_utf8(tag.expect_primitive()?).ok()
}

/// Encodes the response message for an action.
pub(super) fn encoded(id: u64, request: &Request, action: Action) -> Vec<u8> {
    let done = match request {
        Request::Bind { .. } => 1,
        Request::Search { .. } => 5,
        Request::Modify { .. } => 7,
        _ => 24,
    };
    let (operation, control) = match action {
        Action::Entry(dn, attributes) => {
            let attributes = attributes.into_iter().map(|(name, values)| {
                let values = values.into_iter().map(|value| octets(&value)).collect();
                sequence(vec![
                    octets(name.as_bytes()),
                    constructed(TagClass::Universal, 17, values),
                ])
            });
            let parts = vec![octets(dn.as_bytes()), sequence(attributes.collect())];
            (constructed(TagClass::Application, 4, parts), None)
        }
        Action::Reference(url) => (
            constructed(TagClass::Application, 19, vec![octets(url.as_bytes())]),
            None,
        ),
        Action::Done(code, text) => (result(done, code, text), None),
        Action::Page(cookie) => (result(done, 0, ""), Some(cookie)),
        Action::Raw(bytes) => return bytes,
        Action::Hang | Action::Close => return Vec::new(),
    };
    let mut message = vec![integer(2, id), operation];
    if let Some(cookie) = control {
        let mut value = BytesMut::new();
        let page = sequence(vec![integer(2, 0), octets(&cookie)]);
        lber::write::encode_into(&mut value, page).expect("encoded");
        let control = sequence(vec![octets(b"1.2.840.113556.1.4.319"), octets(&value)]);
        message.push(constructed(TagClass::Context, 0, vec![control]));
    }
    let mut bytes = BytesMut::new();
    lber::write::encode_into(&mut bytes, sequence(message)).expect("encoded");
    bytes.to_vec()
}

fn result(operation: u64, code: u32, text: &str) -> StructureTag {
    let parts = vec![integer(10, code.into()), octets(b""), octets(text.as_bytes())];
    constructed(TagClass::Application, operation, parts)
}

fn integer(id: u64, value: u64) -> StructureTag {
    let bytes = value.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
    // A set first bit would make it negative.
    let mut content = vec![0; usize::from(bytes[first] > 0x7F)];
    content.extend_from_slice(&bytes[first..]);
    StructureTag {
        class: TagClass::Universal,
        id,
        payload: PL::P(content),
    }
}

fn octets(bytes: &[u8]) -> StructureTag {
    StructureTag {
        class: TagClass::Universal,
        id: 4,
        payload: PL::P(bytes.to_vec()),
    }
}

fn sequence(parts: Vec<StructureTag>) -> StructureTag {
    constructed(TagClass::Universal, 16, parts)
}

fn constructed(class: TagClass, id: u64, parts: Vec<StructureTag>) -> StructureTag {
    StructureTag {
        class,
        id,
        payload: PL::C(parts),
    }
}
