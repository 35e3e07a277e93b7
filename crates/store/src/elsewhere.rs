//! A store that is not where it is configured to be: whether another one is in use.

use std::path::{Path, PathBuf};

use super::error::missing;
use umpin_core::{Error, ErrorCode};

/// What is known of other places.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// The file that says where the store is; `None`: nobody has said it.
    pub configured_in: Option<PathBuf>,
    /// Where a store may lie that is in use otherwise.
    pub stores: Vec<PathBuf>,
}

impl Elsewhere {
    /// The store does not exist. Where another does, nobody is told to make one: it would be a second one, and the PINs in the first
    /// would be forgotten.
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
    fn a_store_elsewhere_is_named_and_no_second_one_proposed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (store, other) = (folder.path().join("etc.db"), folder.path().join("used.db"));
        let mut elsewhere = Elsewhere {
            configured_in: Some("/etc/umpin/umpin.json".into()),
            stores: vec![store.clone(), folder.path().join("none.db"), other.clone()],
        };
        let alone = elsewhere.missing(&store);
        assert!(alone.recommended_action().contains("Import-UMDirectory"), "{alone:?}");
        std::fs::write(&other, b"").expect("a file");
        for (file, named) in [
            (true, "directory.path in '/etc/umpin/umpin.json'"),
            (false, "UMPIN_HOME"),
        ] {
            if !file {
                elsewhere.configured_in = None;
            }
            let error = elsewhere.missing(&store);
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
            assert!(error.message().contains(&*other.to_string_lossy()), "{error:?}");
            assert!(error.message().contains(&*store.to_string_lossy()), "{error:?}");
            let action = error.recommended_action();
            assert!(action.contains(named) && !action.contains("Import"), "{action}");
            assert_eq!(error.details()["missing"], true);
        }
    }
}
