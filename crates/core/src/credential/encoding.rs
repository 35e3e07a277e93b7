//! Reads the binary encodings of this module: every length is fixed or counted, and trailing bytes are an error.

use thiserror::Error;

use crate::clock::Timestamp;
use crate::{Error as CrateError, ErrorCode};

/// Why opened bytes cannot be decoded: they passed the seal, so this is a newer version or a defect, not an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Written by a version of this library that this one does not know.
    #[error("its encoding has the unknown version {0}")]
    UnsupportedVersion(u8),
    /// Ends too early.
    #[error("it is truncated")]
    Truncated,
    /// Has trailing bytes.
    #[error("it has bytes after its end")]
    TrailingBytes,
    /// A field has a value that is never written.
    #[error("its field `{0}` is impossible")]
    Impossible(&'static str),
}

impl From<DecodeError> for CrateError {
    fn from(error: DecodeError) -> Self {
        let wrapped = CrateError::new(
            ErrorCode::StoreCorrupt,
            format!("A credential value in the store cannot be read: {error}."),
        );
        match error {
            DecodeError::UnsupportedVersion(_) => {
                wrapped.action("Update umpin on this computer to the version that wrote the store.")
            }
            _ => wrapped,
        }
    }
}

pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts behind the version byte.
    pub(super) fn versioned(bytes: &'a [u8], version: u8) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            None => Err(DecodeError::Truncated),
            Some((&found, rest)) if found == version => Ok(Self(rest)),
            Some((&found, _)) => Err(DecodeError::UnsupportedVersion(found)),
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn timestamp(&mut self) -> Result<Timestamp, DecodeError> {
        self.array().map(|bytes| Timestamp(i64::from_be_bytes(bytes)))
    }

    /// A byte of flags of which only those in `known` may be set.
    pub(super) fn flags(&mut self, known: u8) -> Result<u8, DecodeError> {
        let flags = self.byte()?;
        if flags & !known == 0 {
            Ok(flags)
        } else {
            Err(DecodeError::Impossible("flags"))
        }
    }

    pub(super) fn end(self) -> Result<(), DecodeError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes)
        }
    }
}
