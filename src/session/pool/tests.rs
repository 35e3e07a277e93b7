use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::Instant;

use super::*;
use crate::credential::kdf::{Cost, KdfParams};
use crate::pin::Pin;

const PATIENCE: Duration = Duration::from_secs(30);

const LIMITS: Limits = Limits {
    threads: 12,
    deriving: 2,
    idle_timeout: Duration::from_millis(20),
};

fn pool(limits: Limits) -> Pool {
    let memory = Arc::new(KdfMemory::new(1, limits.idle_timeout));
    Pool::start("umpin-test", limits, memory).expect("a thread")
}

fn derive(kdf: &mut KdfContext) {
    let cost = Cost {
        memory_kib: 8,
        iterations: 1,
        parallelism: 1,
    };
    let params = KdfParams { salt: [7; 16], cost };
    kdf.derive(&Pin::new("482913".to_owned()), &params)
        .expect("a derivation");
}

impl Pool {
    fn threads(&self) -> usize {
        self.shared.state.lock().threads
    }
}

#[test]
fn a_flood_of_derivations_keeps_to_the_room_that_there_is() {
    let pool = pool(LIMITS);
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (complete, told) = mpsc::channel();
    for _ in 0..300 {
        let (under_way, most, complete) = (Arc::clone(&under_way), Arc::clone(&most), complete.clone());
        let work = move |kdf: &mut KdfContext| {
            most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            // Before the params, which makes room for the next one.
            under_way.fetch_sub(1, Ordering::SeqCst);
            derive(kdf);
        };
        pool.spawn(Workload::DerivesKey, work, move |()| {
            complete.send(()).expect("listened to")
        });
    }
    for index in 0..300 {
        told.recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("job {index} was never done"));
    }
    assert!(most.load(Ordering::SeqCst) <= LIMITS.deriving, "{most:?} at a time");
}

/// A slow mail relay keeps each of them for seconds, and must keep nobody else.
#[test]
fn those_that_have_derived_wait_beside_each_other() {
    let pool = pool(LIMITS);
    let all = Arc::new(Barrier::new(LIMITS.threads));
    let (complete, told) = mpsc::channel();
    for _ in 0..LIMITS.threads {
        let (all, complete) = (Arc::clone(&all), complete.clone());
        let work = move |kdf: &mut KdfContext| {
            derive(kdf);
            all.wait();
        };
        pool.spawn(Workload::DerivesKey, work, move |()| {
            complete.send(()).expect("listened to")
        });
    }
    for index in 0..LIMITS.threads {
        told.recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("only {index} of {} were under way together", LIMITS.threads));
    }
}

#[test]
fn a_job_that_panics_or_never_derives_makes_room_as_well() {
    let pool = pool(LIMITS);
    let (complete, told) = mpsc::channel();
    for index in 0..=20 {
        let complete = complete.clone();
        let work = move |_: &mut KdfContext| assert!(index % 2 == 0, "on purpose");
        pool.spawn(Workload::DerivesKey, work, move |()| {
            complete.send(()).expect("listened to")
        });
    }
    for _ in 0..=10 {
        told.recv_timeout(PATIENCE).expect("every other job tells");
    }
}

#[test]
fn threads_and_memory_go_when_there_is_nothing_to_do_and_come_back() {
    let pool = pool(LIMITS);
    for round in 0..3 {
        let all = Arc::new(Barrier::new(LIMITS.threads + 1));
        for _ in 0..LIMITS.threads {
            let all = Arc::clone(&all);
            let work = move |kdf: &mut KdfContext| {
                derive(kdf);
                all.wait();
                all.wait();
            };
            pool.spawn(Workload::DerivesKey, work, drop);
        }
        all.wait();
        assert_eq!(pool.threads(), LIMITS.threads, "round {round}");
        all.wait();
        let begun = Instant::now();
        while pool.threads() > 1 || pool.shared.memory.idle_count() > 0 {
            assert!(
                begun.elapsed() < PATIENCE,
                "round {round}: {} threads and {} pieces of memory are left",
                pool.threads(),
                pool.shared.memory.idle_count()
            );
            std::thread::yield_now();
        }
    }
}
