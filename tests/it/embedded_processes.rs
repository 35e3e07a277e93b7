//! Several processes on one store, with an administrator who touches its files: no acknowledged change may be lost.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::embedded::*;
use umpin::ErrorCode;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{Directory, Route};
use umpin::import::PolicyRow;
use umpin::policy::UmMailboxPolicy;

/// This test binary once more, as another process.
fn spawn(role: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded_processes::child", "--ignored", "--nocapture"])
        .env("UMPIN_TEST_ROLE", role)
        .env("UMPIN_TEST_STORE", path)
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "the other process of the tests here"]
fn child() {
    let path = PathBuf::from(std::env::var_os("UMPIN_TEST_STORE").unwrap());
    match std::env::var("UMPIN_TEST_ROLE").unwrap().as_str() {
        "increment" => increment_with_administrator(&path, 60),
        "read" => assert_eq!(find_one(&open(&path), "User 0").name, "User 0"),
        "hold" => {
            let lock = File::open(beside(&path, ".lock")).unwrap();
            lock.lock().unwrap();
            fs::write(beside(&path, ".held"), "").unwrap();
            std::thread::sleep(Duration::from_secs(20));
        }
        role => panic!("{role}"),
    }
}

/// What an administrator's Get-FileHash does in the same process: each close drops all of SQLite's locks.
fn touch_files(path: &Path, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        for suffix in ["", "-wal", "-shm"] {
            if let Ok(mut file) = File::open(beside(path, suffix)) {
                let mut some = [0; 4096];
                let _ = file.read(&mut some);
            }
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

fn increment_with_administrator(path: &Path, times: u64) {
    let stop = Arc::new(AtomicBool::new(false));
    let administrator = {
        let (path, stop) = (path.to_owned(), Arc::clone(&stop));
        std::thread::spawn(move || touch_files(&path, &stop))
    };
    let directory = Arc::new(open(path));
    let shared = find_one(&directory, "User 0").object_id;
    let other = find_one(&directory, "User 1").object_id;
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let directory = Arc::clone(&directory);
            std::thread::spawn(move || {
                for n in 0..times {
                    increment(&directory, if n % 2 == 0 { shared } else { other });
                }
            })
        })
        .collect();
    // Others that come and go: each opening sees no lock and rebuilds the shared memory.
    for _ in 0..10 {
        assert_eq!(find_one(&open(path), "User 1").object_id, other);
        std::thread::sleep(Duration::from_millis(5));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    administrator.join().unwrap();
}

#[test]
fn no_acknowledged_change_is_lost_between_processes() {
    let (_home, path) = store(2);
    let mut children = [spawn("increment", &path), spawn("increment", &path)];
    increment_with_administrator(&path, 60);
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let directory = open(&path);
    let total: u64 = ["User 0", "User 1"]
        .iter()
        .map(|n| number(&directory, find_one(&directory, n).object_id))
        .sum();
    assert_eq!(total, 3 * 3 * 60);
    drop(directory);
    assert_eq!(integrity(&path), "ok");
}

/// A log of more than 4062 frames maps a second region of the shared memory. Another process that sees no lock truncates the
/// file below it; appending to the mapping would then be a SIGBUS.
#[test]
fn truncated_shared_memory_kills_nobody() {
    let (_home, path) = store(1);
    let directory = open(&path);
    find_one(&directory, "User 0");
    let shm = beside(&path, "-shm");
    // Policies: what an import does to mailboxes, it does in short transactions.
    let policies = |text: &str| {
        let mut plan = plan(Vec::new());
        plan.policies = (0..30_000)
            .map(|n| {
                let mut settings = UmMailboxPolicy::with_defaults(&format!("Policy {n}"));
                settings.reset_pin_text = text.repeat(512);
                PolicyRow {
                    line: n + 1,
                    guid: None,
                    distinguished_name: None,
                    settings,
                    described: true,
                }
            })
            .collect();
        plan
    };
    directory.import(&policies("x"), None, false).unwrap();
    let mapped = fs::metadata(&shm).unwrap().len();
    assert!(mapped > 32768, "the log was too short for this test: {mapped}");
    drop(File::open(&shm).unwrap());
    drop(File::open(&path).unwrap());
    assert!(spawn("read", &path).wait().unwrap().success());
    let truncated = fs::metadata(&shm).unwrap().len();
    assert!(truncated < mapped, "the other process did not truncate: {truncated}");
    let counts = directory.import(&policies("y"), None, false).unwrap();
    assert_eq!(counts.policies_updated.len(), 30_000);
    let last = directory.policy("Policy 29999", Route::Preferred).unwrap().unwrap();
    assert!(last.settings.reset_pin_text.starts_with('y'));
    drop(directory);
    assert_eq!(integrity(&path), "ok");
}

#[test]
fn a_process_that_hangs_with_the_lock_is_an_error_in_time() {
    let (_home, path) = store(1);
    let mut child = spawn("hold", &path);
    let begin = Instant::now();
    while !beside(&path, ".held").exists() {
        assert!(begin.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut options = EmbeddedOptions::new(&path);
    options.busy_timeout = Duration::from_millis(300);
    let directory = EmbeddedDirectory::new(options);
    let begin = Instant::now();
    let error = directory.store_id().unwrap_err();
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
    assert!(error.message().contains("busy"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(3));
    child.kill().unwrap();
    child.wait().unwrap();
    directory.store_id().unwrap();
}

#[cfg(target_os = "linux")]
mod needs_mount {
    use super::*;
    use crate::support::small::Small;

    #[test]
    fn a_full_disk_loses_nothing_and_says_so() {
        let small = Small::new("1m");
        let path = small.path("directory.db");
        let directory = open(&path);
        directory.import(&plan(rows(20)), None, false).unwrap();
        let ids: Vec<_> = (0..20)
            .map(|n| find_one(&directory, &format!("User {n}")).object_id)
            .collect();
        let mut stored = vec![None; 20];
        let mut error = None;
        'fill: for round in 0..200_u8 {
            for (id, stored) in ids.iter().zip(&mut stored) {
                let record = vec![round; 3000];
                match directory.apply(change(*id, stored.as_deref(), &record)) {
                    Ok(_) => *stored = Some(record),
                    Err(e) => {
                        error = Some(e);
                        break 'fill;
                    }
                }
            }
        }
        let error = error.expect("the disk never became full");
        assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{error:?}");
        let check = |directory: &EmbeddedDirectory| {
            for (id, stored) in ids.iter().zip(&stored) {
                assert_eq!(&directory.credential(*id, None).unwrap().record, stored);
            }
        };
        check(&directory);
        drop(directory);
        check(&open(&path));
        assert_eq!(integrity(&path), "ok");
    }

    #[test]
    fn a_read_only_medium_can_be_read() {
        let small = Small::new("1m");
        let path = small.path("directory.db");
        let directory = open(&path);
        directory.import(&plan(rows(3)), None, false).unwrap();
        let id = find_one(&directory, "User 1").object_id;
        directory.apply(change(id, None, b"record")).unwrap();
        drop(directory);
        for leftover in ["-wal", "-shm", ".lock", ".gate"] {
            // A copy on such a medium has the database alone.
            fs::remove_file(beside(&path, leftover)).unwrap();
        }
        small.make_read_only();
        for directory in [open(&path), open_read_only(&path)] {
            let found = directory.credential(id, None).unwrap().record;
            assert_eq!(found.as_deref(), Some(&b"record"[..]));
        }
        let error = open(&path).apply(change(id, Some(b"record"), b"new")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
    }
}
