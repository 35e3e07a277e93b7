//! Writing files and folders so that nobody ever sees half of one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Every file below a folder, relative to it, in ordinal order. No folder: no files.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, Path::new(""), &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(root: &Path, relative: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let folder = root.join(relative);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| folder.display().to_string()),
    };
    for entry in entries {
        let entry = entry?;
        let name = relative.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &name, found)?;
        } else {
            found.push(name);
        }
    }
    Ok(())
}

/// Copies a file, making the folders above it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::copy(from, to).with_context(|| format!("{} -> {}", from.display(), to.display()))?;
    Ok(())
}

/// Writes a file, making the folders above it.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, content).with_context(|| path.display().to_string())
}

/// An empty folder of this name: what was there is gone.
pub fn fresh(path: &Path) -> Result<PathBuf> {
    match fs::remove_dir_all(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    }
    fs::create_dir_all(path).with_context(|| path.display().to_string())?;
    Ok(path.to_path_buf())
}

/// Makes `target` hold exactly the files of `staged`, each by one rename: a process that has the old file loaded keeps it,
/// because its content is never overwritten. `staged` must be on the same file system; it is gone afterwards.
pub fn replace(staged: &Path, target: &Path) -> Result<()> {
    let new = below(staged)?;
    if new.is_empty() {
        bail!("{} is empty", staged.display());
    }
    for file in &new {
        let to = target.join(file);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        set_aside(&to)?;
        fs::rename(staged.join(file), &to).with_context(|| to.display().to_string())?;
    }
    for file in below(target)? {
        if !new.contains(&file) {
            // A file set aside that is still loaded on Windows stays until the next time.
            let _ = fs::remove_file(target.join(&file));
        }
    }
    fs::remove_dir_all(staged).with_context(|| staged.display().to_string())
}

/// Windows refuses to rename onto a file that is loaded, but lets the loaded file itself be renamed.
#[cfg(windows)]
fn set_aside(path: &Path) -> Result<()> {
    if path.exists() && fs::remove_file(path).is_err() {
        let aside = path.with_extension(format!("{}.old", std::process::id()));
        fs::rename(path, &aside).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

#[cfg(not(windows))]
#[allow(clippy::unnecessary_wraps)]
fn set_aside(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Read as _;

    use super::*;

    #[test]
    fn replacing_leaves_open_files_alone_and_removes_what_is_no_longer_there() {
        let base = fresh(&std::env::temp_dir().join(format!("umpin-files-{}", std::process::id()))).unwrap();
        let (staged, target) = (base.join("staged"), base.join("target"));
        write(&target.join("bin/a.so"), b"old").unwrap();
        write(&target.join("gone.ps1"), b"x").unwrap();
        let mut loaded = File::open(target.join("bin/a.so")).unwrap();

        write(&staged.join("bin/a.so"), b"new").unwrap();
        write(&staged.join("b.psm1"), b"y").unwrap();
        replace(&staged, &target).unwrap();

        assert_eq!(
            below(&target).unwrap(),
            [PathBuf::from("b.psm1"), PathBuf::from("bin/a.so")]
        );
        assert_eq!(fs::read(target.join("bin/a.so")).unwrap(), b"new");
        let mut content = String::new();
        loaded.read_to_string(&mut content).unwrap();
        assert_eq!(content, "old");
        assert!(!staged.exists());
        fs::remove_dir_all(base).unwrap();
    }
}
