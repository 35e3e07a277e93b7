//! Parses LDAP messages as far as the relay needs (RFC 4511, 4.1.1 and 5.1).

use lber::structure::{PL, StructureTag};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The protocol operation of a message, by its tag (RFC 4511, appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation(u64);

impl Operation {
    pub const BIND: Self = Self(0);
    pub const SEARCH: Self = Self(3);
    pub const MODIFY: Self = Self(6);
    /// A search result entry, and the end of the result.
    pub(super) const ENTRY: Self = Self(4);
    pub(super) const DONE: Self = Self(5);
}

/// The limits in a search request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    /// `sizeLimit`; 0: no limit.
    pub most: usize,
    /// Whether it has the paged results control (RFC 2696).
    pub is_paged: bool,
}

const PAGED: &[u8] = b"1.2.840.113556.1.4.319";

/// A whole message.
pub struct Message {
    pub bytes: Vec<u8>,
    pub id: Vec<u8>,
    pub operation: Operation,
    /// The `resultCode` of a final response (4.1.9).
    pub result_code: Option<u8>,
    /// The limits of a search.
    pub(super) amount: Option<Amount>,
}

impl Message {
    /// `None` at the end of the connection.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut bytes = vec![0; 2];
        from.read_exact(&mut bytes).await.ok()?;
        let mut length = usize::from(bytes[1]);
        if length >= 0x80 {
            // The number of length octets (X.690, 8.1.3.5).
            let mut long = vec![0; length & 0x7f];
            from.read_exact(&mut long).await.ok()?;
            length = long.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            bytes.extend(long);
        }
        let start = bytes.len();
        bytes.resize(start + length, 0);
        from.read_exact(&mut bytes[start..]).await.ok()?;
        let (_, message) = lber::parse::parse_tag(&bytes).expect("a message of LDAP");
        let [id, operation, controls @ ..] = children(&message)? else {
            panic!("{message:?} is no message of LDAP");
        };
        Some(Self {
            id: primitive(id)?.to_vec(),
            operation: Operation(operation.id),
            amount: (Operation(operation.id) == Operation::SEARCH)
                .then(|| amount(operation, controls))
                .flatten(),
            result_code: children(operation)
                .and_then(<[_]>::first)
                .and_then(primitive)
                .and_then(|code| code.last().copied()),
            bytes,
        })
    }
}

/// RFC 4511, 4.5.1 and 4.1.11.
fn amount(search: &StructureTag, controls: &[StructureTag]) -> Option<Amount> {
    let most = primitive(children(search)?.get(3)?)?;
    let is_page = |control: &StructureTag| children(control).and_then(<[_]>::first).and_then(primitive) == Some(PAGED);
    Some(Amount {
        most: most.iter().fold(0, |number, byte| (number << 8) | usize::from(*byte)),
        is_paged: controls
            .first()
            .and_then(children)
            .is_some_and(|all| all.iter().any(is_page)),
    })
}

/// Encodes a search result done with `sizeLimitExceeded`.
pub(super) fn size_limit_exceeded(id: &[u8]) -> Vec<u8> {
    let length = u8::try_from(id.len()).expect("a message id");
    let mut bytes = vec![0x30, length + 11, 0x02, length];
    bytes.extend(id);
    bytes.extend([0x65, 7, 0x0a, 1, 4, 0x04, 0, 0x04, 0]);
    bytes
}

fn children(tag: &StructureTag) -> Option<&[StructureTag]> {
    match &tag.payload {
        PL::C(children) => Some(children),
        PL::P(_) => None,
    }
}

fn primitive(tag: &StructureTag) -> Option<&[u8]> {
    match &tag.payload {
        PL::P(value) => Some(value),
        PL::C(_) => None,
    }
}
