//! What changes between look-up and commit: the reset follows it, or fails by the usual error, or, where somebody was shown something
//! else, by an error of its own. Never does the old state win.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use rusqlite::Connection;
use serde_json::{Value, json};
use umpin::clock::{Clock, Timestamp};
use umpin::directory::Directory;
use umpin::pin::Pin;
use umpin::session::{Batch, Collected, Plan, Poll, Session};
use umpin::{Error, ErrorCode};

use super::double::{Asked, Double};
use super::fixture::{self, CHEAP};
use super::scene::{PATIENCE, Scene};
use crate::support;

const GIVEN: &str = "739160";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Generated,
    Given,
    KeepPin,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Carried out, by the new state.
    Followed,
    /// Carried out, unless it was shown otherwise.
    FollowedUnlessShown,
    Refused(ErrorCode),
}

struct Change {
    name: &'static str,
    /// In the store, between look-up and commit.
    sql: &'static str,
    wish: Wish,
    fate: Fate,
}

const fn change(name: &'static str, wish: Wish, fate: Fate, sql: &'static str) -> Change {
    Change { name, sql, wish, fate }
}

const CHANGES: &[Change] = &[
    change(
        "a longer PIN is demanded than the one given",
        Wish::Given,
        Fate::Refused(ErrorCode::PinPolicyViolation),
        "UPDATE policy SET min_pin_length = 8",
    ),
    change(
        "a longer PIN is demanded of the generator",
        Wish::Generated,
        Fate::Followed,
        "UPDATE policy SET min_pin_length = 8",
    ),
    change(
        "a shorter PIN will do",
        Wish::Generated,
        Fate::Followed,
        "UPDATE policy SET min_pin_length = 5",
    ),
    change(
        "a rule that the PIN given obeys",
        Wish::Given,
        Fate::Followed,
        "UPDATE policy SET min_pin_length = 5, pin_history_count = 7",
    ),
    change(
        "the PIN given becomes an extension",
        Wish::Given,
        Fate::Refused(ErrorCode::PinPolicyViolation),
        "UPDATE extension SET number = '739160' WHERE mailbox = 1",
    ),
    change(
        "another policy is assigned",
        Wish::Given,
        Fate::Refused(ErrorCode::PinPolicyViolation),
        "INSERT INTO policy SELECT 99, 'strict', zeroblob(16), NULL, 'Strict', 9, pin_lifetime_days, pin_history_count, \
         allow_common_patterns, logon_failures_before_pin_reset, max_logon_attempts, reset_pin_text FROM policy LIMIT 1;
         UPDATE mailbox SET um_mailbox_policy = 'Strict'",
    ),
    change(
        "the policy is gone",
        Wish::Generated,
        Fate::Refused(ErrorCode::StoreCorrupt),
        "DELETE FROM policy",
    ),
    change(
        "Unified Messaging is switched off",
        Wish::Generated,
        Fate::Refused(ErrorCode::MailboxNotUmEnabled),
        "UPDATE mailbox SET um_enabled = 0",
    ),
    change(
        "Unified Messaging is switched off before a lock",
        Wish::KeepPin,
        Fate::Refused(ErrorCode::MailboxNotUmEnabled),
        "UPDATE mailbox SET um_enabled = 0",
    ),
    change(
        "the mailbox is removed",
        Wish::Generated,
        Fate::Refused(ErrorCode::ManagementObjectNotFound),
        "PRAGMA foreign_keys = ON; DELETE FROM mailbox WHERE id = 1",
    ),
    change(
        "the mailbox leaves the scope",
        Wish::KeepPin,
        Fate::Refused(ErrorCode::ManagementObjectNotFound),
        "UPDATE mailbox SET distinguished_name = 'CN=User,OU=Elsewhere,DC=fabrikam,DC=com' WHERE id = 1",
    ),
    change(
        "the address changes",
        Wish::Generated,
        Fate::FollowedUnlessShown,
        "UPDATE mailbox SET primary_smtp_address = 'new@contoso.com' WHERE id = 1",
    ),
    change(
        "the address changes, and nothing is sent",
        Wish::KeepPin,
        Fate::Followed,
        "UPDATE mailbox SET primary_smtp_address = 'new@contoso.com' WHERE id = 1",
    ),
    change(
        "the address is gone",
        Wish::Generated,
        Fate::Refused(ErrorCode::NoNotificationAddress),
        "UPDATE mailbox SET primary_smtp_address = NULL WHERE id = 1",
    ),
    change(
        "the mailbox is renamed",
        Wish::KeepPin,
        Fate::FollowedUnlessShown,
        "UPDATE mailbox SET distinguished_name = replace(distinguished_name, 'CN=', 'CN=New ') WHERE id = 1",
    ),
    change(
        "the display name and the language change",
        Wish::Generated,
        Fate::Followed,
        "UPDATE mailbox SET display_name = 'Somebody', preferred_language = 'de-DE' WHERE id = 1",
    ),
    change(
        "the alias passes to another mailbox",
        Wish::Generated,
        Fate::Followed,
        "UPDATE identity SET mailbox = 2 WHERE mailbox = 1 AND kind <> 0",
    ),
];

