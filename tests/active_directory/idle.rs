//! Idle connections that a firewall dropped, and half-open connections after a restart of a controller.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::directory::Route;

use crate::harness::{Forest, UM, alone};
use crate::host::Host;
use crate::transport::{directory, found_on};

/// Longer than a connection is reused without a probe.
const IDLE: Duration = Duration::from_secs(6);
/// The timeout of an operation, which the first item would take without a probe.
const TIMEOUT: Duration = Duration::from_secs(15);

fn timed<T>(what: &str, item: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let value = item();
    println!("{what}: {:?}", begun.elapsed());
    (value, begun.elapsed())
}

#[test]
fn dropped_connections_fail_no_item() {
    alone(Forest::Single, |lab| {
        for idle in [IDLE, Duration::ZERO] {
            let directory = directory(lab, UM, |section| section["timeoutSeconds"] = json!(TIMEOUT.as_secs()));
            let find = || found_on(&directory, Route::Preferred);
            find().expect("found");
            timed("a normal item", find).0.expect("found");
            // The connections must be idle for this long.
            thread::sleep(idle);
            let forgotten = lab.forget_connections(lab.dc1());
            assert!(forgotten > 0, "there is no connection that could be forgotten");
            let (first, took) = timed(&format!("the first item, {idle:?} idle"), find);
            first.unwrap_or_else(|e| panic!("idle for {idle:?}: {e:?}"));
            assert!(took < TIMEOUT, "idle for {idle:?}: {took:?}");
            let (next, took) = timed("the next item", find);
            next.unwrap_or_else(|e| panic!("idle for {idle:?}, next: {e:?}"));
            assert!(took < Duration::from_secs(2), "idle for {idle:?}, next: {took:?}");
        }
    });
}

#[test]
fn a_reset_after_dropped_connections_is_made_once() {
    alone(Forest::Single, |lab| {
        let host = Host::new(lab);
        for alias in ["idle-1", "idle-2", "idle-3"] {
            lab.mailbox(alias);
        }
        let reset = |alias: &str| host.reset(json!({ "identity": alias }), None);
        host.begin();
        reset("idle-1").expect("the reset");
        thread::sleep(IDLE);
        assert!(lab.forget_connections(lab.dc1()) > 0, "there is no connection");
        for alias in ["idle-2", "idle-3"] {
            let (done, _) = timed("a reset after it", || reset(alias));
            done.unwrap_or_else(|e| panic!("{alias}: {e:?}"));
        }
        assert_eq!(host.messages().len(), 3);
    });
}

#[test]
fn half_open_connections_fail_no_item() {
    alone(Forest::Single, |lab| {
        let dc = lab.dc1();
        let directory = directory(lab, UM, |_| {});
        let find = || found_on(&directory, Route::Preferred);
        find().expect("found");
        lab.isolate(dc);
        // The client is not notified.
        dc.kill();
        lab.reach(dc);
        dc.start();
        for item in ["the first item", "the next item"] {
            let (found, took) = timed(item, find);
            found.unwrap_or_else(|e| panic!("{item}: {e:?}"));
            assert!(took < TIMEOUT, "{item}: {took:?}");
        }
    });
}
