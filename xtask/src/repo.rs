//! Where things are in the checkout.

use std::env;
use std::path::{Path, PathBuf};

/// The folder with the workspace's `Cargo.toml`.
pub fn root() -> PathBuf {
    // `cargo run` says it at run time; the value of compile time is for a binary that is started by itself.
    let own =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map_or(own.clone(), Path::to_path_buf)
}

/// `target/`, for what the commands here make. (Cargo's own folder may be elsewhere; it is asked.)
pub fn target() -> PathBuf {
    root().join("target")
}

/// The version of the workspace's packages, from its manifest.
pub fn version() -> anyhow::Result<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    package_version(&manifest).ok_or_else(|| anyhow::anyhow!("Cargo.toml has no version in [workspace.package]"))
}

fn package_version(manifest: &str) -> Option<String> {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.package]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("version"))
        .and_then(|rest| rest.split('"').nth(1))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::package_version;

    #[test]
    fn finds_the_version_of_the_package_only() {
        let manifest = "[package]\nname = \"x\"\nversion = \"9.9.9\"\n\n[workspace.package]\nversion = \"1.2.3\"\n[dependencies]\n";
        assert_eq!(package_version(manifest).as_deref(), Some("1.2.3"));
        assert_eq!(
            package_version("[workspace.package]\nname = \"x\"\n[a]\nversion = \"1\"\n"),
            None
        );
    }
}
