//! `cargo xtask header`: the committed header from the source.

use std::fs;

use anyhow::{Context as _, Result};

use crate::cargo::{self, Build};
use crate::repo;

/// Builds the library, whose build script makes the header, and copies that into `include/`.
pub fn run() -> Result<()> {
    let built = cargo::build_library(Build::Debug)?;
    let header = fs::read_to_string(&built.header).with_context(|| built.header.display().to_string())?;
    let committed = repo::root().join("include/umpin.h");
    if fs::read_to_string(&committed).is_ok_and(|old| old == header) {
        println!("include/umpin.h is up to date");
        return Ok(());
    }
    fs::create_dir_all(repo::root().join("include"))?;
    fs::write(&committed, header).with_context(|| committed.display().to_string())?;
    println!("include/umpin.h written");
    Ok(())
}
