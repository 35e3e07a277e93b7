//! Random sequences of everything that can happen to a PIN, against a small model of the documented rules.

mod reference;
mod simulation;
mod step;

use std::cell::Cell;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use umpin::pin::Pin;
use umpin::service::reset::ResetRequest;
use umpin::service::signin::Subscriber;

use crate::signin::fixture;
use reference::{Phone, Rules, Told};
use simulation::Simulation;
use step::{PHONES, Step};

const DEFAULTS: Rules = Rules {
    min_length: 6,
    lifetime_days: Some(60),
    history: 5,
    common: false,
    reset_after: Some(5),
    lock_after: Some(15),
};

fn phones() -> [Phone; PHONES] {
    [
        Phone::new("tony", "5550004271", true),
        Phone::new("kim", "5550004272", true),
        // Nobody can be told a new PIN.
        Phone::new("jeff", "5550004273", false),
        Phone::new("anna", "5550004274", false),
    ]
}

/// Library and model side by side.
struct Pair {
    simulation: Simulation,
    phones: [Phone; PHONES],
    rules: Rules,
}

impl Pair {
    fn new(make: fn(&[Phone]) -> Simulation) -> Self {
        let phones = phones();
        let simulation = make(&phones);
        simulation.set_policy(&DEFAULTS);
        Self {
            simulation,
            phones,
            rules: DEFAULTS,
        }
    }

    /// Takes a step on both sides; what differs afterwards.
    fn take(&mut self, step: &Step) -> Result<(), String> {
        let (rules, now) = (self.rules.clone(), self.simulation.now());
        match step {
            Step::Policy(rules) => {
                self.simulation.set_policy(rules);
                self.rules = rules.clone();
            }
            Step::Clock(by) => self.simulation.move_clock(*by),
            Step::Reset {
                who,
                pin,
                expired,
                locked,
                mail,
            } => {
                let phone = &mut self.phones[*who];
                let given = pin.as_ref().map(|pin| pin.text(phone, &rules));
                let (told, made) = self.simulation.reset(ResetRequest {
                    identity: phone.name.to_owned(),
                    pin: given.clone().map(Pin::new),
                    pin_expired: *expired,
                    locked_out: *locked,
                    send_email: Some(*mail),
                    ..ResetRequest::default()
                })?;
                allowed(phone, &rules, made.as_deref())?;
                // A refusal makes no PIN; the model says whether it is one.
                let new = (given.as_deref(), made.as_deref().or(Some("none was made")));
                same(
                    "told",
                    &told,
                    &phone.reset(&rules, now, new, (*expired, *locked), *mail),
                )?;
            }
            Step::Keep { who, lock, expired } => {
                let phone = &mut self.phones[*who];
                let (told, _) = self.simulation.reset(ResetRequest {
                    identity: phone.name.to_owned(),
                    pin_expired: *expired,
                    locked_out: Some(*lock),
                    keep_pin: true,
                    ..ResetRequest::default()
                })?;
                same("told", &told, &phone.keep(&rules, now, *lock, *expired))?;
            }
            Step::SignIn { who, pin, by_extension } => {
                let phone = &mut self.phones[*who];
                let pin = pin.text(phone);
                let (told, made) = self.simulation.sign_in(subscriber(phone, *by_extension), &pin)?;
                allowed(phone, &rules, made.as_deref())?;
                same("told", &told, &phone.sign_in(&rules, now, &pin, made.as_deref()))?;
            }
            Step::Change { who, old, new } => {
                let phone = &mut self.phones[*who];
                let (old, new) = (old.text(phone), new.text(phone, &rules));
                let (told, made) = self.simulation.change(subscriber(phone, false), &old, &new)?;
                allowed(phone, &rules, made.as_deref())?;
                same("told", &told, &phone.change(&rules, now, (&old, &new), made.as_deref()))?;
            }
        }
        match step {
            Step::Policy(_) | Step::Clock(_) => (0..PHONES).try_for_each(|who| self.compare(who)),
            Step::Reset { who, .. } | Step::Keep { who, .. } | Step::SignIn { who, .. } | Step::Change { who, .. } => {
                self.compare(*who)
            }
        }
    }

