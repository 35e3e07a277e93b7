//! Sealed values as they lie in stores: what was written once must open and mean the same for ever, and be written the same way.
//!
//! A change that breaks one of these tests loses every PIN in the field. A new format gets a new version and new fixtures beside
//! the old ones: `cargo test --test contract golden_credential -- --ignored` writes fixtures that do not exist yet.

use std::convert::Infallible;
use std::path::PathBuf;

use rand::{TryCryptoRng, TryRng};
use umpin::clock::Timestamp;
use umpin::credential::counter::FailureCounter;
use umpin::credential::kdf::{Cost, KdfContext, KdfParams, PinVerifier, PinVerifiers};
use umpin::credential::keyring::KeyRing;
use umpin::credential::master_key::{MasterKey, Purpose};
use umpin::credential::record::{CredentialRecord, NewPin, PinState};
use umpin::credential::seal::SealContext;
use umpin::mailbox::ObjectId;
use umpin::pin::Pin;

const CONTEXT: SealContext = SealContext {
    store_id: *b"golden store id.",
    object_id: ObjectId(*b"golden object id"),
};
const NONCE: &[u8; 24] = b"golden nonce, 24 bytes!!";
const SALT: [u8; 16] = *b"golden salt 16 b";

/// Gives one nonce; anything else it is asked for is a change of format.
struct FixedNonce;

impl TryRng for FixedNonce {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("a seal needs nothing but a nonce")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("a seal needs nothing but a nonce")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(NONCE);
        Ok(())
    }
}

impl TryCryptoRng for FixedNonce {}

fn ring() -> KeyRing {
    KeyRing::new(&MasterKey::new(b"golden master key, 32 bytes long"), &[])
}

fn never_set() -> CredentialRecord {
    CredentialRecord::never_set([0xe1; 16])
}

/// What a plain reset leaves: one PIN, 482913, to be changed.
fn one_pin() -> CredentialRecord {
    let params = KdfParams {
        salt: SALT,
        cost: Cost::STANDARD,
    };
    let verifier = KdfContext::new()
        .derive(&Pin::new("482913".to_owned()), &params)
        .unwrap();
    CredentialRecord::never_set([0; 16]).with_new_pin(NewPin {
        pin_id: [0xa1; 16],
        params,
        verifier,
        set_at: Timestamp(1_700_000_000_000),
        expired: true,
        locked_at: None,
        by_user: false,
        epoch: [0xe2; 16],
    })
}

/// Every field at work: locked, the user's own PIN, a full history over three derivations.
fn full() -> CredentialRecord {
    let mut record = CredentialRecord::never_set([0xe3; 16]);
    for n in 0..25_u8 {
        let params = KdfParams {
            salt: [n / 10; 16],
            cost: Cost {
                memory_kib: 1024 * (1 + u32::from(n / 10)),
                iterations: 2 + u32::from(n / 10),
                parallelism: 1 + u32::from(n / 10),
            },
        };
        record = record.with_new_pin(NewPin {
            pin_id: [n; 16],
            params,
            verifier: PinVerifier::new([0x40 + n; 32]),
            set_at: Timestamp(1_700_000_000_000 + i64::from(n)),
            expired: false,
            locked_at: None,
            by_user: true,
            epoch: [0xe3; 16],
        });
    }
    record.locked(Timestamp(-1))
}

fn counter() -> FailureCounter {
    FailureCounter {
        epoch: [0xe2; 16],
        failures: 7,
        failures_since_reset: 2,
        last_failure_at: Some(Timestamp(1_700_000_123_456)),
        locked_at: None,
    }
}

fn locked_out() -> FailureCounter {
    counter().locked(Timestamp(1_700_000_123_457))
}

fn no_failures() -> FailureCounter {
    FailureCounter::zero([0xe2; 16])
}

struct Fixture {
    name: &'static str,
    purpose: Purpose,
    content: Vec<u8>,
}

