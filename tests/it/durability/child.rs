//! What the other processes do.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use umpin::session::Session;

use super::process::{self, Said, say};
use super::{fixture, needs_strace};
use crate::support;

/// The test below that is the other process.
pub const ENTRY: &str = "durability::child::entry";

/// Resets by another process: `threads` threads, each going round its own `mailboxes`.
pub fn resets(data: &Path, threads: &[Vec<usize>], each: usize, touched: bool) -> Value {
    json!({ "task": "resets", "store": data, "threads": threads, "each": each, "touched": touched })
}

/// A reset that another process acknowledged.
#[derive(Clone, Debug)]
pub struct Ack {
    pub address: String,
    pub pin: String,
}

impl Said for Ack {
    fn heard(words: &[&str]) -> Option<Self> {
        match words {
            ["ack", address, pin, "."] => Some(Self {
                address: (*address).to_owned(),
                pin: (*pin).to_owned(),
            }),
            _ => None,
        }
    }
}

#[test]
#[ignore = "the other process of the tests here"]
fn entry() {
    let task = process::task();
    let data = PathBuf::from(task["store"].as_str().expect("a store"));
    match task["task"].as_str() {
        Some("resets") => do_resets(&data, &task),
        Some("import") => import(&data, &task),
        Some("leaving") => super::cancel::leaving(&data, &task),
        Some("traced") => needs_strace::traced(&data),
        #[cfg(feature = "test-hooks")]
        Some("counted") => super::cost::counted(&data),
        other => panic!("{other:?}"),
    }
}

fn do_resets(data: &Path, task: &Value) {
    let threads: Vec<Vec<usize>> = serde_json::from_value(task["threads"].clone()).expect("threads");
    let each: usize = serde_json::from_value(task["each"].clone()).expect("a number");
    let session = fixture::cheap_session(data);
    say("ready");
    process::hear();
    let administrator = (task["touched"] == true).then(|| Administrator::start(data));
    std::thread::scope(|scope| {
        for mailboxes in &threads {
            let session = &session;
            scope.spawn(move || {
                for number in mailboxes.iter().cycle().take(each) {
                    reset(session, *number);
                }
            });
        }
    });
    if let Some(administrator) = administrator {
        let rounds = administrator.stop();
        assert!(rounds > 10, "the files were read only {rounds} times during the resets");
    }
}

fn import(data: &Path, task: &Value) {
    let session = support::open(data);
    say("ready");
    process::hear();
    let request = json!({ "v": 1, "operation": "import", "path": task["file"] });
    support::request(&session, &request).expect("an import");
}

fn reset(session: &Session, number: usize) {
    let address = fixture::address(number);
    match support::reset(session, json!({ "identity": address }), None) {
        Ok(done) => {
            assert_eq!(done.response["notification"], "sent", "{}", done.response);
            assert_eq!(done.response["warnings"], json!([]));
            let pin = done.pin.expect("a generated PIN");
            say(&format!("ack {address} {pin} ."));
        }
        Err(error) => process::fail(&format!("a reset of {address} failed: {}: {error}", error.code().id())),
    }
}

/// Reads the store's files all the time, as `Get-FileHash`, `Copy-Item` and `Get-Content` do in the same process: each close drops
/// every POSIX lock that this process has on the file.
struct Administrator {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Administrator {
    fn start(data: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (data, stopped) = (data.to_owned(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut rounds = 0;
            while !stopped.load(Ordering::Relaxed) {
                for name in ["", "-wal", "-shm", ".lock", ".gate"] {
                    if let Ok(file) = File::open(data.join(format!("directory.db{name}"))) {
                        let _ = io::copy(&mut file.take(1 << 20), &mut io::sink());
                    }
                }
                rounds += 1;
                std::thread::yield_now();
            }
            rounds
        });
        Self { stop, thread }
    }

    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("reading files does not fail")
    }
}