/// How the caller goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// Says that somebody is asked.
    Asks,
    /// Only looks at the target.
    Shows,
    /// Looks at the target and says that nobody is asked.
    AsksNobody,
    /// Shows nothing, and commits at once.
    Blind,
    /// Shows nothing, and commits after a while.
    BlindAndLate,
}

const MANNERS: [Manner; 5] = [
    Manner::Asks,
    Manner::Shows,
    Manner::AsksNobody,
    Manner::Blind,
    Manner::BlindAndLate,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Compares in the transaction of the change.
    Embedded,
    /// Cannot.
    Remote,
}

/// A clock that a test sets.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Desk {
    scene: Scene,
    session: Session,
    clock: Arc<Hands>,
}

impl Desk {
    fn new(place: Place) -> Self {
        let scene = Scene::new(2);
        let double = Double::new(&scene.real).on_apply(move |real, mut change| {
            if place == Place::Remote {
                change.premise = None;
            }
            real.apply(change)
        });
        let clock = Arc::new(Hands(AtomicI64::new(1_700_000_000_000)));
        let mut settings = fixture::settings(CHEAP);
        settings.scope = Some(umpin::identity::Scope::parse("contoso.com").expect("a scope"));
        let session = Session::with_service(fixture::service_with(
            scene.data(),
            Arc::clone(&scene.real),
            Arc::new(double) as Arc<dyn Directory>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            settings,
        ));
        Self { scene, session, clock }
    }

