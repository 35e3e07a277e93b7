//! A process's system calls as `strace` tells them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::process;

/// A system call: when it began and when it was done, as line numbers of the trace.
#[derive(Clone, Debug)]
pub struct Call {
    pub began: usize,
    pub done: usize,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Content or length of this file.
    Write(String),
    /// `fsync` or `fdatasync`.
    Sync(String),
    /// A new name for a file: from, to.
    Name(String, String),
    /// A new file or directory.
    Create(String),
    /// A name gone.
    Remove(String),
    /// A line on standard output.
    Said(String),
}

const ARGUMENTS: &[&str] = &[
    "-f",
    "-y",
    "-e",
    "signal=none",
    "-e",
    "trace=write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,openat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,unlink,unlinkat",
];

fn read(file: &Path) -> Vec<Call> {
    let bytes = fs::read(file).expect("the trace");
    let mut begun: HashMap<&str, (usize, String)> = HashMap::new();
    let mut calls = Vec::new();
    let text = String::from_utf8_lossy(&bytes);
    for (number, line) in text.lines().enumerate() {
        let Some((process, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(process, (number, head.to_owned()));
        } else if let Some((_, tail)) = rest.strip_prefix("<... ").and_then(|r| r.split_once(" resumed>")) {
            let (began, head) = begun.remove(process).expect("a call that was begun");
            calls.extend(call(began, number, &format!("{head}{tail}")));
        } else {
            calls.extend(call(number, number, rest));
        }
    }
    calls.sort_by_key(|call| call.began);
    calls
}

/// `None` for calls that failed or do not matter.
fn call(began: usize, done: usize, text: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') {
        return None;
    }
    let what = match name {
        "write" if rest.starts_with("1<") => What::Said(quoted(arguments).next()?.replace("\\n", "")),
        "write" | "writev" | "pwrite64" | "pwritev" | "ftruncate" => What::Write(descriptor(arguments)?),
        "fsync" | "fdatasync" => What::Sync(descriptor(arguments)?),
        "openat" if arguments.contains("O_CREAT") => What::Create(quoted(arguments).next()?),
        "mkdir" | "mkdirat" => What::Create(quoted(arguments).next()?),
        "rename" | "renameat" | "renameat2" | "link" | "linkat" => {
            let mut names = quoted(arguments);
            What::Name(names.next()?, names.next()?)
        }
        "unlink" | "unlinkat" => What::Remove(quoted(arguments).next()?),
        _ => return None,
    };
    Some(Call { began, done, what })
}

/// `7</path>, …` is `/path`.
fn descriptor(arguments: &str) -> Option<String> {
    let (_, rest) = arguments.split_once('<')?;
    Some(rest.split_once('>')?.0.to_owned())
}

fn quoted(arguments: &str) -> impl Iterator<Item = String> {
    arguments.split('"').skip(1).step_by(2).map(str::to_owned)
}

/// The system calls of another process.
pub struct Trace {
    calls: Vec<Call>,
    pub data: String,
    /// In this order, each a line on standard output.
    steps: &'static [&'static str],
}

impl Trace {
    /// Runs `task` in the other process of the test `entry`, which says each of `steps` when it is done with it.
    pub fn record(entry: &str, data: &Path, task: &Value, steps: &'static [&'static str]) -> Self {
        let mut strace = Command::new("strace");
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        let line = process::command_line(entry);
        let environment = process::command(&line, task);
        strace.envs(environment.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = strace
            .args(ARGUMENTS)
            .arg("-o")
            .arg(log.path())
            .args(&line)
            .stdin(Stdio::null())
            .output()
            .expect("strace starts: is it installed?");
        assert!(
            output.status.success(),
            "strace may not trace, or the traced process failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self {
            calls: read(log.path()),
            data: data.to_string_lossy().into_owned(),
            steps,
        }
    }

    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.data)
    }

    /// The calls of one step, its line on standard output last.
    pub fn step(&self, step: &str) -> Vec<&Call> {
        let said = |wanted: &str| {
            self.calls
                .iter()
                .find(|call| matches!(&call.what, What::Said(line) if line == wanted))
                .unwrap_or_else(|| panic!("\"{wanted}\" is not in the trace"))
                .began
        };
        let position = self.steps.iter().position(|s| *s == step).expect("a step");
        let begin = position.checked_sub(1).map_or(0, |before| said(self.steps[before]) + 1);
        let end = said(step);
        self.calls.iter().filter(|c| (begin..=end).contains(&c.began)).collect()
    }
}

pub fn show(calls: &[&Call]) -> String {
    calls
        .iter()
        .map(|c| format!("{:>6}-{:<6} {:?}\n", c.began, c.done, c.what))
        .collect()
}

pub fn first<'a>(calls: &[&'a Call], after: usize, wanted: impl Fn(&What) -> bool, name: &str) -> &'a Call {
    calls
        .iter()
        .find(|call| call.began >= after && wanted(&call.what))
        .unwrap_or_else(|| panic!("no {name} after {after} in\n{}", show(calls)))
}

pub fn last_write<'a>(calls: &[&'a Call], file: &str, before: usize) -> &'a Call {
    calls
        .iter()
        .rev()
        .find(|call| call.began < before && matches!(&call.what, What::Write(path) if path == file))
        .unwrap_or_else(|| panic!("{file} was not written before {before} in\n{}", show(calls)))
}

/// A sync of `file` that began after `after` and was over before `before`.
pub fn assert_synced(calls: &[&Call], file: &str, after: usize, before: usize, why: &str) {
    let synced = calls
        .iter()
        .any(|call| call.began > after && call.done < before && call.what == What::Sync(file.to_owned()));
    assert!(
        synced,
        "{why}: {file} was not synced between {after} and {before} of\n{}",
        show(calls)
    );
}
