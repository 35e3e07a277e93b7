//! The record as bytes. Big-endian throughout:
//!
//! ```text
//! version  1      = 1
//! flags    1      1 has PIN, 2 expired, 4 first time, 8 locked
//! epoch    16
//! set at   8      only with a PIN
//! locked   8      only when locked
//! derivations     count (1), each: salt (16), memory in KiB (4), iterations (4), parallelism (4)
//! current         only with a PIN: PIN id (16), derivation index (1), verifier (32)
//! history         count (1), each like the current PIN
//! ```

use zeroize::Zeroizing;

use super::{CredentialRecord, MAX_HISTORY, StoredPin};
use crate::credential::encoding::{DecodeError, Reader};
use crate::credential::kdf::{Cost, KdfParams, PinVerifier};

const VERSION: u8 = 1;
const HAS_PIN: u8 = 1;
const EXPIRED: u8 = 2;
const FIRST_TIME: u8 = 4;
const LOCKED: u8 = 8;

const PARAMS_LENGTH: usize = 16 + 3 * 4;
const PIN_LENGTH: usize = 16 + 1 + 32;
const FIXED_LENGTH: usize = 1 + 1 + 16 + 8 + 8 + 1 + PIN_LENGTH + 1;

impl CredentialRecord {
    /// The length of [`Self::encode`] with a full history, all of it from one derivation.
    pub const FULL_LENGTH: usize = FIXED_LENGTH + PARAMS_LENGTH + MAX_HISTORY * PIN_LENGTH;

    /// The bytes to be sealed.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Large enough from the start: a buffer that grows leaves verifiers behind unwiped.
        let mut out = Zeroizing::new(Vec::with_capacity(
            FIXED_LENGTH + self.kdf_params.len() * PARAMS_LENGTH + self.history.len() * PIN_LENGTH,
        ));
        let flag = |condition: bool, bit: u8| if condition { bit } else { 0 };
        out.push(VERSION);
        out.push(
            flag(self.current.is_some(), HAS_PIN)
                | flag(self.expired, EXPIRED)
                | flag(self.first_time, FIRST_TIME)
                | flag(self.locked_at.is_some(), LOCKED),
        );
        out.extend_from_slice(&self.epoch);
        for time in [self.set_at, self.locked_at].into_iter().flatten() {
            out.extend_from_slice(&time.0.to_be_bytes());
        }
        out.push(count(self.kdf_params.len()));
        for params in &self.kdf_params {
            let Cost {
                memory_kib,
                iterations,
                parallelism,
            } = params.cost;
            out.extend_from_slice(&params.salt);
            for number in [memory_kib, iterations, parallelism] {
                out.extend_from_slice(&number.to_be_bytes());
            }
        }
        if let Some(pin) = &self.current {
            push_pin(&mut out, pin);
        }
        out.push(count(self.history.len()));
        for pin in &self.history {
            push_pin(&mut out, pin);
        }
        out
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`DecodeError`], for every other sequence of bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::versioned(bytes, VERSION)?;
        let flags = reader.flags(HAS_PIN | EXPIRED | FIRST_TIME | LOCKED)?;
        let has_pin = flags & HAS_PIN != 0;
        let epoch = reader.array()?;
        let set_at = has_pin.then(|| reader.timestamp()).transpose()?;
        let locked_at = (flags & LOCKED != 0).then(|| reader.timestamp()).transpose()?;
        let kdf_params = read_params(&mut reader)?;
        let current = has_pin.then(|| read_pin(&mut reader, kdf_params.len())).transpose()?;
        let history_length = usize::from(reader.byte()?);
        if history_length > if has_pin { MAX_HISTORY } else { 0 } {
            return Err(DecodeError::Impossible("history"));
        }
        let history: Vec<StoredPin> = (0..history_length)
            .map(|_| read_pin(&mut reader, kdf_params.len()))
            .collect::<Result<_, _>>()?;
        reader.end()?;
        for index in 0..kdf_params.len() {
            if !(current.iter().chain(&history)).any(|pin| usize::from(pin.params) == index) {
                return Err(DecodeError::Impossible("derivations"));
            }
        }
        Ok(Self {
            kdf_params,
            current,
            history,
            set_at,
            expired: flags & EXPIRED != 0,
            locked_at,
            first_time: flags & FIRST_TIME != 0,
            epoch,
        })
    }
}

fn count(length: usize) -> u8 {
    u8::try_from(length).expect("a record holds at most 20 of anything")
}

fn push_pin(out: &mut Vec<u8>, pin: &StoredPin) {
    out.extend_from_slice(&pin.pin_id);
    out.push(pin.params);
    out.extend_from_slice(pin.verifier.as_bytes());
}

fn read_params(reader: &mut Reader<'_>) -> Result<Vec<KdfParams>, DecodeError> {
    let length = usize::from(reader.byte()?);
    if length > MAX_HISTORY + 1 {
        return Err(DecodeError::Impossible("derivations"));
    }
    let mut kdf_params = Vec::with_capacity(length);
    for _ in 0..length {
        let params = KdfParams {
            salt: reader.array()?,
            cost: Cost {
                memory_kib: reader.u32()?,
                iterations: reader.u32()?,
                parallelism: reader.u32()?,
            },
        };
        if !params.cost.is_acceptable() {
            return Err(DecodeError::Impossible("cost"));
        }
        if kdf_params.contains(&params) {
            return Err(DecodeError::Impossible("derivations"));
        }
        kdf_params.push(params);
    }
    Ok(kdf_params)
}

fn read_pin(reader: &mut Reader<'_>, kdf_params: usize) -> Result<StoredPin, DecodeError> {
    let pin_id = reader.array()?;
    let params = reader.byte()?;
    if usize::from(params) >= kdf_params {
        return Err(DecodeError::Impossible("derivation"));
    }
    let verifier = PinVerifier::new(reader.array()?);
    Ok(StoredPin {
        pin_id,
        params,
        verifier,
    })
}
