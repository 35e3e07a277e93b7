//! A small file system of our own, to be full or read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory, unmounted at the end.
pub struct Small {
    mount: tempfile::TempDir,
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    Command::new("mount")
        .args(arguments)
        .arg(place)
        .output()
        .is_ok_and(|done| done.status.success())
}

impl Small {
    pub fn new(size: &str) -> Self {
        let mount = tempfile::tempdir().expect("a temporary directory");
        let options = format!("size={size},mode=0700");
        assert!(
            self::mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], mount.path()),
            "this account may not mount a file system; only root may"
        );
        Self { mount }
    }

    pub fn root(&self) -> &Path {
        self.mount.path()
    }

    /// A copy of everything in a folder.
    pub fn copy_from(&self, folder: &Path) {
        let done = Command::new("cp")
            .arg("-a")
            .arg(folder.join("."))
            .arg(self.root())
            .status();
        assert!(done.expect("cp runs").success());
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.mount.path().join(name)
    }

    pub fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], self.mount.path()), "remounting failed");
    }

    /// Takes all space but `left` bytes.
    pub fn fill(&self, left: u64) {
        use std::io::Write as _;
        let path = self.path("filler");
        let mut file = fs::File::create(&path).expect("a file");
        let block = vec![0; 4096];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().expect("metadata").len();
        file.set_len((length - length % 4096).saturating_sub(left))
            .expect("shorter");
    }

    pub fn free(&self) {
        fs::remove_file(self.path("filler")).expect("removed");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a worker of the library may still be closing its files.
        let _ = Command::new("umount").arg("-l").arg(self.mount.path()).output();
    }
}
