//! `tests/slow.txt`: what the inner loop leaves out because it takes long.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::repo;

/// What the file names.
#[derive(Debug, Default)]
pub struct Slow {
    /// Paths of tests or of modules, `outbox::kill`, in the test programs `it` and `contract`.
    pub rust: Vec<String>,
    /// Files of `tests/powershell`.
    pub pester: Vec<String>,
}

impl Slow {
    /// Reads it.
    pub fn read() -> Result<Self> {
        let path = repo::root().join("tests/slow.txt");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut slow = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let list = if line.ends_with(".Tests.ps1") {
                &mut slow.pester
            } else {
                &mut slow.rust
            };
            if list.iter().any(|other| other == line) {
                bail!("`{line}` is there twice");
            }
            list.push(line.to_owned());
        }
        Ok(slow)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn tells_tests_of_the_modules_from_rust_tests() {
        let slow = Slow::parse("# why\n\noutbox::kill\nBulk.Tests.ps1\n").unwrap();
        assert_eq!(
            (slow.rust, slow.pester),
            (vec!["outbox::kill".to_owned()], vec!["Bulk.Tests.ps1".to_owned()])
        );
        assert!(Slow::parse("a\na\n").is_err());
    }

    /// A name that is gone would leave out nothing, and nobody would notice.
    #[test]
    fn every_name_is_that_of_a_test_or_a_module() {
        let slow = Slow::read().unwrap();
        for file in slow.pester {
            assert!(repo::root().join("tests/powershell").join(&file).is_file(), "{file}");
        }
        for name in slow.rust {
            assert!(exists(&name), "tests/slow.txt: there is no module and no test `{name}`");
        }
    }

    fn exists(name: &str) -> bool {
        let text = |path: &str| {
            ["tests/it", "tests/contract"].iter().any(|program| {
                let base: PathBuf = repo::root().join(program).join(path);
                base.is_dir() || base.with_extension("rs").is_file()
            })
        };
        if text(&name.replace("::", "/")) {
            return true;
        }
        let Some((module, test)) = name.rsplit_once("::") else {
            return false;
        };
        let module = module.replace("::", "/");
        ["tests/it", "tests/contract"].iter().any(|program| {
            let base = repo::root().join(program).join(&module);
            [base.with_extension("rs"), base.join("mod.rs")]
                .iter()
                .any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(test)))
        })
    }
}
