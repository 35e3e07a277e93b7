//! What some Rust tests need of a machine. They stand in modules named for it, such as `needs_strace`; run without it, they fail.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::report::{Outcome, Report};
use crate::{process, python, repo};

struct Requirement {
    /// The module of the tests.
    module: &'static str,
    /// The first half of a sentence about the tests.
    tests: &'static str,
    /// Why they cannot run here.
    missing: fn() -> Option<String>,
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        module: "needs_root",
        tests: "Rust tests as root",
        missing: || (!is_root()).then(|| "only root can give files away".to_owned()),
    },
    Requirement {
        module: "needs_mount",
        tests: "Rust tests on file systems that are full or read-only",
        missing: || (!may_mount()).then(|| "only root on Linux may mount one".to_owned()),
    },
    Requirement {
        module: "needs_network",
        tests: "Rust tests between two addresses",
        missing: || (!has_address()).then(|| "this computer has no address but the loopback".to_owned()),
    },
    Requirement {
        module: "needs_strace",
        tests: "Rust tests of the order of system calls",
        missing: || (!may_trace()).then(|| "strace is not installed, or may not trace here".to_owned()),
    },
    Requirement {
        module: "needs_python",
        tests: "Rust tests with Python's e-mail parser",
        missing: || process::find("python3").is_none().then(|| "install python3".to_owned()),
    },
    Requirement {
        module: "needs_aiosmtpd",
        tests: "Rust tests with aiosmtpd",
        missing: || aiosmtpd().err().map(|error| format!("{error:#}")),
    },
    Requirement {
        module: "needs_postfix",
        tests: "Rust tests with Postfix",
        missing: postfix,
    },
];

/// The modules whose tests cannot run here; the report says of each why.
pub fn missing(report: &mut Report) -> Vec<&'static str> {
    let mut modules = Vec::new();
    for requirement in REQUIREMENTS {
        if let Some(why) = (requirement.missing)() {
            report.part(requirement.tests, || Ok(Outcome::NotRun(why)));
            modules.push(requirement.module);
        }
    }
    modules
}

/// Every module that needs something.
pub fn all() -> Vec<&'static str> {
    REQUIREMENTS.iter().map(|requirement| requirement.module).collect()
}

/// Whether this is root's process.
pub fn is_root() -> bool {
    cfg!(unix) && process::output(Command::new("id").arg("-u")).is_ok_and(|user| user.trim() == "0")
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn may_mount() -> bool {
    if !cfg!(target_os = "linux") {
        return false;
    }
    let folder = env::temp_dir().join(format!("umpin-mount-{}", std::process::id()));
    let mounted = fs::create_dir(&folder).is_ok()
        && succeeds(Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&folder))
        && succeeds(Command::new("umount").arg(&folder));
    let _ = fs::remove_dir(&folder);
    mounted
}

fn may_trace() -> bool {
    succeeds(Command::new("strace").args(["-f", "-y", "-o", "/dev/null", "true"]))
}

#[cfg(unix)]
fn has_address() -> bool {
    nix::ifaddrs::getifaddrs().is_ok_and(|mut interfaces| {
        interfaces.any(|interface| {
            let address = interface.address;
            address.is_some_and(|address| address.as_sockaddr_in().is_some_and(|own| !own.ip().is_loopback()))
        })
    })
}

/// The tests are not compiled there.
#[cfg(not(unix))]
fn has_address() -> bool {
    true
}

fn postfix() -> Option<String> {
    if ["postfix", "saslpasswd2", "python3"]
        .iter()
        .any(|program| process::find(program).is_none())
    {
        Some("install the Debian packages postfix, sasl2-bin and python3".to_owned())
    } else if !is_root() {
        Some("only root can start it".to_owned())
    } else {
        None
    }
}

/// A Python with exactly what `requirements.txt` names, made once.
pub fn aiosmtpd() -> Result<PathBuf> {
    if cfg!(windows) {
        bail!("the server is written for POSIX systems");
    }
    let folder = repo::target().join("tools/aiosmtpd");
    let python = folder.join("bin/python");
    let works = || succeeds(Command::new(&python).args(["-c", "import aiosmtpd.smtp"]));
    if !works() {
        let requirements = repo::root().join("tests/it/smtp/requirements.txt");
        python::install(&folder, &requirements).context("aiosmtpd could not be fetched")?;
        if !works() {
            bail!("{} cannot import aiosmtpd", python.display());
        }
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The modules below `tests` and the crates that begin with the prefix, and this table.
    #[test]
    fn every_module_that_needs_something_is_known_and_every_known_one_is_there() {
        let mut found = BTreeSet::new();
        for folder in ["tests/it", "tests/contract", "crates", "src"] {
            for file in crate::files::below(&repo::root().join(folder)).unwrap() {
                if file.extension().is_none_or(|extension| extension != "rs") {
                    continue;
                }
                let text = fs::read_to_string(repo::root().join(folder).join(file)).unwrap();
                let modules = text.lines().filter_map(|line| line.trim().strip_prefix("mod "));
                found.extend(
                    modules
                        .filter(|name| name.starts_with("needs_"))
                        .map(|name| name.trim_end_matches([' ', ';', '{']).to_owned()),
                );
            }
        }
        let known = all().into_iter().map(str::to_owned).collect();
        assert_eq!(found, known);
    }
}
