//! LDAP messages as far as somebody in between must know them (RFC 4511, 4.1.1 and 5.1).

use lber::structure::{PL, StructureTag};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a message asks for or answers, by the number of its tag (RFC 4511, appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operation(u64);

impl Operation {
    pub const BIND: Self = Self(0);
    pub const SEARCH: Self = Self(3);
    pub const MODIFY: Self = Self(6);
}

/// A whole message.
pub struct Message {
    pub bytes: Vec<u8>,
    pub id: Vec<u8>,
    pub operation: Operation,
    /// Of an answer that ends something (4.1.9).
    pub result_code: Option<u8>,
}

impl Message {
    /// `None` where the connection ends.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut bytes = vec![0; 2];
        from.read_exact(&mut bytes).await.ok()?;
        let mut length = usize::from(bytes[1]);
        if length >= 0x80 {
            // So many bytes of length follow (X.690, 8.1.3.5).
            let mut long = vec![0; length & 0x7f];
            from.read_exact(&mut long).await.ok()?;
            length = long.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            bytes.extend(long);
        }
        let start = bytes.len();
        bytes.resize(start + length, 0);
        from.read_exact(&mut bytes[start..]).await.ok()?;
        let (_, message) = lber::parse::parse_tag(&bytes).expect("a message of LDAP");
        let [id, operation, ..] = children(&message)? else {
            panic!("{message:?} is no message of LDAP");
        };
        Some(Self {
            id: primitive(id)?.to_vec(),
            operation: Operation(operation.id),
            result_code: children(operation)
                .and_then(<[_]>::first)
                .and_then(primitive)
                .and_then(|code| code.last().copied()),
            bytes,
        })
    }
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
