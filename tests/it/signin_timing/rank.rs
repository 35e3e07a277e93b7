//! The rank statistic of Mann and Whitney: whether one sample tends to lie above the other, whatever their distribution.

/// The standardised statistic, positive where `one` tends to be larger. Under the hypothesis that both are of one distribution
/// it is about normal: beyond ±3 in one case of 370, beyond ±4 in one of 16,000.
pub fn standardised(one: &[u64], other: &[u64]) -> f64 {
    let mut all: Vec<(u64, bool)> = one.iter().map(|value| (*value, true)).collect();
    all.extend(other.iter().map(|value| (*value, false)));
    all.sort_unstable();
    let (mut ranks_of_one, mut ties, mut begin) = (0.0, 0.0, 0);
    while begin < all.len() {
        let length = all[begin..]
            .iter()
            .take_while(|(value, _)| *value == all[begin].0)
            .count();
        let tied = &all[begin..begin + length];
        // Ties share the mean of their ranks, which count from 1.
        let rank = number(2 * begin + length + 1) / 2.0;
        ranks_of_one += rank * number(tied.iter().filter(|(_, is_one)| *is_one).count());
        ties += number(length).powi(3) - number(length);
        begin += length;
    }
    let (n, m) = (number(one.len()), number(other.len()));
    let expected = n * (n + m + 1.0) / 2.0;
    let variance = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
    if variance <= 0.0 {
        return 0.0;
    }
    (ranks_of_one - expected) / variance.sqrt()
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("not so many"))
}

#[test]
fn a_difference_is_found_in_its_direction_and_none_where_there_is_none() {
    let low: Vec<u64> = (0..20).collect();
    let high: Vec<u64> = (10..30).collect();
    // By R: wilcox.test(10:29, 0:19, correct = FALSE, exact = FALSE) has p = 5.0e-5, two-sided.
    assert!(
        (standardised(&high, &low) - 4.055).abs() < 0.01,
        "{}",
        standardised(&high, &low)
    );
    assert!((standardised(&low, &high) + standardised(&high, &low)).abs() < 1e-9);
    assert!(standardised(&low, &low).abs() < 1e-9);
    assert!(standardised(&[7; 9], &[7; 9]).abs() < 1e-9, "nothing but ties");
}
