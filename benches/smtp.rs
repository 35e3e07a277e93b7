//! What mail adds to a reset: `cargo bench --bench smtp`, or with another number of pairs `cargo bench --bench smtp -- 100`.
//!
//! Resets with a relay and with `sendEmail` false take turns, so that a machine whose speed drifts treats both alike. The
//! relays are those of the tests, encrypted and signed in to: `aiosmtpd`, and Postfix, which needs root. They share the
//! processors with the resets; a relay on another machine costs less here and a little more on the way.

#[path = "../tests/support/certificates.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod certificates;
#[path = "../tests/it/smtp/harness.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod harness;
#[cfg(unix)]
#[path = "../tests/it/smtp/postfix_server.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod postfix_server;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umpin::notification::Notifier as _;
use umpin::notification::smtp::{Relay, SmtpNotifier, Tls};
use umpin::session::{Batch, Collected, Plan, Poll, Request, Session};

const PAIRS: usize = 1000;
const MAILBOXES: usize = 200;
const LONG: Duration = Duration::from_secs(60);

fn main() {
    // Where the tests are asked for, nothing is measured.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let pairs = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(PAIRS);
    let authority = certificates::Authority::new();
    let sink = harness::Sink::trusted(
        &authority,
        json!({ "user": "um@contoso.com", "password": harness::PASSWORD, "pipelining": true }),
    );
    measure("aiosmtpd", sink.port, &authority.file(), pairs);
    println!("  connections                          {:8}", sink.connections());
    #[cfg(unix)]
    {
        let postfix = postfix_server::Postfix::start();
        measure("Postfix", postfix.port, &postfix.authority.file(), pairs);
    }
}

fn measure(relay: &str, port: u16, ca_file: &Path, pairs: usize) {
    let notifier = SmtpNotifier::new(Relay {
        host: "localhost".to_owned(),
        port,
        tls: Tls::StartTls,
        ca_file: Some(ca_file.to_owned()),
        login: harness::account("um@contoso.com"),
        from: "um@contoso.com".to_owned(),
        timeout: LONG,
        group: None,
    });
    let mut alone: Vec<f64> = (0..pairs)
        .map(|n| {
            let message = harness::message(&format!("user{n}@contoso.com"));
            let start = Instant::now();
            notifier.deliver(&message).expect("a delivery");
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    alone.sort_by(f64::total_cmp);
    println!("{relay}, a delivery alone: median {:.2} ms", alone[pairs / 2]);
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let session = store(home.path(), port, ca_file);
    for n in 0..3 {
        reset(&session, n, true);
        reset(&session, n, false);
    }
    let mut without = Vec::new();
    let mut with = Vec::new();
    for n in 0..pairs {
        // Each comes first as often as the other.
        for mail in [n % 2 == 0, n % 2 != 0] {
            let took = reset(&session, n, mail);
            if mail { with.push(took) } else { without.push(took) }
        }
    }
    println!("{relay}, {pairs} resets each, one by one");
    tell(&mut without, &mut with);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..pairs.div_ceil(MAILBOXES) {
        for mail in [round % 2 == 0, round % 2 != 0] {
            let each = bulk(&session, mail);
            if mail { with.push(each) } else { without.push(each) }
        }
    }
    println!("{relay}, batches of {MAILBOXES}, 2 at once, each reset");
    tell(&mut without, &mut with);
}

fn tell(without: &mut [f64], with: &mut [f64]) {
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    let (mean_without, mean_with) = (mean(without), mean(with));
    without.sort_by(f64::total_cmp);
    with.sort_by(f64::total_cmp);
    let median = |times: &[f64]| times[times.len() / 2];
    // What the fastest tenth stays below: on a machine that does something else meanwhile this tells most.
    let least = |times: &[f64]| times[times.len() / 10];
    let line = |what: &str, without: f64, with: f64| {
        println!(
            "  {what:7} {without:8.2} ms without mail, {with:8.2} ms with: {:+5.1} %",
            (with / without - 1.0) * 100.0
        );
    };
    line("mean", mean_without, mean_with);
    line("median", median(without), median(with));
    line("tenth", least(without), least(with));
}

/// A session on a fresh store with [`MAILBOXES`] mailboxes that mails through the relay.
fn store(data: &Path, port: u16, ca_file: &Path) -> Session {
    let people: String = (0..MAILBOXES)
        .map(|n| format!("User {n},user{n}@contoso.com,user{n}@contoso.com,True\n"))
        .collect();
    let file = data.join("people.csv");
    fs::write(
        &file,
        format!("Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled\n{people}"),
    )
    .expect("the file");
    let configuration = json!({ "notification": {
        "type": "smtp", "host": "localhost", "port": port, "caFile": ca_file, "user": "um@contoso.com",
        "passwordVariable": "UMPIN_RELAY", "from": "Unified Messaging <um@contoso.com>",
    } });
    fs::write(data.join("umpin.json"), configuration.to_string()).expect("the file");
    let open = json!({
        "v": 1, "dataDirectory": data, "configFile": data.join("umpin.json"), "variables": { "UMPIN_RELAY": harness::PASSWORD },
    });
    let session = Session::open(open.to_string().as_bytes()).expect("a session");
    let import = json!({ "v": 1, "operation": "import", "path": file }).to_string();
    match Request::new(&session, import.as_bytes()).expect("a request").wait(LONG) {
        Ok(Poll::Ready(_)) => session,
        _ => panic!("the import failed"),
    }
}

fn plan(session: &Session, n: usize, mail: bool) -> Plan {
    let identity = format!("user{}@contoso.com", n % MAILBOXES);
    let request = json!({ "v": 1, "identity": identity, "sendEmail": mail }).to_string();
    Plan::new(session, request.as_bytes(), None).expect("a plan")
}

fn sent(response: &[u8], mail: bool) {
    let response: Value = serde_json::from_slice(response).expect("JSON");
    let expected = if mail { "sent" } else { "none" };
    assert_eq!(response["notification"], expected, "{response}");
}

/// In milliseconds.
fn reset(session: &Session, n: usize, mail: bool) -> f64 {
    let start = Instant::now();
    match plan(session, n, mail).commit(LONG) {
        Ok(Poll::Ready(outcome)) => sent(&outcome.response, mail),
        Ok(Poll::Pending) => panic!("the reset hangs"),
        Err(error) => panic!("{error:?}"),
    }
    start.elapsed().as_secs_f64() * 1e3
}

/// Each reset of a batch, in milliseconds.
fn bulk(session: &Session, mail: bool) -> f64 {
    let start = Instant::now();
    let batch = Batch::new(session, 2).expect("a batch");
    // Whether there was one.
    let collect = || match batch.collect(LONG) {
        Poll::Ready(Collected::Item(_, Ok(outcome))) => {
            sent(&outcome.response, mail);
            true
        }
        Poll::Ready(Collected::Empty) => false,
        _ => panic!("a reset failed"),
    };
    for n in 0..MAILBOXES {
        let plan = plan(session, n, mail);
        plan.target(LONG).map_err(|e| e.to_string()).expect("a target");
        while matches!(batch.submit(&plan), Ok(Poll::Pending)) {
            collect();
        }
    }
    while collect() {}
    start.elapsed().as_secs_f64() * 1e3 / MAILBOXES as f64
}
