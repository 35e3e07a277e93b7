//! Asking cargo to build, and where it put the results.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::repo;

/// How to build the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// What is shipped.
    Release,
    /// For developing.
    Debug,
    /// For developing, with the exports that only tests may reach.
    TestHooks,
}

/// What came of it.
#[derive(Debug)]
pub struct Built {
    /// The shared library.
    pub library: PathBuf,
    /// The header generated from `src/ffi`.
    pub header: PathBuf,
}

/// The cargo that runs this program.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(repo::root());
    // What `cargo run` says about this package must not reach the build scripts of another.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Builds the shared library.
pub fn build_library(build: Build) -> Result<Built> {
    let mut command = cargo();
    command.args([
        "build",
        "--package",
        "umpin",
        "--lib",
        "--message-format=json-render-diagnostics",
    ]);
    match build {
        Build::Release => {
            command.arg("--release");
        }
        Build::Debug => {}
        Build::TestHooks => {
            command.args(["--features", "test-hooks"]);
        }
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the library does not build");
    }
    read_messages(&String::from_utf8_lossy(&output.stdout))
}

/// What cargo says about the shared library.
pub fn read_messages(messages: &str) -> Result<Built> {
    let mut library = None;
    let mut header = None;
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        match message["reason"].as_str() {
            Some("compiler-artifact") if message["target"]["name"] == "umpin" => {
                let files = message["filenames"].as_array().into_iter().flatten();
                library = files
                    .filter_map(Value::as_str)
                    .find(|file| file.ends_with(env::consts::DLL_SUFFIX))
                    .map(PathBuf::from)
                    .or(library);
            }
            Some("build-script-executed") => {
                let folder = PathBuf::from(message["out_dir"].as_str().unwrap_or_default());
                let file = folder.join("umpin.h");
                if file.is_file() {
                    header = Some(file);
                }
            }
            _ => {}
        }
    }
    Ok(Built {
        library: library.context("cargo did not say where the shared library is")?,
        header: header.context("cargo did not say where the generated header is")?,
    })
}
