//! The Pester tests on the staged modules, each file in a PowerShell process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::forest::Forest;
use crate::module::Staged;
use crate::powershell::PowerShell;
use crate::report::{Counts, Outcome, Report};
use crate::{directory, files, process, repo};

/// For one file.
const LIMIT: Duration = Duration::from_secs(900);

/// What `pester.ps1` returns when there is no Pester 5.
const NO_PESTER: i32 = 77;

/// Where the tests are.
fn folder() -> PathBuf {
    repo::root().join("tests/powershell")
}

/// Every `tests/powershell/*.Tests.ps1`.
fn all() -> Vec<PathBuf> {
    files::below(&folder())
        .unwrap_or_default()
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(".Tests.ps1"))
        .collect()
}

/// Runs them on the embedded directory, but for those that take long.
pub fn quick(report: &mut Report, shell: &PowerShell, staged: &Staged, slow: &[String]) {
    let mut tests = all();
    tests.retain(|test| !slow.iter().any(|name| Path::new(name) == test));
    each(report, shell, staged, &tests, None);
}

/// Runs them on the embedded directory, then on Active Directory.
pub fn run(report: &mut Report, shell: &PowerShell, staged: &Staged) {
    let mut tests = all();
    if tests.is_empty() {
        report.part("Pester", || bail!("{} has no tests", folder().display()));
        return;
    }
    each(report, shell, staged, &tests, None);
    let mut forest = None;
    report.part("Pester, a forest", || {
        Ok(match directory::missing() {
            Some(missing) => Outcome::NotRun(format!("the tests on Active Directory are left out: {missing}")),
            None => {
                forest = Some(Forest::start()?);
                Outcome::Ran(Counts::ONE)
            }
        })
    });
    if let Some(forest) = forest {
        tests.retain(|test| !fs::read_to_string(folder().join(test)).is_ok_and(|text| is_embedded_only(&text)));
        each(report, shell, staged, &tests, Some(&forest));
    }
}

fn each(report: &mut Report, shell: &PowerShell, staged: &Staged, tests: &[PathBuf], forest: Option<&Forest>) {
    for test in tests {
        let mut name = format!("Pester {}", test.display().to_string().replace(".Tests.ps1", ""));
        if forest.is_some() {
            name.push_str(", Active Directory");
        }
        report.part(&name, || one(shell, staged, test, forest));
    }
}

fn one(shell: &PowerShell, staged: &Staged, test: &Path, forest: Option<&Forest>) -> Result<Outcome> {
    let scratch = files::fresh(&repo::target().join("xtask/pester"))?;
    let result = scratch.join("counts.txt");
    let mut command = shell.command();
    command
        .arg("-File")
        .arg(repo::root().join("xtask/pester.ps1"))
        .arg(folder().join(test))
        .arg(&result)
        .env("UMPIN_MODULE_PATH", &staged.folder)
        .env("UMPIN_PWSH", &shell.path)
        // A test that forgets its sandbox must not find a real store.
        .env("UMPIN_HOME", scratch.join("home"));
    if let Some(forest) = forest {
        command
            .args(["-ExcludeTag", "Embedded"])
            .env("UMPIN_TEST_DIRECTORY", "activeDirectory")
            .env("UMPIN_TEST_FOREST", forest.description.to_string());
        command = forest.inside(&command);
    }
    let status = process::limited(&mut command, LIMIT)?;
    if status.code() == Some(NO_PESTER) {
        return Ok(Outcome::NotRun(
            "this PowerShell has no Pester 5; install it with `Install-Module Pester -MinimumVersion 5.0 -Scope CurrentUser`".into(),
        ));
    }
    let text =
        fs::read_to_string(&result).with_context(|| format!("PowerShell ended with {status} before the tests did"))?;
    counts(&text).map(Outcome::Ran)
}

/// Whether every block of a test file has the tag that leaves it out where the directory is another.
fn is_embedded_only(text: &str) -> bool {
    let mut blocks = text.lines().filter(|line| line.starts_with("Describe ")).peekable();
    blocks.peek().is_some() && blocks.all(|line| line.contains("-Tag Embedded"))
}

/// `passed failed skipped`, as `pester.ps1` writes them.
fn counts(text: &str) -> Result<Counts> {
    let numbers: Vec<usize> = text
        .trim_start_matches('\u{feff}')
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .with_context(|| format!("unexpected result `{text}`"))?;
    match numbers[..] {
        [passed, failed, skipped] => Ok(Counts {
            passed,
            failed,
            skipped,
        }),
        _ => bail!("unexpected result `{text}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::{counts, is_embedded_only};

    #[test]
    fn reads_the_three_numbers() {
        let read = counts("\u{feff}12 3 1\r\n").unwrap();
        assert_eq!((read.passed, read.failed, read.skipped), (12, 3, 1));
        assert!(counts("").is_err());
        assert!(counts("1 2").is_err());
        assert!(counts("a b c").is_err());
    }

    #[test]
    fn leaves_out_only_files_that_are_about_the_embedded_directory_throughout() {
        let tagged = "Describe 'A' -Tag Embedded {\n    It 'a' {\n";
        assert!(is_embedded_only(tagged));
        assert!(!is_embedded_only(&format!(
            "{tagged}Describe 'B' {{\n    It 'b' -Tag Embedded {{\n"
        )));
        assert!(!is_embedded_only("BeforeAll {\n"));
    }
}
