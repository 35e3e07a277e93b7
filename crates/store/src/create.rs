//! The first import makes the store: in a temporary beside it, renamed when it is complete, so that no half-made store is ever seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{StoreConnection, open_in_memory, open_new};
use super::error::{StoreResult, io};
use super::store_files::StoreFiles;
use super::{EmbeddedOptions, files, import, schema};
use umpin_core::Result;
use umpin_core::audit::AuditBatch;
use umpin_core::directory::ImportCounts;
use umpin_core::import::ImportPlan;

/// What the first import came to.
pub(super) enum Made {
    /// The counts; with refused rows nothing was made.
    Counts(Box<ImportCounts>),
    /// Another process made the store first.
    Exists,
}

/// Counts what an import would do to an empty store; nothing reaches the disk.
pub(super) fn dry_run(plan: &ImportPlan, store: &Path) -> Result<ImportCounts> {
    let count = || -> StoreResult<ImportCounts> {
        let connection = open_in_memory()?;
        schema::create(&connection)?;
        import::dry_run(plan, &|work| work(&connection))
    };
    count().map_err(|f| f.at(store))
}

/// Makes the store with the plan in it.
pub(super) fn create(options: &EmbeddedOptions, plan: &ImportPlan, batch: Option<&AuditBatch>) -> Result<Made> {
    let path = std::path::absolute(&options.path).map_err(|e| io(e, "use", &options.path))?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    let group = options.group.as_deref();
    files::create_directory(directory, group)?;
    files::refuse_network(directory)?;
    files::refuse_open_folder(&path, group)?;
    let canonical = fs::canonicalize(directory).map_err(|e| io(e, "use", directory))?;
    let store = match path.file_name() {
        Some(name) => canonical.join(name),
        None => path.clone(),
    };
    let files = Arc::new(StoreFiles::new(store, options));
    plan.cancellation.check()?;
    let mut store = StoreConnection::default();
    let guard = store.lock_for_write(&files)?;
    if files.store.exists() {
        return Ok(Made::Exists);
    }
    // Left behind by a process that died here.
    let temporary = files.temporary();
    remove(&temporary);
    files::create_file(&temporary, group)?;
    let counts = fill(&temporary, plan, batch).map_err(|f| f.at(&files.store));
    match &counts {
        Ok(counts) if counts.refused.is_empty() => {}
        _ => {
            remove(&temporary);
            return counts.map(|counts| Made::Counts(Box::new(counts)));
        }
    }
    if let Err(cancelled) = plan.cancellation.enter_commit() {
        remove(&temporary);
        return Err(cancelled);
    }
    fs::rename(&temporary, &files.store).map_err(|e| io(e, "create", &files.store))?;
    files::sync_directory(files.directory())?;
    drop(guard);
    // Gives it its write-ahead log.
    drop(store.enter_write(&files)?);
    counts.map(|counts| Made::Counts(Box::new(counts)))
}

fn fill(temporary: &Path, plan: &ImportPlan, batch: Option<&AuditBatch>) -> StoreResult<ImportCounts> {
    let connection = open_new(temporary)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    schema::create(&connection)?;
    let counts = import::run(&connection, plan, batch)?;
    // Refused rows: the temporary is thrown away.
    if counts.refused.is_empty() {
        connection.execute_batch("COMMIT")?;
    }
    Ok(counts)
}

fn remove(temporary: &Path) {
    let _ = fs::remove_file(temporary);
    let mut journal = temporary.to_owned().into_os_string();
    journal.push("-journal");
    let _ = fs::remove_file(PathBuf::from(journal));
}
