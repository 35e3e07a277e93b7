//! The error for a missing store, which names another store that is in use.

use std::path::{Path, PathBuf};

use super::error::missing;
use umpin_core::{Error, ErrorCode};

/// Stores other than the configured one.
#[derive(Clone, Debug, Default)]
pub struct OtherStores {
    /// The configuration file that has the path of the store; `None`: the path is the default.
    pub configured_in: Option<PathBuf>,
    /// The paths of stores that are in use without a configuration.
    pub stores: Vec<PathBuf>,
}

impl OtherStores {
    /// The error for a missing store. If another store exists, the error does not recommend an import, which would create a second
    /// store without the PINs of the first.
    pub(super) fn missing(&self, store: &Path) -> Error {
        let mut others = self.stores.iter().filter(|other| *other != store);
        let Some(found) = others.find(|other| other.is_file()) else {
            return missing(store);
        };
        let (store, found) = (store.display(), found.display());
        let (why, what) = match &self.configured_in {
            Some(file) => (
                format!(", where the configuration file '{}' has it", file.display()),
                format!("Correct directory.path in '{}', or remove that file", file.display()),
            ),
            None => (
                String::new(),
                "Correct the data directory, such as UMPIN_HOME".to_owned(),
            ),
        };
        Error::new(
            ErrorCode::DirectoryUnavailable,
            format!("There is no directory at '{store}'{why}; there is one at '{found}'."),
        )
        .action(format!("{what}, if that one is meant."))
        .detail("missing", true)
        .detail("found", found.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_store_is_named_and_no_import_recommended() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, other) = (folder.path().join("etc.db"), folder.path().join("used.db"));
        let mut other_stores = OtherStores {
            configured_in: Some("/etc/umpin/umpin.json".into()),
            stores: vec![store.clone(), folder.path().join("none.db"), other.clone()],
        };
        let alone = other_stores.missing(&store);
        assert!(alone.recommended_action().contains("Import-UMDirectory"), "{alone:?}");
        std::fs::write(&other, b"").expect("a file");
        for (file, named) in [
            (true, "directory.path in '/etc/umpin/umpin.json'"),
            (false, "UMPIN_HOME"),
        ] {
            if !file {
                other_stores.configured_in = None;
            }
            let error = other_stores.missing(&store);
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
            assert!(error.message().contains(&*other.to_string_lossy()), "{error:?}");
            assert!(error.message().contains(&*store.to_string_lossy()), "{error:?}");
            let action = error.recommended_action();
            assert!(action.contains(named) && !action.contains("Import"), "{action}");
            assert_eq!(error.details()["missing"], true);
        }
    }
}
