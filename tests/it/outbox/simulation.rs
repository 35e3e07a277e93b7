//! A remote directory as hosts see it: a network in between that loses and delays, controllers that are down, hosts that die.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use umpin::clock::{Clock, Timestamp};
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions, LocalOutbox};
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory, StoredCredential};
use umpin::mailbox::ObjectId;
use umpin::service::{Caller, Ports, Service, Settings};

use super::fixture;
use super::host::{CrashingOutbox, Relay};
use super::remote::Remote;
use crate::support;

/// Where changes are written unless a test says otherwise.
pub const DC1: &str = "dc1.contoso.com";
pub const DC2: &str = "dc2.contoso.com";

/// What the network does with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    Prompt,
    /// It never arrives, and the host waits in vain.
    RequestLost,
    /// It arrives at once, and the host waits in vain.
    AnswerLost,
    /// It arrives when [`Simulation::land`] is called, and the host waits in vain.
    Late,
}

/// What happened, in its order.
#[derive(Clone, Debug)]
pub enum Event {
    /// A record came into force on a controller.
    Landed { mailbox: ObjectId, sealed: Vec<u8> },
    /// A message was accepted.
    Mailed { id: [u8; 16], to: String, pin: String },
}

/// What decides between two values of an attribute that were written on two controllers: the number of writes, then the later
/// one, then the name of the controller.
type Version = (u64, i64, String);

/// The attributes of a mailbox, each replicated by itself.
#[derive(Clone, Default)]
struct Replica {
    record: (Version, Option<Vec<u8>>),
    counter: (Version, Option<Vec<u8>>),
}

#[derive(Default)]
pub struct Controller {
    pub down: bool,
    stored: HashMap<ObjectId, Replica>,
}

#[derive(Default)]
pub struct State {
    pub controllers: HashMap<String, Controller>,
    pub ways: VecDeque<NetworkFault>,
    pub in_flight: Vec<(String, CredentialChange)>,
    pub relay_down: bool,
    pub events: Vec<Event>,
}

type Meanwhile = Box<dyn FnOnce() + Send>;

/// When something happens meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The next change has not arrived yet.
    BeforeChange,
    /// It has, and its answer is on its way.
    AfterChange,
    /// The next record has been read.
    AfterReading,
}

pub struct Simulation {
    pub home: TempDir,
    pub people: EmbeddedDirectory,
    state: Mutex<State>,
    now: AtomicI64,
    /// What happens on other hosts meanwhile.
    meanwhile: Mutex<Option<(Moment, Meanwhile)>>,
    /// Directory calls until what is in flight lands; 0: it waits.
    pub landing: AtomicU64,
}

impl Simulation {
    pub fn new(mailboxes: usize) -> Arc<Self> {
        let home = fixture::store(mailboxes);
        let people = support::embedded(home.path());
        let simulation = Self {
            home,
            people,
            state: Mutex::default(),
            now: AtomicI64::new(1_800_000_000_000),
            meanwhile: Mutex::new(None),
            landing: AtomicU64::new(0),
        };
        for name in [DC1, DC2] {
            simulation
                .state()
                .controllers
                .insert(name.to_owned(), Controller::default());
        }
        Arc::new(simulation)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_down(&self, controller: &str, down: bool) {
        self.state().controllers.get_mut(controller).expect("a controller").down = down;
    }

    pub fn set_relay_down(&self, down: bool) {
        self.state().relay_down = down;
    }

    /// How the next changes travel; those after them promptly.
    pub fn send_by(&self, ways: &[NetworkFault]) {
        self.state().ways = ways.iter().copied().collect();
    }

    pub fn later(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).expect("a time");
        self.now.fetch_add(millis, Ordering::Relaxed);
    }

