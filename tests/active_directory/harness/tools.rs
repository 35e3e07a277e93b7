//! Runs external programs, and waits for conditions.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Runs a program and returns its standard output; panics with all output if it fails.
pub fn run(command: &mut Command) -> String {
    feed(command, b"")
}

/// As [`run`], with standard input.
pub fn feed(command: &mut Command, input: &[u8]) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    // All inputs fit into the pipe; a program that does not read them reports why.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    let output = child.wait_with_output().expect("the output is read");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{text}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Polls a condition that another process makes true.
///
/// # Panics
/// With `what` and the condition's last error when the time limit passes.
pub fn wait_until<T>(what: &str, timeout: Duration, mut condition: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + timeout;
    loop {
        match condition() {
            Ok(value) => return value,
            Err(why) => assert!(Instant::now() < end, "{what} did not come within {timeout:?}: {why}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}
