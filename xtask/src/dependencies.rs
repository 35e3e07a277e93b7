//! What comes into the product from others: `deny.toml` says what may.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Result;

use crate::cargo;
use crate::process;
use crate::report::{Counts, Outcome};

/// Long enough to fetch the database of advisories, short enough where no server answers.
const FETCH: Duration = Duration::from_secs(120);

/// Licences, bans and sources; advisories where their database can be reached.
pub fn check() -> Result<Outcome> {
    let installed = deny(&["--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        return Ok(Outcome::NotRun(
            "install it: cargo install --locked --debug cargo-deny".into(),
        ));
    }
    process::run(&mut deny(&[
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]))?;
    let mut counts = Counts::ONE;
    if process::limited(&mut deny(&["fetch", "db"]), FETCH).is_ok_and(|status| status.success()) {
        process::run(&mut deny(&["check", "--disable-fetch", "advisories"]))?;
        counts += Counts::ONE;
    } else {
        eprintln!("NOT CHECKED: advisories: their database cannot be reached");
        counts.skipped += 1;
    }
    Ok(Outcome::Ran(counts))
}

fn deny(arguments: &[&str]) -> Command {
    let mut command = cargo::cargo();
    // Without this only the package at the top counts, and what builds and tests it is left out.
    command.args(["deny", "--workspace"]).args(arguments);
    command
}
