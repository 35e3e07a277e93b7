//! The mail servers that the tests speak to: `aiosmtpd` in a virtual environment of ours, Postfix from the system.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::report::{Counts, Outcome, Report};
use crate::{process, python, repo};

/// Provides what can be provided; returns the Python that has `aiosmtpd`.
pub fn servers(report: &mut Report) -> Option<PathBuf> {
    if cfg!(windows) {
        report.part("mail servers", || {
            Ok(Outcome::NotRun("they are written for POSIX systems".into()))
        });
        return None;
    }
    let mut found = None;
    report.part("mail server aiosmtpd", || {
        Ok(match python() {
            Ok(python) => {
                found = Some(python);
                Outcome::Ran(Counts::ONE)
            }
            Err(error) => Outcome::NotRun(format!("the tests on it are left out: {error:#}")),
        })
    });
    report.part("mail server Postfix", || {
        if process::find("postfix").is_none() || process::find("saslpasswd2").is_none() {
            return Ok(Outcome::NotRun(
                "the tests on it are left out: install the Debian packages postfix and sasl2-bin".into(),
            ));
        }
        let user = process::output(Command::new("id").arg("-u"))?;
        if user.trim() != "0" {
            return Ok(Outcome::NotRun(
                "the tests on it are left out: only root can start it".into(),
            ));
        }
        Ok(Outcome::Ran(Counts::ONE))
    });
    found
}

/// An environment with exactly what `requirements.txt` names, made once.
fn python() -> Result<PathBuf> {
    let folder = repo::target().join("tools/aiosmtpd");
    let python = folder.join("bin/python");
    let requirements = repo::root().join("tests/it/smtp/requirements.txt");
    let works = || {
        Command::new(&python)
            .args(["-c", "import aiosmtpd.smtp"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if works() {
        return Ok(python);
    }
    python::install(&folder, &requirements).context("aiosmtpd could not be fetched")?;
    if !works() {
        bail!("{} cannot import aiosmtpd", python.display());
    }
    Ok(python)
}
