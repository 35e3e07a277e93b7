//! Stopping: before its commit point an operation ends without a trace, after it with its outcome.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umpin::ErrorCode;
#[cfg(feature = "test-hooks")]
use umpin::cancellation::Cancellation;
use umpin::directory::{Applied, CredentialChange, Directory, Route};
use umpin::session::{Batch, Collected, Outcome, Plan, Poll, Request, Session, SharedError};

use super::child::ENTRY;
use super::double::Double;
use super::fixture::{self, Dice, Inside};
use super::process::{self, Running, Said, say};
use super::scene::{Gate, PATIENCE, Scene};
use crate::support;

fn plan(session: &Session, number: usize) -> Plan {
    let plan = support::plan(session, json!({ "identity": fixture::address(number) }), None).expect("a plan");
    support::target(&plan).expect("a target");
    plan
}

fn begin(plan: &Plan) {
    assert!(
        matches!(plan.commit(Duration::ZERO), Ok(Poll::Pending)),
        "it cannot have ended"
    );
}

/// The outcome, which must be there at once: nobody may wait for what is behind a gate.
fn at_once(plan: &Plan) -> Result<Outcome, SharedError> {
    match plan.commit(Duration::ZERO)? {
        Poll::Ready(outcome) => Ok(outcome),
        Poll::Pending => panic!("an operation that was cancelled in time keeps its caller waiting"),
    }
}

fn assert_cancelled<T>(result: Result<T, SharedError>, what: &str) {
    match result {
        Err(error) => assert_eq!(error.code(), ErrorCode::Cancelled, "{what}: {error}"),
        Ok(_) => panic!("{what}: carried out"),
    }
}

/// What is there of the resets of one mailbox: in the record, in the audit, in the outbox and in the pickup directory.
#[derive(Debug, PartialEq, Eq)]
struct Traces {
    pins: usize,
    audited: usize,
    queued: usize,
    sent: usize,
}

fn traces(data: &Path, number: usize) -> Traces {
    let inside = Inside::of(data);
    let address = fixture::address(number);
    let target = format!("contoso.com/Sales/User {number}");
    let operations = inside.operations();
    let of_it: Vec<_> = operations
        .iter()
        .filter(|o| o.intent["target"] == target.as_str())
        .collect();
    for operation in &of_it {
        let outcome = operation
            .outcome
            .as_ref()
            .expect("intent and outcome are one transaction");
        assert_eq!(
            outcome["succeeded"], true,
            "the store records no more than what was done"
        );
    }
    let ids = inside.pins(&address).ids();
    Traces {
        pins: ids.len(),
        audited: of_it.len(),
        queued: fixture::outbox(data).iter().filter(|id| ids.contains(id)).count(),
        sent: fixture::announcements(data)
            .iter()
            .filter(|(to, _)| *to == address)
            .count(),
    }
}

fn resets(count: usize) -> Traces {
    Traces {
        pins: count,
        audited: count,
        queued: 0,
        sent: count,
    }
}

/// Stands before each change: says "there", and goes on at "go".
fn stopping(scene: &Scene, gate: &Arc<Gate>, act: impl Fn(&CredentialChange) + Send + Sync + 'static) -> Session {
    let gate = Arc::clone(gate);
    scene.session(&Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
        act(&change);
        gate.open("there");
        gate.wait("go");
        let answer = real.apply(change);
        gate.open("ended");
        answer
    })))
}

#[test]
fn a_reset_that_is_cancelled_before_its_commit_point_is_answered_at_once_and_leaves_no_trace() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let session = stopping(&scene, &gate, |_| {});
    let stopped = plan(&session, 0);
    begin(&stopped);
    gate.wait("there");
    stopped.cancel();
    assert_cancelled(at_once(&stopped), "the reset");
    assert_eq!(
        stopped.commit(Duration::ZERO).map(drop).expect_err("told once").code(),
        ErrorCode::AlreadyUsed
    );
    gate.open("go");
    gate.wait("ended");
    assert_eq!(traces(scene.data(), 0), resets(0));
    support::reset(&session, json!({ "identity": fixture::address(0) }), None).expect("the next reset");
    assert_eq!(traces(scene.data(), 0), resets(1));
}

