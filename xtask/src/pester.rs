//! The Pester tests on the staged modules, each file in a PowerShell process of its own.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::module::Staged;
use crate::powershell::PowerShell;
use crate::report::{Counts, Outcome, Report};
use crate::{files, process, repo};

/// For one file.
const LIMIT: Duration = Duration::from_secs(900);

/// What `pester.ps1` returns when there is no Pester 5.
const NO_PESTER: i32 = 77;

/// Runs every `tests/powershell/*.Tests.ps1`.
pub fn run(report: &mut Report, shell: &PowerShell, staged: &Staged) {
    let folder = repo::root().join("tests/powershell");
    let tests: Vec<_> = files::below(&folder)
        .unwrap_or_default()
        .into_iter()
        .filter(|file| file.to_string_lossy().ends_with(".Tests.ps1"))
        .collect();
    if tests.is_empty() {
        report.part("Pester", || bail!("{} has no tests", folder.display()));
        return;
    }
    for test in tests {
        let name = format!("Pester {}", test.display().to_string().replace(".Tests.ps1", ""));
        report.part(&name, || one(shell, staged, &folder.join(&test)));
    }
}

fn one(shell: &PowerShell, staged: &Staged, test: &Path) -> Result<Outcome> {
    let scratch = files::fresh(&repo::target().join("xtask/pester"))?;
    let result = scratch.join("counts.txt");
    let mut command = shell.command();
    command
        .arg("-File")
        .arg(repo::root().join("xtask/pester.ps1"))
        .arg(test)
        .arg(&result)
        .env("UMPIN_MODULE_PATH", &staged.folder)
        .env("UMPIN_PWSH", &shell.path)
        // A test that forgets its sandbox must not find a real store.
        .env("UMPIN_HOME", scratch.join("home"));
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
    use super::counts;

    #[test]
    fn reads_the_three_numbers() {
        let read = counts("\u{feff}12 3 1\r\n").unwrap();
        assert_eq!((read.passed, read.failed, read.skipped), (12, 3, 1));
        assert!(counts("").is_err());
        assert!(counts("1 2").is_err());
        assert!(counts("a b c").is_err());
    }
}
