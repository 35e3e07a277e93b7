use proptest::prelude::*;

use super::*;
use crate::credential::DecodeError;
use crate::pin::Pin;
use crate::policy::Limit;

const OLD: Cost = Cost {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};
const NEW: Cost = Cost {
    memory_kib: 16,
    iterations: 1,
    parallelism: 1,
};
const DAY: i64 = 86_400_000;

fn verifiers(pin: &str) -> PinVerifiers {
    PinVerifiers::new(Pin::new(pin.to_owned()))
}

/// Sets a PIN as a reset does.
fn reset(record: &CredentialRecord, kdf: &mut KdfContext, pin: &str, cost: Cost) -> CredentialRecord {
    let params = record.params_for(cost).copied().unwrap_or(KdfParams {
        salt: [cost.memory_kib as u8; 16],
        cost,
    });
    let mut pin_id = [0; 16];
    pin_id[..pin.len()].copy_from_slice(pin.as_bytes());
    record.with_new_pin(NewPin {
        pin_id,
        params,
        verifier: verifiers(pin).verifier(&params, kdf).unwrap(),
        set_at: Timestamp(DAY),
        expired: true,
        locked_at: None,
        by_user: false,
        epoch: [7; 16],
    })
}

fn after(pins: &[&str]) -> CredentialRecord {
    let mut kdf = KdfContext::new();
    pins.iter().fold(CredentialRecord::never_set([0; 16]), |record, pin| {
        reset(&record, &mut kdf, pin, OLD)
    })
}

fn reused(record: &CredentialRecord, pin: &str, count: u32) -> bool {
    record
        .is_reused(&mut verifiers(pin), &mut KdfContext::new(), count)
        .unwrap()
}

#[test]
fn the_history_count_includes_the_current_pin() {
    let record = after(&["1111", "2222", "3333"]);
    assert!(reused(&record, "3333", 1));
    assert!(!reused(&record, "2222", 1));
    assert!(reused(&record, "2222", 2));
    assert!(!reused(&record, "1111", 2));
    assert!(reused(&record, "1111", 3));
    assert!(!reused(&record, "4444", 20));
}

