//! An import into a store that others use: they get in between its steps, see all of it or nothing, and lose nothing by it.
#![cfg(feature = "test-hooks")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::support::embedded::{beside, change, dump, find_one, increment, integrity, number, open, plan, rows, store};
use umpin::ErrorCode;
use umpin::cancellation::Cancellation;
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::directory::{Directory, MailboxFilter, Removal, Route};
use umpin::import::{ImportPlan, MailboxRow};

/// More than one step takes.
const MANY: u64 = 600;

/// Everybody gets another display name, address and extension, everybody is moved, and a newcomer is last.
fn changed_rows() -> Vec<MailboxRow> {
    let mut many = rows(MANY + 1);
    for row in &mut many {
        let alias = row.mailbox.alias.clone().unwrap_or_default();
        row.mailbox.display_name = Some("Changed".to_owned());
        row.mailbox.primary_smtp_address = Some(format!("{alias}@tailspin.example"));
        row.mailbox.email_addresses = vec![format!("SMTP:{alias}@tailspin.example")];
        row.mailbox.extensions[0].number = (9000 + row.line).to_string();
        let moved = format!("CN={},OU=Board,DC=contoso,DC=com", row.mailbox.name);
        row.mailbox.distinguished_name = umpin::identity::DistinguishedName::parse(&moved);
    }
    many
}

fn cancellable(mailboxes: Vec<MailboxRow>) -> ImportPlan {
    ImportPlan {
        cancellation: Cancellation::new(),
        ..plan(mailboxes)
    }
}

/// How many of all mailboxes are changed, as one transaction sees them; and how many there are.
fn changed(directory: &EmbeddedDirectory) -> (usize, usize) {
    let page = directory
        .mailboxes(MailboxFilter::default(), Route::Preferred, None, 5000)
        .expect("a listing");
    let changed = page
        .items
        .iter()
        .filter(|found| found.mailbox.display_name.as_deref() == Some("Changed"))
        .count();
    (changed, page.items.len())
}

const NONE: (usize, usize) = (0, MANY as usize);
const ALL: (usize, usize) = (MANY as usize + 1, MANY as usize + 1);

/// The store as a process leaves it that dies before the import is in force.
fn died_before(home: &Path) -> (tempfile::TempDir, PathBuf) {
    let (_running, path) = store(MANY);
    let copy = home.join("copy.db");
    let (from, to) = (path.clone(), copy.clone());
    let plan = cancellable(changed_rows());
    plan.cancellation.at_commit_point(move || {
        for suffix in ["", "-wal"] {
            if beside(&from, suffix).exists() {
                fs::copy(beside(&from, suffix), beside(&to, suffix)).expect("a copy");
            }
        }
    });
    open(&path).import(&plan, None, false).expect("an import");
    (_running, copy)
}

fn staged(path: &Path) -> usize {
    dump(path).iter().filter(|line| line.starts_with("staged_")).count()
}

#[test]
fn others_get_in_and_see_all_of_it_or_nothing() {
    let (_home, path) = store(MANY);
    let directory = open(&path);
    let (done, seen, writes) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let first = find_one(&directory, "User 0").object_id;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let reader = open(&path);
            while !done.load(Ordering::SeqCst) {
                let seen_now = changed(&reader);
                assert!(
                    seen_now == NONE || seen_now == ALL,
                    "a part of the import is seen: {seen_now:?}"
                );
                seen.fetch_add(1, Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            let writer = open(&path);
            while !done.load(Ordering::SeqCst) {
                increment(&writer, first);
                writes.fetch_add(1, Ordering::SeqCst);
            }
        });
        let counts = directory.import(&plan(changed_rows()), None, false).expect("an import");
        done.store(true, Ordering::SeqCst);
        assert_eq!((counts.mailboxes_updated, counts.mailboxes_created), (MANY, 1));
    });
    assert_eq!(changed(&directory), ALL);
    assert_eq!(
        number(&directory, first),
        writes.load(Ordering::SeqCst),
        "every acknowledged change is there"
    );
    let (seen, writes) = (seen.load(Ordering::SeqCst), writes.load(Ordering::SeqCst));
    assert!(
        seen > 2 && writes > 2,
        "{seen} readings and {writes} changes during the import"
    );
    assert_eq!((staged(&path), integrity(&path).as_str()), (0, "ok"));
}

#[test]
fn one_that_is_stopped_before_it_is_in_force_leaves_no_trace() {
    let (_home, path) = store(MANY);
    let directory = open(&path);
    let before = dump(&path);
    let plan = cancellable(changed_rows());
    let flag = plan.cancellation.clone();
    plan.cancellation.at_commit_point(move || {
        flag.cancel();
    });
    let error = directory.import(&plan, None, false).expect_err("it is stopped");
    assert_eq!(error.code(), ErrorCode::Cancelled);
    assert_eq!(dump(&path), before);
    assert_eq!(changed(&directory), NONE);
}

