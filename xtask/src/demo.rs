//! `cargo xtask demo`: the main job, shown in a sandbox.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cargo::Build;
use crate::module::{self, Staged};
use crate::powershell::{self, PowerShell};
use crate::{files, repo, through_c};

const SAMPLE: &str = "examples/sample-directory.csv";

/// What to show, and where.
struct Options {
    build: Build,
    /// `--c`: not the cmdlets, whether or not there is a PowerShell.
    c_alone: bool,
    /// The folder for the modules and the sandbox.
    into: PathBuf,
}

impl Options {
    fn parse(arguments: &[&str]) -> Result<Self> {
        let mut options = Self {
            build: Build::Release,
            c_alone: false,
            into: repo::target(),
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--debug" => options.build = Build::Debug,
                "--c" => options.c_alone = true,
                "--into" => options.into = repo::root().join(rest.next().context("--into which folder?")?),
                other => bail!("`cargo xtask demo` does not know `{other}`"),
            }
        }
        Ok(options)
    }
}

/// Builds, finds PowerShell and shows; without PowerShell, the same story through the C ABI.
pub fn run(arguments: &[&str]) -> Result<()> {
    let options = Options::parse(arguments)?;
    let sandbox = files::fresh(&options.into.join("demo"))?;
    let sample = repo::root().join(SAMPLE);
    let missing = if options.c_alone {
        "The same command without --c shows them".to_owned()
    } else {
        match powershell::find() {
            Ok(shell) => return in_powershell(&shell, &options, &sandbox, &sample),
            Err(error) => format!(
                "There is no PowerShell here; install PowerShell 7 (https://aka.ms/install-powershell), or let the \
                 environment variable PWSH name one, and repeat `cargo xtask demo` ({error:#})"
            ),
        }
    };
    println!(
        "The main job through the C ABI, by the programs in examples; everything happens in {}",
        sandbox.display()
    );
    through_c::show(options.build, &sandbox, &sample)?;
    println!("\nWhat it left is in {}.", sandbox.display());
    println!("Not shown: the PowerShell cmdlets. {missing}.");
    Ok(())
}

fn in_powershell(shell: &PowerShell, options: &Options, sandbox: &Path, sample: &Path) -> Result<()> {
    println!("PowerShell: {} ({})", shell.path.display(), shell.origin);
    let staged = module::stage(options.build, &options.into.join("module"), Some(shell))?;
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