#[test]
fn nineteen_former_pins_are_kept_and_no_more() {
    let pins: Vec<String> = (0..25).map(|n| format!("{}", 1000 + n)).collect();
    let record = after(&pins.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(record.history().len(), MAX_HISTORY);
    let locked = record.locked(Timestamp(DAY));
    assert_eq!(locked.encode().len(), CredentialRecord::FULL_LENGTH);
    assert!(reused(&record, "1005", 20));
    assert!(!reused(&record, "1004", u32::MAX));
    assert_eq!(record.pin_state(*b"1024\0\0\0\0\0\0\0\0\0\0\0\0"), PinState::Current);
    assert_eq!(record.pin_state(*b"1005\0\0\0\0\0\0\0\0\0\0\0\0"), PinState::Superseded);
    assert_eq!(record.pin_state(*b"1004\0\0\0\0\0\0\0\0\0\0\0\0"), PinState::Unknown);
}

fn pin_id(pin: &str) -> [u8; 16] {
    let mut id = [0; 16];
    id[..pin.len()].copy_from_slice(pin.as_bytes());
    id
}

/// A PIN after any number of others, and then: its record goes on, or another one that never knew it.
#[test]
fn a_pin_is_lost_where_the_record_goes_on_without_it_and_not_where_it_is_replaced_or_forgotten() {
    let many = |first: usize, count: usize| -> Vec<String> { (first..first + count).map(|n| n.to_string()).collect() };
    let lost = |pins: &[String], before: &[String]| {
        let record = after(&pins.iter().map(String::as_str).collect::<Vec<_>>());
        record.has_lost(pin_id("9999"), before.last().map(|pin| pin_id(pin)))
    };
    for earlier in [0, 1, 5, 18, 19, 20, 25] {
        let before = many(1000, earlier);
        for later in 0..25 {
            let with = [&before[..], &["9999".to_owned()], &many(2000, later)].concat();
            assert!(!lost(&with, &before), "{earlier} before it, {later} after it");
            let without = [&before[..], &many(3000, later)].concat();
            // Nineteen PINs of the other line push the common one out: then nobody can tell any more.
            let tells = later < 20;
            assert_eq!(
                lost(&without, &before),
                tells,
                "{earlier} before, {later} instead of it"
            );
        }
    }
}

#[test]
fn one_derivation_checks_the_whole_history_and_serves_the_new_pin() {
    let record = after(&["1111", "2222", "3333", "4444", "5555"]);
    let mut kdf = KdfContext::new();
    let mut new = verifiers("6666");
    assert!(!record.is_reused(&mut new, &mut kdf, 20).unwrap());
    new.verifier(record.params_for(OLD).unwrap(), &mut kdf).unwrap();
    assert_eq!(kdf.count(), 1);
}

#[test]
fn a_raised_cost_keeps_the_history_checkable_until_it_has_gone() {
    let mut kdf = KdfContext::new();
    let mut record = after(&["1111"]);
    for n in 0..19 {
        record = reset(&record, &mut kdf, &format!("{}", 2000 + n), NEW);
        assert_eq!(record.kdf_params().len(), 2);
        assert!(reused(&record, "1111", 20));
        assert_eq!(CredentialRecord::decode(&record.encode()).unwrap(), record);
    }
    // Only the derivations inside the window cost anything.
    let cost = |count| {
        let mut kdf = KdfContext::new();
        assert!(!record.is_reused(&mut verifiers("4444"), &mut kdf, count).unwrap());
        kdf.count()
    };
    assert_eq!((cost(19), cost(20)), (1, 2), "derivations");
    record = reset(&record, &mut kdf, "9999", NEW);
    assert_eq!(record.kdf_params().len(), 1);
    assert_eq!(record.kdf_params()[0].cost, NEW);
    assert!(!reused(&record, "1111", 20));
    assert!(reused(&record, "2000", 20));
}

#[test]
fn a_mailbox_without_pin_is_expired_and_accepts_none() {
    let record = CredentialRecord::never_set([1; 16]);
    let policy = UmMailboxPolicy::with_defaults("Default");
    assert!(record.is_expired(&policy, Timestamp(0)));
    assert!(record.first_time);
    let mut kdf = KdfContext::new();
    assert!(!record.is_current(&mut verifiers("1111"), &mut kdf).unwrap());
    assert_eq!(kdf.count(), 0);
}

#[test]
fn a_pin_expires_by_mark_or_by_age() {
    let mut policy = UmMailboxPolicy::with_defaults("Default");
    let mut record = after(&["1111"]);
    assert!(record.is_expired(&policy, Timestamp(DAY)));
    record.expired = false;
    assert!(!record.is_expired(&policy, Timestamp(61 * DAY - 1)));
    assert!(record.is_expired(&policy, Timestamp(61 * DAY)));
    policy.pin_lifetime_days = Limit::Of(1);
    assert!(record.is_expired(&policy, Timestamp(2 * DAY)));
    policy.pin_lifetime_days = Limit::Unlimited;
    assert!(!record.is_expired(&policy, Timestamp(i64::MAX)));
}

#[test]
fn only_the_user_ends_the_first_time_state() {
    let record = after(&["1111", "2222"]);
    assert!(record.first_time);
    let params = record.kdf_params()[0];
    let changed = record.with_new_pin(NewPin {
        pin_id: [9; 16],
        params,
        verifier: PinVerifier::new([9; 32]),
        set_at: Timestamp(0),
        expired: false,
        locked_at: None,
        by_user: true,
        epoch: [9; 16],
    });
    assert!(!changed.first_time);
    assert!(!reset(&changed, &mut KdfContext::new(), "3333", OLD).first_time);
}

#[test]
fn a_lock_keeps_the_epoch_and_an_unlock_renews_it() {
    let record = after(&["1111"]);
    let locked = record.locked(Timestamp(5)).locked(Timestamp(6));
    assert_eq!((locked.locked_at, locked.epoch), (Some(Timestamp(5)), record.epoch));
    let unlocked = locked.unlocked([8; 16]);
    assert_eq!((unlocked.locked_at, unlocked.epoch), (None, [8; 16]));
    assert_eq!(unlocked.current(), record.current());
    assert_eq!(reset(&locked, &mut KdfContext::new(), "2222", OLD).locked_at, None);
}

#[test]
fn impossible_records_are_refused_by_name() {
    let good = after(&["1111", "2222"]).encode().to_vec();
    let cost = 1 + 1 + 16 + 8 + 1 + 16;
    let current = cost + 12;
    let with = |offset: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[offset..offset + bytes.len()].copy_from_slice(bytes);
        CredentialRecord::decode(&bad).unwrap_err()
    };
    let big = u32::MAX.to_be_bytes();
    assert_eq!(with(0, &[2]), DecodeError::UnsupportedVersion(2));
    assert_eq!(with(1, &[0x80]), DecodeError::Impossible("flags"));
    assert_eq!(with(cost, &big), DecodeError::Impossible("cost"));
    assert_eq!(with(cost + 4, &big), DecodeError::Impossible("cost"));
    assert_eq!(with(cost + 8, &big), DecodeError::Impossible("cost"));
    assert_eq!(with(current + 16, &[1]), DecodeError::Impossible("derivation"));
    assert_eq!(with(current + 49, &[20]), DecodeError::Impossible("history"));
    assert_eq!(with(current + 49, &[2]), DecodeError::Truncated);
    assert_eq!(with(current + 49, &[0]), DecodeError::TrailingBytes);
    assert_eq!(CredentialRecord::decode(&[]), Err(DecodeError::Truncated));

    // A derivation that nothing refers to, in a record without a PIN.
    let mut unused = CredentialRecord::never_set([0; 16]).encode().to_vec();
    unused.splice(18..19, [&[1], &good[27..55]].concat());
    assert_eq!(
        CredentialRecord::decode(&unused),
        Err(DecodeError::Impossible("derivations"))
    );
}

