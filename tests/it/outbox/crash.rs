//! A host dies at every step of a reset, whatever the network does meanwhile, and the next process recovers; and dies in that, too.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::simulation::{DC1, DC2, NetworkFault, Simulation};
use super::verdict::{check, reset, send};

/// Past every lease and every pause.
const LATER: Duration = Duration::from_secs(7200);
/// More than a reset has steps.
const MAILBOXES: usize = 40;

/// What happens between the death and the recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Nothing,
    /// Another host resets the same mailbox.
    Superseded,
    /// The controller cannot be reached for a while.
    Unreachable,
    /// What is in flight arrives.
    Landed,
}

struct Scenario {
    /// The mailbox has a PIN already.
    second: bool,
    fault: NetworkFault,
    meanwhile: Meanwhile,
    /// What is in flight lands at this call of the recovery; 0: afterwards.
    lands_at: u64,
}

impl Scenario {
    /// One run, with a mailbox of its own. False when the process outlived the reset: there is no such step.
    fn run(&self, simulation: &Arc<Simulation>, mailbox: usize, death: u64, second_death: u64) -> bool {
        if self.second {
            reset(&simulation.process("a").service, mailbox).expect("the first PIN");
        }
        let first = simulation.process("a");
        simulation.send_by(&[self.fault]);
        first.dies_at(death);
        let died = first.run(|service| reset(service, mailbox)).is_none();
        drop(first);
        simulation.send_by(&[]);
        simulation.later(LATER);
        match self.meanwhile {
            Meanwhile::Nothing => {}
            Meanwhile::Superseded => {
                drop(reset(&simulation.process("b").service, mailbox).expect("another host's reset"))
            }
            Meanwhile::Unreachable => {
                // Of what was made long ago the other controller has heard.
                simulation.replicate(DC1, DC2);
                simulation.set_down(DC1, true);
                let sent = send(&simulation.process("a").service);
                assert!(sent.iter().all(|outcome| *outcome == "queued"), "{self}: {sent:?}");
                simulation.set_down(DC1, false);
                simulation.later(LATER);
            }
            Meanwhile::Landed => simulation.land(),
        }
        simulation.land_at_call(self.lands_at);
        if second_death > 0 {
            let second = simulation.process("a");
            second.dies_at(second_death);
            second.run(send);
            simulation.later(LATER);
        }
        send(&simulation.process("a").service);
        simulation.land();
        // What landed after everything was settled must have been refused, so there is nothing left to do.
        simulation.later(LATER);
        let place = format!("{self}, death at step {death}, recovery dies at {second_death}");
        assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new(), "{place}");
        died
    }

    /// Every step of the reset, then the reset that outlives it. How many steps there were, and how many duplicates.
    fn at_every_step(&self, second_deaths: std::ops::RangeInclusive<u64>) -> (usize, usize) {
        let simulation = Simulation::new(MAILBOXES);
        let mut steps = 0;
        let mut deaths = 0;
        let mut mailbox = 0;
        for death in 1.. {
            let mut died = false;
            for second_death in second_deaths.clone() {
                died = self.run(&simulation, mailbox, death, second_death);
                // Only the last few PINs of a mailbox are remembered.
                mailbox = (mailbox + 1) % MAILBOXES;
                deaths += usize::from(died) + usize::from(second_death > 0);
            }
            if !died {
                break;
            }
            steps += 1;
        }
        (
            steps,
            check(&simulation, MAILBOXES, &["a", "b"], deaths, &self.to_string()),
        )
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.second { "second" } else { "first" };
        write!(
            f,
            "{number} PIN, {:?}, {:?}, lands at call {}",
            self.fault, self.meanwhile, self.lands_at
        )
    }
}

fn scenarios() -> Vec<Scenario> {
    let mut scenarios = Vec::new();
    for second in [true, false] {
        for fault in [
            NetworkFault::Prompt,
            NetworkFault::RequestLost,
            NetworkFault::AnswerLost,
            NetworkFault::Late,
        ] {
            for meanwhile in [
                Meanwhile::Nothing,
                Meanwhile::Superseded,
                Meanwhile::Unreachable,
                Meanwhile::Landed,
            ] {
                let late = fault == NetworkFault::Late;
                if meanwhile == Meanwhile::Landed && !late {
                    continue;
                }
                for lands_at in if late { 0..=4 } else { 0..=0 } {
                    scenarios.push(Scenario {
                        second,
                        fault,
                        meanwhile,
                        lands_at,
                    });
                }
            }
        }
    }
    scenarios
}

#[test]
fn a_host_that_dies_at_any_step_of_a_reset_loses_and_invents_nothing() {
    let mut duplicates = 0;
    let mut runs = 0;
    for scenario in scenarios() {
        let (steps, more) = scenario.at_every_step(0..=0);
        // Reading, recording and writing, each with a step before and after; after an answer that never came there is no more.
        let least = if scenario.fault == NetworkFault::Prompt { 12 } else { 6 };
        assert!(steps >= least, "only {steps} steps with {:?}", scenario.fault);
        duplicates += more;
        runs += steps;
    }
    println!("{runs} deaths, {duplicates} duplicates");
    assert!(
        duplicates > 0,
        "a death between acceptance and note must have been among them"
    );
}

#[test]
fn a_recovery_that_dies_at_any_step_is_recovered_from() {
    for (fault, lands_at) in [
        (NetworkFault::Prompt, 0),
        (NetworkFault::AnswerLost, 0),
        (NetworkFault::Late, 0),
        (NetworkFault::Late, 2),
    ] {
        let scenario = Scenario {
            second: true,
            fault,
            meanwhile: Meanwhile::Nothing,
            lands_at,
        };
        scenario.at_every_step(1..=14);
    }
}
