//! Virtual environments for the Python programs that the tests use.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// Makes the environment with exactly what the file of requirements names, over the remains of one that was interrupted.
pub fn install(folder: &Path, requirements: &Path) -> Result<()> {
    let system = process::find("python3")
        .or_else(|| process::find("python"))
        .context("there is no python3")?;
    process::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(folder))
        .context("python3 has no venv; install the Debian package python3-venv")?;
    process::run(
        Command::new(program(folder, "python"))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary=:all:",
            ])
            .args(["--require-hashes", "--requirement"])
            .arg(requirements),
    )
}

/// A program of the environment.
pub fn program(folder: &Path, name: &str) -> std::path::PathBuf {
    let programs = if cfg!(windows) { "Scripts" } else { "bin" };
    folder
        .join(programs)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
