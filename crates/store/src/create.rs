//! The first import makes the store: in a draft beside it, renamed when it is complete, so that no half-made store is ever seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{Slot, open_draft, open_in_memory};
use super::error::{Sql, io};
use super::site::Site;
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
pub(super) fn rehearse(plan: &ImportPlan, store: &Path) -> Result<ImportCounts> {
    let count = || -> Sql<ImportCounts> {
        let connection = open_in_memory()?;
        schema::create(&connection)?;
        import::rehearse(plan, &|work| work(&connection))
    };
    count().map_err(|f| f.at(store))
}

/// Makes the store with the plan in it.
pub(super) fn create(options: &EmbeddedOptions, plan: &ImportPlan, trail: Option<&AuditBatch>) -> Result<Made> {
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
    let site = Arc::new(Site::new(store, options));
    plan.cancellation.check()?;
    let mut slot = Slot::default();
    let held = slot.lock_for_write(&site)?;
    if site.store.exists() {
        return Ok(Made::Exists);
    }
    // Left behind by a process that died here.
    let draft = site.draft();
    remove(&draft);
    files::create_file(&draft, group)?;
    let counts = fill(&draft, plan, trail).map_err(|f| f.at(&site.store));
    match &counts {
        Ok(counts) if counts.refused.is_empty() => {}
        _ => {
            remove(&draft);
            return counts.map(|counts| Made::Counts(Box::new(counts)));
        }
    }
    if let Err(cancelled) = plan.cancellation.enter_commit() {
        remove(&draft);
        return Err(cancelled);
    }
    fs::rename(&draft, &site.store).map_err(|e| io(e, "create", &site.store))?;
    files::sync_directory(site.directory())?;
    drop(held);
    // Gives it its write-ahead log.
    drop(slot.enter_write(&site)?);
    counts.map(|counts| Made::Counts(Box::new(counts)))
}

fn fill(draft: &Path, plan: &ImportPlan, trail: Option<&AuditBatch>) -> Sql<ImportCounts> {
    let connection = open_draft(draft)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    schema::create(&connection)?;
    let counts = import::run(&connection, plan, trail)?;
    // Refused rows: the draft is thrown away.
    if counts.refused.is_empty() {
        connection.execute_batch("COMMIT")?;
    }
    Ok(counts)
}

fn remove(draft: &Path) {
    let _ = fs::remove_file(draft);
    let mut journal = draft.to_owned().into_os_string();
    journal.push("-journal");
    let _ = fs::remove_file(PathBuf::from(journal));
}
