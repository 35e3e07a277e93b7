//! How long a negative answer takes tells nothing: no threshold tells one kind from another. In a test program of its own, so
//! that no other test runs beside it.

#[path = "signin/attempt.rs"]
mod attempt;
#[path = "durability/rig.rs"]
mod rig;
mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom as _;
use serde_json::{Value, json};
use umpin::clock::SystemClock;
use umpin::credential::derive::Cost;
use umpin::policy::{Limit, UmMailboxPolicy};
use umpin::service::Settings;
use umpin::session::{Poll, Request, Session};

use attempt::{outcome, set_policy};

/// Of each kind.
const SAMPLES: usize = 2_000;
/// Attempts under way at the same time: more than two processors can derive for, so that some always wait.
const LANES: usize = 40;
/// Production waits for 500 ms; less has to do here, which is harder.
const FLOOR: Duration = Duration::from_millis(300);
/// Of each kind, without floor.
const CONTROL_SAMPLES: usize = 200;

const WRONG: &str = "0";

/// The kinds of negative answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unknown,
    NotEnabled,
    NeverSet,
    Wrong,
    Locked,
    ResetByFailures,
}

const KINDS: [Kind; 6] = [
    Kind::Unknown,
    Kind::NotEnabled,
    Kind::NeverSet,
    Kind::Wrong,
    Kind::Locked,
    Kind::ResetByFailures,
];

impl Kind {
    /// Each lane has mailboxes of its own: attempts at the same one would wait for each other.
    fn address(self, lane: usize) -> String {
        format!("{self:?}{lane}@contoso.com")
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Unknown => "ManagementObjectNotFound",
            Self::NotEnabled => "MailboxNotUMEnabled",
            Self::NeverSet | Self::Wrong => "rejected",
            Self::Locked => "locked",
            Self::ResetByFailures => "resetByFailures",
        }
    }
}

fn session(home: &Path, floor: Duration) -> Session {
    let directory = Arc::new(support::embedded(home));
    let settings = Settings {
        answer_floor: floor,
        ..rig::settings(Cost::STANDARD)
    };
    Session::with_service(rig::service_with(
        home,
        Arc::clone(&directory),
        directory,
        Arc::new(SystemClock),
        settings,
    ))
}

/// Mailboxes of every kind for every lane.
fn store() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    let mut csv = "Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled,UMMailboxPolicy\n".to_owned();
    for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Unknown) {
        for lane in 0..LANES {
            let policy = if kind == Kind::ResetByFailures {
                "Strict"
            } else {
                "Default"
            };
            let address = kind.address(lane);
            csv += &format!(
                "{kind:?} {lane},sip.{address},{address},{},{policy}\n",
                kind != Kind::NotEnabled
            );
        }
    }
    let file = home.path().join("people.csv");
    std::fs::write(&file, csv).expect("a file");
    let session = session(home.path(), Duration::ZERO);
    support::request(&session, &json!({ "v": 1, "operation": "import", "path": file })).expect("an import");
    for (name, reset_after) in [("Default", Limit::Unlimited), ("Strict", Limit::Of(1))] {
        let settings = UmMailboxPolicy {
            logon_failures_before_pin_reset: reset_after,
            max_logon_attempts: Limit::Unlimited,
            ..UmMailboxPolicy::with_defaults(name)
        };
        set_policy(&support::embedded(home.path()), settings);
    }
    for kind in [Kind::Wrong, Kind::Locked, Kind::ResetByFailures] {
        for lane in 0..LANES {
            let fields = json!({
                "identity": kind.address(lane), "sendEmail": false, "lockedOut": kind == Kind::Locked,
            });
            support::reset(&session, fields, None).expect("a PIN");
        }
    }
    home
}

/// Microseconds that each answer took, by kind.
type Samples = [Vec<u64>; KINDS.len()];

/// `count` answers of each kind, in random order and several at a time.
fn measure(session: &Session, count: usize, lanes: usize) -> Samples {
    let mut samples = Samples::default();
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|lane| scope.spawn(move || measure_lane(session, lane, count.div_ceil(lanes))))
            .collect();
        for lane in lanes {
            let measured = lane.join().expect("a lane");
            for (all, some) in samples.iter_mut().zip(measured) {
                all.extend(some);
            }
        }
    });
    samples
}