    fn sql(&self, sql: &str) {
        let connection = Connection::open(self.scene.data().join("directory.db")).expect("the store");
        connection.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    fn plan(&self, wish: Wish, manner: Manner) -> Plan {
        let mut request = json!({ "v": 1, "identity": fixture::address(0) });
        match manner {
            Manner::Asks => request["confirm"] = true.into(),
            Manner::AsksNobody => request["confirm"] = false.into(),
            Manner::Shows | Manner::Blind | Manner::BlindAndLate => {}
        }
        if wish == Wish::KeepPin {
            request["keepPin"] = true.into();
            request["lockedOut"] = true.into();
        }
        let pin = (wish == Wish::Given).then(|| Pin::new(GIVEN.to_owned()));
        Plan::new(&self.session, request.to_string().as_bytes(), pin).expect("a plan")
    }

    /// Commits by itself or in a batch; what was answered.
    fn commit(&self, plan: &Plan, batched: bool) -> Result<(Value, Option<String>), Arc<Error>> {
        let outcome = if batched {
            let batch = Batch::new(&self.session, 2).expect("a batch");
            while !matches!(batch.submit(plan)?, Poll::Ready(())) {
                std::thread::yield_now();
            }
            match batch.collect(PATIENCE) {
                Poll::Ready(Collected::Item(0, outcome)) => outcome?,
                _ => panic!("no outcome of the batch"),
            }
        } else {
            match plan.commit(PATIENCE)? {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => panic!("no outcome within {PATIENCE:?}"),
            }
        };
        let response = serde_json::from_slice(&outcome.response).expect("JSON");
        Ok((response, outcome.generated.map(|pin| pin.expose().to_owned())))
    }

    fn min_pin_length(&self) -> usize {
        let connection = Connection::open(self.scene.data().join("directory.db")).expect("the store");
        let length: i64 = connection
            .query_row("SELECT min_pin_length FROM policy", [], |r| r.get(0))
            .expect("a policy");
        usize::try_from(length).expect("a small number")
    }

    fn records(&self) -> i64 {
        let connection = Connection::open(self.scene.data().join("directory.db")).expect("the store");
        connection
            .query_row("SELECT count(*) FROM credential", [], |r| r.get(0))
            .expect("a number")
    }

    fn address(&self) -> String {
        let connection = Connection::open(self.scene.data().join("directory.db")).expect("the store");
        connection
            .query_row("SELECT primary_smtp_address FROM mailbox WHERE id = 1", [], |r| {
                r.get(0)
            })
            .expect("an address")
    }
}

fn run(case: &Change, place: Place, manner: Manner, batched: bool) {
    let told = format!("{}: {place:?}, {manner:?}, in a batch: {batched}", case.name);
    let desk = Desk::new(place);
    let plan = desk.plan(case.wish, manner);
    match manner {
        Manner::Asks | Manner::Shows | Manner::AsksNobody => {
            support::target(&plan).unwrap_or_else(|e| panic!("{told}: {e}"));
        }
        Manner::Blind | Manner::BlindAndLate => support::validate(&plan).unwrap_or_else(|e| panic!("{told}: {e}")),
    }
    desk.sql(case.sql);
    if manner == Manner::BlindAndLate {
        desk.clock.0.fetch_add(5_000, Ordering::SeqCst);
    }
    let shown = matches!(manner, Manner::Asks | Manner::Shows);
    // A directory that cannot compare is not asked twice by a script that nobody waits for.
    let unseen = place == Place::Remote && matches!(manner, Manner::Blind | Manner::AsksNobody);
    let done = desk.commit(&plan, batched);
    if unseen {
        let code = done.err().map(|error| error.code());
        assert_ne!(code, Some(ErrorCode::TargetChanged), "{told}");
        return;
    }
    let expected = match case.fate {
        Fate::FollowedUnlessShown if shown => Some(ErrorCode::TargetChanged),
        Fate::Followed | Fate::FollowedUnlessShown => None,
        Fate::Refused(code) => Some(code),
    };
    match (done, expected) {
        (Err(error), Some(code)) => {
            assert_eq!(error.code(), code, "{told}: {error}");
            assert_eq!(desk.records(), 0, "{told}: something was changed");
            assert!(
                fixture::outbox(desk.scene.data()).is_empty(),
                "{told}: a message is queued"
            );
        }
        (Ok((response, generated)), None) => {
            assert_eq!(desk.records(), 1, "{told}");
            if case.wish == Wish::Generated {
                let generated = generated.unwrap_or_else(|| panic!("{told}: no PIN"));
                assert_eq!(generated.len(), desk.min_pin_length(), "{told}");
                assert_eq!(response["recipient"], desk.address(), "{told}");
                let mailed = fixture::announcements(desk.scene.data());
                assert_eq!(mailed.len(), 1, "{told}");
                assert_eq!(mailed[0].1, generated, "{told}: the message announces another PIN");
            }
        }
        (Err(error), None) => panic!("{told}: {error}"),
        (Ok(_), Some(code)) => panic!("{told}: carried out, and not {code:?}"),
    }
}

#[test]
fn what_changes_between_look_up_and_commit_counts() {
    for case in CHANGES {
        for place in [Place::Embedded, Place::Remote] {
            for manner in MANNERS {
                for batched in [false, true] {
                    run(case, place, manner, batched);
                }
            }
        }
    }
}

/// What is compared in the transaction costs no second derivation where the PIN still serves, and one where it does not.
#[test]
fn a_change_during_the_derivation_is_seen_in_the_transaction() {
    for (sql, length) in [
        ("UPDATE mailbox SET display_name = 'Somebody' WHERE id = 1", 6),
        ("UPDATE policy SET min_pin_length = 8", 8),
    ] {
        let scene = Scene::new(1);
        let file = scene.data().join("directory.db");
        let happened = AtomicUsize::new(0);
        let double = Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
            if happened.fetch_add(1, Ordering::SeqCst) == 0 {
                Connection::open(&file)
                    .expect("the store")
                    .execute_batch(sql)
                    .expect("the change");
            }
            real.apply(change)
        }));
        let session = scene.session(&double);
        let done = support::reset(
            &session,
            json!({ "identity": fixture::address(0), "confirm": false }),
            None,
        );
        let done = done.unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!(done.pin.map(|pin| pin.len()), Some(length), "{sql}");
        let tried = double.asked().iter().filter(|a| matches!(a, Asked::Applied(_))).count();
        assert_eq!(tried, 2, "{sql}: the first attempt is refused");
        let mailed = fixture::announcements(scene.data());
        assert_eq!(mailed.len(), 1, "{sql}: one message for one PIN");
    }
}

#[test]
fn the_error_says_what_was_shown_and_what_would_be_done() {
    let desk = Desk::new(Place::Embedded);
    let plan = desk.plan(Wish::Generated, Manner::Asks);
    support::target(&plan).expect("the target");
    desk.sql("UPDATE mailbox SET primary_smtp_address = 'new@contoso.com' WHERE id = 1");
    let error = desk.commit(&plan, false).expect_err("another recipient");
    assert_eq!(error.code().id(), "TargetChanged");
    for part in ["new@contoso.com", fixture::address(0).as_str(), "nothing was changed"] {
        assert!(error.message().contains(part), "{error}");
    }
}
