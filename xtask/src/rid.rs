//! The platform's name, as .NET and the PowerShell releases spell it.

use std::env::consts::{ARCH, OS};

use anyhow::{Result, bail};

/// The platform of this process: `linux-x64`, `osx-arm64`, `win-x64`, …
pub fn current() -> Result<&'static str> {
    of(OS, ARCH)
}

fn of(system: &str, architecture: &str) -> Result<&'static str> {
    Ok(match (system, architecture) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "osx-x64",
        ("macos", "aarch64") => "osx-arm64",
        ("windows", "x86_64") => "win-x64",
        ("windows", "aarch64") => "win-arm64",
        _ => bail!("the modules are not made for {system} on {architecture}"),
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn names_what_the_module_looks_for() {
        assert_eq!(of("linux", "x86_64").unwrap(), "linux-x64");
        assert_eq!(of("macos", "aarch64").unwrap(), "osx-arm64");
        assert!(of("linux", "riscv64").is_err());
    }
}
