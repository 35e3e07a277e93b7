//! PowerShell as a tool of a .NET SDK, where one is installed: some networks let nothing else in.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{files, process, repo};

/// The first SDK that can run it, and PowerShell's version; the newest first.
const VERSIONS: &[(u32, &str)] = &[(10, "7.6.9"), (9, "7.5.4"), (8, "7.4.13")];

/// NuGet asks again and again where nothing answers.
const LIMIT: Duration = Duration::from_secs(300);

/// Where it is installed.
pub fn folder() -> PathBuf {
    repo::target().join("tools/powershell-tool")
}

/// The folder of the .NET that runs the tool: the tool itself looks only where packages put it.
pub fn root() -> Option<PathBuf> {
    let program = process::find("dotnet")?.canonicalize().ok()?;
    let folder = program.parent()?;
    folder.join("host/fxr").is_dir().then(|| folder.to_path_buf())
}

/// Installs it; returns the folder with `pwsh`.
pub fn install() -> Result<PathBuf> {
    let program = process::find("dotnet").context("there is no .NET SDK to install it with")?;
    install_with(&program, &folder(), &repo::target().join("tools"))
}

fn install_with(program: &Path, folder: &Path, home: &Path) -> Result<PathBuf> {
    let dotnet = || {
        let mut command = Command::new(program);
        command
            .env("DOTNET_CLI_TELEMETRY_OPTOUT", "1")
            .env("DOTNET_NOLOGO", "1")
            .env("DOTNET_SKIP_FIRST_TIME_EXPERIENCE", "1");
        // An account without a home needs one named.
        if env::var_os("HOME").is_none() {
            command.env("DOTNET_CLI_HOME", home);
        }
        command
    };
    // A .NET without an SDK has the command, but cannot tell a version.
    let sdk = process::output(dotnet().arg("--version")).context("there is .NET, but no SDK to install it with")?;
    let version = version_for(&sdk)?;
    // What an interrupted installation left counts as installed.
    files::fresh(folder)?;
    let mut command = dotnet();
    command
        .args(["tool", "install", "PowerShell", "--version", version, "--tool-path"])
        .arg(folder);
    let status = process::limited(&mut command, LIMIT)?;
    if !status.success() {
        bail!("`dotnet tool install PowerShell` ended with {status}");
    }
    Ok(folder.to_path_buf())
}

/// The PowerShell that runs on an SDK's own .NET.
fn version_for(sdk: &str) -> Result<&'static str> {
    let sdk = sdk.trim();
    let major: u32 = sdk
        .split('.')
        .next()
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("`{sdk}` is no version of a .NET SDK"))?;
    VERSIONS
        .iter()
        .find(|(first, _)| *first <= major)
        .map(|(_, version)| *version)
        .with_context(|| format!("the .NET SDK {sdk} is too old for PowerShell 7.4"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A program in the place of `dotnet`, copied by another process: see the tests of `powershell`.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let (text, path) = (folder.join("text"), folder.join("dotnet"));
        files::write(&text, script.as_bytes()).unwrap();
        assert!(Command::new("cp").args([&text, &path]).status().unwrap().success());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn installs_the_version_that_the_sdk_can_run() {
        let base = files::fresh(&env::temp_dir().join(format!("umpin-dotnet-{}", std::process::id()))).unwrap();
        let tool = base.join("tool");
        files::write(&tool.join("left"), b"by an interrupted installation").unwrap();
        let sdk = program(
            &base,
            "#!/bin/sh\n[ \"$1\" = --version ] && echo 9.0.305 && exit\n\
             [ \"$*\" = \"tool install PowerShell --version 7.5.4 --tool-path $7\" ] && : >\"$7/pwsh\"\n",
        );
        assert_eq!(install_with(&sdk, &tool, &base).unwrap(), tool);
        assert_eq!(files::below(&tool).unwrap(), [PathBuf::from("pwsh")]);

        let runtime_alone = program(&base, "#!/bin/sh\nexit 145\n");
        let error = install_with(&runtime_alone, &tool, &base).unwrap_err();
        assert!(error.to_string().contains("no SDK"), "{error:#}");

        let refused = program(&base, "#!/bin/sh\n[ \"$1\" = --version ] && echo 10.0.100\n");
        let error = install_with(&refused, &tool, &base).unwrap_err();
        assert!(error.to_string().contains("dotnet tool install"), "{error:#}");
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn knows_which_powershell_runs_on_which_sdk() {
        assert_eq!(version_for("8.0.414\n").unwrap(), "7.4.13");
        assert_eq!(version_for("11.0.100-preview.1").unwrap(), "7.6.9");
        assert!(version_for("6.0.428").is_err());
        assert!(version_for("").is_err());
    }
}
