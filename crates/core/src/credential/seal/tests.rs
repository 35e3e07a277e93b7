use std::fmt;

use proptest::prelude::*;
use rand::TryRng;
use rand::rngs::SysRng;

use super::*;
use crate::credential::keyring::KeyRing;
use crate::credential::master_key::MasterKey;

const CONTEXT: SealContext = SealContext {
    store_id: [1; 16],
    object_id: ObjectId([2; 16]),
};

fn ring(active: u8, others: &[u8]) -> KeyRing {
    let others: Vec<MasterKey> = others.iter().map(|&b| MasterKey::new(&[b; 32])).collect();
    KeyRing::new(&MasterKey::new(&[active; 32]), &others)
}

fn seal(ring: &KeyRing, plaintext: &[u8]) -> Vec<u8> {
    ring.seal(Purpose::Record, &CONTEXT, plaintext, &mut SysRng).unwrap()
}

#[test]
fn every_single_bit_matters() {
    let ring = ring(1, &[]);
    let sealed = seal(&ring, b"some content");
    assert_eq!(sealed.len(), OVERHEAD + 12);
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = ring
            .open(Purpose::Record, &CONTEXT, &flipped)
            .expect_err("an altered value must not open");
        match bit / 8 {
            3 => assert!(matches!(error, OpenError::UnsupportedVersion(_)), "{bit}"),
            4..12 => assert!(matches!(error, OpenError::UnknownKey(_)), "{bit}"),
            _ => assert_eq!(error, OpenError::Damaged, "{bit}"),
        }
    }
}

/// Were the key id outside the associated data, a value could be passed off as sealed under another key of the same bytes.
#[test]
fn every_part_of_the_associated_data_matters() {
    let base = associated_data(Purpose::Record, KeyId([3; 8]), &CONTEXT);
    let mut store = CONTEXT;
    store.store_id[0] ^= 1;
    let mut object = CONTEXT;
    object.object_id.0[15] ^= 1;
    for other in [
        associated_data(Purpose::Counter, KeyId([3; 8]), &CONTEXT),
        associated_data(Purpose::Record, KeyId([4; 8]), &CONTEXT),
        associated_data(Purpose::Record, KeyId([3; 8]), &store),
        associated_data(Purpose::Record, KeyId([3; 8]), &object),
    ] {
        assert_ne!(other, base);
    }
}

#[test]
fn a_value_opens_only_where_it_belongs() {
    let ring = ring(1, &[]);
    let sealed = seal(&ring, b"some content");
    for bit in 0..256 {
        let mut elsewhere = CONTEXT;
        if bit < 128 {
            elsewhere.store_id[bit / 8] ^= 1 << (bit % 8);
        } else {
            elsewhere.object_id.0[bit / 8 - 16] ^= 1 << (bit % 8);
        }
        let result = ring.open(Purpose::Record, &elsewhere, &sealed);
        assert_eq!(result, Err(OpenError::Damaged), "{bit}");
    }
    let swapped = SealContext {
        store_id: CONTEXT.object_id.0,
        object_id: ObjectId(CONTEXT.store_id),
    };
    assert!(ring.open(Purpose::Record, &swapped, &sealed).is_err());
    for purpose in [Purpose::Counter, Purpose::Outbox, Purpose::Audit] {
        let result = ring.open(purpose, &CONTEXT, &sealed);
        assert_eq!(result, Err(OpenError::Damaged), "{purpose:?}");
    }
}

#[test]
fn a_new_key_opens_old_values_and_reseals_them() {
    let old = ring(1, &[]);
    let both = ring(2, &[1]);
    let new = ring(2, &[]);
    let sealed = seal(&old, b"some content");
    assert!(key_id(&sealed) != Some(both.active()));
    let resealed = both.reseal(Purpose::Record, &CONTEXT, &sealed, &mut SysRng).unwrap();
    assert!(key_id(&resealed) == Some(both.active()));
    let opened = new.open(Purpose::Record, &CONTEXT, &resealed).unwrap();
    assert_eq!(opened.as_slice(), b"some content");

    let unknown = new.open(Purpose::Record, &CONTEXT, &sealed).unwrap_err();
    assert_eq!(unknown, OpenError::UnknownKey(old.active()));
    let error = CrateError::from(unknown);
    assert_eq!(error.code(), ErrorCode::KeyUnavailable);
    assert!(error.message().contains(&old.active().to_string()));
}

#[test]
fn damage_is_reported_as_a_corrupt_store() {
    for error in [OpenError::Damaged, OpenError::UnsupportedVersion(9)] {
        assert_eq!(CrateError::from(error).code(), ErrorCode::StoreCorrupt);
    }
}

#[test]
fn sealing_twice_gives_two_values() {
    let ring = ring(1, &[]);
    assert_ne!(seal(&ring, b"x"), seal(&ring, b"x"));
}

/// A generator that is out of order.
struct Broken;

#[derive(Debug)]
struct OutOfOrder;

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of order")
    }
}

impl std::error::Error for OutOfOrder {}

impl TryRng for Broken {
    type Error = OutOfOrder;

    fn try_next_u32(&mut self) -> Result<u32, OutOfOrder> {
        Err(OutOfOrder)
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfOrder> {
        Err(OutOfOrder)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), OutOfOrder> {
        Err(OutOfOrder)
    }
}

impl TryCryptoRng for Broken {}

#[test]
fn nothing_is_sealed_without_randomness() {
    let error = ring(1, &[])
        .seal(Purpose::Record, &CONTEXT, b"x", &mut Broken)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::NativeFault);
    assert!(format!("{error:?}").contains("out of order"));
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_no_part_of_it_does(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let ring = ring(1, &[2]);
        let sealed = seal(&ring, &content);
        let opened = ring.open(Purpose::Record, &CONTEXT, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), content.as_slice());
        for length in 0..sealed.len() {
            prop_assert_eq!(ring.open(Purpose::Record, &CONTEXT, &sealed[..length]), Err(OpenError::Damaged));
        }
        let longer = [sealed.as_slice(), &[0]].concat();
        prop_assert_eq!(ring.open(Purpose::Record, &CONTEXT, &longer), Err(OpenError::Damaged));
    }

    #[test]
    fn arbitrary_bytes_do_not_open(mut bytes in prop::collection::vec(any::<u8>(), 0..200), plausible: bool) {
        let ring = ring(1, &[]);
        if plausible && bytes.len() >= 12 {
            bytes[..4].copy_from_slice(b"UMP\x01");
            bytes[4..12].copy_from_slice(&ring.active().0);
        }
        prop_assert!(ring.open(Purpose::Record, &CONTEXT, &bytes).is_err());
    }
}
