use super::*;

const FLOOR: Duration = Duration::from_millis(500);

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// When the answers to `count` calls at the same moment are due, in milliseconds, each done within `took`.
fn due(times: &AnswerTimes, count: usize, is_positive: bool, took: Duration) -> Vec<u128> {
    let requested = Instant::now();
    let due = |_| times.slot(requested).due(is_positive, requested + took) - requested;
    (0..count).map(due).map(|due| due.as_millis()).collect()
}

#[test]
fn the_number_of_calls_decides_and_not_their_work() {
    for processors in [1, 2, 16] {
        for count in [1, 3, 6, 20] {
            let fresh = || AnswerTimes::new(FLOOR, processors);
            let quick = due(&fresh(), count, false, Duration::ZERO);
            let slow = due(&fresh(), count, false, millis(499));
            assert_eq!(quick, slow, "{count} calls on {processors} processors");
            let floors = |index: usize| 1 + index / (4 * processors);
            let expected: Vec<u128> = (0..count).map(|index| 500 * floors(index).min(4) as u128).collect();
            assert_eq!(quick, expected, "{count} calls on {processors} processors");
        }
    }
}

#[test]
fn positive_answers_wait_their_turn_but_not_for_the_floor() {
    let times = AnswerTimes::new(FLOOR, 2);
    assert_eq!(due(&times, 5, true, millis(60)), [125, 125, 250, 250, 375]);
}

#[test]
fn what_is_late_waits_for_the_next_multiple() {
    let fresh = || AnswerTimes::new(FLOOR, 2);
    assert_eq!(due(&fresh(), 1, false, millis(500)), [500]);
    assert_eq!(due(&fresh(), 1, false, millis(501)), [1_000]);
    assert_eq!(due(&fresh(), 1, true, millis(126)), [250]);
}

#[test]
fn the_schedule_ends_and_forgets() {
    let times = AnswerTimes::new(FLOOR, 1);
    let requested = Instant::now();
    for _ in 0..1_000 {
        times.slot(requested);
    }
    let last = times.slot(requested).due(false, requested);
    assert_eq!(last - requested, 4 * FLOOR);
    let later = requested + 4 * FLOOR;
    assert_eq!(times.slot(later).due(false, later) - later, FLOOR);
}

#[test]
fn without_floor_answers_are_given_when_they_are_there() {
    let times = AnswerTimes::new(Duration::ZERO, 2);
    assert_eq!(due(&times, 4, false, millis(7)), [7, 7, 7, 7]);
}