#[test]
fn a_reset_past_its_commit_point_finishes_and_tells_its_outcome() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let session = stopping(&scene, &gate, |change| {
        change.cancellation.enter_commit().expect("nobody has stopped it yet");
    });
    let late = plan(&session, 0);
    begin(&late);
    gate.wait("there");
    late.cancel();
    late.cancel();
    begin(&late);
    gate.open("go");
    let outcome = support::commit(&late).expect("it is carried out");
    assert_eq!(outcome.response["notification"], "sent", "{}", outcome.response);
    assert!(outcome.pin.is_some(), "the PIN is told");
    assert_eq!(traces(scene.data(), 0), resets(1));
}

/// The writer has carried the change out in its transaction and is about to commit it.
#[cfg(feature = "test-hooks")]
#[test]
fn a_request_at_the_last_moment_rolls_the_transaction_back() {
    let scene = Scene::new(2);
    let plans: Arc<Mutex<Vec<Plan>>> = Arc::default();
    let (hooked, first) = (Arc::clone(&plans), scene.id(0));
    let session = scene.session(&Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
        if change.mailbox == first {
            let plans = Arc::clone(&hooked);
            change
                .cancellation
                .at_commit_point(move || plans.lock().expect("no panic")[0].cancel());
        }
        real.apply(change)
    })));
    plans.lock().expect("no panic").push(plan(&session, 0));
    let outcome = loop {
        // Not while it waits: the hook needs the lock.
        match plans.lock().expect("no panic")[0].commit(Duration::ZERO) {
            Ok(Poll::Pending) => std::thread::yield_now(),
            outcome => break outcome,
        }
    };
    assert_cancelled(outcome, "the reset");
    support::reset(&session, json!({ "identity": fixture::address(1) }), None).expect("another reset");
    assert_eq!(traces(scene.data(), 0), resets(0));
    assert_eq!(traces(scene.data(), 1), resets(1));
}

#[test]
fn a_change_that_was_refused_is_not_tried_again_once_somebody_asked_to_stop() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let (passed, tries) = (Arc::clone(&gate), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&tries);
    let session = scene.session(&Arc::new(Double::new(&scene.real).on_apply(move |_, change| {
        counted.fetch_add(1, Ordering::SeqCst);
        change.cancellation.enter_commit().expect("nobody has stopped it yet");
        passed.open("there");
        passed.wait("go");
        Ok(Applied::Conflict)
    })));
    let stopped = plan(&session, 0);
    begin(&stopped);
    gate.wait("there");
    stopped.cancel();
    begin(&stopped);
    gate.open("go");
    assert_cancelled(support::commit(&stopped), "the reset");
    assert_eq!(tries.load(Ordering::SeqCst), 1, "attempts to change the record");
    assert_eq!(traces(scene.data(), 0), resets(0));
}

#[test]
fn a_plan_can_be_cancelled_in_every_state() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let session = scene.session(&Arc::new(Double::new(&scene.real).on_find(move |real, identity| {
        passed.wait("found");
        real.find(identity, Route::Preferred)
    })));
    let fields = json!({ "identity": fixture::address(0) });

    let looked_up = support::plan(&session, fields.clone(), None).expect("a plan");
    looked_up.cancel();
    assert_cancelled(looked_up.target(Duration::ZERO).map(drop), "the target");
    assert_cancelled(looked_up.validate(Duration::ZERO).map(drop), "the check");
    assert_cancelled(at_once(&looked_up), "while it was looked up");
    gate.open("found");

    let ready = plan(&session, 0);
    ready.cancel();
    support::target(&ready).expect("what was found may still be asked");
    assert_cancelled(ready.validate(Duration::ZERO).map(drop), "the check");
    assert_cancelled(at_once(&ready), "when it was ready");
    ready.cancel();
    assert_eq!(
        ready.commit(Duration::ZERO).map(drop).expect_err("told once").code(),
        ErrorCode::AlreadyUsed
    );

    let submitted = plan(&session, 0);
    submitted.cancel();
    let batch = Batch::new(&session, 1).expect("a batch");
    assert_cancelled(batch.submit(&submitted).map(drop), "handing it to a batch");
    assert!(matches!(batch.collect(Duration::ZERO), Poll::Ready(Collected::Empty)));

    let missing = support::plan(&session, json!({ "identity": "nobody@contoso.com" }), None).expect("a plan");
    let error = support::target(&missing).expect_err("nobody");
    missing.cancel();
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    let told = missing.commit(Duration::ZERO).map(drop).expect_err("nobody");
    assert_eq!(
        told.code(),
        ErrorCode::ManagementObjectNotFound,
        "what had ended stays as it is"
    );

    assert_eq!(traces(scene.data(), 0), resets(0));
    let done = plan(&session, 0);
    support::commit(&done).expect("a reset");
    done.cancel();
    assert_eq!(traces(scene.data(), 0), resets(1));
}