fn any_pin(kdf_params: usize) -> impl Strategy<Value = StoredPin> {
    (any::<[u8; 16]>(), 0..kdf_params, any::<[u8; 32]>()).prop_map(|(pin_id, index, verifier)| StoredPin {
        pin_id,
        params: index as u8,
        verifier: PinVerifier::new(verifier),
    })
}

fn any_record() -> impl Strategy<Value = CredentialRecord> {
    let pins = (1..4usize).prop_flat_map(|n| {
        let params = (any::<[u8; 16]>(), 8..1024u32, 1..100u32);
        (
            prop::collection::vec(params, n),
            prop::collection::vec(any_pin(n), 0..=MAX_HISTORY + 1),
        )
    });
    let state = (any::<i64>(), any::<bool>(), any::<Option<i64>>(), any::<bool>());
    (pins, state, any::<[u8; 16]>()).prop_map(|((kdf_params, pins), state, epoch)| {
        let kdf_params: Vec<KdfParams> = kdf_params
            .into_iter()
            .map(|(salt, memory_kib, iterations)| KdfParams {
                salt,
                cost: Cost {
                    memory_kib,
                    iterations,
                    parallelism: 1,
                },
            })
            .collect();
        // Built as resets do, oldest first, so that only reachable records are tried.
        let mut record = CredentialRecord::never_set(epoch);
        for pin in pins {
            record = record.with_new_pin(NewPin {
                pin_id: pin.pin_id,
                params: kdf_params[usize::from(pin.params)],
                verifier: pin.verifier,
                set_at: Timestamp(state.0),
                expired: state.1,
                locked_at: None,
                by_user: state.3,
                epoch,
            });
        }
        record.expired = state.1;
        record.locked_at = state.2.map(Timestamp);
        record
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(record in any_record()) {
        prop_assert_eq!(CredentialRecord::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn every_proper_prefix_is_refused(record in any_record()) {
        let bytes = record.encode();
        for length in 0..bytes.len() {
            prop_assert_eq!(CredentialRecord::decode(&bytes[..length]), Err(DecodeError::Truncated));
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        prop_assert_eq!(CredentialRecord::decode(&longer), Err(DecodeError::TrailingBytes));
    }

    #[test]
    fn arbitrary_bytes_decode_only_if_they_encode_back(mut bytes in prop::collection::vec(any::<u8>(), 0..300), plausible: bool) {
        if plausible && bytes.len() > 2 {
            bytes[0] = 1;
            bytes[1] &= 15;
        }
        if let Ok(record) = CredentialRecord::decode(&bytes) {
            prop_assert_eq!(record.encode().to_vec(), bytes);
        }
    }

    #[test]
    fn a_changed_byte_is_refused_or_changes_the_record(record in any_record(), at: prop::sample::Index, flip in 1..=255u8) {
        let mut bytes = record.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(other) = CredentialRecord::decode(&bytes) {
            prop_assert_ne!(other, record);
        }
    }
}
