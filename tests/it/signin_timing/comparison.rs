//! Calls of one kind at the same moment, against calls of another kind.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use rand::seq::SliceRandom as _;
use serde_json::json;
use umpin::session::{Poll, Request, Session};

use super::attempt::{PATIENCE, pin};
use super::kinds::{KINDS, Kind, WRONG};
use super::rank::standardised;

/// A fourth of the 20 ms in pieces of which a telephone line carries voice. Answers are due at the same moment, but the threads that
/// wait for them are woken one after the other, which takes up to a millisecond each and depends on what else the machine does.
const RESOLUTION: Duration = Duration::from_millis(5);

/// How the calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    pub lines: usize,
    /// All at one mailbox, or each at its own.
    pub at_one: bool,
}

/// What a caller gets to know of one burst of calls.
#[derive(Clone, Copy, Debug)]
pub enum Aspect {
    /// The sum of all times.
    Sum,
    /// The longest time.
    Last,
}

pub const ASPECTS: [Aspect; 2] = [Aspect::Sum, Aspect::Last];

/// The times of the answers to one burst, in units of the resolution.
pub type Burst = Vec<u64>;

impl Aspect {
    pub fn of(self, burst: &Burst) -> u64 {
        match self {
            Self::Sum => burst.iter().sum(),
            Self::Last => burst.iter().copied().max().unwrap_or_default(),
        }
    }
}

/// The bursts of each kind.
pub struct Bursts(Vec<(Kind, Vec<Burst>)>);

impl Bursts {
    /// `rounds` of each of these kinds. Each round has all of them in random order, so that whatever else happens on this machine
    /// happens to all alike.
    pub fn measure(session: &Session, kinds: &[Kind], manner: Manner, rounds: usize) -> Self {
        warm_up(session);
        let mut all: Vec<(Kind, Vec<Burst>)> = kinds.iter().map(|kind| (*kind, Vec::new())).collect();
        for _ in 0..rounds {
            all.shuffle(&mut rand::rng());
            for (kind, bursts) in &mut all {
                bursts.push(burst(session, *kind, manner));
            }
        }
        Self(all)
    }

    /// How far two kinds can be told apart: the rank statistic of what a caller sees.
    pub fn compare(&self, one: Kind, other: Kind, aspect: Aspect) -> f64 {
        standardised(&self.seen(one, aspect), &self.seen(other, aspect))
    }

    /// What a caller sees of the bursts of a kind.
    pub fn seen(&self, kind: Kind, aspect: Aspect) -> Vec<u64> {
        let (_, bursts) = self
            .0
            .iter()
            .find(|(measured, _)| *measured == kind)
            .expect("it is measured");
        bursts.iter().map(|burst| aspect.of(burst)).collect()
    }

    /// The medians, for whoever reads a failure.
    pub fn describe(&self) -> String {
        let median = |kind, aspect| {
            let mut seen = self.seen(kind, aspect);
            seen.sort_unstable();
            seen[seen.len() / 2]
        };
        KINDS
            .into_iter()
            .filter(|kind| self.0.iter().any(|(measured, _)| measured == kind))
            .map(|kind| {
                let [sum, last] = ASPECTS.map(|aspect| u128::from(median(kind, aspect)) * RESOLUTION.as_millis());
                format!("  {kind:?}: median sum {sum} ms, last {last} ms\n")
            })
            .collect()
    }
}

/// Threads, files and keys are opened by the first attempt, whatever it is about.
fn warm_up(session: &Session) {
    let body = json!({ "v": 1, "identity": Kind::NeverSet.identity(0) }).to_string();
    let pending = Request::sign_in(session, body.as_bytes(), pin(WRONG)).expect("a request");
    let answer = pending.wait(PATIENCE).expect("an answer");
    assert!(matches!(answer, Poll::Ready(_)), "no answer within {PATIENCE:?}");
}

fn burst(session: &Session, kind: Kind, manner: Manner) -> Burst {
    let together = Barrier::new(manner.lines);
    std::thread::scope(|scope| {
        let call = |line: usize| {
            let together = &together;
            let body = json!({ "v": 1, "identity": kind.identity(if manner.at_one { 0 } else { line }) }).to_string();
            scope.spawn(move || {
                together.wait();
                let begin = Instant::now();
                let pending = Request::sign_in(session, body.as_bytes(), pin(WRONG)).expect("a request");
                let answer = pending.wait(PATIENCE);
                // Before the answer is looked into: reading JSON takes longer than reading an error.
                let took = begin.elapsed();
                let heard = match answer {
                    Ok(Poll::Ready(_)) => pending.attempt().map(|attempt| match attempt {
                        Poll::Ready(attempt) => attempt.outcome.name(),
                        Poll::Pending => panic!("an answer without outcome"),
                    }),
                    Ok(Poll::Pending) => panic!("no answer within {PATIENCE:?}"),
                    Err(error) => Ok(error.code().id()),
                };
                assert_eq!(heard.expect("an outcome"), kind.expected());
                u64::try_from(took.as_nanos() / RESOLUTION.as_nanos()).expect("a moment")
            })
        };
        let calls: Vec<_> = (0..manner.lines).map(call).collect();
        calls.into_iter().map(|call| call.join().expect("a call")).collect()
    })
}
