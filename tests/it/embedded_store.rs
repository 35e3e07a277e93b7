//! The embedded directory as one process sees it.

use std::fs;
use std::sync::Arc;

use crate::support::embedded::*;
use umpin::ErrorCode;
use umpin::audit::{AuditBatch, AuditEntry, ChainKey, ChainKeys, ChainLink};
use umpin::clock::Timestamp;
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory, Found, MailboxFilter, Route, Swap};
use umpin::identity::Identity;
use umpin::mailbox::ObjectId;
use umpin::notification::outbox::Outbox;

#[test]
fn every_kind_of_identity_finds_its_mailbox() {
    let (_home, path) = store(30);
    let directory = open(&path);
    let wanted = find_one(&directory, "User 7");
    for text in [
        wanted.guid.to_string(),
        wanted.guid.braced().to_string().to_uppercase(),
        "cn=user 7 , ou=SALES,dc=Contoso,DC=com".to_owned(),
        "contoso.com/sales/USER 7".to_owned(),
        r"CONTOSO\user.7.sam".to_owned(),
        "USER.7@upn.contoso.com".to_owned(),
        "user.7@contoso.com".to_owned(),
        "user.7@FABRIKAM.com".to_owned(),
        "/o=contoso/ou=sales/cn=recipients/cn=user.7".to_owned(),
        "user.7".to_owned(),
        "user.7.sam".to_owned(),
    ] {
        assert_eq!(find_one(&directory, &text), wanted, "{text}");
    }
    assert_eq!(
        directory.find_by_object_id(wanted.object_id, Route::Preferred).unwrap(),
        Some(Found::from(wanted))
    );
    assert_eq!(
        directory
            .find_by_object_id(ObjectId([0; 16]), Route::Preferred)
            .unwrap(),
        None
    );
    for text in ["*", "User*", "%", "user", "'; DROP TABLE mailbox; --"] {
        assert_eq!(
            directory
                .find(&Identity::parse(text).unwrap(), Route::Preferred)
                .unwrap()
                .count,
            0,
            "{text}"
        );
    }
}

#[test]
fn an_ambiguous_name_is_counted_exactly_and_shown_in_part() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("directory.db");
    let mut many = rows(40);
    for row in &mut many[..25] {
        row.mailbox.alias = Some("Team".to_owned());
    }
    let directory = open(&path);
    directory.import(&plan(many), None, false).unwrap();
    let found = directory
        .find(&Identity::parse("TEAM").unwrap(), Route::Preferred)
        .unwrap();
    assert_eq!((found.count, found.found.len()), (25, 11));
    assert_eq!(found.found[0].mailbox.name, "User 0");
    assert_eq!(found.found[0].mailbox.email_addresses.len(), 3);
    assert_eq!(found.found[0].mailbox.extensions[0].number, "4002");
}

