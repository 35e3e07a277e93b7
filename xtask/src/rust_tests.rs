//! The Rust tests that need no Active Directory: by cargo-nextest, each in a process of its own, or without it by the test
//! programs themselves, each module of theirs in a process of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::report::{Counts, Outcome};
use crate::{cargo, process, repo, requirements};

/// Long enough for a slow machine, short enough to notice a deadlock.
const LIMIT: Duration = Duration::from_secs(1800);

/// Not `active_directory`, which is a part of its own.
const TARGETS: &[&str] = &[
    "--workspace",
    "--features",
    "umpin/test-hooks",
    "--lib",
    "--bins",
    "--test",
    "it",
    "--test",
    "contract",
];

/// The programs whose modules change or measure their process.
const BY_MODULE: &[&str] = &["it", "contract"];

/// Which tests not to run.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Those in modules of these names, wherever these are.
    pub modules: Vec<&'static str>,
    /// Those with these paths, and those in modules with these paths.
    pub tests: Vec<String>,
}

impl LeftOut {
    fn has(&self, test: &str) -> bool {
        let module = test.rsplit_once("::").map_or("", |(path, _)| path);
        module.split("::").any(|name| self.modules.contains(&name))
            || self.tests.iter().any(|path| {
                let rest = test.strip_prefix(path.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
    }

    /// The same for cargo-nextest.
    fn nextest_filter(&self) -> Vec<String> {
        let mut patterns = Vec::new();
        if !self.modules.is_empty() {
            patterns.push(format!("test(/(^|::)({})::/)", self.modules.join("|")));
        }
        if !self.tests.is_empty() {
            patterns.push(format!("test(/^({})(::|$)/)", self.tests.join("|")));
        }
        if patterns.is_empty() {
            return Vec::new();
        }
        vec!["-E".to_owned(), format!("not ({})", patterns.join(" | "))]
    }
}

/// Runs them.
pub fn run(left_out: &LeftOut) -> Result<Outcome> {
    let with_python = |command: &mut Command| -> Result<()> {
        if !left_out.modules.contains(&"needs_aiosmtpd") {
            command.env("UMPIN_TEST_PYTHON", requirements::aiosmtpd()?);
        }
        Ok(())
    };
    if process::find("cargo-nextest").is_some() {
        let mut command = cargo::cargo();
        command
            .args(["nextest", "run"])
            .args(TARGETS)
            .args(left_out.nextest_filter());
        with_python(&mut command)?;
        let (output, success) = process::tee_all(&mut command, LIMIT)?;
        return outcome(nextest_counts(&output), success);
    }
    let mut total = Counts::default();
    for (name, program) in programs()? {
        let list = list(&program)?;
        total.skipped += tests(&list).filter(|test| left_out.has(test)).count();
        for tests in groups(&name, &list, left_out) {
            let mut command = Command::new(&program);
            command.current_dir(repo::root()).args(tests);
            with_python(&mut command)?;
            let (output, success) = process::tee(&mut command, LIMIT)?;
            let counts = libtest_counts(&output);
            total += counts;
            if !success && counts.failed == 0 {
                bail!("a process of the test program `{name}` ended by itself");
            }
        }
    }
    outcome(total, true)
}

/// The tests of what a test program lists.
fn tests(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| line.strip_suffix(": test"))
}

/// Runs what `cargo test` is told to.
pub fn libtest(command: &mut Command) -> Result<Outcome> {
    let (output, success) = process::tee(command, LIMIT)?;
    outcome(libtest_counts(&output), success)
}

fn outcome(counts: Counts, success: bool) -> Result<Outcome> {
    if !success && counts.failed == 0 {
        bail!("the tests could not be built or ended by themselves");
    }
    Ok(Outcome::Ran(counts))
}

/// The test programs, built, by name.
fn programs() -> Result<Vec<(String, PathBuf)>> {
    let found: Vec<_> = build()?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["profile"]["test"] == true)
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(message["executable"].as_str()?)))
        })
        .collect();
    if found.is_empty() {
        bail!("cargo did not say where the test programs are");
    }
    Ok(found)
}

/// The shared library that the tests are linked with, test hooks included; built with them, and not once more.
pub fn library() -> Result<PathBuf> {
    Ok(cargo::read_messages(&build()?)?.library)
}

/// Builds the tests; returns cargo's messages.
fn build() -> Result<String> {
    let mut command = cargo::cargo();
    command
        .arg("test")
        .args(TARGETS)
        .args(["--no-run", "--message-format=json-render-diagnostics"]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the tests do not build");
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn list(program: &Path) -> Result<String> {
    process::output(
        Command::new(program)
            .current_dir(repo::root())
            .args(["--list", "--format", "terse"]),
    )
}

/// The arguments of each process that the tests of a program take, without what is left out.
fn groups(program: &str, list: &str, left_out: &LeftOut) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for test in tests(list).filter(|test| !left_out.has(test)) {
        let module = test.split("::").next().unwrap_or(test);
        groups
            .entry(if BY_MODULE.contains(&program) { module } else { "" })
            .or_insert_with(|| vec!["--exact".to_owned()])
            .push(test.to_owned());
    }
    groups.into_values().collect()
}

/// The sum of the lines `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn libtest_counts(output: &str) -> Counts {
    let mut total = Counts::default();
    for line in output.lines() {
        let Some((_, results)) = line.split_once("test result: ") else {
            continue;
        };
        let number = |what: &str| {
            results
                .split(['.', ';'])
                .find_map(|part| part.trim().strip_suffix(what)?.trim().parse().ok())
                .unwrap_or(0)
        };
        total += Counts {
            passed: number("passed"),
            failed: number("failed"),
            skipped: number("ignored"),
        };
    }
    total
}

