//! `cargo xtask test`: the inner loop, everything that can be checked on this machine, or some parts of it.

use std::env;

use anyhow::{Result, bail};

use crate::cargo::{self, Build};
use crate::interop::{self, Compiler};
use crate::module::{self, Staged};
use crate::powershell::{self, PowerShell};
use crate::report::{Counts, Outcome, Report};
use crate::rust_tests::LeftOut;
use crate::slow::Slow;
use crate::{
    bare, c_programs, demo, dependencies, directory, pester, process, repo, requirements, rust_tests, workflows,
};

/// The parts in their order; naming some on the command line runs all of those.
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

/// What the last line says after the inner loop.
const LEFT_OUT: &str = "
This was the inner loop. It left out the Rust and Pester tests in tests/slow.txt, the Rust tests in modules `needs_*` (root, a server
or a tool), documentation, dependencies, workflows, Active Directory, the library as it is shipped, C++, sanitizers, Valgrind, the C
examples and the demonstrations. `cargo xtask test --all` runs everything, `cargo xtask test PART...` all of these parts.
";

/// Without arguments the inner loop, with `--all` everything, else the parts named; prints the table.
pub fn run(arguments: &[&str]) -> Result<()> {
    let complete = env::var("CI").is_ok_and(|value| value == "true");
    let mut report = Report::default();
    match arguments {
        [] => inner_loop(&mut report)?,
        ["--all"] => parts(&mut report, PARTS),
        chosen => {
            if let Some(unknown) = chosen.iter().find(|part| !PARTS.contains(part)) {
                bail!("there is no part `{unknown}`; the parts are {}", PARTS.join(", "));
            }
            parts(&mut report, chosen);
        }
    }
    print!("{}", report.summary(complete));
    if arguments.is_empty() {
        print!("{LEFT_OUT}");
    }
    if !report.succeeded(complete) {
        bail!("not everything is as it should be");
    }
    Ok(())
}

/// What to run after each change: quick, without root and servers, and everything built once.
fn inner_loop(report: &mut Report) -> Result<()> {
    let slow = Slow::read()?;
    report.part("formatting", || check(&["fmt", "--all", "--check"]));
    report.part("clippy", || clippy(&["--features", directory::features()]));
    let left_out = LeftOut {
        modules: requirements::all(),
        tests: slow.rust,
    };
    report.part("Rust tests", || rust_tests::run(&left_out));
    let mut library = None;
    report.part("library", || {
        library = Some(rust_tests::library()?);
        Ok(Outcome::Ran(Counts::ONE))
    });
    if let Some(library) = library {
        c_programs::quick(report, &library);
        let shell = powershell_here();
        let staged = stage(
            report,
            |shell| {
                // Not where people look for the modules: this library is for tests.
                module::stage_library(&library, &repo::target().join("xtask/module"), shell)
            },
            shell.as_ref().ok(),
        );
        if let Some(staged) = staged {
            match &shell {
                Ok(shell) => pester::quick(report, shell, &staged, &slow.pester),
                Err(error) => report.part("Pester", || Ok(Outcome::NotRun(format!("{error:#}")))),
            }
        }
    }
    Ok(())
}

fn parts(report: &mut Report, chosen: &[&str]) {
    let wanted = |part: &str| chosen.contains(&part);
    if wanted("format") {
        report.part("formatting", || check(&["fmt", "--all", "--check"]));
    }
    if wanted("lint") {
        report.part("clippy", || clippy(&[]));
        report.part("clippy, test hooks", || clippy(&["--features", directory::features()]));
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
        let left_out = LeftOut {
            modules: requirements::missing(report),
            tests: Vec::new(),
        };
        report.part("Rust tests", || rust_tests::run(&left_out));
    }
    if wanted("directory") && directory::samba(report) {
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
        c_programs::run(report);
    }
    if wanted("module") || wanted("pester") {
        on_powershell(report, wanted("pester"));
    }
}

fn clippy(features: &[&str]) -> Result<Outcome> {
    let targets: &[&str] = &["clippy", "--workspace", "--all-targets"];
    check(&[targets, features, &["--", "-D", "warnings"]].concat())
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

fn powershell_here() -> Result<PowerShell> {
    let shell = powershell::find();
    match &shell {
        Ok(shell) => eprintln!("\nPowerShell: {} ({})", shell.path.display(), shell.origin),
        Err(error) => eprintln!("\nPowerShell: {error:#}"),
    }
    shell
}

fn stage(
    report: &mut Report,
    stage: impl FnOnce(Option<&PowerShell>) -> Result<Staged>,
    shell: Option<&PowerShell>,
) -> Option<Staged> {
    let mut staged = None;
    report.part("staging the modules", || {
        staged = Some(stage(shell)?);
        Ok(Outcome::Ran(Counts::ONE))
    });
    staged
}

fn on_powershell(report: &mut Report, pester: bool) {
    let shell = powershell_here();
    let staged = stage(
        report,
        |shell| module::stage(Build::Debug, &module::folder(), shell),
        shell.as_ref().ok(),
    );
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
