//! Templates: a forest is provisioned once and then copied, because provisioning takes long.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::controller::Controller;
use super::namespaces::MEMORY_FS_ROOT;
use super::{Forest, provision, tools};

/// Installs the files of the controllers, from a template or newly provisioned.
pub fn place(forest: Forest, controllers: &[&Controller]) {
    let kind = match forest {
        Forest::Single => "single".to_owned(),
        Forest::Pair => "pair".to_owned(),
        Forest::Populated(number) => format!("populated-{number}"),
        Forest::Migrated(number) => format!("migrated-{number}"),
        Forest::TwoForests => "two-forests".to_owned(),
    };
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../samba");
    fs::create_dir_all(&cache).expect("a folder for the templates");
    let template = cache.join(format!("{kind}-{:016x}", state_of_inputs()));
    let lock = File::create(cache.join(format!("{kind}.lock"))).expect("a lock file");
    lock.lock().expect("one process creates it and the others wait");
    if template.is_dir() {
        for dc in controllers {
            copy(&template.join(dc.place.name), Path::new(MEMORY_FS_ROOT));
        }
        return;
    }
    for older in siblings(&cache, &kind) {
        fs::remove_dir_all(&older).unwrap_or_else(|error| panic!("{}: {error}", older.display()));
    }
    make(forest, controllers);
    for dc in controllers {
        dc.stop();
    }
    let new = cache.join(format!("{kind}-new"));
    fs::create_dir(&new).expect("a folder");
    for dc in controllers {
        copy(&dc.folder(), &new);
    }
    fs::rename(&new, &template).expect("the template");
}

fn make(forest: Forest, controllers: &[&Controller]) {
    match forest {
        Forest::Single => provision::first(controllers[0]),
        Forest::Populated(number) => {
            place(Forest::Single, controllers);
            provision::populate(controllers[0], number);
        }
        Forest::Migrated(number) => {
            place(Forest::Single, controllers);
            provision::migrate(controllers[0], number);
        }
        Forest::TwoForests => {
            place(Forest::Single, &controllers[..1]);
            provision::first(controllers[1]);
        }
        Forest::Pair => {
            place(Forest::Single, &controllers[..1]);
            provision::second(controllers[0], controllers[1]);
        }
    }
}

/// A hash of the inputs of a template.
fn state_of_inputs() -> u64 {
    let mut hasher = DefaultHasher::new();
    provision::INPUTS.hash(&mut hasher);
    provision::documented_right().hash(&mut hasher);
    tools::run(Command::new("samba").arg("--version")).hash(&mut hasher);
    hasher.finish()
}

fn siblings(cache: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache).expect("the folder of the templates");
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.rsplit_once('-').is_some_and(|(before, _)| before == kind)
        })
        .collect()
}

fn copy(from: &Path, into: &Path) {
    tools::run(
        Command::new("cp")
            .args(["--archive", "--reflink=auto"])
            .args([from, into]),
    );
}
