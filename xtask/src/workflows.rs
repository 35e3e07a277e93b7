//! The files that GitHub reads, against their schemas.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::report::{Counts, Outcome};
use crate::{process, python, repo};

/// The schema, built into `check-jsonschema`, of a file below `.github`.
fn schema(file: &Path) -> &'static str {
    if file.ends_with("ISSUE_TEMPLATE/config.yml") {
        "vendor.github-issue-config"
    } else if file.parent().is_some_and(|folder| folder.ends_with("ISSUE_TEMPLATE")) {
        "vendor.github-issue-forms"
    } else {
        "vendor.github-workflows"
    }
}

/// Checks them where the checker can be had.
pub fn check() -> Result<Outcome> {
    let checker = match checker() {
        Ok(checker) => checker,
        Err(error) => return Ok(Outcome::NotRun(format!("check-jsonschema cannot be had: {error:#}"))),
    };
    let mut counts = Counts::default();
    for file in files()? {
        process::run(
            Command::new(&checker)
                .args(["--builtin-schema", schema(&file)])
                .arg(&file),
        )?;
        counts += Counts::ONE;
    }
    Ok(Outcome::Ran(counts))
}

fn files() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["workflows", "ISSUE_TEMPLATE"] {
        let folder = repo::root().join(".github").join(folder);
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yml") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// `check-jsonschema` in an environment with exactly what its file of requirements names, made once.
fn checker() -> Result<PathBuf> {
    let folder = repo::target().join("tools/check-jsonschema");
    let checker = python::program(&folder, "check-jsonschema");
    let works = || {
        Command::new(&checker)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !works() {
        python::install(&folder, &repo::root().join("xtask/check-jsonschema.txt"))?;
        if !works() {
            bail!("{} does not start", checker.display());
        }
    }
    Ok(checker)
}