    /// The clock of the hosts is set back.
    pub fn set_back(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).expect("a time");
        self.now.fetch_sub(millis, Ordering::Relaxed);
    }

    /// Everything in flight arrives now.
    pub fn land(&self) {
        let state = &mut *self.state();
        for (controller, change) in std::mem::take(&mut state.in_flight) {
            self.swap(state, &controller, &change);
        }
    }

    /// Happens while the next change is on its way: after it has arrived, or before.
    pub fn meanwhile(&self, arrived: bool, what: impl FnOnce() + Send + 'static) {
        let moment = if arrived {
            Moment::AfterChange
        } else {
            Moment::BeforeChange
        };
        self.happens(moment, what);
    }

    /// Happens when the next record has been read, before anything is done with it.
    pub fn after_reading(&self, what: impl FnOnce() + Send + 'static) {
        self.happens(Moment::AfterReading, what);
    }

    fn happens(&self, moment: Moment, what: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner) = Some((moment, Box::new(what)));
    }

    pub fn let_happen(&self, moment: Moment) {
        let mut slot = self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner);
        let what = slot.take_if(|(when, _)| *when == moment);
        drop(slot);
        if let Some((_, what)) = what {
            what();
        }
    }

    /// Everything in flight arrives before the directory's call of that number from now on.
    pub fn land_at_call(&self, number: u64) {
        self.landing.store(number, Ordering::Relaxed);
    }

    pub fn is_anything_in_flight(&self) -> bool {
        !self.state().in_flight.is_empty()
    }

    /// What one controller has of everybody, the other gets, unless what it has wins.
    pub fn replicate(&self, from: &str, to: &str) {
        let state = &mut *self.state();
        let sent = state.controllers[from].stored.clone();
        let received = &mut state.controllers.get_mut(to).expect("a controller").stored;
        for (mailbox, theirs) in sent {
            let ours = received.entry(mailbox).or_default();
            for (ours, theirs) in [(&mut ours.record, theirs.record), (&mut ours.counter, theirs.counter)] {
                if theirs.0 > ours.0 {
                    *ours = theirs;
                }
            }
        }
    }

    /// The end of a partition: afterwards both have the same, of each attribute the value that wins.
    pub fn converge(&self) {
        self.replicate(DC1, DC2);
        self.replicate(DC2, DC1);
    }

    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub fn object_id(&self, number: usize) -> ObjectId {
        fixture::mailbox(&self.people, &fixture::address(number)).object_id
    }

    pub fn store_id(&self) -> [u8; 16] {
        self.people.store_id().expect("a store")
    }

    pub fn stored(&self, id: ObjectId, controller: &str) -> StoredCredential {
        self.state().stored(id, controller)
    }

    pub fn outbox_file(&self, host: &str) -> PathBuf {
        self.home.path().join(format!("{host}.outbox.db"))
    }

    /// A process on a host: the host's outbox outlives it.
    pub fn process(self: &Arc<Self>, host: &str) -> Process {
        self.process_at(host, DC1)
    }

    /// A process on a host that prefers this controller.
    pub fn process_at(self: &Arc<Self>, host: &str, preferred: &'static str) -> Process {
        silence();
        let crash_point = Arc::new(CrashPoint::default());
        let outbox = Arc::new(CrashingOutbox {
            outbox: LocalOutbox::new(EmbeddedOptions::new(self.outbox_file(host))),
            crash_point: Arc::clone(&crash_point),
        });
        let ports = Ports {
            directory: Arc::new(Remote {
                simulation: Arc::clone(self),
                preferred,
                crash_point: Arc::clone(&crash_point),
            }),
            audit: Arc::new(LocalOutbox::new(EmbeddedOptions::new(self.outbox_file(host)))),
            outbox: Arc::clone(&outbox) as _,
            journal: Some(outbox),
            notifier: Arc::new(Relay {
                simulation: Arc::clone(self),
                crash_point: Arc::clone(&crash_point),
            }),
            clock: Arc::new(SimulatedClock(Arc::clone(self))),
            keys: Arc::new(support::keys(self.home.path())),
        };
        let settings = Settings {
            cost: fixture::CHEAP,
            audit: true,
            audit_retention_days: None,
            message: umpin::notification::MessageSettings::default(),
            scope: None,
            answer_floor: Duration::ZERO,
            expire_notifications_after: Duration::from_secs(72 * 3600),
            netbios_name: None,
            caller: Caller {
                user: "CONTOSO\\admin".to_owned(),
                run_as: None,
                host: host.to_owned(),
                application: "outbox".to_owned(),
            },
        };
        Process {
            service: Service::new(ports, settings),
            crash_point,
        }
    }
}

impl State {
    pub fn stored(&self, id: ObjectId, controller: &str) -> StoredCredential {
        let replica = self.controllers[controller]
            .stored
            .get(&id)
            .cloned()
            .unwrap_or_default();
        StoredCredential {
            record: replica.record.1,
            counter: replica.counter.1,
            foreign: None,
        }
    }
}

impl Simulation {
    /// The compare-and-swap, when it arrives.
    pub fn swap(&self, state: &mut State, controller: &str, change: &CredentialChange) -> Applied {
        let now = self.now.load(Ordering::Relaxed);
        let write = |attribute: &mut (Version, Option<Vec<u8>>), new: &Vec<u8>| {
            *attribute = ((attribute.0.0 + 1, now, controller.to_owned()), Some(new.clone()));
        };
        let stored = state
            .controllers
            .get_mut(controller)
            .expect("a controller")
            .stored
            .entry(change.mailbox)
            .or_default();
        if let Some(record) = &change.record
            && record.expected != stored.record.1
        {
            return Applied::Conflict;
        }
        match &change.counter {
            CounterChange::Keep => {}
            CounterChange::Set(new) => write(&mut stored.counter, new),
            CounterChange::Swap(swap) if swap.expected == stored.counter.1 => write(&mut stored.counter, &swap.new),
            CounterChange::Swap(_) => return Applied::Conflict,
        }
        if let Some(record) = &change.record {
            write(&mut stored.record, &record.new);
            state.events.push(Event::Landed {
                mailbox: change.mailbox,
                sealed: record.new.clone(),
            });
        }
        Applied::Committed
    }
}

struct SimulatedClock(Arc<Simulation>);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now.load(Ordering::Relaxed))
    }
}

/// The payload of a panic that is a process dying.
struct Died;

fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload().is::<Died>() {
                usual(info);
            }
        }));
    });
}

/// Counts the steps of a process and ends it at one of them. A step lies before and after each call of a port.
#[derive(Default)]
pub struct CrashPoint {
    taken: AtomicU64,
    burns_at: AtomicU64,
}

impl CrashPoint {
    fn step(&self) {
        let burns_at = self.burns_at.load(Ordering::Relaxed);
        // Whatever a dead process would still do does not happen.
        if self.taken.fetch_add(1, Ordering::Relaxed) + 1 >= burns_at && burns_at > 0 && !std::thread::panicking() {
            panic_any(Died);
        }
    }

    pub fn around<T>(&self, call: impl FnOnce() -> T) -> T {
        self.step();
        let result = call();
        self.step();
        result
    }
}

pub struct Process {
    pub service: Service,
    crash_point: Arc<CrashPoint>,
}

impl Process {
    /// Ends it at that step, counted from now.
    pub fn dies_at(&self, step: u64) {
        let taken = self.crash_point.taken.load(Ordering::Relaxed);
        self.crash_point.burns_at.store(taken + step, Ordering::Relaxed);
    }

    /// `None` when it died.
    pub fn run<T>(&self, work: impl FnOnce(&Service) -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(|| work(&self.service))) {
            Ok(result) => Some(result),
            Err(payload) if payload.is::<Died>() => None,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    }
}