#[test]
fn a_cancelled_batch_finishes_only_what_is_past_its_commit_point_and_accepts_nothing_more() {
    const COUNT: usize = 8;
    let scene = Scene::new(COUNT + 1);
    let (first, second) = (scene.id(0), scene.id(1));
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let session = scene.session(&Arc::new(Double::new(&scene.real).on_apply(move |real, change| {
        if change.mailbox == first {
            change.cancellation.enter_commit().expect("nobody has stopped it yet");
            passed.open("the first");
        } else if change.mailbox == second {
            passed.open("the second");
        }
        passed.wait("go");
        real.apply(change)
    })));
    let batch = Batch::new(&session, 2).expect("a batch");
    for number in 0..COUNT {
        assert!(matches!(batch.submit(&plan(&session, number)), Ok(Poll::Ready(()))));
    }
    gate.wait("the first");
    gate.wait("the second");
    batch.cancel();
    batch.cancel();
    let refused = plan(&session, COUNT);
    assert_cancelled(batch.submit(&refused).map(drop), "a submission after the cancellation");
    assert!(
        matches!(batch.collect(Duration::ZERO), Poll::Pending),
        "the first goes on"
    );
    gate.open("go");
    for number in 0..COUNT {
        let Poll::Ready(Collected::Item(index, result)) = batch.collect(PATIENCE) else {
            panic!("an outcome is missing");
        };
        assert_eq!(index, number as u64);
        match number {
            0 => assert!(result.is_ok(), "{:?}", result.err()),
            _ => assert_cancelled(result, &format!("reset {number}")),
        }
    }
    assert!(matches!(batch.collect(Duration::ZERO), Poll::Ready(Collected::Empty)));
    // The plan that was not accepted is as good as new.
    support::commit(&refused).expect("a reset on its own");
    for number in 0..=COUNT {
        let expected = usize::from(number == 0 || number == COUNT);
        assert_eq!(traces(scene.data(), number), resets(expected), "mailbox {number}");
    }
}

fn import(session: &Session, data: &Path, name: &str, csv: &str) -> Request {
    let file = data.join(name);
    std::fs::write(&file, csv).expect("the import file is written");
    let request = json!({ "v": 1, "operation": "import", "path": file });
    Request::new(session, request.to_string().as_bytes()).expect("a request")
}

#[test]
fn a_cancelled_import_is_never_committed_nor_audited_and_the_next_one_stays() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let double = Double::new(&scene.real).on_import(move |real, plan, audit, dry_run| {
        let is_wrong = plan.mailboxes.len() == 3;
        if is_wrong && !dry_run {
            passed.open("there");
            passed.wait("go");
        }
        let counts = real.import(plan, audit, dry_run);
        if is_wrong && !dry_run {
            let code = counts.as_ref().err().map(umpin::Error::code);
            tell.lock().expect("no panic").send(code).expect("the test listens");
        }
        counts
    });
    let session = scene.session(&Arc::new(double));
    let before = Inside::of(scene.data()).operations().len();
    let wrong = import(&session, scene.data(), "wrong.csv", &fixture::csv(3));
    gate.wait("there");
    wrong.cancel();
    let Err(error) = wrong.wait(Duration::ZERO) else {
        panic!("an import that was cancelled in time keeps its caller waiting");
    };
    assert_eq!(error.code(), ErrorCode::Cancelled);
    support::answer(Ok(import(&session, scene.data(), "right.csv", &fixture::csv(2)))).expect("the right file");
    gate.open("go");
    let ended = told
        .recv_timeout(PATIENCE)
        .expect("the thread of the cancelled import ends");
    assert_eq!(ended, Some(ErrorCode::Cancelled));
    let question = json!({ "v": 1, "operation": "mailboxes" });
    let listed = support::request(&session, &question).expect("the mailboxes");
    assert_eq!(
        listed["items"].as_array().map(Vec::len),
        Some(2),
        "those of the right file: {listed}"
    );
    let imports: Vec<Value> = Inside::of(scene.data())
        .operations()
        .into_iter()
        .skip(before)
        .map(|operation| operation.intent["parameters"]["Path"].clone())
        .collect();
    assert_eq!(imports.len(), 1, "{imports:?}");
    assert!(
        imports[0].as_str().is_some_and(|path| path.ends_with("right.csv")),
        "{imports:?}"
    );
}

