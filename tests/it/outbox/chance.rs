//! Any schedule of resets, deaths, delays, losses and outages on two hosts.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use umpin::ErrorCode;

use super::simulation::{DC1, NetworkFault, Simulation};
use super::verdict::{check, reset, send};

const MAILBOXES: usize = 3;
const HOSTS: [&str; 2] = ["a", "b"];

#[derive(Clone, Debug)]
enum Step {
    /// By a process of its own, which dies at that step (0: does not).
    Reset {
        host: usize,
        mailbox: usize,
        fault: NetworkFault,
        death: u64,
    },
    Send {
        host: usize,
        death: u64,
    },
    Land,
    LandAtCall(u64),
    Later(u64),
    ControllerDown(bool),
    RelayDown(bool),
}

fn fault() -> impl Strategy<Value = NetworkFault> {
    prop_oneof![
        3 => Just(NetworkFault::Prompt),
        1 => Just(NetworkFault::RequestLost),
        1 => Just(NetworkFault::AnswerLost),
        3 => Just(NetworkFault::Late),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let death = || prop_oneof![1 => Just(0), 1 => 1_u64..24];
    prop_oneof![
        6 => (0..2_usize, 0..MAILBOXES, fault(), death())
            .prop_map(|(host, mailbox, fault, death)| Step::Reset { host, mailbox, fault, death }),
        4 => (0..2_usize, death()).prop_map(|(host, death)| Step::Send { host, death }),
        2 => Just(Step::Land),
        2 => (1_u64..6).prop_map(Step::LandAtCall),
        4 => prop_oneof![Just(30), Just(300), Just(5400)].prop_map(Step::Later),
        1 => any::<bool>().prop_map(Step::ControllerDown),
        1 => any::<bool>().prop_map(Step::RelayDown),
    ]
}

fn run(steps: &[Step]) {
    let simulation = Simulation::new(MAILBOXES);
    let mut deaths = 0;
    for step in steps {
        match *step {
            Step::Reset {
                host,
                mailbox,
                fault,
                death,
            } => {
                let process = simulation.process(HOSTS[host]);
                simulation.send_by(&[fault]);
                if death > 0 {
                    process.dies_at(death);
                }
                match process.run(|service| reset(service, mailbox)) {
                    None => deaths += 1,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => assert!(
                        matches!(
                            error.code(),
                            ErrorCode::OutcomeUnknown | ErrorCode::DirectoryUnavailable
                        ),
                        "{error:?}"
                    ),
                }
                simulation.send_by(&[]);
            }
            Step::Send { host, death } => {
                let process = simulation.process(HOSTS[host]);
                if death > 0 {
                    process.dies_at(death);
                }
                deaths += usize::from(process.run(send).is_none());
            }
            Step::Land => simulation.land(),
            Step::LandAtCall(number) => simulation.land_at_call(number),
            Step::Later(seconds) => simulation.later(Duration::from_secs(seconds)),
            Step::ControllerDown(down) => simulation.set_down(DC1, down),
            Step::RelayDown(down) => simulation.set_relay_down(down),
        }
    }
    simulation.set_down(DC1, false);
    simulation.set_relay_down(false);
    for host in HOSTS {
        simulation.later(Duration::from_secs(7200));
        send(&simulation.process(host).service);
    }
    simulation.land();
    check(&simulation, MAILBOXES, &HOSTS, deaths, "at the end");
}

proptest! {
    #![proptest_config(Config { cases: 60, ..Config::default() })]

    #[test]
    fn every_schedule_ends_well(steps in prop::collection::vec(step(), 1..30)) {
        run(&steps);
    }
}