#[test]
fn a_listing_pages_through_everything_once() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("directory.db");
    let directory = open(&path);
    let mut many = rows(25);
    many[3].mailbox.um_enabled = false;
    directory.import(&plan(many), None, false).unwrap();
    for (only, expected) in [(false, 25), (true, 24)] {
        let filter = MailboxFilter { um_enabled_only: only };
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = directory
                .mailboxes(filter, Route::Preferred, after.as_deref(), 8)
                .unwrap();
            assert!(page.items.len() <= 8);
            names.extend(page.items.into_iter().map(|found| found.mailbox.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(names.len(), expected);
        assert_eq!(names.first().map(String::as_str), Some("User 0"));
        assert_eq!(names.contains(&"User 3".to_owned()), !only);
    }
    let error = directory
        .mailboxes(MailboxFilter::default(), Route::Preferred, Some("x"), 8)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
}

#[test]
fn a_change_on_an_outdated_record_is_refused() {
    let (_home, path) = store(2);
    let directory = open(&path);
    let id = find_one(&directory, "User 1").object_id;
    assert_eq!(directory.credential(id, None).unwrap().record, None);
    assert_eq!(
        directory.apply(change(id, Some(b"x"), b"one")).unwrap(),
        Applied::Conflict
    );
    assert_eq!(directory.apply(change(id, None, b"one")).unwrap(), Applied::Committed);
    assert_eq!(directory.apply(change(id, None, b"two")).unwrap(), Applied::Conflict);
    let mut second = change(id, Some(b"one"), b"two");
    // Failures counted meanwhile survive a change that is no reset, and a reset makes them void.
    let counted = |expected: &[u8], new: &[u8]| CredentialChange {
        record: None,
        counter: CounterChange::Swap(Swap {
            expected: Some(expected.to_vec()),
            new: new.to_vec(),
        }),
        ..change(id, None, b"")
    };
    let apply = |change| directory.apply(change).unwrap();
    assert_eq!(apply(counted(b"no failures", b"one failure")), Applied::Committed);
    assert_eq!(apply(counted(b"no failures", b"lost")), Applied::Conflict);
    assert_eq!(apply(counted(b"one failure", b"count")), Applied::Committed);
    second.counter = CounterChange::Keep;
    assert_eq!(directory.apply(second).unwrap(), Applied::Committed);
    let stored = directory.credential(id, None).unwrap();
    assert_eq!(stored.record.as_deref(), Some(&b"two"[..]));
    assert_eq!(stored.counter.as_deref(), Some(&b"count"[..]));
    directory.apply(change(id, Some(b"two"), b"three")).unwrap();
    assert_eq!(
        directory.credential(id, None).unwrap().counter.as_deref(),
        Some(&b"no failures"[..])
    );
    // Record and counter are one change: where the counter is another by now, the record stays as well.
    let mut both = change(id, Some(b"three"), b"four");
    both.counter = counted(b"count", b"late").counter;
    assert_eq!(apply(both), Applied::Conflict);
    let stored = directory.credential(id, None).unwrap();
    assert_eq!(stored.record.as_deref(), Some(&b"three"[..]));
    assert_eq!(stored.counter.as_deref(), Some(&b"no failures"[..]));
    let error = directory.apply(change(ObjectId([9; 16]), None, b"x")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    drop(directory);
    let reopened = open(&path);
    assert_eq!(
        reopened.credential(id, None).unwrap().record.as_deref(),
        Some(&b"three"[..])
    );
}

#[test]
fn a_failing_change_leaves_the_others_of_its_group_alone() {
    let (_home, path) = store(20);
    let directory = Arc::new(open(&path));
    let ids: Vec<_> = (0..20)
        .map(|n| find_one(&directory, &format!("User {n}")).object_id)
        .collect();
    // The outbox refuses an id that it has: the change with it must be undone as a whole, and only that one.
    let mut first = change(ids[0], None, b"first");
    first.message = Some(message(1, ids[0], 0));
    directory.apply(first).unwrap();
    let threads: Vec<_> = ids[1..]
        .iter()
        .enumerate()
        .map(|(n, &id)| {
            let directory = Arc::clone(&directory);
            std::thread::spawn(move || {
                let mut change = change(id, None, b"new");
                if n % 3 == 0 {
                    change.message = Some(message(1, id, 0));
                }
                (n % 3 == 0, id, directory.apply(change))
            })
        })
        .collect();
    for thread in threads {
        let (bad, id, outcome) = thread.join().unwrap();
        assert_eq!(outcome.is_err(), bad);
        assert_eq!(directory.credential(id, None).unwrap().record.is_none(), bad);
    }
}

/// The clock is set back by a day: what was put off is due, and what somebody handles is not taken from him.
#[test]
fn a_clock_set_back_makes_what_was_put_off_due() {
    const DAY: i64 = 86_400_000;
    let (_home, path) = store(1);
    let directory = open(&path);
    let id = find_one(&directory, "User 0").object_id;
    let begin = 10 * DAY;
    let at = |millis: i64| Timestamp(begin + millis);
    let mut record = None;
    for n in 1..=2_u8 {
        let mut change = change(id, record.as_deref(), &[n]);
        let mut entry = message(n, id, begin + 180_000);
        entry.created = at(i64::from(n));
        change.message = Some(entry);
        directory.apply(change).unwrap();
        record = Some(vec![n]);
    }
    let due = |now: Timestamp| {
        let leased = directory.lease_due(now, now, now.plus_millis(180_000), 9).unwrap();
        leased
            .into_iter()
            .map(|entry| (entry.id[0], entry.lease()))
            .collect::<Vec<_>>()
    };
    // The first is put off by a minute; the second is still being handled.
    let first = umpin::notification::outbox::Lease {
        id: [1; 16],
        until: at(180_000),
    };
    assert!(directory.defer(first, at(60_000), "no relay").unwrap());
    assert_eq!(due(at(30_000)), []);

    // Another process, a day earlier by the clock.
    let directory = open(&path);
    let due = |now: Timestamp| {
        let leased = directory.lease_due(now, now, now.plus_millis(180_000), 9).unwrap();
        leased
            .into_iter()
            .map(|entry| (entry.id[0], entry.lease()))
            .collect::<Vec<_>>()
    };
    let leased = due(at(-DAY));
    assert_eq!(leased.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1]);
    assert!(directory.defer(leased[0].1, at(-DAY + 60_000), "no relay").unwrap());
    assert_eq!(due(at(-DAY + 1_000)), [], "put off by the new clock");
    // Whoever handles the second still may say so, until his time is over.
    let second = umpin::notification::outbox::Lease {
        id: [2; 16],
        until: at(180_000),
    };
    assert!(directory.defer(second, at(-DAY + 90_000), "no relay").unwrap());
    let ids = |now: Timestamp| due(now).iter().map(|(id, _)| *id).collect::<Vec<_>>();
    assert_eq!(ids(at(-DAY + 60_000)), [1]);
    assert_eq!(ids(at(-DAY + 90_000)), [2]);
    // Handled by somebody who is gone, when the clock is set back once more: the lease ends by the new clock.
    assert_eq!(ids(at(-2 * DAY)), Vec::<u8>::new());
    assert_eq!(ids(at(-2 * DAY + 180_000)), [1, 2]);
}

#[test]
fn the_outbox_leases_puts_off_and_removes() {
    let (_home, path) = store(3);
    let directory = open(&path);
    let id = find_one(&directory, "User 1").object_id;
    let mut record = None;
    for n in 1..=3_u8 {
        let mut change = change(id, record.as_deref(), &[n]);
        change.message = Some(message(n, id, 100));
        directory.apply(change).unwrap();
        record = Some(vec![n]);
    }
    assert_eq!(
        directory
            .lease_due(Timestamp(99), Timestamp(99), Timestamp(500), 10)
            .unwrap(),
        []
    );
    let leased = directory
        .lease_due(Timestamp(100), Timestamp(100), Timestamp(500), 2)
        .unwrap();
    assert_eq!(leased.iter().map(|e| e.id[0]).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(leased[0].leased_until, Timestamp(500));
    assert_eq!(leased[0].sealed, vec![1; 40]);
    let rest = directory
        .lease_due(Timestamp(100), Timestamp(100), Timestamp(500), 9)
        .unwrap();
    assert_eq!(rest.len(), 1);
    directory.remove([1; 16]).unwrap();
    directory.remove([1; 16]).unwrap();
    assert!(directory.defer(leased[1].lease(), Timestamp(600), "no relay").unwrap());
    let due = directory
        .lease_due(Timestamp(600), Timestamp(600), Timestamp(900), 9)
        .unwrap();
    assert_eq!(due.iter().map(|e| e.id[0]).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((due[0].attempts, due[0].last_error.as_deref()), (1, Some("no relay")));
    drop(directory);
    assert_eq!(
        open(&path)
            .lease_due(Timestamp(900), Timestamp(900), Timestamp(901), 9)
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_missing_store_is_named_and_not_made() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("nowhere/directory.db");
    let directory = open(&path);
    let id = ObjectId([1; 16]);
    let errors = [
        directory
            .find(&Identity::parse("tony").unwrap(), Route::Preferred)
            .unwrap_err(),
        directory.store_id().unwrap_err(),
        directory.policies(Route::Preferred).unwrap_err(),
        directory.credential(id, None).unwrap_err(),
        directory.apply(change(id, None, b"x")).unwrap_err(),
        directory
            .lease_due(Timestamp(0), Timestamp(0), Timestamp(1), 1)
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
        assert!(error.message().contains("nowhere/directory.db"), "{error}");
        assert!(error.recommended_action().contains("Import-UMDirectory"));
    }
    let counts = directory.import(&plan(rows(3)), None, true).unwrap();
    assert_eq!(counts.mailboxes_created, 3);
    assert_eq!(counts.policies_created, ["Default"]);
    assert!(!home.path().join("nowhere").exists());
}

#[test]
#[cfg(unix)]
fn the_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, path) = store(1);
    increment(&open(&path), find_one(&open(&path), "User 0").object_id);
    let mode = |p: &std::path::Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap().path();
        assert_eq!(mode(&entry), 0o600, "{}", entry.display());
    }
}

#[test]
fn what_is_not_a_store_is_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let code = |path: &std::path::Path| {
        for directory in [open(path), open_read_only(path)] {
            let error = directory
                .find(&Identity::parse("tony").unwrap(), Route::Preferred)
                .unwrap_err();
            assert!(
                error.message().contains(path.file_name().unwrap().to_str().unwrap()),
                "{error}"
            );
        }
        open(path).store_id().unwrap_err().code()
    };
    let garbage = home.path().join("garbage.db");
    fs::write(
        &garbage,
        "no database at all, but long enough to look like one".repeat(100),
    )
    .unwrap();
    assert_eq!(code(&garbage), ErrorCode::StoreCorrupt);

    let empty = home.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    assert_eq!(code(&empty), ErrorCode::StoreCorrupt);

    let foreign = home.path().join("foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    let before = fs::read(&foreign).unwrap();
    assert_eq!(code(&foreign), ErrorCode::StoreCorrupt);
    assert_eq!(
        open(&foreign).import(&plan(rows(1)), None, false).unwrap_err().code(),
        ErrorCode::StoreCorrupt
    );
    assert_eq!(fs::read(&foreign).unwrap(), before);

    let folder = home.path().join("folder.db");
    fs::create_dir(&folder).unwrap();
    assert_eq!(code(&folder), ErrorCode::ConfigurationInvalid);

    let (_home, newer) = store(1);
    rusqlite::Connection::open(&newer)
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    assert_eq!(code(&newer), ErrorCode::ConfigurationInvalid);

    let (_home, truncated) = store(200);
    let length = fs::metadata(&truncated).unwrap().len();
    fs::OpenOptions::new()
        .write(true)
        .open(&truncated)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
    assert_eq!(code(&truncated), ErrorCode::StoreCorrupt);
}

#[test]
fn reading_only_leaves_no_trace() {
    let (_home, path) = store(5);
    let id = find_one(&open(&path), "User 2").object_id;
    let listing = || {
        let mut files: Vec<_> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|e| e.unwrap().path())
            .map(|p| {
                (
                    p.clone(),
                    fs::read(&p).unwrap(),
                    fs::metadata(&p).unwrap().modified().unwrap(),
                )
            })
            .collect();
        files.sort();
        files
    };
    let use_it = || {
        let directory = open_read_only(&path);
        assert_eq!(find_one(&directory, "user.2").object_id, id);
        directory.policies(Route::Preferred).unwrap();
        directory.credential(id, None).unwrap();
        assert_eq!(
            directory
                .lease_due(Timestamp(0), Timestamp(0), Timestamp(1), 1)
                .unwrap(),
            []
        );
        let counts = directory.import(&plan(rows(9)), None, true).unwrap();
        assert_eq!((counts.mailboxes_created, counts.mailboxes_unchanged), (4, 5));
        for error in [
            directory.apply(change(id, None, b"x")).unwrap_err(),
            directory.import(&plan(rows(9)), None, false).unwrap_err(),
        ] {
            assert_eq!(error.code(), ErrorCode::InvalidRequest);
        }
    };
    for leftover in ["-wal", "-shm"] {
        let _ = fs::remove_file(beside(&path, leftover));
    }
    let before = listing();
    use_it();
    assert!(listing() == before);

    // With a log beside it that only another session may move into the database, what it holds is read, and stays.
    let writing = open(&path);
    assert_eq!(
        writing.apply(change(id, None, b"in the log")).unwrap(),
        Applied::Committed
    );
    let wal = fs::read(beside(&path, "-wal")).unwrap();
    assert!(!wal.is_empty());
    let before = dump(&path);
    assert_eq!(
        open_read_only(&path).credential(id, None).unwrap().record.as_deref(),
        Some(&b"in the log"[..])
    );
    use_it();
    assert_eq!(dump(&path), before);
    assert_eq!(fs::read(beside(&path, "-wal")).unwrap(), wal);
}