/// Whatever it is at: reading, trying out, writing.
#[test]
fn a_large_import_stops_soon_wherever_it_is() {
    const ROWS: usize = 20_000;
    let home = tempfile::tempdir().expect("a temporary directory");
    let session = support::open(home.path());
    let csv = fixture::csv(ROWS);
    for delay in [0, 5, 20, 60, 150, 300, 450] {
        let request = import(&session, home.path(), "large.csv", &csv);
        // Where it is by then differs from computer to computer; what must hold does not.
        std::thread::sleep(Duration::from_millis(delay));
        request.cancel();
        let asked = Instant::now();
        match request.wait(PATIENCE) {
            Ok(Poll::Ready(_)) => break,
            Ok(Poll::Pending) => panic!("a cancelled import goes on for {PATIENCE:?}"),
            Err(error) => assert_eq!(error.code(), ErrorCode::Cancelled, "{error}"),
        }
        assert!(
            asked.elapsed() < Duration::from_secs(5),
            "it took {:?} to stop",
            asked.elapsed()
        );
        assert!(
            !home.path().join("directory.db").exists(),
            "a cancelled first import has made the store"
        );
    }
}

#[cfg(feature = "test-hooks")]
#[test]
fn an_import_stopped_at_the_last_moment_changes_nothing() {
    for exists in [false, true] {
        let home = if exists {
            fixture::store(1)
        } else {
            tempfile::tempdir().expect("a directory")
        };
        let service = fixture::cheap_service(home.path(), Arc::new(umpin::clock::SystemClock));
        let file = home.path().join("import.csv");
        std::fs::write(&file, fixture::csv(3)).expect("the import file is written");
        let cancellation = Cancellation::new();
        let late = cancellation.clone();
        cancellation.at_commit_point(move || assert!(late.cancel(), "it is not past its commit point"));
        let request = umpin::service::ImportRequest {
            path: file,
            format: None,
            default_policy: None,
            skip_invalid: false,
            what_if: false,
            cancellation,
        };
        let error = service.import(&request).expect_err("it was cancelled");
        assert_eq!(error.code(), ErrorCode::Cancelled);
        if exists {
            let known = support::request(
                &support::open(home.path()),
                &json!({ "v": 1, "operation": "mailboxes" }),
            );
            assert_eq!(known.expect("a store")["items"].as_array().map(Vec::len), Some(1));
            assert_eq!(
                Inside::of(home.path()).operations().len(),
                2,
                "the first import and its policy"
            );
        } else {
            assert!(!home.path().join("directory.db").exists());
            let drafts = std::fs::read_dir(home.path()).expect("a directory");
            let names: Vec<_> = drafts.map(|e| e.expect("an entry").file_name()).collect();
            assert!(
                !names.iter().any(|name| name.to_string_lossy().contains("new")),
                "a draft is left behind: {names:?}"
            );
        }
    }
}

