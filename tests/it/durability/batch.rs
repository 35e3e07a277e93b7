//! Batches: order, window, an abandoned batch, a worker that panics.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::directory::{Directory, Route};
use umpin::session::{Batch, Collected, Outcome, Plan, Poll, Request, Session, SharedError};

use super::double::{Asked, Double};
use super::fixture::{self, Inside};
use super::scene::{Gate, PATIENCE, Scene};
use crate::support;

fn plan(session: &Session, number: usize, pin: Option<&str>) -> Plan {
    plan_with(session, json!({ "identity": fixture::address(number) }), pin)
}

fn plan_with(session: &Session, fields: Value, pin: Option<&str>) -> Plan {
    let plan = support::plan(session, fields, pin).expect("a plan");
    support::target(&plan).expect("a target");
    plan
}

fn submit(batch: &Batch, plan: &Plan) {
    match batch.submit(plan).expect("the plan is accepted") {
        Poll::Ready(()) => {}
        Poll::Pending => panic!("the window should not be full yet"),
    }
}

fn collect(batch: &Batch) -> (u64, Result<Outcome, SharedError>) {
    match batch.collect(PATIENCE) {
        Poll::Ready(Collected::Item(index, result)) => (index, result),
        Poll::Ready(Collected::Empty) => panic!("an outcome is missing"),
        Poll::Pending => panic!("no outcome within {PATIENCE:?}"),
    }
}

fn address_of(outcome: &Outcome) -> String {
    let response: Value = serde_json::from_slice(&outcome.response).expect("JSON");
    response["primarySmtpAddress"].as_str().expect("an address").to_owned()
}

#[test]
fn outcomes_come_in_the_order_of_submission() {
    let scene = Scene::new(4);
    let gate = Arc::new(Gate::default());
    let (slow, others) = (scene.id(0), AtomicUsize::new(0));
    let passed = Arc::clone(&gate);
    // The first waits until all the others are done.
    let double = Double::new(&scene.real).on_apply(move |real, change| {
        if change.mailbox == slow {
            passed.wait("the others");
            return real.apply(change);
        }
        let answer = real.apply(change);
        if others.fetch_add(1, Ordering::SeqCst) == 2 {
            passed.open("the others");
        }
        answer
    });
    let session = scene.session(&Arc::new(double));
    let batch = Batch::new(&session, 2).expect("a batch");
    for number in 0..4 {
        submit(&batch, &plan(&session, number, None));
    }
    gate.wait("the others");
    for number in 0..4 {
        let (index, result) = collect(&batch);
        assert_eq!(index, number as u64);
        let outcome = result.unwrap_or_else(|e| panic!("reset {number}: {e}"));
        assert_eq!(address_of(&outcome), fixture::address(number));
    }
    assert!(matches!(batch.collect(Duration::ZERO), Poll::Ready(Collected::Empty)));
}

#[test]
fn resets_of_one_mailbox_keep_their_order_and_never_race() {
    let pins = ["580291", "914730", "263815", "702946", "415093", "836127"];
    let scene = Scene::new(3);
    let inside = Arc::new(Mutex::new(HashSet::new()));
    let double = Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
        let mailbox = change.mailbox;
        assert!(
            inside.lock().expect("no panic inside").insert(mailbox),
            "two changes of one mailbox at once"
        );
        let answer = real.apply(change);
        inside.lock().expect("no panic inside").remove(&mailbox);
        answer
    }));
    let session = scene.session(&double);
    let batch = Batch::new(&session, 8).expect("a batch");
    // The plans are made beforehand, so that all but the first of a mailbox have seen a record that is old by their turn.
    let plans: Vec<Plan> = pins
        .iter()
        .flat_map(|pin| {
            (0..3)
                .map(|number| plan(&session, number, Some(pin)))
                .collect::<Vec<_>>()
        })
        .collect();
    for plan in &plans {
        submit(&batch, plan);
    }
    for index in 0..plans.len() {
        let (collected, result) = collect(&batch);
        assert_eq!(collected, index as u64);
        assert!(result.is_ok(), "reset {index}: {:?}", result.err());
    }
    let inside = Inside::of(scene.data());
    for number in 0..3 {
        let known = inside.pins(&fixture::address(number));
        assert_eq!(known.count(), pins.len());
        for (age, pin) in pins.iter().rev().enumerate() {
            assert_eq!(
                known.position(pin),
                Some(age),
                "mailbox {number}: the order of its PINs"
            );
        }
    }
}