/// A store that was just put in place has no write-ahead log yet, and whoever gives it one may die over it.
#[test]
fn a_reader_takes_back_what_a_dead_writer_left_in_a_rollback_journal() {
    let (home, path) = store(300);
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; BEGIN; UPDATE mailbox SET name = 'half-made'",
        )
        .unwrap();
    let journal = |store: &std::path::Path| std::path::PathBuf::from(format!("{}-journal", store.display()));
    let dead = home.path().join("dead.db");
    std::fs::copy(&path, &dead).unwrap();
    std::fs::copy(journal(&path), journal(&dead)).unwrap();
    drop(connection);

    let names = |directory: &EmbeddedDirectory| {
        let page = directory
            .mailboxes(MailboxFilter::default(), Route::Preferred, None, 300)
            .unwrap();
        page.items
            .into_iter()
            .map(|found| found.mailbox.name)
            .collect::<Vec<_>>()
    };
    let names = names(&open(&dead));
    assert_eq!(names.len(), 300);
    assert!(!names.contains(&"half-made".to_owned()), "{names:?}");
    assert!(!journal(&dead).exists(), "the journal has been used up");
}

#[test]
fn a_backup_is_a_whole_store_and_can_be_put_in_place() {
    let (home, path) = store(5);
    let directory = open(&path);
    let id = find_one(&directory, "User 2").object_id;
    directory.apply(change(id, None, b"saved")).unwrap();
    let copy = home.path().join("copy.db");
    directory.backup(&copy).unwrap();
    assert!(directory.backup(&copy).is_err());
    assert!(!beside(&copy, "-wal").exists());
    directory.apply(change(id, Some(b"saved"), b"later")).unwrap();
    // In place of the store while the session lives.
    let _ = fs::remove_file(beside(&path, "-wal"));
    let _ = fs::remove_file(beside(&path, "-shm"));
    fs::rename(&copy, &path).unwrap();
    assert_eq!(
        directory.credential(id, None).unwrap().record.as_deref(),
        Some(&b"saved"[..])
    );
    assert_eq!(
        directory.apply(change(id, Some(b"saved"), b"again")).unwrap(),
        Applied::Committed
    );
    drop(directory);
    assert_eq!(
        open(&path).credential(id, None).unwrap().record.as_deref(),
        Some(&b"again"[..])
    );
    assert_eq!(integrity(&path), "ok");
}

