//! Running other programs.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context as _, Result, bail};

/// Runs to the end with the terminal's own output; an exit code other than 0 is an error.
pub fn run(command: &mut Command) -> Result<()> {
    eprintln!("> {}", shown(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and returns standard output; its errors stay visible.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}\n{}",
            shown(command),
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end with the terminal's own output, but not longer than this.
pub fn limited(command: &mut Command, limit: Duration) -> Result<ExitStatus> {
    eprintln!("> {}", shown(command));
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    wait(&mut child, limit).with_context(|| shown(command))
}

/// Runs to the end, not longer than this; prints and returns standard output, and whether the exit code is 0.
pub fn tee(command: &mut Command, limit: Duration) -> Result<(String, bool)> {
    let (output, status) = printed(command, None, limit)?;
    Ok((output, status.success()))
}

/// As [`tee`], with what goes to standard error among it.
pub fn tee_all(command: &mut Command, limit: Duration) -> Result<(String, bool)> {
    eprintln!("> {}", shown(command));
    let (output, input) = io::pipe()?;
    let mut child = command
        .stdout(input.try_clone()?)
        .stderr(input)
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    // The reader ends with the last writer, of which this command is one.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let reader = thread::spawn(move || copied(output));
    let status = wait(&mut child, limit).with_context(|| shown(command))?;
    let output = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the output could not be read"))?;
    Ok((output, status.success()))
}

/// As [`tee`], with this on standard input; short enough for a pipe to hold.
pub fn talk(command: &mut Command, input: &str, limit: Duration) -> Result<(ExitStatus, String)> {
    let (output, status) = printed(command.stdin(Stdio::piped()), Some(input), limit)?;
    Ok((status, output))
}

fn printed(command: &mut Command, input: Option<&str>, limit: Duration) -> Result<(String, ExitStatus)> {
    eprintln!("> {}", shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // A program that ends without reading it all is no failure of ours.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.stdout.take().context("standard output is a pipe")?;
    let reader = thread::spawn(move || copied(output));
    let status = wait(&mut child, limit).with_context(|| shown(command))?;
    let output = reader
        .join()
        .map_err(|_| anyhow::anyhow!("the output could not be read"))?;
    Ok((output, status))
}

/// Prints all of it, and returns it.
fn copied(output: impl Read) -> String {
    let mut all = String::new();
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        all.push_str(&line);
        all.push('\n');
    }
    all
}

fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("still running after {} s, ended", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The command line as text.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        if argument.contains(char::is_whitespace) {
            let _ = write!(text, " '{argument}'");
        } else {
            let _ = write!(text, " {argument}");
        }
    }
    text
}

/// The full path of a program on PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    find_in(name, env::var_os("PATH").as_deref()?)
}

/// The full path of a program in a list of folders.
pub fn find_in(name: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn tells_what_was_printed_and_how_it_ended() {
        let (output, success) = tee(
            Command::new("sh").args(["-c", "echo one; echo two; exit 3"]),
            Duration::from_secs(20),
        )
        .unwrap();
        assert_eq!((output.as_str(), success), ("one\ntwo\n", false));
    }

    #[test]
    fn tells_what_went_to_either_stream() {
        let (output, success) = tee_all(
            Command::new("sh").args(["-c", "echo one; echo two >&2"]),
            Duration::from_secs(20),
        )
        .unwrap();
        assert_eq!((output.as_str(), success), ("one\ntwo\n", true));
    }

    #[test]
    fn ends_what_does_not_end() {
        let error = limited(Command::new("sleep").arg("600"), Duration::from_millis(50)).unwrap_err();
        assert!(format!("{error:#}").contains("still running"), "{error:#}");
    }
}