#[test]
fn a_full_window_answers_pending() {
    let scene = Scene::new(6);
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let double = Double::new(&scene.real).on_apply(move |real, change| {
        passed.wait("release");
        real.apply(change)
    });
    let session = scene.session(&Arc::new(double));
    let batch = Batch::new(&session, 1).expect("a batch");
    let plans: Vec<Plan> = (0..6).map(|number| plan(&session, number, None)).collect();
    let accepted = plans
        .iter()
        .take_while(|plan| matches!(batch.submit(plan), Ok(Poll::Ready(()))))
        .count();
    assert!(
        (2..6).contains(&accepted),
        "{accepted} plans accepted by a batch that runs one at a time and has finished none"
    );
    assert!(
        matches!(batch.collect(Duration::ZERO), Poll::Pending),
        "nothing is done yet"
    );
    gate.open("release");
    let (index, result) = collect(&batch);
    assert!(index == 0 && result.is_ok());
    // The plan that was not accepted is as good as new.
    submit(&batch, &plans[accepted]);
    for expected in 1..=accepted as u64 {
        let (index, result) = collect(&batch);
        assert_eq!(index, expected);
        assert!(result.is_ok());
    }
}

#[test]
fn a_freed_batch_finishes_what_is_past_its_commit_point_before_the_next_request_answers_and_nothing_else() {
    const COUNT: usize = 6;
    const AT_ONCE: usize = 2;
    let scene = Scene::new(COUNT);
    let gate = Arc::new(Gate::default());
    let (passed, begun) = (Arc::clone(&gate), AtomicUsize::new(0));
    let double = Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
        change.cancellation.enter_commit().expect("nobody has stopped it yet");
        if begun.fetch_add(1, Ordering::SeqCst) + 1 == AT_ONCE {
            passed.open("begun");
        }
        passed.wait("release");
        real.apply(change)
    }));
    let session = scene.session(&double);
    let batch = Batch::new(&session, AT_ONCE as u32).expect("a batch");
    for number in 0..COUNT {
        submit(&batch, &plan(&session, number, None));
    }
    gate.wait("begun");
    drop(batch);
    let last = json!({ "v": 1, "operation": "pinInfo", "identity": fixture::address(COUNT - 1) });
    let request = Request::new(&session, last.to_string().as_bytes()).expect("a request");
    let next = support::plan(&session, json!({ "identity": fixture::address(0) }), None).expect("a plan");
    assert!(matches!(request.wait(Duration::ZERO), Ok(Poll::Pending)));
    assert!(matches!(next.target(Duration::ZERO), Ok(Poll::Pending)));
    gate.open("release");
    assert!(matches!(request.wait(PATIENCE), Ok(Poll::Ready(_))));
    let asked = double.asked();
    let applied = asked
        .iter()
        // Each commit that began has looked again at what was shown.
        .filter(|a| !matches!(a, Asked::FindById(_)))
        .take(COUNT + AT_ONCE)
        .filter(|a| matches!(a, Asked::Applied(_)))
        .count();
    assert_eq!(
        applied, AT_ONCE,
        "after the {COUNT} look-ups of the batch come {AT_ONCE} changes, then the look-ups of later calls: {asked:?}"
    );
    support::commit(&next).expect("the next reset");
    let inside = Inside::of(scene.data());
    for (number, expected) in [2, 1, 0, 0, 0, 0].into_iter().enumerate() {
        assert_eq!(
            inside.pins(&fixture::address(number)).count(),
            expected,
            "mailbox {number}"
        );
    }
    assert_eq!(inside.audited_resets(), 3);
    assert_eq!(fixture::announcements(scene.data()).len(), 3);
}

