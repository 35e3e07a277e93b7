//! Sealed values: without the key they cannot be read, altered or moved to another mailbox, store or purpose.
//!
//! ```text
//! magic    3    "UMP"
//! version  1    = 1
//! key id   8    which master key, in the clear
//! nonce    24   random
//! the rest      XChaCha20-Poly1305 under the purpose's sub-key; 16 bytes longer than the plaintext
//! ```
//! Associated data: purpose (length, label), magic, version, key id, store id, object id.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use rand::TryCryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::master_key::{KeyId, Purpose};
use crate::mailbox::ObjectId;
use crate::random::random_bytes;
use crate::{Error as CrateError, ErrorCode, Result as CrateResult};

const MAGIC: &[u8; 3] = b"UMP";
const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;
const HEADER_LENGTH: usize = 3 + 1 + 8 + NONCE_LENGTH;

/// The length of a sealed value less that of its content.
pub const OVERHEAD: usize = HEADER_LENGTH + TAG_LENGTH;

/// Whether a value has the format of a sealed value; others are of another program.
#[must_use]
pub fn is_sealed(value: &[u8]) -> bool {
    value.starts_with(MAGIC)
}

/// The authentication tag, which is unique to each sealing, also of the same content. All zero for a value that is too short.
#[must_use]
pub fn tag(sealed: &[u8]) -> [u8; TAG_LENGTH] {
    sealed.last_chunk().copied().unwrap_or_default()
}

/// The key id of a sealed value; `None` for a value that is not sealed.
#[must_use]
pub fn key_id(sealed: &[u8]) -> Option<KeyId> {
    Header::parse(sealed).ok().map(|header| header.key_id)
}

/// The context of a sealed value, in which alone it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealContext {
    /// The directory's id ([`crate::directory::Directory::store_id`]).
    pub store_id: [u8; 16],
    /// The mailbox.
    pub object_id: ObjectId,
}

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Sealed under a key that is not in the ring.
    #[error("it is sealed under the key {0}, which is not among the configured keys")]
    UnknownKey(KeyId),
    /// Not a sealed value, altered, or moved to another context.
    #[error("it is damaged, was altered or belongs to another mailbox or store")]
    Damaged,
    /// Sealed by a version of this library that this one does not know.
    #[error("its format has the unknown version {0}")]
    UnsupportedVersion(u8),
}

impl From<OpenError> for CrateError {
    fn from(error: OpenError) -> Self {
        let message = format!("A protected value in the store cannot be opened: {error}.");
        match error {
            OpenError::UnknownKey(id) => CrateError::new(ErrorCode::KeyUnavailable, message)
                .action("Restore the key file with this key id from its backup and configure it.")
                .detail("keyId", id.to_string()),
            OpenError::Damaged => CrateError::new(ErrorCode::StoreCorrupt, message),
            OpenError::UnsupportedVersion(_) => CrateError::new(ErrorCode::StoreCorrupt, message)
                .action("Update umpin on this computer to the version that wrote the store."),
        }
    }
}

struct Header<'a> {
    key_id: KeyId,
    nonce: [u8; NONCE_LENGTH],
    ciphertext: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(sealed: &'a [u8]) -> Result<Self, OpenError> {
        let rest = sealed.strip_prefix(MAGIC).ok_or(OpenError::Damaged)?;
        let (&version, rest) = rest.split_first().ok_or(OpenError::Damaged)?;
        if version != VERSION {
            return Err(OpenError::UnsupportedVersion(version));
        }
        let (&key_id, rest) = rest.split_first_chunk().ok_or(OpenError::Damaged)?;
        let (&nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Damaged)?;
        if ciphertext.len() < TAG_LENGTH {
            return Err(OpenError::Damaged);
        }
        Ok(Self {
            key_id: KeyId(key_id),
            nonce,
            ciphertext,
        })
    }
}

fn associated_data(purpose: Purpose, key_id: KeyId, context: &SealContext) -> Vec<u8> {
    let label = purpose.label().as_bytes();
    let mut data = Vec::with_capacity(1 + label.len() + 3 + 1 + 8 + 16 + 16);
    data.push(u8::try_from(label.len()).expect("labels are short"));
    data.extend_from_slice(label);
    data.extend_from_slice(MAGIC);
    data.push(VERSION);
    data.extend_from_slice(&key_id.0);
    data.extend_from_slice(&context.store_id);
    data.extend_from_slice(&context.object_id.0);
    data
}

/// Seals a value under this key.
///
/// # Errors
/// Those of the generator.
pub(super) fn seal<R: TryCryptoRng + ?Sized>(
    (key_id, key): (KeyId, &[u8; 32]),
    purpose: Purpose,
    context: &SealContext,
    plaintext: &[u8],
    rng: &mut R,
) -> CrateResult<Vec<u8>> {
    let nonce: [u8; NONCE_LENGTH] = random_bytes(rng)?;
    let mut sealed = Vec::with_capacity(OVERHEAD + plaintext.len());
    sealed.extend_from_slice(MAGIC);
    sealed.push(VERSION);
    sealed.extend_from_slice(&key_id.0);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plaintext);
    let tag = XChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(
            &nonce.into(),
            &associated_data(purpose, key_id, context),
            (&mut sealed[HEADER_LENGTH..]).into(),
        )
        .map_err(|_| CrateError::new(ErrorCode::NativeFault, "A value could not be sealed."))?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Opens a value under the key that `key` has for its key id.
///
/// # Errors
/// [`OpenError`].
pub(super) fn open<'a>(
    key: impl FnOnce(KeyId) -> Option<&'a [u8; 32]>,
    purpose: Purpose,
    context: &SealContext,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let header = Header::parse(sealed)?;
    let key = key(header.key_id).ok_or(OpenError::UnknownKey(header.key_id))?;
    let (body, tag) = header
        .ciphertext
        .split_last_chunk::<TAG_LENGTH>()
        .ok_or(OpenError::Damaged)?;
    let mut plaintext = Zeroizing::new(body.to_vec());
    XChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(
            &header.nonce.into(),
            &associated_data(purpose, header.key_id, context),
            plaintext.as_mut_slice().into(),
            tag.into(),
        )
        .map_err(|_| OpenError::Damaged)?;
    Ok(plaintext)
}

#[cfg(test)]
mod tests;
