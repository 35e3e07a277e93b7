//! A relay that takes its time: no reset waits for it for long, and what it takes late is not sent twice.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use umpin::clock::SystemClock;
use umpin::directory::Directory;
use umpin::notification::outbox::Outbox;
use umpin::notification::{DeliveryError, Notifier, OutgoingMessage};
use umpin::service::reset::Notification;
use umpin::service::{Caller, Lookup, Ports, Service, Settings};

use super::fixture;
use super::verdict::reset;
use crate::support;

/// Keeps every delivery until it is let go.
#[derive(Default)]
struct Slow {
    open: Mutex<bool>,
    changed: Condvar,
    begun: AtomicUsize,
    taken: AtomicUsize,
}

impl Slow {
    fn let_go(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

struct Relay(Arc<Slow>);

impl Notifier for Relay {
    fn check(&self) -> umpin::Result<()> {
        Ok(())
    }

    fn deliver(&self, _: &OutgoingMessage) -> Result<(), DeliveryError> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let mut open = self.0.open.lock().unwrap();
        while !*open {
            open = self.0.changed.wait(open).unwrap();
        }
        self.0.taken.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn uncollected(&self) -> Option<usize> {
        None
    }

    fn from(&self) -> &'static str {
        "Unified Messaging <um@contoso.com>"
    }
}

fn service(data: &Path, slow: &Arc<Slow>) -> Service {
    let directory = Arc::new(support::embedded(data));
    let ports = Ports {
        audit: Arc::clone(&directory) as _,
        outbox: Arc::clone(&directory) as Arc<dyn Outbox>,
        directory: directory as Arc<dyn Directory>,
        journal: None,
        notifier: Arc::new(Relay(Arc::clone(slow))),
        clock: Arc::new(SystemClock),
        keys: Arc::new(support::keys(data)),
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
        caller: Caller::default(),
    };
    Service::new(ports, settings)
}

#[test]
fn a_slow_relay_keeps_one_reset_waiting_for_seconds_and_the_next_ones_not_at_all() {
    let home = fixture::store(20);
    let slow = Arc::new(Slow::default());
    let service = service(home.path(), &slow);

    let began = Instant::now();
    let done = reset(&service, 0).expect("a reset");
    let first = began.elapsed();
    assert_eq!(done.notification, Notification::Queued);
    assert_eq!(done.warnings[0].id, "NotificationQueued");
    assert!(
        done.warnings[0].message.contains("still being tried"),
        "{:?}",
        done.warnings
    );
    assert!((4..8).contains(&first.as_secs()), "waited for {first:?}");

    let began = Instant::now();
    for number in 1..20 {
        let done = reset(&service, number).expect("a reset");
        assert_eq!(done.notification, Notification::Queued);
        assert!(
            done.warnings[0].message.contains("not tried yet"),
            "{:?}",
            done.warnings
        );
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "nineteen resets took {:?}",
        began.elapsed()
    );
    assert_eq!(slow.begun.load(Ordering::SeqCst), 1);
    let list = || {
        let page = service.notifications(None, Lookup::default(), None, 100);
        page.expect("a listing").items
    };
    assert_eq!(list().len(), 20);

    // Taken at last: the thread that nobody waits for tells the outbox, and nobody sends it again.
    slow.let_go();
    let patience = Instant::now();
    while list().len() == 20 {
        assert!(patience.elapsed() < Duration::from_secs(20), "the outbox was not told");
        std::thread::sleep(Duration::from_millis(5));
    }
    for number in 1..20 {
        let address = fixture::address(number);
        let request = umpin::service::outbox::SendRequest {
            identity: Some(&address),
            ..Default::default()
        };
        assert_eq!(service.send_notifications(&request).expect("a report").items.len(), 1);
    }
    assert_eq!(slow.taken.load(Ordering::SeqCst), 20);
    assert!(list().is_empty());
}

/// The process ends while the relay is at it, and nobody waits: the entry waits for its lease to end.
#[test]
fn a_message_under_way_is_nobody_elses() {
    let home = fixture::store(1);
    let slow = Arc::new(Slow::default());
    let service = service(home.path(), &slow);
    reset(&service, 0).expect("a reset");
    let address = fixture::address(0);
    let request = umpin::service::outbox::SendRequest {
        identity: Some(&address),
        ..Default::default()
    };
    let other = self::service(home.path(), &slow);
    let report = other.send_notifications(&request).expect("a report");
    assert_eq!(report.items[0].outcome, "busy");
    assert!(
        report.items[0]
            .reason
            .as_deref()
            .is_some_and(|r| r.contains("another process"))
    );
    assert_eq!(slow.begun.load(Ordering::SeqCst), 1);
    slow.let_go();
}
