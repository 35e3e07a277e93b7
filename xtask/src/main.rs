//! The project's commands. `cargo xtask help` lists them.

mod bare;
mod c_programs;
mod cargo;
mod demo;
mod dependencies;
mod directory;
mod dotnet;
mod download;
mod exceptions;
mod files;
mod forest;
mod header;
mod help;
mod interop;
mod merge;
mod message;
mod module;
mod pester;
mod powershell;
mod process;
mod python;
mod repo;
mod report;
mod requirements;
mod rid;
mod rust_tests;
mod slow;
mod test;
mod through_c;
mod workflows;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cargo::Build;

const HELP: &str = "\
cargo xtask demo [--c] [--debug] [--into FOLDER]
                              show the main job: build, stage the modules, reset PINs in a sandbox store.
                              --c: by the C programs alone; --debug: a quicker build; FOLDER: instead of target
cargo xtask test              the inner loop: format, lint, the quick tests of Rust, C and the modules
cargo xtask test --all        check everything that can be checked on this machine
cargo xtask test PART...      check all of: format, lint, documentation, dependencies, workflows, rust, directory, shipped, c,
                              module, pester
cargo xtask module [--release] put the importable PowerShell modules under target/module
cargo xtask header            write include/umpin.h from src/ffi
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["demo", options @ ..] => demo::run(options),
        ["header"] => header::run(),
        ["test", parts @ ..] => test::run(parts),
        ["module"] => module::run(Build::Debug),
        ["module", "--release"] => module::run(Build::Release),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        [] => bail!("which command?\n{HELP}"),
        other => bail!("unknown command `{}`\n{HELP}", other.join(" ")),
    }
}