#[cfg(feature = "test-hooks")]
#[test]
fn an_export_stopped_at_the_last_moment_leaves_no_file() {
    let home = fixture::store(1);
    let service = fixture::cheap_service(home.path(), Arc::new(umpin::clock::SystemClock));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let cancellation = Cancellation::new();
    let late = cancellation.clone();
    cancellation.at_commit_point(move || assert!(late.cancel(), "it is not past its commit point"));
    let request = umpin::service::audit::AuditExport {
        path: folder.path().join("log.jsonl"),
        force: false,
        cancellation,
    };
    let error = service.audit_export(&request).map(drop).expect_err("it was cancelled");
    assert_eq!(error.code(), ErrorCode::Cancelled);
    let left = std::fs::read_dir(folder.path()).expect("a directory").count();
    assert_eq!(left, 0, "files left behind");
}

#[test]
fn a_cancelled_look_up_is_answered_at_once() {
    let scene = Scene::new(1);
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let session = scene.session(&Arc::new(Double::new(&scene.real).on_find(move |real, identity| {
        passed.open("there");
        passed.wait("go");
        real.find(identity, Route::Preferred)
    })));
    let question = json!({ "v": 1, "operation": "pinInfo", "identity": fixture::address(0) });
    let request = Request::new(&session, question.to_string().as_bytes()).expect("a request");
    gate.wait("there");
    request.cancel();
    let Err(error) = request.wait(Duration::ZERO) else {
        panic!("a look-up that was cancelled keeps its caller waiting");
    };
    assert_eq!(error.code(), ErrorCode::Cancelled);
    gate.open("go");
}

/// A child that ends by `exit()` while a reset of its own is under way.
pub fn leaving(data: &Path, task: &Value) {
    let real = Arc::new(support::embedded(data));
    let before = task["before"] == true;
    let double = Arc::new(Double::new(&real).on_apply(move |real, change| {
        if !before {
            real.apply(change).expect("a change");
        }
        say("there");
        loop {
            // Until the process ends.
            std::thread::park();
        }
    }));
    let service = fixture::service(data, real, double, Arc::new(umpin::clock::SystemClock), fixture::CHEAP);
    let session = Session::with_service(service);
    say("ready");
    process::hear();
    let begun = plan(&session, 0);
    begin(&begun);
    process::hear();
    std::process::exit(0);
}

/// By `exit()` and by `kill -9`; before the commit point, and after it when nobody has heard the outcome yet.
#[test]
fn the_end_of_the_process_undoes_what_is_before_its_commit_point_and_keeps_the_message_of_what_is_after_it() {
    for before in [true, false] {
        for orderly in [true, false] {
            let place = format!("before the commit point: {before}, exit(): {orderly}");
            let home = fixture::store(1);
            let task = json!({ "task": "leaving", "store": home.path(), "before": before });
            let mut running = Running::new(ENTRY, &task);
            running.go();
            assert!(running.next::<There>().is_some(), "{place}: the change never began");
            if orderly {
                running.tell("exit");
                assert_eq!(running.finish::<There>().len(), 0, "{place}");
            } else {
                running.kill::<There>();
            }
            fixture::assert_sound(home.path());
            let made = usize::from(!before);
            let left = Traces {
                pins: made,
                audited: made,
                queued: made,
                sent: 0,
            };
            assert_eq!(traces(home.path(), 0), left, "{place}");
            // Past the lease of the process that ended, the next command hands the message over.
            let later = fixture::cheap_service(home.path(), Arc::new(fixture::Ahead(600_000)));
            let sent = later.send_notifications(&umpin::service::outbox::SendRequest::default());
            assert_eq!(sent.expect("a report").items.len(), made, "{place}");
            assert_eq!(traces(home.path(), 0), resets(made), "{place}");
        }
    }
}

struct There;

impl Said for There {
    fn heard(words: &[&str]) -> Option<Self> {
        matches!(words, ["there"]).then_some(Self)
    }
}

