//! The paths of the store, and the state of its files that the process shares.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::error::{busy, damaged, io};
use super::lock::StoreLock;
use super::{EmbeddedOptions, files};
use umpin_core::Result;
use umpin_core::cancellation::Cancellation;

/// The identity of a file: device and inode. Always equal on Windows, where an open file cannot be replaced.
pub(super) type FileId = Option<(u64, u64)>;

#[cfg(unix)]
fn id_of(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn id_of(_metadata: &Metadata) -> (u64, u64) {
    (0, 0)
}

/// The identity of the file at a path.
pub(super) fn file_id(path: &Path) -> FileId {
    fs::metadata(path).ok().as_ref().map(id_of)
}

/// The store's files. The path is canonical, so that all processes lock the same file.
#[derive(Debug)]
pub(super) struct StoreFiles {
    pub(super) store: PathBuf,
    pub(super) timeout: Duration,
    pub(super) read_only: bool,
    wal: PathBuf,
    pub(super) shm: PathBuf,
    journal: PathBuf,
    lock: PathBuf,
    turnstile: PathBuf,
    import: PathBuf,
    group: Option<String>,
    /// The longest `-shm` that the process has mapped ([`StoreFiles::restore_shm`]).
    shm_floor: Arc<AtomicU64>,
}

impl StoreFiles {
    pub(super) fn new(store: PathBuf, options: &EmbeddedOptions) -> Self {
        let beside = |suffix: &str| {
            let mut path = store.clone().into_os_string();
            path.push(suffix);
            PathBuf::from(path)
        };
        Self {
            timeout: options.busy_timeout,
            read_only: options.read_only,
            wal: beside("-wal"),
            shm: beside("-shm"),
            journal: beside("-journal"),
            lock: beside(".lock"),
            turnstile: beside(".gate"),
            import: beside(".import"),
            group: options.group.clone(),
            shm_floor: shm_floor(&store),
            store,
        }
    }

    /// The temporary path of a new store.
    pub(super) fn temporary(&self) -> PathBuf {
        let mut path = self.store.clone().into_os_string();
        path.push(".new");
        PathBuf::from(path)
    }

    pub(super) fn directory(&self) -> &Path {
        self.store.parent().unwrap_or(Path::new("/"))
    }

    /// Opens the lock files. The inner error: they do not exist and cannot be created, as on a read-only medium.
    pub(super) fn open_lock(&self) -> Result<io::Result<Arc<StoreLock>>> {
        let group = self.group.as_deref();
        let main = files::open_lock(&self.lock, group, &self.store)?;
        let turnstile = files::open_lock(&self.turnstile, group, &self.store)?;
        Ok(main.and_then(|main| Ok(Arc::new(StoreLock::new(main, turnstile?)))))
    }

    /// Waits for the lock of imports, which closing the file releases.
    pub(super) fn import_lock(&self, cancellation: &Cancellation) -> Result<File> {
        let file = files::open_lock(&self.import, self.group.as_deref(), &self.store)?
            .map_err(|e| io(e, "create", &self.import))?;
        let begun = Instant::now();
        loop {
            cancellation.check()?;
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(io(e, "lock", &self.import)),
                Err(TryLockError::WouldBlock) if begun.elapsed() > self.timeout => {
                    return Err(busy(&self.store, self.timeout));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// The lock of imports, if it is free.
    pub(super) fn try_import_lock(&self) -> Option<File> {
        let file = files::open_lock(&self.import, self.group.as_deref(), &self.store)
            .ok()?
            .ok()?;
        file.try_lock().is_ok().then_some(file)
    }

    /// Whether the lock is on the file at its path: the file may have been deleted.
    pub(super) fn is_lock_current(&self, lock: &StoreLock) -> bool {
        let locked = lock.file().metadata().ok().as_ref().map(id_of);
        locked.is_some() && locked == file_id(&self.lock)
    }

    /// Whether the database file is complete by itself: there is no log to read with it and no journal to roll back.
    pub(super) fn is_checkpointed(&self) -> bool {
        let empty = |path: &Path| fs::metadata(path).map_or(true, |m| m.len() == 0);
        empty(&self.wal) && empty(&self.journal)
    }

    pub(super) fn wal_length(&self) -> u64 {
        fs::metadata(&self.wal).map_or(0, |m| m.len())
    }

    /// Records the length of the shared memory, at the end of each transaction under the lock: no mapping is longer.
    pub(super) fn record_shm_length(&self) {
        if let Ok(metadata) = fs::metadata(&self.shm) {
            self.shm_floor.fetch_max(metadata.len(), Ordering::AcqRel);
        }
    }

    /// Whether the shared memory is shorter than the mapping of this process.
    pub(super) fn is_shm_short(&self) -> bool {
        fs::metadata(&self.shm).is_ok_and(|m| m.len() < self.shm_floor.load(Ordering::Acquire))
    }

    /// Extends the shared memory to the length of this process's mapping; the exclusive lock must be held.
    ///
    /// A process that opens the store and sees no lock of SQLite's truncates `-shm` to three bytes and rebuilds it. Where SQLite's
    /// locks were released (see `lock.rs`), other mappings exist then, and access to a page behind the end of the file is a SIGBUS.
    /// It is harmless here because
    /// - opening, with the first read that rebuilds the index, happens under the exclusive lock, so no other access is possible;
    /// - SQLite looks at no page of the index that the header does not cover *when reading*, but *appending* writes to pages
    ///   that are mapped from earlier without asking for the length again. So before each transaction the length is compared
    ///   with the longest that this process has seen (kept per process, because SQLite shares the mapping per process), and the
    ///   file is extended with zeros. SQLite clears a block of the index when it begins to use it, and a zero header makes it
    ///   rebuild the index: neither ever trusts those zeros.
    pub(super) fn restore_shm(&self) -> Result<()> {
        if !self.is_shm_short() {
            return Ok(());
        }
        let floor = self.shm_floor.load(Ordering::Acquire);
        OpenOptions::new()
            .append(true)
            .open(&self.shm)
            .and_then(|mut file| {
                let missing = floor.saturating_sub(file.metadata()?.len());
                // Written, not only extended: on a full disk access to a hole would be a SIGBUS, and this is an error.
                io::copy(&mut io::repeat(0).take(missing), &mut file)
            })
            .map(drop)
            .map_err(|e| io(e, "extend", &self.shm))
    }
}

impl StoreFiles {
    /// Truncates the write-ahead log behind the last frame that its index counts; the exclusive lock must be held and no
    /// transaction be open. (Both formats are documented: sqlite.org/walformat.html.)
    pub(super) fn truncate_log(&self, page_size: u64) -> Result<()> {
        const LOG_HEADER: u64 = 32;
        const FRAME_HEADER: u64 = 24;
        let mut header = [0; 96];
        OpenOptions::new()
            .read(true)
            .open(&self.shm)
            .and_then(|mut f| f.read_exact(&mut header))
            .map_err(|e| io(e, "read", &self.shm))?;
        let (first, second) = header.split_at(48);
        let frames = <[u8; 4]>::try_from(&first[16..20]).map(u32::from_ne_bytes);
        let (true, 1, Ok(frames)) = (first == second, first[12], frames) else {
            return Err(damaged("an index of its log that is not whole", &self.store));
        };
        let end = match frames {
            0 => 0,
            n => LOG_HEADER + u64::from(n) * (FRAME_HEADER + page_size),
        };
        if self.wal_length() <= end {
            return Ok(());
        }
        OpenOptions::new()
            .write(true)
            .open(&self.wal)
            .and_then(|f| f.set_len(end).and_then(|()| f.sync_all()))
            .map_err(|e| io(e, "cut", &self.wal))
    }
}

fn shm_floor(store: &Path) -> Arc<AtomicU64> {
    static FLOORS: OnceLock<Mutex<HashMap<PathBuf, Arc<AtomicU64>>>> = OnceLock::new();
    let floors = FLOORS.get_or_init(Mutex::default);
    let mut floors = floors.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(floors.entry(store.to_owned()).or_default())
}
