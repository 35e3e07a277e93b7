//! `cargo xtask module`: the importable modules under `target/module`, a folder that works as an entry of PSModulePath.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::cargo::{self, Build};
use crate::interop::{self, Compiler};
use crate::powershell::PowerShell;
use crate::{files, help, merge, powershell, repo, rid};

/// The modules and whether the native library belongs to them.
const MODULES: &[(&str, bool)] = &[("UMMailboxPin", true), ("UMMailboxPin.Directory", false)];

const ASSEMBLY: &str = "UMMailboxPin.Interop.dll";

/// What was staged.
#[derive(Debug)]
pub struct Staged {
    /// The folder for PSModulePath.
    pub folder: PathBuf,
    /// The interop assembly in it.
    pub assembly: PathBuf,
    /// What compiled it.
    pub compiler: Compiler,
}

/// Builds and stages.
pub fn run(build: Build) -> Result<()> {
    let staged = stage(build, &folder(), None)?;
    println!("{}", staged.folder.display());
    if staged.compiler == Compiler::AddType {
        println!(
            "The interop assembly was compiled by PowerShell and works on this machine only; install mcs for a portable one."
        );
    }
    Ok(())
}

/// Where the modules are put: an entry for PSModulePath.
pub fn folder() -> PathBuf {
    repo::target().join("module")
}

/// Builds the library and puts the modules into a folder below `target`.
///
/// Where there is no other C# compiler, that PowerShell compiles the interop assembly, which is then for it.
pub fn stage(build: Build, folder: &Path, shell: Option<&PowerShell>) -> Result<Staged> {
    stage_library(&cargo::build_library(build)?.library, folder, shell)
}

/// As [`stage`], with a library that is built already.
pub fn stage_library(library: &Path, folder: &Path, shell: Option<&PowerShell>) -> Result<Staged> {
    // Beside the final place, because a rename does not cross file systems; by process, because two may run at once.
    let scratch = files::fresh(&repo::target().join(format!("module.{}.tmp", std::process::id())))?;
    let staged = stage_through(&scratch, folder, library, shell);
    let _ = fs::remove_dir_all(&scratch);
    staged
}

fn stage_through(scratch: &Path, folder: &Path, library: &Path, shell: Option<&PowerShell>) -> Result<Staged> {
    let rid = rid::current()?;
    let version = repo::version()?;
    let assembly = scratch.join(ASSEMBLY);
    let compiler = interop::compile(&assembly, || shell.cloned().map_or_else(powershell::find, Ok))?;
    for (name, native) in MODULES {
        let source = repo::root().join("powershell").join(name);
        let staged = scratch.join(name);
        stage_scripts(&source, &staged, name, &version).with_context(|| format!("module {name}"))?;
        if *native {
            files::copy(&assembly, &staged.join("bin").join(ASSEMBLY))?;
            let name = format!("{}umpin{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
            files::copy(library, &staged.join("bin").join(rid).join(name))?;
        }
    }
    for (name, _) in MODULES {
        files::replace(&scratch.join(name), &folder.join(name))?;
    }
    Ok(Staged {
        assembly: folder.join(MODULES[0].0).join("bin").join(ASSEMBLY),
        folder: folder.to_path_buf(),
        compiler,
    })
}

fn stage_scripts(source: &Path, staged: &Path, name: &str, version: &str) -> Result<()> {
    let manifest = source.join(format!("{name}.psd1"));
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    check_manifest(&text, version).with_context(|| manifest.display().to_string())?;
    files::copy(&manifest, &staged.join(format!("{name}.psd1")))?;
    files::write(&staged.join(format!("{name}.psm1")), &merge::merged(source, name)?)?;
    let help = help::maml(&merge::scripts(source, "Public")?)?;
    files::write(&staged.join(format!("en-US/{name}-Help.xml")), help.as_bytes())?;
    for file in files::below(source)? {
        let formats = file.extension().is_some_and(|extension| extension == "ps1xml");
        if formats || file.starts_with("en-US") {
            files::copy(&source.join(&file), &staged.join(&file))?;
        }
    }
    Ok(())
}

/// One version for crate, assembly and modules; and no wildcard exports, which slow down every command look-up.
fn check_manifest(text: &str, version: &str) -> Result<()> {
    let value = |key: &str| {
        text.lines().map(str::trim).find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        })
    };
    let expected = format!("'{version}'");
    match value("ModuleVersion") {
        Some(own) if own == expected => {}
        own => bail!("ModuleVersion is {own:?}, the crate's version is {expected}"),
    }
    for key in [
        "FunctionsToExport",
        "CmdletsToExport",
        "AliasesToExport",
        "VariablesToExport",
    ] {
        match value(key) {
            None => bail!("{key} is missing: PowerShell takes that for a wildcard"),
            Some(own) if own.contains('*') => bail!("{key} is {own}: name what is exported"),
            Some(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_manifest;

    const GOOD: &str = "@{\n    ModuleVersion     = '0.1.0'\n    FunctionsToExport = @('Get-X')\n    CmdletsToExport   = @()\n    AliasesToExport = @()\n    VariablesToExport = @()\n}\n";

    #[test]
    fn manifests_have_the_crates_version_and_explicit_exports() {
        check_manifest(GOOD, "0.1.0").unwrap();
        assert!(check_manifest(GOOD, "0.2.0").is_err());
        assert!(check_manifest(&GOOD.replace("@('Get-X')", "'*'"), "0.1.0").is_err());
        assert!(check_manifest(&GOOD.replace("AliasesToExport", "# "), "0.1.0").is_err());
    }
}