#[test]
fn what_a_killed_import_staged_is_removed_by_those_who_write_next() {
    let home = tempfile::tempdir().expect("a folder");
    let (_running, path) = died_before(home.path());
    assert!(staged(&path) > 1000, "the copy was made while all of it was staged");
    let directory = open(&path);
    assert_eq!(changed(&directory), NONE);
    let first = find_one(&directory, "User 0").object_id;
    for round in 0.. {
        increment(&directory, first);
        if staged(&path) == 0 {
            break;
        }
        assert!(round < 1000, "{} rows are left", staged(&path));
    }
    assert_eq!((changed(&directory), number(&directory, first) > 0), (NONE, true));
    // And the next import does not wait for them.
    let (_running, path) = died_before(tempfile::tempdir_in(home.path()).expect("a folder").keep().as_path());
    let counts = open(&path)
        .import(&plan(changed_rows()), None, false)
        .expect("an import");
    assert_eq!(counts.mailboxes_updated, MANY);
    assert_eq!((changed(&open(&path)), staged(&path)), (ALL, 0));
}

/// All of it is in force, and nothing is in its place yet: as when a process dies right after the commit.
#[test]
fn one_that_is_in_force_counts_before_it_is_in_its_place() {
    let home = tempfile::tempdir().expect("a folder");
    let (_running, path) = died_before(home.path());
    let before = find_one(&open(&path), "User 1");
    {
        let connection = rusqlite::Connection::open(&path).expect("the store");
        connection
            .execute("INSERT INTO meta (name, value) VALUES ('import_in_force', x'01')", [])
            .expect("the switch");
    }
    let directory = open(&path);
    assert_eq!(changed(&directory), ALL);
    // By every kind of name, and not by the old ones.
    let after = find_one(&directory, "user.1@tailspin.example");
    assert_eq!(after.object_id, before.object_id);
    let gone = |text: &str| {
        let identity = umpin::identity::Identity::parse(text).expect("an identity");
        assert_eq!(
            directory.find(&identity, Route::Preferred).expect("an answer").count,
            0,
            "{text}"
        );
    };
    gone("user.1@contoso.com");
    gone("contoso.com/Sales/User 1");
    assert_eq!(find_one(&directory, "contoso.com/Board/User 1"), after);
    let by_extension = |number: &str| {
        let found = directory
            .find_by_extension(number, None, Route::Preferred)
            .expect("an answer");
        found.found.iter().map(|f| f.mailbox.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(by_extension("9003"), ["User 1"]);
    assert_eq!(by_extension("4003"), Vec::<String>::new());
    // A newcomer has no record and can be given one; one that is there keeps its own.
    let newcomer = find_one(&directory, &format!("User {MANY}"));
    assert_eq!(
        directory
            .credential(newcomer.object_id, None)
            .expect("it is there")
            .record,
        None
    );
    directory
        .apply(change(newcomer.object_id, None, b"new"))
        .expect("a record");
    directory
        .apply(change(after.object_id, None, b"old"))
        .expect("a record");
    let removed = find_one(&directory, "User 2");
    let removal = Removal {
        mailbox: removed,
        audit: None,
        cancellation: Cancellation::default(),
    };
    directory.remove_mailbox(removal).expect("it is removed");
    for round in 0.. {
        increment(&directory, find_one(&directory, "User 3").object_id);
        if staged(&path) == 0 {
            break;
        }
        assert!(round < 1000, "{} rows are left", staged(&path));
    }
    assert_eq!(changed(&directory), (ALL.0 - 1, ALL.1 - 1));
    for (id, record) in [(newcomer.object_id, &b"new"[..]), (after.object_id, b"old")] {
        assert_eq!(
            directory.credential(id, None).expect("it is there").record.as_deref(),
            Some(record)
        );
    }
    assert_eq!(integrity(&path), "ok");
}

#[test]
fn somebody_who_changes_mailboxes_meanwhile_makes_it_begin_anew() {
    let (_home, path) = store(MANY);
    let directory = Arc::new(open(&path));
    let removed = find_one(&directory, "User 5");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // It has its turn, and is not in force yet: or it is by now, which is as good.
            while !done.load(Ordering::SeqCst) && !beside(&path, ".import").exists() {
                std::thread::yield_now();
            }
            let removal = Removal {
                mailbox: removed.clone(),
                audit: None,
                cancellation: Cancellation::default(),
            };
            let _ = open(&path).remove_mailbox(removal);
        });
        let counts = directory.import(&plan(changed_rows()), None, false);
        done.store(true, Ordering::SeqCst);
        let counts = counts.expect("an import");
        assert_eq!(counts.mailboxes_updated + counts.mailboxes_created, MANY + 1);
    });
    // Removed before: made anew by the file. Removed after: gone. Never the old one under the new name.
    assert!(
        directory
            .find_by_object_id(removed.object_id, Route::Preferred)
            .expect("an answer")
            .is_none()
    );
    assert_eq!((staged(&path), integrity(&path).as_str()), (0, "ok"));
}
