//! The interop assembly: compiled once, for Windows PowerShell 5.1 and PowerShell 7.
//!
//! It derives from classes of PowerShell's own assembly, of which no copy is needed: declarations of what is used
//! (`powershell/Reference`) are compiled under that assembly's name, version and public key, and referenced.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::powershell::PowerShell;
use crate::{exceptions, files, process, repo};

/// What compiled the assembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// Mono's or Microsoft's: references what both editions have, and serves both.
    Portable,
    /// PowerShell's `Add-Type`: bound to that PowerShell's .NET, for this machine only.
    AddType,
}

/// Compiles `powershell/Interop/*.cs` and the generated exceptions to a file.
pub fn compile(output: &Path, shell: impl FnOnce() -> Result<PowerShell>) -> Result<Compiler> {
    let folder = repo::root().join("powershell/Interop");
    check_version(&folder)?;
    let table = fs::read_to_string(repo::root().join(exceptions::TABLE)).context(exceptions::TABLE)?;
    let generated = output.with_extension("exceptions.cs");
    files::write(&generated, exceptions::source(&table)?.as_bytes())?;
    if let Some(mut command) = portable_compiler() {
        let reference = compile_reference(output)?;
        command
            .arg(format!("-reference:{}", reference.display()))
            .arg(format!("-out:{}", output.display()))
            .arg(format!("-recurse:{}", folder.join("*.cs").display()))
            .arg(&generated);
        process::run(&mut command)?;
        return Ok(Compiler::Portable);
    }
    let shell =
        shell().context("there is neither mcs nor csc, and no PowerShell to compile the interop assembly with")?;
    add_type(&shell, &folder, &generated, output)?;
    Ok(Compiler::AddType)
}

/// The public key of PowerShell's assemblies, as each of them tells it.
const POWERSHELL_KEY: &str = "0024000004800000940000000602000000240000525341310004000001000100b5fc90e7027f67871e773a8fde8938c81dd402ba65b9\
    201d60593e96c492651e889cc13f1415ebb53fac1131ae0bd333c5ee6021672d9718ea31a8aebd0da0072f25d87dba6fc90ffd598ed4da35e44c398c\
    454307e8e33b8426143daec9f596836f97c8f74750e5975c64e2189f45def46b2a2b1247adc3652bf5c308055da9";

/// The assembly to reference, beside the output. It is named and keyed as PowerShell's, and is never loaded.
fn compile_reference(output: &Path) -> Result<PathBuf> {
    let folder = output.with_extension("reference");
    let key = folder.join("powershell.snk");
    let digits = POWERSHELL_KEY.as_bytes().chunks(2);
    let bytes: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair)?, 16).context("POWERSHELL_KEY"))
        .collect::<Result<_>>()?;
    files::write(&key, &bytes)?;
    let reference = folder.join("System.Management.Automation.dll");
    let mut command = portable_compiler().context("the compiler was there a moment ago")?;
    command
        .arg("-delaysign+")
        .arg(format!("-keyfile:{}", key.display()))
        .arg(format!("-out:{}", reference.display()))
        .arg(repo::root().join("powershell/Reference/System.Management.Automation.cs"));
    process::run(&mut command)?;
    Ok(reference)
}

/// The module compares the assembly's version with the library's.
fn check_version(folder: &Path) -> Result<()> {
    let expected = format!("AssemblyVersion(\"{}.0\")", repo::version()?);
    for source in files::below(folder)? {
        if fs::read_to_string(folder.join(source))?.contains(&expected) {
            return Ok(());
        }
    }
    bail!("powershell/Interop must say [assembly: {expected}], the version in Cargo.toml")
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

fn add_type(shell: &PowerShell, sources: &Path, generated: &Path, output: &Path) -> Result<()> {
    let script = repo::root().join("xtask/interop.ps1");
    process::run(
        shell
            .command()
            .arg("-File")
            .arg(script)
            .args([sources, generated, output]),
    )
}

/// A PowerShell string literal.
fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

/// The names and versions of the assemblies that an assembly needs, as PowerShell's runtime reads them.
pub fn references(shell: &PowerShell, assembly: &Path) -> Result<Vec<String>> {
    let script = format!(
        "[Reflection.Assembly]::LoadFile({}).GetReferencedAssemblies() | ForEach-Object {{ '{{0}} {{1}}' -f $_.Name, $_.Version }}",
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
