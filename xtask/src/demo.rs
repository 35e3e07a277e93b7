//! `cargo xtask demo`: the main job, shown in a sandbox.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::cargo::{self, Build};
use crate::module::{self, Staged};
use crate::powershell::{self, PowerShell};
use crate::{c_programs, files, repo};

const SAMPLE: &str = "examples/sample-directory.csv";

/// Builds, finds PowerShell and shows; without PowerShell, the same resets through the C ABI.
pub fn run() -> Result<()> {
    let sandbox = files::fresh(&repo::target().join("demo"))?;
    let sample = repo::root().join(SAMPLE);
    match powershell::find() {
        Ok(shell) => in_powershell(&shell, &sandbox, &sample),
        Err(error) => {
            println!("There is no PowerShell: {error:#}.");
            println!("The same resets follow through the C ABI, without cmdlets.\n");
            through_c(&sandbox, &sample)
        }
    }
}

fn in_powershell(shell: &PowerShell, sandbox: &Path, sample: &Path) -> Result<()> {
    println!("PowerShell: {} ({})", shell.path.display(), shell.origin);
    let staged = module::stage(Build::Release)?;
    println!("Modules:    {}\n", staged.folder.display());
    show(shell, &staged, sandbox, sample)?;
    println!("\nThat was it. What it left is in {}.", sandbox.display());
    Ok(())
}

/// Shows it with modules that are staged already, for the tests: it ends with an error where something is not as it says.
pub fn rehearse(shell: &PowerShell, staged: &Staged) -> Result<()> {
    let sandbox = files::fresh(&repo::target().join("xtask/demo"))?;
    show(shell, staged, &sandbox, &repo::root().join(SAMPLE))
}

fn show(shell: &PowerShell, staged: &Staged, sandbox: &Path, sample: &Path) -> Result<()> {
    let status = shell
        .command()
        .arg("-File")
        .arg(repo::root().join("xtask/demo.ps1"))
        .args([&staged.folder, sandbox, sample])
        .status()
        .with_context(|| shell.path.display().to_string())?;
    if !status.success() {
        bail!("the demonstration ended with {status}");
    }
    Ok(())
}

fn through_c(sandbox: &Path, sample: &Path) -> Result<()> {
    let library = cargo::build_library(Build::Release)?.library;
    let folder = library.parent().context("the library lies in a folder")?;
    let program = sandbox.join("reset");
    c_programs::compile_example(&program, folder)
        .context("the C example cannot be compiled either; install PowerShell 7 or a C compiler")?;
    let data = files::fresh(&sandbox.join("data"))?;
    let tony = "tonysmith@contoso.com";

    let reset = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.arg(&data).args(arguments);
        println!("\n$ reset {}", arguments.join(" "));
        command.status().context("the C example does not start")
    };
    let succeed = |arguments: &[&str]| match reset(arguments)? {
        status if status.success() => Ok(()),
        status => bail!("`reset {}` ended with {status}", arguments.join(" ")),
    };
    let refuse = |arguments: &[&str]| match reset(arguments)? {
        status if status.success() => bail!("`reset {}` should have been refused", arguments.join(" ")),
        _ => Ok(()),
    };
    succeed(&["--import", &sample.display().to_string()])?;
    succeed(&[tony])?;
    succeed(&[tony, "1985848"])?;
    succeed(&["--show", tony])?;
    refuse(&[tony, "1234"])?;
    refuse(&["nobody@contoso.com"])?;
    for message in files::below(&data.join("pickup"))? {
        let path = data.join("pickup").join(message);
        println!("\nThe message {}:", path.display());
        print!("{}", String::from_utf8_lossy(&std::fs::read(&path)?));
    }
    Ok(())
}