/// Any order of submitting, cancelling, collecting and freeing: what is told to be cancelled has changed nothing, what is told to be
/// done has, and what nobody was told of is one of the two.
#[test]
fn whatever_the_order_cancelled_means_that_nothing_was_changed() {
    const CASES: u64 = 12;
    const STEPS: u64 = 40;
    const MAILBOXES: u64 = 6;
    let seed = fixture::seed("cancel");
    for case in 0..CASES {
        let mut dice = Dice::new(seed.wrapping_add(case));
        let place = format!("UMPIN_TEST_SEED={seed}, case {case}");
        let home = fixture::store(MAILBOXES as usize);
        let session = fixture::cheap_session(home.path());
        let mut books = Books::new(MAILBOXES as usize);
        let mut batch: Option<(Batch, Vec<usize>)> = None;
        let mut alone: Vec<(Plan, usize)> = Vec::new();
        for _ in 0..STEPS {
            let number = dice.below(MAILBOXES) as usize;
            match dice.below(12) {
                0..=3 => {
                    let parallelism = 1 + dice.below(4) as u32;
                    let (batch, order) =
                        batch.get_or_insert_with(|| (Batch::new(&session, parallelism).expect("a batch"), Vec::new()));
                    match batch.submit(&plan(&session, number)) {
                        Ok(Poll::Ready(())) => order.push(number),
                        Ok(Poll::Pending) => {}
                        Err(error) => assert_eq!(error.code(), ErrorCode::Cancelled, "{place}: {error}"),
                    }
                }
                4 | 5 => {
                    let plan = plan(&session, number);
                    match plan.commit(Duration::ZERO) {
                        Ok(Poll::Pending) => alone.push((plan, number)),
                        Ok(Poll::Ready(outcome)) => books.told(number, &Ok(outcome), &place),
                        Err(error) => panic!("{place}: {error}"),
                    }
                }
                6 => {
                    if let Some((batch, _)) = &batch {
                        batch.cancel();
                    }
                }
                7 => alone.iter().for_each(|(plan, _)| plan.cancel()),
                8 => {
                    if let Some((batch, order)) = &mut batch
                        && let Poll::Ready(Collected::Item(_, result)) =
                            batch.collect(Duration::from_millis(dice.below(3)))
                    {
                        books.told(order.remove(0), &result, &place);
                    }
                }
                9 => {
                    if let Some((plan, number)) = alone.pop() {
                        books.told(number, &support::commit(&plan), &place);
                    }
                }
                10 => {
                    if let Some((batch, order)) = batch.take() {
                        drop(batch);
                        order.into_iter().for_each(|number| books.untold[number] += 1);
                    }
                }
                _ => {
                    for (plan, number) in alone.drain(..) {
                        drop(plan);
                        books.untold[number] += 1;
                    }
                }
            }
        }
        if let Some((batch, order)) = batch.take() {
            batch.cancel();
            for number in order {
                match batch.collect(PATIENCE) {
                    Poll::Ready(Collected::Item(_, result)) => books.told(number, &result, &place),
                    _ => panic!("{place}: an outcome is missing"),
                }
            }
        }
        for (plan, number) in alone {
            books.told(number, &support::commit(&plan), &place);
        }
        // What was freed past its commit point is finished before this answers.
        support::request(&session, &json!({ "v": 1, "operation": "status" })).expect("the session goes on");
        books.check(home.path(), &place);
    }
}

/// What was told of each mailbox.
struct Books {
    done: Vec<usize>,
    untold: Vec<usize>,
}

impl Books {
    fn new(mailboxes: usize) -> Self {
        Self {
            done: vec![0; mailboxes],
            untold: vec![0; mailboxes],
        }
    }

    fn told<T>(&mut self, number: usize, result: &Result<T, SharedError>, place: &str) {
        match result {
            Ok(_) => self.done[number] += 1,
            Err(error) => assert_eq!(error.code(), ErrorCode::Cancelled, "{place}: {error}"),
        }
    }

    fn check(&self, data: &Path, place: &str) {
        for (number, (done, untold)) in self.done.iter().zip(&self.untold).enumerate() {
            let traces = traces(data, number);
            let expected = *done..=*done + *untold;
            assert!(
                expected.contains(&traces.audited),
                "{place}, mailbox {number}: {done} told to be done, {untold} untold: {traces:?}"
            );
            // A record remembers twenty PINs.
            assert_eq!(
                traces.pins,
                traces.audited.min(20),
                "{place}, mailbox {number}: {traces:?}"
            );
            assert_eq!(
                traces.queued + traces.sent,
                traces.audited,
                "{place}, mailbox {number}: {traces:?}"
            );
        }
    }
}