fn fixtures() -> Vec<Fixture> {
    let record = |name, record: CredentialRecord| Fixture {
        name,
        purpose: Purpose::Record,
        content: record.encode().to_vec(),
    };
    let counter_of = |name, counter: FailureCounter| Fixture {
        name,
        purpose: Purpose::Counter,
        content: counter.encode(),
    };
    vec![
        record("record-v1-never-set", never_set()),
        record("record-v1-one-pin", one_pin()),
        record("record-v1-full", full()),
        counter_of("counter-v1-failures", counter()),
        counter_of("counter-v1-none", no_failures()),
        counter_of("counter-v1-locked", locked_out()),
    ]
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/credential")
        .join(format!("{name}.hex"))
}

fn read(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(path(name)).expect("the fixture is committed");
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn open(name: &str, purpose: Purpose) -> Vec<u8> {
    ring().open(purpose, &CONTEXT, &read(name)).unwrap().to_vec()
}

fn seal(fixture: &Fixture) -> Vec<u8> {
    ring()
        .seal(fixture.purpose, &CONTEXT, &fixture.content, &mut FixedNonce)
        .unwrap()
}

#[test]
fn values_are_written_as_they_always_were() {
    for fixture in fixtures() {
        assert!(seal(&fixture) == read(fixture.name), "{} changed", fixture.name);
    }
}

#[test]
fn a_record_without_pin_means_what_it_meant() {
    let record = CredentialRecord::decode(&open("record-v1-never-set", Purpose::Record)).unwrap();
    assert_eq!(record, never_set());
    assert_eq!((record.current(), record.set_at()), (None, None));
    assert!(record.first_time && !record.expired);
}

#[test]
fn a_pin_of_old_is_still_recognised() {
    let record = CredentialRecord::decode(&open("record-v1-one-pin", Purpose::Record)).unwrap();
    let current = record.current().unwrap();
    let params = KdfParams {
        salt: SALT,
        cost: Cost::STANDARD,
    };
    assert_eq!(record.params_of(current), &params);
    let mut kdf = KdfContext::new();
    let mut is_current = |pin: &str| {
        let mut verifiers = PinVerifiers::new(Pin::new(pin.to_owned()));
        record.is_current(&mut verifiers, &mut kdf).unwrap()
    };
    assert!(is_current("482913"));
    assert!(!is_current("482914"));
    assert_eq!(record.pin_state([0xa1; 16]), PinState::Current);
    assert_eq!(record.set_at(), Some(Timestamp(1_700_000_000_000)));
    assert!(record.expired && record.first_time && record.locked_at.is_none());
    assert_eq!(record.epoch, [0xe2; 16]);
}

#[test]
fn a_full_record_means_what_it_meant() {
    let record = CredentialRecord::decode(&open("record-v1-full", Purpose::Record)).unwrap();
    assert_eq!(record, full());
    assert_eq!((record.history().len(), record.kdf_params().len()), (19, 3));
    assert_eq!(record.history()[18].verifier, PinVerifier::new([0x40 + 5; 32]));
    assert_eq!(record.pin_state([5; 16]), PinState::Superseded);
    assert_eq!(record.pin_state([4; 16]), PinState::Unknown);
}

#[test]
fn counters_mean_what_they_meant() {
    let decode = |name| FailureCounter::decode(&open(name, Purpose::Counter)).unwrap();
    assert_eq!(decode("counter-v1-failures"), counter());
    assert_eq!(decode("counter-v1-none"), no_failures());
    assert_eq!(decode("counter-v1-locked"), locked_out());
}

#[test]
#[ignore = "writes fixtures"]
fn write_fixtures_that_do_not_exist_yet() {
    for fixture in fixtures() {
        let path = path(fixture.name);
        if path.exists() {
            continue;
        }
        let hex: Vec<String> = seal(&fixture).iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<String> = hex.chunks(32).map(|line| line.concat()).collect();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
    }
}