#[test]
fn audit_entries_share_the_change_and_form_a_chain_for_each_host() {
    let (_home, path) = store(2);
    let directory = open(&path);
    let id = find_one(&directory, "User 1").object_id;
    let trail = |host: &str, n: u8| {
        let entry = |k| AuditEntry {
            operation: [n; 16],
            at: Timestamp(i64::from(n)),
            body: format!("{{\"kind\":{k}}}"),
        };
        AuditBatch::new(host, (0..2).map(entry).collect(), vec![ChainKey::new([3; 32])])
    };
    let mut record: Option<Vec<u8>> = None;
    for (n, host) in [(1, "a"), (2, "b"), (3, "a")] {
        let mut change = change(id, record.as_deref(), &[n]);
        change.audit = Some(trail(host, n));
        assert_eq!(directory.apply(change).unwrap(), Applied::Committed);
        record = Some(vec![n]);
    }
    let mut late = change(id, None, b"late");
    late.audit = Some(trail("a", 4));
    assert_eq!(directory.apply(late).unwrap(), Applied::Conflict);
    directory.import(&plan(rows(3)), Some(&trail("a", 5)), true).unwrap();
    directory.import(&plan(rows(3)), Some(&trail("b", 6)), false).unwrap();
    let entries = directory.audit_entries(0, 99).unwrap();
    let operations: Vec<u8> = entries.iter().map(|e| e.entry.operation[0]).collect();
    assert_eq!(operations, [1, 1, 2, 2, 3, 3, 6, 6]);
    let keys = ChainKeys::new(vec![ChainKey::new([3; 32])]);
    for host in ["a", "b"] {
        let mut previous = ChainLink::default();
        for entry in entries.iter().filter(|e| e.host == host) {
            assert!(keys.is_valid_entry(&previous, entry), "{entry:?}");
            previous.position += 1;
            previous.mac = entry.mac;
        }
        assert_eq!(previous.position, 4);
    }
    assert_eq!(directory.audit_entries(entries[5].seq, 1).unwrap(), entries[6..7]);
}
