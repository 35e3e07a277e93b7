use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{SeedableRng, TryCryptoRng, TryRng};

use super::*;
use crate::random::system_rng;

/// Draws one PIN, without a history.
fn generate<R>(policy: &UmMailboxPolicy, extensions: &[Extension], rng: &mut R) -> Result<Pin>
where
    R: TryCryptoRng + ?Sized,
    R::Error: Send + Sync + 'static,
{
    PinSpace::new(policy, extensions)?.draw(rng)
}

fn policy(length: u32, common: bool) -> UmMailboxPolicy {
    UmMailboxPolicy {
        min_pin_length: length,
        allow_common_patterns: common,
        ..UmMailboxPolicy::with_defaults("Default")
    }
}

fn extensions(numbers: &[&str]) -> Vec<Extension> {
    let extension = |number: &&str| Extension {
        number: (*number).to_owned(),
        dial_plan: None,
    };
    numbers.iter().map(extension).collect()
}

/// Every valid PIN of four digits, found by asking the policy about all of them.
fn valid_four_digit_pins(policy: &UmMailboxPolicy, extensions: &[Extension]) -> BTreeSet<String> {
    (0..10_000)
        .map(|n| format!("{n:04}"))
        .filter(|text| policy.check(&Pin::new(text.clone()), extensions).is_empty())
        .collect()
}

#[test]
fn the_space_is_exactly_what_the_policy_allows() {
    for numbers in [
        &[][..],
        &["4271"],
        &["42714"],
        &["42", "427", "7", "274271"],
        &["11", "1111", "1112", "12"],
        &["0", "1", "2", "3", "4", "5", "6", "7"],
        &["", "tony2@contoso.com", "+1 (425) 555-0100"],
    ] {
        for common in [false, true] {
            let (policy, extensions) = (policy(4, common), extensions(numbers));
            let expected = valid_four_digit_pins(&policy, &extensions);
            let mut space = PinSpace::new(&policy, &extensions).unwrap();
            assert_eq!(space.remaining(), expected.len() as u128, "{numbers:?}");
            let draws = expected.len().min(2_000);
            let mut rng = StdRng::seed_from_u64(1);
            let drawn: BTreeSet<String> = (0..draws)
                .map(|_| space.draw(&mut rng).unwrap().expose().to_owned())
                .collect();
            assert_eq!(drawn.len(), draws, "drawn twice: {numbers:?}");
            assert!(drawn.is_subset(&expected), "{numbers:?}");
            assert_eq!(space.remaining(), (expected.len() - draws) as u128);
        }
    }
}

#[test]
fn counts_of_long_pins_are_exact() {
    let space = PinSpace::new(&policy(24, false), &[]).unwrap();
    assert_eq!(space.remaining(), 10u128.pow(24) - 10);
    let space = PinSpace::new(&policy(6, false), &[]).unwrap();
    assert_eq!(space.remaining(), 1_000_000 - 10 - 5 - 5);
}

#[test]
fn an_empty_space_is_an_error() {
    let all = extensions(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    for length in [4, 24] {
        let error = generate(&policy(length, true), &all, &mut system_rng()).err().unwrap();
        assert_eq!(error.code(), ErrorCode::NoValidPin);
        assert!(error.message().contains("'Default'"), "{error}");
        assert!(error.recommended_action().contains("extensions"));
    }
    // One digit is left, but only as a common pattern.
    let but_nine = &all[..9];
    assert!(generate(&policy(8, false), but_nine, &mut system_rng()).is_err());
    let pin = generate(&policy(8, true), but_nine, &mut system_rng()).unwrap();
    assert_eq!(pin.expose(), "99999999");
}

#[test]
fn a_single_valid_pin_among_10_to_the_24_is_found_and_then_none() {
    // Of 8 and 9 alone, without 88, 99 and 98…: only 8989… and 9898… alternate; the latter is an extension.
    let mut numbers = vec!["0", "1", "2", "3", "4", "5", "6", "7", "88", "99"];
    numbers.push("989898989898989898989898");
    let mut space = PinSpace::new(&policy(24, false), &extensions(&numbers)).unwrap();
    assert_eq!(space.remaining(), 1);
    let pin = space.draw(&mut system_rng()).unwrap();
    assert_eq!(pin.expose(), "89".repeat(12));
    let error = space.draw(&mut system_rng()).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NoValidPin);
    assert!(error.message().contains("history"), "{error}");
}

