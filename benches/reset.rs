//! What a reset costs, part by part, in one run: `cargo bench --bench reset`.
//!
//! The limit is the key derivation: everything but it and the two durable writes (the commit, the message) should vanish
//! beside it. Machines differ and are noisy, so read the ratios, not the milliseconds.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::clock::{Clock, SystemClock};
use umpin::credential::derive::{Cost, Derivation, Deriver};
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{CredentialChange, Directory};
use umpin::identity::Identity;
use umpin::notification::pickup::PickupNotifier;
use umpin::notification::{Notifier, OutgoingMessage};
use umpin::pin::Pin;
use umpin::random;
use umpin::session::{Batch, Collected, Plan, Poll, Request, Session};

const RUNS: usize = 60;
const MAILBOXES: usize = 200;
const LONG: Duration = Duration::from_secs(60);

/// The median of what `run` takes, in milliseconds; the first runs warm up.
fn median(mut run: impl FnMut(usize)) -> f64 {
    let mut times: Vec<f64> = (0..RUNS + 3)
        .map(|n| {
            let start = Instant::now();
            run(n);
            start.elapsed().as_secs_f64() * 1e3
        })
        .skip(3)
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn identity(n: usize) -> String {
    format!("user{}@contoso.com", n % MAILBOXES)
}

fn plan(session: &Session, n: usize) -> Plan {
    let request = json!({ "v": 1, "identity": identity(n) }).to_string();
    Plan::new(session, request.as_bytes(), None).expect("a plan")
}

fn reset(session: &Session, n: usize) {
    match plan(session, n).commit(LONG) {
        Ok(Poll::Ready(_)) => {}
        Ok(Poll::Pending) => panic!("the reset hangs"),
        Err(error) => panic!("{error:?}"),
    }
}

fn bulk(session: &Session, parallelism: u32) -> f64 {
    let start = Instant::now();
    let batch = Batch::new(session, parallelism).expect("a batch");
    for n in 0..MAILBOXES {
        let plan = plan(session, n);
        plan.target(LONG).map_err(|e| e.to_string()).expect("a target");
        while matches!(batch.submit(&plan), Ok(Poll::Pending)) {
            let _ = batch.collect(LONG);
        }
    }
    while !matches!(batch.collect(LONG), Poll::Ready(Collected::Empty)) {}
    start.elapsed().as_secs_f64() * 1e3 / MAILBOXES as f64
}

fn main() {
    // Where the tests are asked for, nothing is measured.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let csv: String = (0..MAILBOXES)
        .map(|n| format!("User {n},user{n}@contoso.com,user{n}@contoso.com,True\n"))
        .collect();
    let file = home.path().join("people.csv");
    fs::write(
        &file,
        format!("Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled\n{csv}"),
    )
    .expect("the file");
    let open = json!({ "v": 1, "dataDirectory": home.path() }).to_string();
    let session = Session::open(open.as_bytes()).expect("a session");
    let import = json!({ "v": 1, "operation": "import", "path": file }).to_string();
    match Request::new(&session, import.as_bytes()).expect("a request").wait(LONG) {
        Ok(Poll::Ready(_)) => {}
        _ => panic!("the import failed"),
    }

    let mut deriver = Deriver::default();
    let derivation = Derivation::generate(Cost::STANDARD, &mut random::system_rng()).expect("randomness");
    let pin = Pin::new("580291".to_owned());
    let derive = median(|_| drop(deriver.derive(&pin, &derivation).expect("a tag")));

    let directory = Arc::new(EmbeddedDirectory::new(EmbeddedOptions::new(
        home.path().join("directory.db"),
    )));
    let commit = median(|n| {
        let found = directory
            .find(&Identity::parse(&identity(n)).expect("an identity"))
            .expect("a look-up");
        let id = found.mailboxes[0].object_id;
        let expected = directory.credential(id).expect("a look-up").record;
        let start = CredentialChange {
            mailbox: id,
            expected: expected.clone(),
            record: expected.unwrap_or_else(|| vec![0; 200]),
            counter: None,
            message: None,
            audit: None,
        };
        directory.apply(start).expect("a commit");
    });
    let pickup = PickupNotifier::new(home.path().join("other"), "um@contoso.com".to_owned(), None);
    let deliver = median(|_| {
        let message = OutgoingMessage {
            id: random::system_bytes().expect("randomness"),
            created: SystemClock.now(),
            recipient: "tony@contoso.com".to_owned(),
            content: vec![b'x'; 2000].into(),
        };
        pickup.deliver(&message).expect("a delivery");
    });
    // The store above holds values that are no records; the resets need a fresh one.
    drop(directory);
    for name in ["directory.db", "directory.db-wal", "directory.db-shm"] {
        let _ = fs::remove_file(home.path().join(name));
    }
    let session = Session::open(open.as_bytes()).expect("a session");
    match Request::new(&session, import.as_bytes()).expect("a request").wait(LONG) {
        Ok(Poll::Ready(_)) => {}
        _ => panic!("the import failed"),
    }
    let whole = median(|n| reset(&session, n));
    let rest = whole - derive - commit - deliver;
    println!("one derivation                       {derive:8.2} ms");
    println!(
        "one durable commit, with its look-up {commit:8.2} ms  {:5.2} derivations",
        commit / derive
    );
    println!(
        "one message made durable             {deliver:8.2} ms  {:5.2} derivations",
        deliver / derive
    );
    println!(
        "one reset                            {whole:8.2} ms  {:5.2} derivations",
        whole / derive
    );
    println!(
        "  beside the three above             {rest:8.2} ms  {:5.2} derivations",
        rest / derive
    );
    for parallelism in [1, 2, 4] {
        let each = bulk(&session, parallelism);
        println!(
            "a batch, {parallelism} at once, each           {each:8.2} ms  {:5.2} derivations",
            each / derive
        );
    }
}
