//! The interop assembly: compiled once, for Windows PowerShell 5.1 and PowerShell 7.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::powershell::PowerShell;
use crate::{files, process, repo};

/// What compiled the assembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// Mono's or Microsoft's: references mscorlib alone and serves both editions.
    Portable,
    /// PowerShell's `Add-Type`: bound to that PowerShell's .NET, for this machine only.
    AddType,
}

/// Compiles `powershell/Interop/*.cs` to a file.
pub fn compile(output: &Path, shell: impl FnOnce() -> Result<PowerShell>) -> Result<Compiler> {
    let sources = sources()?;
    check_version(&sources)?;
    if let Some(mut command) = portable_compiler() {
        command.arg(format!("-out:{}", output.display())).args(&sources);
        process::run(&mut command)?;
        return Ok(Compiler::Portable);
    }
    let shell =
        shell().context("there is neither mcs nor csc, and no PowerShell to compile the interop assembly with")?;
    add_type(&shell, &sources, output)?;
    Ok(Compiler::AddType)
}

fn sources() -> Result<Vec<PathBuf>> {
    let folder = repo::root().join("powershell/Interop");
    let sources: Vec<PathBuf> = files::below(&folder)?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "cs"))
        .map(|file| folder.join(file))
        .collect();
    if sources.is_empty() {
        bail!("{} has no C# files", folder.display());
    }
    Ok(sources)
}

/// The module compares the assembly's version with the library's.
fn check_version(sources: &[PathBuf]) -> Result<()> {
    let expected = format!("AssemblyVersion(\"{}.0\")", repo::version()?);
    let mut found = false;
    for source in sources {
        found |= fs::read_to_string(source)?.contains(&expected);
    }
    if !found {
        bail!("powershell/Interop must say [assembly: {expected}], the version in Cargo.toml");
    }
    Ok(())
}

fn portable_compiler() -> Option<Command> {
    if let Some(mcs) = process::find("mcs") {
        let mut command = Command::new(mcs);
        command.args(["-noconfig", "-langversion:5"]);
        return Some(with_usual_options(command));
    }
    let csc = process::find("csc").or_else(framework_compiler)?;
    let mut command = Command::new(csc);
    command.args(["-nologo", "-noconfig", "-langversion:5"]);
    Some(with_usual_options(command))
}

fn with_usual_options(mut command: Command) -> Command {
    command.args(["-target:library", "-optimize+", "-warn:4", "-warnaserror+"]);
    command
}

/// Every Windows has the compiler of .NET Framework.
fn framework_compiler() -> Option<PathBuf> {
    let windows = PathBuf::from(env::var_os("SystemRoot")?);
    ["Framework64", "Framework"]
        .iter()
        .map(|bits| windows.join("Microsoft.NET").join(bits).join("v4.0.30319/csc.exe"))
        .find(|compiler| compiler.is_file())
}

fn add_type(shell: &PowerShell, sources: &[PathBuf], output: &Path) -> Result<()> {
    let quoted: Vec<String> = sources.iter().map(|source| quote(source)).collect();
    let script = format!(
        "$ErrorActionPreference = 'Stop'; Add-Type -Path {} -OutputAssembly {} -OutputType Library",
        quoted.join(","),
        quote(output)
    );
    process::run(shell.command().args(["-Command", &script]))
}

/// A PowerShell string literal.
fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

/// The names of the assemblies that an assembly needs, as PowerShell's runtime reads them.
pub fn references(shell: &PowerShell, assembly: &Path) -> Result<Vec<String>> {
    let script = format!(
        "[Reflection.Assembly]::LoadFile({}).GetReferencedAssemblies() | ForEach-Object {{ $_.Name }}",
        quote(assembly)
    );
    let output = process::output(shell.command().args(["-Command", &script]))?;
    Ok(output
        .lines()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::quote;
    use std::path::Path;

    #[test]
    fn quotes_paths_for_powershell() {
        assert_eq!(quote(Path::new("/a b/o'c.dll")), "'/a b/o''c.dll'");
    }
}
