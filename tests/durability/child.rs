//! The other process: this binary once more, told by its environment what to do, telling what it did on standard output.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use umpin::session::Session;

use crate::{order, rig, support};

const TASK: &str = "UMPIN_TEST_TASK";

/// Program and arguments that run `task` in another process.
pub fn command_line() -> Vec<OsString> {
    let mut line = vec![std::env::current_exe().expect("this binary").into_os_string()];
    line.extend(["--exact", "child::entry", "--ignored", "--nocapture"].map(OsString::from));
    line
}

pub fn command(line: &[OsString], task: &Value) -> Command {
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .env(TASK, task.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

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

/// A running child that has opened its session and waits for [`Running::go`].
pub struct Running {
    pub child: Child,
    start: ChildStdin,
    lines: io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn new(task: &Value) -> Self {
        let mut child = command(&command_line(), task).spawn().expect("a process");
        let start = child.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        assert!(ready, "the child ended before it was ready; its error is above");
        Self { child, start, lines }
    }

    pub fn go(&mut self) {
        self.start.write_all(b"go\n").expect("the child listens");
    }

    /// The next acknowledgement; `None` at the end. A line that the child was killed in is none.
    pub fn next_ack(&mut self) -> Option<Ack> {
        loop {
            let line = self.lines.next()?.ok()?;
            let mut words = line.split(' ');
            if words.next() != Some("ack") {
                continue;
            }
            if let (Some(address), Some(pin), Some("."), None) =
                (words.next(), words.next(), words.next(), words.next())
            {
                return Some(Ack {
                    address: address.to_owned(),
                    pin: pin.to_owned(),
                });
            }
        }
    }

    /// Everything it acknowledged until its good end.
    pub fn finish(mut self) -> Vec<Ack> {
        let acks: Vec<Ack> = std::iter::from_fn(|| self.next_ack()).collect();
        let status = self.child.wait().expect("the child ends");
        assert!(
            status.success(),
            "a process failed ({status}) after {} resets; its error is above",
            acks.len()
        );
        acks
    }
}

#[test]
#[ignore = "the other process of the tests here"]
fn entry() {
    let task = std::env::var(TASK).expect("run by the other tests only");
    let task: Value = serde_json::from_str(&task).expect("a task");
    let data = PathBuf::from(task["store"].as_str().expect("a store"));
    match task["task"].as_str() {
        Some("resets") => do_resets(&data, &task),
        Some("import") => import(&data, &task),
        Some("traced") => order::traced(&data),
        #[cfg(feature = "test-hooks")]
        Some("counted") => crate::cost::counted(&data),
        other => panic!("{other:?}"),
    }
}

/// One line in one write, after what happened.
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    // The test harness may have begun a line of its own.
    out.write_all(format!("\n{line}\n").as_bytes())
        .expect("somebody listens");
    out.flush().expect("somebody listens");
}

fn do_resets(data: &Path, task: &Value) {
    let threads: Vec<Vec<usize>> = serde_json::from_value(task["threads"].clone()).expect("threads");
    let each: usize = serde_json::from_value(task["each"].clone()).expect("a number");
    let session = rig::cheap_session(data);
    say("ready");
    io::stdin().lock().read_line(&mut String::new()).expect("the start");
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
    io::stdin().lock().read_line(&mut String::new()).expect("the start");
    let request = json!({ "v": 1, "operation": "import", "path": task["file"] });
    support::request(&session, &request).expect("an import");
}

fn reset(session: &Session, number: usize) {
    let address = rig::address(number);
    match support::reset(session, json!({ "identity": address }), None) {
        Ok(done) => {
            assert_eq!(done.response["notification"], "sent", "{}", done.response);
            assert_eq!(done.response["warnings"], json!([]));
            let pin = done.pin.expect("a generated PIN");
            say(&format!("ack {address} {pin} ."));
        }
        // Without an orderly end: the other threads' resets must not hide this one's.
        Err(error) => {
            eprintln!("a reset of {address} failed: {}: {error}", error.code().id());
            std::process::exit(101);
        }
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
