//! `cargo xtask test`: everything that can be checked on this machine.

use std::env;

use anyhow::{Result, bail};

use crate::cargo::{self, Build};
use crate::interop::{self, Compiler};
use crate::module::{self, Staged};
use crate::powershell::{self, PowerShell};
use crate::report::{Counts, Outcome, Report};
use crate::{bare, c_programs, demo, dependencies, directory, pester, process, requirements, rust_tests, workflows};

/// The parts in their order; naming some on the command line runs only those.
pub const PARTS: &[&str] = &[
    "format",
    "lint",
    "documentation",
    "dependencies",
    "workflows",
    "rust",
    "directory",
    "shipped",
    "c",
    "module",
    "pester",
];

/// Runs the parts and prints the table.
pub fn run(chosen: &[&str]) -> Result<()> {
    if let Some(unknown) = chosen.iter().find(|part| !PARTS.contains(part)) {
        bail!("there is no part `{unknown}`; the parts are {}", PARTS.join(", "));
    }
    let wanted = |part: &str| chosen.is_empty() || chosen.contains(&part);
    let complete = env::var("CI").is_ok_and(|value| value == "true");
    let mut report = Report::default();

    if wanted("format") {
        report.part("formatting", || check(&["fmt", "--all", "--check"]));
    }
    if wanted("lint") {
        report.part("clippy", || {
            check(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
        });
        report.part("clippy, test hooks", || {
            check(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--features",
                directory::features(),
                "--",
                "-D",
                "warnings",
            ])
        });
    }
    if wanted("documentation") {
        report.part("Rust documentation", documentation);
    }
    if wanted("dependencies") {
        report.part("cargo deny", dependencies::check);
    }
    if wanted("workflows") {
        report.part("workflows and issue forms", workflows::check);
    }
    if wanted("rust") {
        let left_out = requirements::missing(&mut report);
        report.part("Rust tests", || rust_tests::run(&left_out));
    }
    if wanted("directory") && directory::samba(&mut report) {
        report.part("Active Directory", || rust_tests::libtest(&mut directory::tests()));
    }
    if wanted("shipped") {
        // The library as it is shipped, without the exports of the tests.
        report.part("header and exports", || {
            rust_tests::libtest(cargo::cargo().args([
                "test",
                "--package",
                "umpin",
                "--test",
                "contract",
                "--",
                "header::",
                "exports::",
            ]))
        });
    }
    if wanted("c") {
        c_programs::run(&mut report);
    }
    if wanted("module") || wanted("pester") {
        on_powershell(&mut report, wanted("pester"));
    }

    print!("{}", report.summary(complete));
    if !report.succeeded(complete) {
        bail!("not everything is as it should be");
    }
    Ok(())
}

fn check(arguments: &[&str]) -> Result<Outcome> {
    process::run(cargo::cargo().args(arguments))?;
    Ok(Outcome::Ran(Counts::ONE))
}

/// Links that lead nowhere are errors. Private items too: whoever works on them reads their documentation.
fn documentation() -> Result<Outcome> {
    process::run(
        cargo::cargo()
            .args(["doc", "--workspace", "--no-deps", "--document-private-items"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )?;
    Ok(Outcome::Ran(Counts::ONE))
}

fn on_powershell(report: &mut Report, pester: bool) {
    let shell = powershell::find();
    match &shell {
        Ok(shell) => eprintln!("\nPowerShell: {} ({})", shell.path.display(), shell.origin),
        Err(error) => eprintln!("\nPowerShell: {error:#}"),
    }
    let mut staged = None;
    report.part("staging the modules", || {
        staged = Some(module::stage(Build::Debug, &module::folder(), shell.as_ref().ok())?);
        Ok(Outcome::Ran(Counts::ONE))
    });
    let Some(staged) = staged else {
        return;
    };
    report.part("interop assembly", || match &shell {
        Ok(shell) => references(shell, &staged),
        Err(error) => Ok(Outcome::NotRun(format!("{error:#}"))),
    });
    report.part("demonstration", || match &shell {
        Ok(shell) => demo::rehearse(shell, &staged).map(|()| Outcome::Ran(Counts::ONE)),
        Err(error) => Ok(Outcome::NotRun(format!("{error:#}"))),
    });
    bare::run(report, shell.as_ref().ok());
    if pester {
        match &shell {
            Ok(shell) => pester::run(report, shell, &staged),
            Err(error) => report.part("Pester", || Ok(Outcome::NotRun(format!("{error:#}")))),
        }
    }
}

/// One assembly for both editions of PowerShell: it may need nothing but what Windows PowerShell 5.1 has.
fn references(shell: &PowerShell, staged: &Staged) -> Result<Outcome> {
    if staged.compiler == Compiler::AddType {
        return Ok(Outcome::NotRun(
            "compiled by Add-Type for this machine only; install mcs (Debian package mono-mcs) or csc".into(),
        ));
    }
    let mut references = interop::references(shell, &staged.assembly)?;
    references.sort_unstable();
    if references != ["System.Management.Automation 3.0.0.0", "mscorlib 4.0.0.0"] {
        bail!("the interop assembly references {references:?}, not mscorlib and PowerShell 5.1's assembly alone");
    }
    Ok(Outcome::Ran(Counts::ONE))
}
