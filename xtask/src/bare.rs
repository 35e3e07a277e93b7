//! `cargo xtask demo` as a machine runs it that has Rust, a C compiler and the usual small tools, with PowerShell and
//! without: no other C# compiler and none of the programs that only tests need.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::powershell::PowerShell;
use crate::report::{Counts, Outcome, Report};
use crate::{files, process, repo};

/// It builds nothing that is not built already, unless this part runs alone.
const LIMIT: Duration = Duration::from_secs(900);

/// What a C compiler and Debian's essential packages bring, as far as anything here may ask for it.
const TOOLS: &[&str] = &[
    "ar",
    "as",
    "basename",
    "bash",
    "cat",
    "chmod",
    "cp",
    "cut",
    "dirname",
    "env",
    "grep",
    "head",
    "id",
    "ld",
    "ln",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sort",
    "tar",
    "tr",
    "uname",
];

/// What the sections of the demonstration have in common with what they show.
const IN_POWERSHELL: &[&str] = &[
    "FullyQualifiedErrorId: PinPolicyViolation,Set-UMMailboxPIN",
    "What if: ",
];
const THROUGH_C: &[&str] = &[
    "You are signed in.",
    "chain of this host: intact",
    "Not shown: the PowerShell cmdlets.",
];

/// Runs both.
pub fn run(report: &mut Report, shell: Option<&PowerShell>) {
    if cfg!(windows) {
        // Every Windows has PowerShell and a C# compiler.
        return;
    }
    report.part("demonstration, bare machine", || match shell {
        Some(shell) => demonstrate("bare", Some(shell), &[], IN_POWERSHELL),
        None => Ok(Outcome::NotRun("there is no PowerShell".into())),
    });
    report.part("demonstration, no PowerShell", || {
        demonstrate("bare-c", None, &["--c"], THROUGH_C)
    });
}

fn demonstrate(name: &str, shell: Option<&PowerShell>, options: &[&str], expected: &[&str]) -> Result<Outcome> {
    let folder = files::fresh(&repo::target().join("xtask").join(name))?;
    let programs = programs(&folder.join("bin"), shell)?;
    // Errors, too, in their order.
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
        .arg(env::current_exe()?)
        .args(["demo", "--debug", "--into"])
        .arg(&folder)
        .args(options)
        .env("PATH", &programs)
        .env_remove("CC")
        .env_remove("PWSH");
    let (output, success) = process::tee(&mut command, LIMIT)?;
    if !success {
        bail!("`cargo xtask demo` failed with {} as its PATH", programs.display());
    }
    if let Some(missing) = expected.iter().find(|text| !output.contains(**text)) {
        bail!("`cargo xtask demo` ended well, but did not print `{missing}`");
    }
    // A command line with every source file fills a screen.
    if let Some(long) = output.lines().find(|line| line.starts_with("> ") && line.len() > 1000) {
        bail!("`cargo xtask demo` printed a command line of {} characters", long.len());
    }
    Ok(Outcome::Ran(Counts::ONE))
}

/// A folder with links to the programs that such a machine has.
fn programs(folder: &Path, shell: Option<&PowerShell>) -> Result<PathBuf> {
    files::fresh(folder)?;
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut wanted: Vec<(OsString, Option<PathBuf>)> =
        ["cargo", "rustc"].map(|name| (name.into(), process::find(name))).into();
    wanted.push(("cc".into(), process::find(&compiler.to_string_lossy())));
    wanted.extend(TOOLS.iter().map(|name| (name.into(), process::find(name))));
    for (name, path) in wanted {
        // What only this system lacks is no matter; without a compiler, the demonstration fails.
        if let Some(path) = path {
            link(&path, &folder.join(name))?;
        }
    }
    if let Some(shell) = shell {
        link(&shell.path, &folder.join("pwsh"))?;
    }
    for absent in ["mcs", "csc", "strace", "valgrind", "samba", "postfix"] {
        if folder.join(absent).exists() {
            bail!("{} must not be there", folder.join(absent).display());
        }
    }
    Ok(folder.to_path_buf())
}

#[cfg(unix)]
fn link(program: &Path, name: &Path) -> Result<()> {
    std::os::unix::fs::symlink(program, name).with_context(|| name.display().to_string())
}

#[cfg(not(unix))]
fn link(program: &Path, name: &Path) -> Result<()> {
    files::copy(program, name)
}