/// The line `Summary [ 1.2s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 3 skipped`. What did not pass has failed.
fn nextest_counts(output: &str) -> Counts {
    let mut counts = Counts::default();
    let summary = output
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Summary ["));
    let Some((ran, results)) = summary.and_then(|line| line.split_once(" run: ")) else {
        return counts;
    };
    let mut depth = 0;
    let plain: String = results
        .chars()
        .filter(|&c| {
            depth += i32::from(c == '(');
            let outside = depth == 0;
            depth -= i32::from(c == ')');
            outside
        })
        .collect();
    for part in plain.split(',') {
        let Some((number, what)) = part.trim().split_once(' ') else {
            continue;
        };
        let number: usize = number.parse().unwrap_or(0);
        match what.trim() {
            "passed" => counts.passed += number,
            "skipped" => counts.skipped += number,
            _ => counts.failed += number,
        }
    }
    // `616/839 tests`: those that were never begun have not passed.
    let begun = ran.rsplit(' ').nth(1).and_then(|numbers| numbers.split_once('/'));
    if let Some((Ok(begun), Ok(all))) = begun.map(|(begun, all)| (begun.parse::<usize>(), all.parse::<usize>())) {
        counts.failed += all.saturating_sub(begun);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    #[test]
    fn adds_up_what_test_programs_print() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
                      noise\ntest result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(libtest_counts(output), counts(7, 2, 1));
        assert_eq!(libtest_counts("error: could not compile"), Counts::default());
    }

    /// Cargo does not miss a file that no `mod` line names any more, and its tests with it.
    #[test]
    fn every_source_file_is_compiled() {
        let mut files = BTreeMap::new();
        for folder in ["src", "crates", "tests", "xtask/src"] {
            let folder = repo::root().join(folder);
            for file in crate::files::below(&folder).unwrap() {
                let file = folder.join(file);
                if file.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&file).unwrap();
                    files.insert(file, text);
                }
            }
        }
        let is_root = |file: &Path| {
            ["main.rs", "lib.rs", "build.rs"]
                .iter()
                .any(|name| file.ends_with(name))
        };
        let orphans: Vec<_> = files
            .keys()
            .filter(|file| !is_root(file))
            .filter(|file| {
                let module = if file.ends_with("mod.rs") {
                    file.parent().unwrap()
                } else {
                    file
                };
                let (folder, name) = (module.parent().unwrap(), module.file_stem().unwrap().to_string_lossy());
                let parents = [
                    folder.join("main.rs"),
                    folder.join("lib.rs"),
                    folder.join("mod.rs"),
                    folder.with_extension("rs"),
                ];
                let line = format!("mod {name};");
                let by_path = if file.ends_with("mod.rs") {
                    format!("{name}/mod.rs\"]")
                } else {
                    format!("{name}.rs\"]")
                };
                !parents
                    .iter()
                    .filter_map(|parent| files.get(parent))
                    .any(|text| text.contains(&line))
                    && !files.values().any(|text| text.contains(&by_path))
            })
            .collect();
        assert!(
            !files.is_empty() && orphans.is_empty(),
            "no `mod` line names {orphans:?}"
        );
    }

    #[test]
    fn reads_the_summary_of_nextest() {
        let one = "     Summary [   3.0s] 9 tests run: 6 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 3 skipped\nerror: test run failed\n";
        assert_eq!(nextest_counts(one), counts(6, 3, 3));
        let cut = "     Summary [ 358.5s] 616/839 tests run: 614 passed, 2 failed, 8 skipped\n";
        assert_eq!(nextest_counts(cut), counts(614, 225, 8));
        assert_eq!(
            nextest_counts("     Summary [ 0.1s] 1 test run: 1 passed, 0 skipped"),
            counts(1, 0, 0)
        );
        assert_eq!(nextest_counts("error: could not compile"), Counts::default());
    }

    fn left_out(modules: &[&'static str], tests: &[&str]) -> LeftOut {
        LeftOut {
            modules: modules.to_vec(),
            tests: tests.iter().map(|test| (*test).to_owned()).collect(),
        }
    }

    #[test]
    fn a_module_is_a_process_and_every_test_that_is_not_left_out_is_in_one() {
        let list = "open_files::one: test\nsignin::a::two: test\nsignin::three: test\nsignin::kill::four: test\n\n";
        assert_eq!(
            groups("it", list, &left_out(&["kill"], &[])),
            [
                vec!["--exact", "open_files::one"],
                vec!["--exact", "signin::a::two", "signin::three"]
            ]
        );
        assert_eq!(
            groups("umpin", list, &left_out(&[], &["signin"])),
            [vec!["--exact", "open_files::one"]]
        );
        assert!(groups("umpin", "kill::one: test\n", &left_out(&["kill"], &[])).is_empty());
    }

    #[test]
    fn a_test_is_left_out_by_whole_names() {
        let some = left_out(&["needs_root", "needs_strace"], &["signin::kill", "reset::slow_one"]);
        for test in [
            "a::needs_root::one",
            "signin::kill",
            "signin::kill::one",
            "reset::slow_one",
        ] {
            assert!(some.has(test), "{test}");
        }
        for test in [
            "a::needs_root",
            "needs_roots::one",
            "signin::kills::one",
            "reset::slow_one_more",
            "a::signin::kill",
        ] {
            assert!(!some.has(test), "{test}");
        }
        assert_eq!(
            some.nextest_filter(),
            [
                "-E",
                "not (test(/(^|::)(needs_root|needs_strace)::/) | test(/^(signin::kill|reset::slow_one)(::|$)/))"
            ]
        );
        assert!(LeftOut::default().nextest_filter().is_empty());
    }
}
