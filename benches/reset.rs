//! What a reset costs, part by part, in one run: `cargo bench --bench reset`.
//!
//! The limit is the key derivation: everything but it and the two durable writes (the commit, the message) should vanish
//! beside it. Machines differ and are noisy, so read the ratios, not the milliseconds. To leave the disk out of it, name a
//! directory in memory: `cargo bench --bench reset -- /dev/shm`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::clock::{Clock, SystemClock};
use umpin::credential::kdf::{Cost, KdfContext, KdfParams};
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{CounterChange, CredentialChange, Directory, Route, Swap};
use umpin::identity::Identity;
use umpin::notification::pickup::PickupNotifier;
use umpin::notification::{Notifier, OutgoingMessage};
use umpin::pin::Pin;
use umpin::random;
use umpin::session::{Batch, Collected, Plan, Poll, Request, Session};

const RUNS: usize = 60;
const MAILBOXES: usize = 200;
const LONG: Duration = Duration::from_secs(60);

/// What `run` takes, in milliseconds.
fn time(run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    start.elapsed().as_secs_f64() * 1e3
}

fn median(mut times: Vec<f64>) -> f64 {
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

/// A session on a fresh store with [`MAILBOXES`] mailboxes.
fn store(data: &Path) -> Session {
    let csv: String = (0..MAILBOXES)
        .map(|n| format!("User {n},user{n}@contoso.com,user{n}@contoso.com,True\n"))
        .collect();
    let file = data.join("people.csv");
    fs::write(
        &file,
        format!("Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled\n{csv}"),
    )
    .expect("the file");
    let open = json!({ "v": 1, "dataDirectory": data }).to_string();
    let session = Session::open(open.as_bytes()).expect("a session");
    let import = json!({ "v": 1, "operation": "import", "path": file }).to_string();
    match Request::new(&session, import.as_bytes()).expect("a request").wait(LONG) {
        Ok(Poll::Ready(_)) => session,
        _ => panic!("the import failed"),
    }
}

/// What a reset needs of the directory: a look-up, the record, the compare-and-swap.
fn commit(directory: &EmbeddedDirectory, n: usize) {
    let identity = Identity::parse(&identity(n)).expect("an identity");
    let id = directory.find(&identity, Route::Preferred).expect("a look-up").found[0]
        .mailbox
        .object_id;
    let expected = directory.credential(id, None).expect("a look-up").record;
    let change = CredentialChange {
        mailbox: id,
        controller: None,
        record: Some(Swap {
            new: expected.clone().unwrap_or_else(|| vec![0; 200]),
            expected,
        }),
        counter: CounterChange::Set(vec![0; 80]),
        message: None,
        audit: None,
        cancellation: umpin::cancellation::Cancellation::default(),
        premise: None,
    };
    directory.apply(change).expect("a commit");
}

fn deliver(pickup: &PickupNotifier) {
    let message = OutgoingMessage {
        id: random::system_bytes().expect("randomness"),
        created: SystemClock.now(),
        recipient: "tony@contoso.com".to_owned(),
        content: vec![b'x'; 2000].into(),
    };
    pickup.deliver(&message).expect("a delivery");
}

fn main() {
    // Where the tests are asked for, nothing is measured.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let place = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned());
    let home = tempfile::tempdir_in(&place).expect("a directory");
    let session = store(home.path());
    let other = tempfile::tempdir_in(&place).expect("a directory");
    drop(store(other.path()));

    let mut kdf = KdfContext::default();
    let params = KdfParams::generate(Cost::STANDARD, &mut random::system_rng()).expect("randomness");
    let pin = Pin::new("580291".to_owned());
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(other.path().join("directory.db")));
    let pickup = PickupNotifier::new(other.path().join("pickup"), "um@contoso.com".to_owned(), None);

    // In turn, so that a machine whose speed drifts treats all alike. The first rounds warm up.
    let rounds: Vec<[f64; 4]> = (0..RUNS + 3)
        .map(|n| {
            [
                time(|| drop(kdf.derive(&pin, &params).expect("a tag"))),
                time(|| commit(&directory, n)),
                time(|| deliver(&pickup)),
                time(|| reset(&session, n)),
            ]
        })
        .skip(3)
        .collect();
    let of = |part: usize| median(rounds.iter().map(|round| round[part]).collect());
    let (derive, commit, deliver, whole) = (of(0), of(1), of(2), of(3));
    let rest = median(
        rounds
            .iter()
            .map(|[derive, commit, deliver, whole]| whole - derive - commit - deliver)
            .collect(),
    );
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