fn measure_lane(session: &Session, lane: usize, count: usize) -> Samples {
    let mut order: Vec<Kind> = KINDS.into_iter().flat_map(|kind| [kind].repeat(count)).collect();
    order.shuffle(&mut rand::rng());
    let mut samples = Samples::default();
    for kind in order {
        let request = json!({ "v": 1, "identity": kind.address(lane) }).to_string();
        let begin = Instant::now();
        let pending = Request::sign_in(session, request.as_bytes(), attempt::pin(WRONG)).expect("a request");
        let answer = pending.wait(attempt::PATIENCE);
        // Before the answer is looked into: reading JSON takes longer than reading an error.
        let took = begin.elapsed();
        let heard = match answer {
            Ok(Poll::Ready(json)) => {
                let answer: Value = serde_json::from_slice(&json).expect("a JSON response");
                outcome(&answer).to_owned()
            }
            Ok(Poll::Pending) => panic!("no answer within {:?}", attempt::PATIENCE),
            Err(error) => error.code().id().to_owned(),
        };
        assert_eq!(heard, kind.expected());
        samples[kind as usize].push(u64::try_from(took.as_micros()).expect("a moment"));
    }
    samples
}

/// How often the best threshold is right: found on one half of the samples, judged on the other.
fn accuracy(one: &[u64], other: &[u64]) -> f64 {
    let halves = |samples: &[u64]| -> [Vec<u64>; 2] {
        [0, 1].map(|half| samples.iter().skip(half).step_by(2).copied().collect())
    };
    let ([one_learnt, one_judged], [other_learnt, other_judged]) = (halves(one), halves(other));
    let mut thresholds: Vec<u64> = one_learnt.iter().chain(&other_learnt).copied().collect();
    thresholds.sort_unstable();
    thresholds.dedup();
    let (mut one_learnt, mut other_learnt) = (one_learnt, other_learnt);
    one_learnt.sort_unstable();
    other_learnt.sort_unstable();
    // The share of "one" that lies above, less the share of "other": the further from zero, the better.
    let above = |sorted: &[u64], threshold: u64| {
        share(sorted.len() - sorted.partition_point(|s| *s <= threshold), sorted.len())
    };
    let gain = |threshold: &u64| above(&one_learnt, *threshold) - above(&other_learnt, *threshold);
    let best = thresholds
        .iter()
        .max_by(|a, b| gain(a).abs().total_cmp(&gain(b).abs()))
        .expect("samples");
    let one_is_slower = gain(best) > 0.0;
    let right = |samples: &[u64], slower: bool| {
        let right = samples.iter().filter(|sample| (**sample > *best) == slower).count();
        share(right, samples.len())
    };
    f64::midpoint(right(&one_judged, one_is_slower), right(&other_judged, !one_is_slower))
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).expect("not so many"));
    number(part) / number(whole)
}

#[test]
fn the_classifier_finds_what_there_is_and_nothing_else() {
    let low: Vec<u64> = (0..1_000).map(|n| n % 97).collect();
    let high: Vec<u64> = (0..1_000).map(|n| 200 + n % 89).collect();
    assert!((accuracy(&low, &high) - 1.0).abs() < 1e-9);
    assert!((accuracy(&high, &low) - 1.0).abs() < 1e-9);
    let mut same = low.clone();
    same.shuffle(&mut rand::rng());
    assert!(accuracy(&low, &same) < 0.55);
}

#[test]
fn the_time_of_a_negative_answer_tells_nothing() {
    let begin = Instant::now();
    let home = store();

    // Without floor the difference is there, and found: else the measurement proves nothing.
    let control = measure(&session(home.path(), Duration::ZERO), CONTROL_SAMPLES, 2);
    let found = accuracy(&control[Kind::Unknown as usize], &control[Kind::Wrong as usize]);
    assert!(
        found > 0.8,
        "NOT MEASURABLE: without floor a wrong PIN is told from an unknown mailbox in only {:.1} % of the answers; this machine \
         is too busy to measure times on",
        100.0 * found
    );

    let samples = measure(&session(home.path(), FLOOR), SAMPLES, LANES);
    let floor = u64::try_from(FLOOR.as_micros()).expect("short");
    let mut report = format!("control: {:.1} %\n", 100.0 * found);
    for kind in KINDS {
        let mut times = samples[kind as usize].clone();
        times.sort_unstable();
        assert!(
            times.len() >= SAMPLES && times[0] >= floor,
            "{kind:?} was answered after {} µs",
            times[0]
        );
        let late = times.iter().filter(|time| **time >= 2 * floor).count();
        report += &format!(
            "{kind:?}: median {} µs, {late} of {} after more than one floor\n",
            times[times.len() / 2],
            times.len()
        );
    }
    let mut worst = 0.0_f64;
    for (index, one) in KINDS.into_iter().enumerate() {
        for other in KINDS.into_iter().skip(index + 1) {
            let right = accuracy(&samples[one as usize], &samples[other as usize]);
            report += &format!("{one:?} against {other:?}: {:.1} %\n", 100.0 * right);
            worst = worst.max(right);
        }
    }
    println!("{report}took {:?}", begin.elapsed());
    assert!(worst <= 0.55, "the time of an answer tells:\n{report}");
}
