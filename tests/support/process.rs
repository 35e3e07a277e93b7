//! Another process: the test binary once more, told by its environment what to do, telling what it did on standard output.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

const TASK: &str = "UMPIN_TEST_TASK";

/// Program and arguments that run a task in another process: the ignored test `entry` of the same binary.
pub fn command_line(entry: &str) -> Vec<OsString> {
    let mut line = vec![std::env::current_exe().expect("this binary").into_os_string()];
    line.extend(["--exact", entry, "--ignored", "--nocapture"].map(OsString::from));
    line
}

/// Whether this process is the test's own. If not, the test has passed in one by the return; `name` is its path in the binary.
pub fn is_alone(name: &str) -> bool {
    const ALONE: &str = "UMPIN_TEST_ALONE";
    if std::env::var(ALONE).is_ok_and(|alone| alone == name) {
        return true;
    }
    let output = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, name)
        .output()
        .expect("this binary starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    println!("{}{}", text[0], text[1]);
    assert!(output.status.success(), "{name} failed in its own process, see above");
    assert!(text[0].contains("1 passed"), "{name} is not the name of a test");
    false
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

/// What this process is to do.
pub fn task() -> Value {
    let task = std::env::var(TASK).expect("run by the other tests only");
    serde_json::from_str(&task).expect("a task")
}

/// One line in one write, after what happened.
pub fn say(line: &str) {
    let mut out = io::stdout().lock();
    // The test harness may have begun a line of its own.
    out.write_all(format!("\n{line}\n").as_bytes())
        .expect("somebody listens");
    out.flush().expect("somebody listens");
}

/// Waits for the next line of the parent.
pub fn hear() -> String {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).expect("somebody speaks");
    line.trim_end().to_owned()
}

/// Without an orderly end: what other threads do must not hide this.
pub fn fail(what: &str) -> ! {
    eprintln!("{what}");
    std::process::exit(101);
}

/// Something that another process says in one line. A line that the process was killed in is nothing.
pub trait Said: Sized {
    fn heard(words: &[&str]) -> Option<Self>;
}

/// A running child that has opened its session and waits for [`Running::go`].
pub struct Running {
    pub child: Child,
    start: ChildStdin,
    lines: io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    pub fn new(entry: &str, task: &Value) -> Self {
        let mut child = command(&command_line(entry), task).spawn().expect("a process");
        let start = child.stdin.take().expect("a pipe");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let ready = lines.by_ref().map_while(Result::ok).any(|line| line == "ready");
        assert!(ready, "the child ended before it was ready; its error is above");
        Self { child, start, lines }
    }

    pub fn go(&mut self) {
        self.tell("go");
    }

    pub fn tell(&mut self, line: &str) {
        self.start
            .write_all(format!("{line}\n").as_bytes())
            .expect("the child listens");
    }

    /// The next that it says; `None` at the end.
    pub fn next<T: Said>(&mut self) -> Option<T> {
        loop {
            let line = self.lines.next()?.ok()?;
            let words: Vec<&str> = line.split(' ').collect();
            if let Some(said) = T::heard(&words) {
                return Some(said);
            }
        }
    }

    /// Everything it says until its good end.
    pub fn finish<T: Said>(mut self) -> Vec<T> {
        let said: Vec<T> = std::iter::from_fn(|| self.next()).collect();
        let status = self.child.wait().expect("the child ends");
        assert!(
            status.success(),
            "a process failed ({status}) after {} lines; its error is above",
            said.len()
        );
        said
    }

    /// `kill -9`; what it had said before.
    pub fn kill<T: Said>(mut self) -> Vec<T> {
        self.child.kill().expect("the child can be killed");
        let said = std::iter::from_fn(|| self.next()).collect();
        self.child.wait().expect("the child is dead");
        said
    }
}