#[test]
fn a_freed_commit_past_its_commit_point_is_finished_before_the_next_request_answers() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let double = Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
        change.cancellation.enter_commit().expect("nobody has stopped it yet");
        passed.open("begun");
        passed.wait("release");
        real.apply(change)
    }));
    let session = scene.session(&double);
    let fields = json!({ "identity": fixture::address(0), "lockedOut": true });
    let given_up = plan_with(&session, fields, None);
    assert!(matches!(given_up.commit(Duration::ZERO), Ok(Poll::Pending)));
    gate.wait("begun");
    drop(given_up);
    let question = json!({ "v": 1, "operation": "pinInfo", "identity": fixture::address(0) });
    let request = Request::new(&session, question.to_string().as_bytes()).expect("a request");
    gate.open("release");
    let Ok(Poll::Ready(answer)) = request.wait(PATIENCE) else {
        panic!("no answer")
    };
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(
        answer["items"][0]["lockedOut"], true,
        "the answer waits for the reset that was given up"
    );
}

#[test]
fn a_panic_in_a_worker_is_an_unknown_outcome_of_that_item_only() {
    let scene = Scene::new(5);
    let unlucky = scene.id(1);
    let double = Double::new(&scene.real)
        .on_apply(move |real, change| {
            assert!(change.mailbox != unlucky, "a panic on purpose, in a change");
            real.apply(change)
        })
        .on_find(|real, identity| {
            let found = real.find(identity, Route::Preferred)?;
            let poisonous = found.found.iter().any(|f| f.mailbox.name == "User 4");
            assert!(!poisonous, "a panic on purpose, in a look-up");
            Ok(found)
        });
    let session = scene.session(&Arc::new(double));
    let batch = Batch::new(&session, 2).expect("a batch");
    // The unlucky mailbox twice: the second must neither be lost nor wait for ever.
    let order = [0, 1, 2, 1, 3];
    for number in order {
        submit(&batch, &plan(&session, number, None));
    }
    for (position, number) in order.iter().enumerate() {
        let (index, result) = collect(&batch);
        assert_eq!(index, position as u64);
        match result {
            Ok(outcome) => assert_eq!(address_of(&outcome), fixture::address(*number)),
            Err(error) => {
                assert_eq!(*number, 1, "{error}");
                assert_eq!(error.code(), ErrorCode::OutcomeUnknown, "{error}");
                assert!(error.message().contains("User 1"), "{error}");
                assert!(
                    !error.message().contains("on purpose"),
                    "a panic's text may hold anything"
                );
            }
        }
    }
    let inside = Inside::of(scene.data());
    for number in [0, 2, 3] {
        assert_eq!(inside.pins(&fixture::address(number)).count(), 1, "mailbox {number}");
    }

    // A panic before anything changed says that nothing did.
    let refused = support::plan(&session, json!({ "identity": fixture::address(4) }), None).expect("a plan");
    let error = support::target(&refused).expect_err("the look-up panics");
    assert_eq!(error.code(), ErrorCode::NativeFault);
    assert!(error.message().contains("nothing was changed"), "{error}");

    // And the session goes on, with more resets than it has threads.
    session.check().expect("the session is usable");
    for _ in 0..3 {
        support::reset(&session, json!({ "identity": fixture::address(2) }), None).expect("a reset");
    }
    drop(batch);
    let question = json!({ "v": 1, "operation": "pinInfo", "identity": fixture::address(0) });
    support::request(&session, &question).expect("the abandoned batch has nothing open");
}