    fn compare(&mut self, who: usize) -> Result<(), String> {
        let now = self.simulation.now();
        let phone = &self.phones[who];
        let shown = self.simulation.shown(phone.name)?;
        same(phone.name, &shown, &phone.shown(&self.rules, now))?;
        if !self.simulation.pin_is(phone.name, phone.in_force()) {
            return Err(format!(
                "another PIN than {:?} is in force for {}",
                phone.in_force(),
                phone.name
            ));
        }
        let messages: usize = self.phones.iter().map(|phone| phone.messages).sum();
        same("messages", &self.simulation.messages(), &messages)
    }
}

fn subscriber(phone: &Phone, by_extension: bool) -> Subscriber {
    if by_extension {
        Subscriber::Extension {
            number: phone.extension.to_owned(),
            dial_plan: None,
        }
    } else {
        Subscriber::Identity(phone.name.to_owned())
    }
}

/// A PIN that the library made up keeps every rule and is no longer than it must be.
fn allowed(phone: &Phone, rules: &Rules, made: Option<&str>) -> Result<(), String> {
    match made {
        Some(pin) if pin.len() != rules.min_length || !phone.broken(rules, pin).is_empty() => {
            Err(format!("the generated PIN {pin} breaks {:?}", phone.broken(rules, pin)))
        }
        _ => Ok(()),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, library: &T, model: &T) -> Result<(), String> {
    if library == model {
        Ok(())
    } else {
        Err(format!(
            "{what}: the library says\n  {library:?}\nand the model\n  {model:?}"
        ))
    }
}

/// Runs `cases` sequences of about `length` steps; a failure is shrunk to the shortest sequence that still fails.
fn run(test: &str, cases: u32, length: usize, make: fn(&[Phone]) -> Simulation) {
    let seed = fixture::seed(test);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_time: 30_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let seen = Cell::new(Seen::default());
    let result = runner.run(&step::steps(length), |steps| {
        let mut pair = Pair::new(make);
        for (number, step) in steps.iter().enumerate() {
            pair.take(step)
                .map_err(|difference| TestCaseError::fail(format!("after step {number}: {difference}")))?;
        }
        (0..PHONES)
            .try_for_each(|who| pair.compare(who))
            .map_err(|difference| TestCaseError::fail(format!("in the end: {difference}")))?;
        let mut counted = seen.get();
        counted.steps += steps.len();
        counted.resets += pair.phones.iter().map(|phone| phone.messages).sum::<usize>();
        counted.locked += pair.phones.iter().filter(|p| p.locked_by_failures.is_some()).count();
        seen.set(counted);
        Ok(())
    });
    match result {
        Ok(()) => {
            let seen = seen.get();
            println!("{test}: {seen:?}");
            assert!(seen.steps >= usize::try_from(cases).expect("some") * length * 9 / 10);
            assert!(seen.resets > 0 && seen.locked > 0, "nothing happened: {seen:?}");
        }
        Err(TestError::Fail(reason, steps)) => {
            let list: Vec<String> = steps.iter().map(|step| format!("  {step:?}")).collect();
            panic!(
                "UMPIN_TEST_SEED={seed}: {reason}\nshortest sequence found:\n{}",
                list.join("\n")
            );
        }
        Err(TestError::Abort(reason)) => panic!("UMPIN_TEST_SEED={seed}: {reason}"),
    }
}

/// That the sequences reach what they are meant to reach.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    steps: usize,
    /// With a message.
    resets: usize,
    /// By failures, at the end of a sequence.
    locked: usize,
}

#[test]
fn the_library_does_what_the_documentation_says() {
    run("model", 400, 75, Simulation::in_memory);
}

#[test]
fn so_it_does_on_the_embedded_store() {
    run("model on the embedded store", 60, 50, Simulation::embedded);
}

/// The model itself, by hand: a model that agrees with anything would prove nothing.
#[test]
fn the_model_counts_as_documented() {
    let mut tony = phones()[0].clone();
    let new = (Some("739152"), None);
    tony.reset(&DEFAULTS, 1, new, (Some(false), None), false);
    let outcomes: Vec<&str> = (1..=16)
        .map(|n| match tony.sign_in(&DEFAULTS, n, "1", Some("482913")) {
            Told::Answer { outcome, .. } => outcome,
            told => panic!("{told:?}"),
        })
        .collect();
    for (index, outcome) in outcomes.iter().enumerate() {
        let expected = match index + 1 {
            5 | 10 => "resetByFailures",
            15 | 16 => "locked",
            _ => "rejected",
        };
        assert_eq!(*outcome, expected, "attempt {}", index + 1);
    }
    assert_eq!((tony.messages, tony.failures), (2, 15));
}