#[test]
fn a_length_out_of_range_is_refused() {
    for length in [0, 3, 25, u32::MAX] {
        let error = PinSpace::new(&policy(length, false), &[]).err().unwrap();
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
    }
}

/// The statistic for equally likely classes; with many classes it is nearly normal, mean k - 1, variance 2 (k - 1).
fn chi_square_is_plausible(counts: &[u64]) {
    let (total, classes) = (counts.iter().sum::<u64>() as f64, counts.len() as f64);
    let expected = total / classes;
    let statistic: f64 = counts
        .iter()
        .map(|count| (*count as f64 - expected).powi(2) / expected)
        .sum();
    let deviations = (statistic - (classes - 1.0)) / (2.0 * (classes - 1.0)).sqrt();
    assert!(deviations.abs() < 4.0, "{statistic} for {classes} classes");
}

#[test]
fn every_valid_pin_is_equally_likely() {
    // 92 and 7 make the neighbourhoods of the automaton uneven, which a digit-by-digit choice would show.
    let (policy, extensions) = (policy(4, false), extensions(&["92", "7", "1000"]));
    let valid: Vec<String> = valid_four_digit_pins(&policy, &extensions).into_iter().collect();
    let mut counts = vec![0u64; valid.len()];
    let mut rng = StdRng::seed_from_u64(20_240_917);
    for _ in 0..valid.len() * 6 {
        let pin = generate(&policy, &extensions, &mut rng).unwrap();
        counts[valid.binary_search(&pin.expose().to_owned()).unwrap()] += 1;
    }
    chi_square_is_plausible(&counts);
}

#[test]
fn every_digit_of_a_long_pin_is_equally_likely() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut counts = vec![0u64; 24 * 10];
    for _ in 0..2_000 {
        let pin = generate(&policy(24, false), &[], &mut rng).unwrap();
        for (place, digit) in pin.expose().bytes().enumerate() {
            counts[place * 10 + usize::from(digit - b'0')] += 1;
        }
    }
    chi_square_is_plausible(&counts);
}

struct Faulty(Option<u8>);

#[derive(Debug)]
struct NoEntropy;

impl std::fmt::Display for NoEntropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no entropy")
    }
}

impl std::error::Error for NoEntropy {}

impl TryRng for Faulty {
    type Error = NoEntropy;
    fn try_next_u32(&mut self) -> Result<u32, NoEntropy> {
        self.0.map(|b| u32::from_ne_bytes([b; 4])).ok_or(NoEntropy)
    }
    fn try_next_u64(&mut self) -> Result<u64, NoEntropy> {
        self.0.map(|b| u64::from_ne_bytes([b; 8])).ok_or(NoEntropy)
    }
    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), NoEntropy> {
        dst.fill(self.0.ok_or(NoEntropy)?);
        Ok(())
    }
}

impl TryCryptoRng for Faulty {}

#[test]
fn a_failing_generator_is_an_error_and_a_stuck_one_ends() {
    let error = generate(&policy(6, false), &[], &mut Faulty(None)).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NativeFault);
    assert!(format!("{error:?}").contains("no entropy"));
    let error = generate(&policy(6, false), &[], &mut Faulty(Some(0xFF))).err().unwrap();
    assert_eq!(error.code(), ErrorCode::NativeFault);
}

#[test]
fn drawing_more_often_than_there_is_room_keeps_the_order() {
    let mut space = PinSpace::new(&policy(4, true), &[]).unwrap();
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..200 {
        let _ = space.draw(&mut rng).unwrap();
        assert!(space.excluded.windows(2).all(|w| w[0] < w[1]));
    }
    assert_eq!(space.remaining(), 9_800);
}

#[test]
fn many_long_extensions_are_no_burden() {
    let numbers: Vec<String> = (0..500u64).map(|n| format!("{:018}", n * 987_654_321)).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let (policy, extensions) = (policy(20, false), extensions(&numbers));
    let pin = generate(&policy, &extensions, &mut StdRng::seed_from_u64(5)).unwrap();
    assert!(policy.check(&pin, &extensions).is_empty());
}
