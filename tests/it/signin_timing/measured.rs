//! The classifier: can a caller tell two kinds of answers apart by their times?

use std::path::Path;
use std::time::{Duration, Instant};

use umpin::credential::kdf::Cost;

use super::comparison::{ASPECTS, Aspect, Bursts, Manner};
use super::kinds::{self, KINDS, Kind};
use super::rank::standardised;

/// Production derives with 19 MiB under a floor of 500 ms. Half of both measures twice as fast, with the same relation.
const COST: Cost = Cost {
    memory_kib: Cost::STANDARD.memory_kib / 2,
    ..Cost::STANDARD
};
const FLOOR: Duration = Duration::from_millis(250);

const MANNERS: [Manner; 6] = [
    Manner {
        lines: 1,
        at_one: false,
    },
    Manner {
        lines: 3,
        at_one: false,
    },
    Manner {
        lines: 6,
        at_one: false,
    },
    Manner {
        lines: 20,
        at_one: false,
    },
    Manner { lines: 6, at_one: true },
    Manner {
        lines: 20,
        at_one: true,
    },
];

/// Bursts of each kind at first. Two kinds that never overlap differ by 3.8 standard deviations then.
const ROUNDS: usize = 10;
/// What is worth a closer look: of the 252 comparisons about one exceeds it by chance.
const SUSPECT: f64 = 2.8;
/// Bursts of each of two kinds that are suspected. They are fresh, and judged alone: chance does not come twice, and a real
/// difference, which every burst has, stands out more among more bursts.
const MORE_ROUNDS: usize = 30;
/// What is a difference then: by chance in one of 2,000 suspicions.
const CERTAIN: f64 = 3.5;

fn pairs() -> impl Iterator<Item = (Kind, Kind)> {
    let from = |(index, one)| KINDS.into_iter().skip(index + 1).map(move |other| (one, other));
    KINDS.into_iter().enumerate().flat_map(from)
}

/// Without floor the same measurement finds twice the derivations: otherwise it proves nothing. On a busy machine that takes
/// more bursts.
fn find_what_there_is_to_find(home: &Path) {
    let dearer = Cost {
        iterations: 2 * COST.iterations,
        ..COST
    };
    let sessions = [COST, dearer].map(|cost| kinds::session(home, cost, Duration::ZERO));
    let mut times = [Vec::new(), Vec::new()];
    let mut found = 0.0;
    while found < CERTAIN && times[0].len() < 8 * MORE_ROUNDS {
        for _ in 0..MORE_ROUNDS {
            for (session, times) in sessions.iter().zip(&mut times) {
                let burst = Bursts::measure(session, &[Kind::Unknown], MANNERS[0], 1);
                times.extend(burst.seen(Kind::Unknown, Aspect::Sum));
            }
        }
        found = standardised(&times[1], &times[0]);
    }
    println!("control: {found:.1} after {} bursts", times[0].len());
    assert!(
        found >= CERTAIN,
        "NOT MEASURABLE: twice the derivations are found with {found:.1} standard deviations only; this machine is too busy to \
         measure times on"
    );
}

#[test]
fn the_time_of_a_negative_answer_tells_nothing() {
    let begin = Instant::now();
    let lines = MANNERS.iter().map(|manner| manner.lines).max().expect("a number");
    let home = kinds::store(lines, COST);
    find_what_there_is_to_find(home.path());
    let session = kinds::session(home.path(), COST, FLOOR);
    let measure = |kinds: &[Kind], manner, rounds| Bursts::measure(&session, kinds, manner, rounds);
    for manner in MANNERS {
        let bursts = measure(&KINDS, manner, ROUNDS);
        println!("{manner:?}, after {:?}:\n{}", begin.elapsed(), bursts.describe());
        for (one, other) in pairs() {
            for aspect in ASPECTS {
                let suspicion = bursts.compare(one, other, aspect);
                if suspicion.abs() < SUSPECT {
                    continue;
                }
                let fresh = measure(&[one, other], manner, MORE_ROUNDS);
                let difference = fresh.compare(one, other, aspect);
                let line = format!(
                    "{manner:?}: {one:?} against {other:?} by {aspect:?}: {suspicion:.1}, then {difference:.1}\n{}",
                    fresh.describe()
                );
                println!("looked closer: {line}");
                assert!(
                    difference * suspicion.signum() <= CERTAIN,
                    "the time of an answer tells its kind, in standard deviations of the rank statistic: {line}"
                );
            }
        }
    }
    println!("took {:?}", begin.elapsed());
}
