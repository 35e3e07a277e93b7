//! What a writer of the store without its key can put into its schema: each way is refused by name, and none makes a change that
//! was never made look made.

use std::path::{Path, PathBuf};

use crate::support;
use crate::support::embedded::{change, find_one, message, open, open_read_only, plan, rows};
use rusqlite::Connection;
use serde_json::json;
use umpin::clock::Timestamp;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions, LocalOutbox};
use umpin::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Journal};
use umpin::directory::{Directory, Route};
use umpin::identity::Identity;
use umpin::mailbox::ObjectId;
use umpin::notification::outbox::Outbox;
use umpin::{Error, ErrorCode};

/// What is done to the file, and what the error must name.
struct Attack {
    name: &'static str,
    sql: &'static str,
    named: &'static str,
}

const fn attack(name: &'static str, named: &'static str, sql: &'static str) -> Attack {
    Attack { name, sql, named }
}

/// Rewrites a table's statement as somebody does who knows `writable_schema`.
macro_rules! rewritten {
    ($object:literal, $from:literal, $to:literal) => {
        concat!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '",
            $from,
            "', '",
            $to,
            "') WHERE name = '",
            $object,
            "'; PRAGMA schema_version = 4000; PRAGMA writable_schema = OFF;"
        )
    };
}

macro_rules! rewritten_statistics {
    () => {
        concat!(
            "ANALYZE; ",
            rewritten!("sqlite_stat1", "stat)", "stat CHECK (stat > 0))")
        )
    };
}

const ATTACKS: &[Attack] = &[
    attack(
        "a trigger that ignores updates",
        "trigger \"quiet\" on \"credential\"",
        "CREATE TRIGGER quiet BEFORE UPDATE ON credential BEGIN SELECT RAISE(IGNORE); END",
    ),
    attack(
        "a trigger that ignores first records",
        "trigger \"first\" on \"credential\"",
        "CREATE TRIGGER first BEFORE INSERT ON credential BEGIN SELECT RAISE(IGNORE); END",
    ),
    attack(
        "a trigger that restores the counter",
        "trigger \"restore\" on \"credential\"",
        "CREATE TRIGGER restore AFTER UPDATE OF counter ON credential \
         BEGIN UPDATE credential SET counter = old.counter WHERE mailbox = old.mailbox; END",
    ),
    attack(
        "a trigger that empties the audit",
        "trigger \"forget\" on \"audit\"",
        "CREATE TRIGGER forget AFTER INSERT ON audit BEGIN DELETE FROM audit WHERE seq = new.seq; END",
    ),
    attack(
        "a trigger that redirects messages",
        "trigger \"drop\" on \"outbox\"",
        "CREATE TRIGGER \"drop\" BEFORE INSERT ON outbox BEGIN SELECT RAISE(IGNORE); END",
    ),
    attack(
        "a view beside the tables",
        "view \"spare\"",
        "CREATE VIEW spare AS SELECT * FROM credential",
    ),
    attack(
        "a view in the place of a table, with an INSTEAD OF trigger",
        "view \"credential\"",
        "ALTER TABLE credential RENAME TO hidden;
         CREATE VIEW credential AS SELECT * FROM hidden;
         CREATE TRIGGER swallow INSTEAD OF UPDATE ON credential BEGIN SELECT 1; END;
         CREATE TRIGGER swallow_insert INSTEAD OF INSERT ON credential BEGIN SELECT 1; END",
    ),
    attack(
        "a renamed table and another in its place",
        "table \"hidden\"",
        "ALTER TABLE credential RENAME TO hidden;
         CREATE TABLE credential (mailbox INTEGER PRIMARY KEY, record BLOB NOT NULL, counter BLOB) STRICT",
    ),
    attack(
        "a table without foreign key",
        "table \"credential\" is not as it was made",
        "DROP TABLE credential;
         CREATE TABLE credential (mailbox INTEGER PRIMARY KEY, record BLOB NOT NULL, counter BLOB) STRICT",
    ),
    attack(
        "a table without rowid",
        "table \"credential\" is not as it was made",
        "DROP TABLE credential;
         CREATE TABLE credential (
    mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
    record  BLOB NOT NULL,
    counter BLOB
) STRICT, WITHOUT ROWID",
    ),
    attack(
        "a constraint that replaces",
        "table \"credential\" is not as it was made",
        rewritten!(
            "credential",
            "record  BLOB NOT NULL",
            "record  BLOB NOT NULL ON CONFLICT IGNORE CHECK (length(record) < 5)"
        ),
    ),
    attack(
        "a key that ignores conflicts",
        "table \"credential\" is not as it was made",
        rewritten!(
            "credential",
            "INTEGER PRIMARY KEY",
            "INTEGER PRIMARY KEY ON CONFLICT IGNORE"
        ),
    ),
    attack(
        "a generated column in the place of the counter",
        "table \"credential\" is not as it was made",
        "DROP TABLE credential;
         CREATE TABLE credential (
    mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
    record  BLOB NOT NULL,
    counter BLOB GENERATED ALWAYS AS (NULL) VIRTUAL
) STRICT",
    ),
    attack(
        "one more generated column",
        "table \"mailbox\" is not as it was made",
        "ALTER TABLE mailbox ADD COLUMN spare TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL",
    ),
    attack(
        "another expression for the extension's digits",
        "table \"extension\" is not as it was made",
        rewritten!("extension", "(number, '' '', '''')", "(number, ''  '', '''')"),
    ),
    attack(
        "another collation of identities",
        "table \"identity\" is not as it was made",
        rewritten!("identity", "key     TEXT NOT NULL", "key     TEXT COLLATE NOCASE NOT NULL"),
    ),
    attack(
        "a table that is not strict",
        "table \"policy\" is not as it was made",
        rewritten!("policy", ") STRICT", ")"),
    ),
    attack(
        "a unique index that refuses the second record",
        "index \"one\" on \"credential\"",
        "DELETE FROM credential; CREATE UNIQUE INDEX one ON credential ((1))",
    ),
    attack(
        "a partial unique index that refuses messages",
        "index \"few\" on \"outbox\"",
        "CREATE UNIQUE INDEX few ON outbox ((1)) WHERE state = 0",
    ),
    attack(
        "an index over an expression",
        "index \"odd\" on \"audit\"",
        "CREATE INDEX odd ON audit (length(body))",
    ),
    attack(
        "an index dropped",
        "index \"identity_mailbox\" is missing",
        "DROP INDEX identity_mailbox",
    ),
    attack(
        "an index made otherwise",
        "index \"outbox_due\" is not as it was made",
        "DROP INDEX outbox_due; CREATE INDEX outbox_due ON outbox (created)",
    ),
    attack("a table more", "table \"notes\"", "CREATE TABLE notes (text TEXT)"),
    attack(
        "a table with a hostile name",
        "table \"a\\nb\"",
        "CREATE TABLE \"a\nb\" (text TEXT)",
    ),
    attack(
        "statistics of another shape",
        "table \"sqlite_stat1\"",
        rewritten_statistics!(),
    ),
    attack(
        "a virtual table",
        "table \"search\"",
        "CREATE VIRTUAL TABLE search USING fts5 (text)",
    ),
    attack(
        "a table whose name differs in case",
        "table \"Credential\"",
        "ALTER TABLE credential RENAME TO other; ALTER TABLE other RENAME TO Credential",
    ),
    attack(
        "two tables in one place",
        "in the same place",
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'policy') WHERE name = 'credential';
         PRAGMA schema_version = 4000; PRAGMA writable_schema = OFF;",
    ),
    attack(
        "a schema that cannot be parsed",
        "directory.db",
        rewritten!("credential", "BLOB NOT NULL,", "BLOB NOT NULL("),
    ),
    attack(
        "an object twice",
        "directory.db",
        "PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema SELECT * FROM sqlite_schema WHERE name = 'credential';
         PRAGMA schema_version = 4000; PRAGMA writable_schema = OFF;",
    ),
    attack(
        "a row without statement",
        "directory.db",
        "PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('table', 'credential', 'credential', 0, NULL);
         PRAGMA schema_version = 4000; PRAGMA writable_schema = OFF;",
    ),
];

fn made() -> (tempfile::TempDir, PathBuf) {
    let (home, path) = crate::support::embedded::store(3);
    let directory = open(&path);
    let mailbox = find_one(&directory, "user.0@contoso.com").object_id;
    directory
        .apply(change(mailbox, None, b"the first record"))
        .expect("a record");
    (home, path)
}

fn attacked(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("the store");
    connection.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

fn mailbox_of(path: &Path) -> ObjectId {
    let connection = Connection::open(path).expect("the store");
    let id = connection.query_row("SELECT object_id FROM mailbox ORDER BY id LIMIT 1", [], |r| r.get(0));
    ObjectId(id.expect("a mailbox"))
}

fn note(mailbox: ObjectId) -> IntentRecord {
    IntentRecord {
        operation: [5; 16],
        action: "reset".to_owned(),
        mailbox,
        controller: None,
        fingerprint: ChangeFingerprint::Pin {
            id: [7; 16],
            previous: None,
        },
        at: Timestamp(1),
        state: IntentState::Prepared,
        due: Timestamp(2),
    }
}

/// Everything that reads or changes the store, by name.
fn attempts(directory: &EmbeddedDirectory, path: &Path, mailbox: ObjectId) -> Vec<(&'static str, Result<(), Error>)> {
    let local = LocalOutbox::new(EmbeddedOptions::new(path));
    let mut first = change(mailbox, None, b"a first record");
    first.message = Some(message(9, mailbox, 0));
    let identity = Identity::parse("user.1@contoso.com").expect("an identity");
    vec![
        ("find", directory.find(&identity, Route::Preferred).map(drop)),
        ("credential", directory.credential(mailbox, None).map(drop)),
        (
            "apply",
            directory
                .apply(change(mailbox, Some(b"the first record"), b"the second"))
                .map(drop),
        ),
        ("apply with message", directory.apply(first).map(drop)),
        ("import", directory.import(&plan(rows(4)), None, false).map(drop)),
        ("rehearsal", directory.import(&plan(rows(4)), None, true).map(drop)),
        ("lease", directory.lease([9; 16], Timestamp(1), Timestamp(2)).map(drop)),
        ("note", local.prepare(&note(mailbox), None, None)),
        ("audit", directory.audit_entries(0, 10).map(drop)),
    ]
}

/// In the message, or in the details where the message only counts.
fn names(error: &Error, what: &str) -> bool {
    let all = |text: &serde_json::Value| {
        text.as_array()
            .is_some_and(|list| list.iter().any(|e| e.as_str().is_some_and(|e| e.contains(what))))
    };
    error.message().contains(what) || error.details().iter().any(|(_, value)| all(value))
}

#[test]
fn whatever_is_put_into_the_schema_is_refused_by_name() {
    for attack in ATTACKS {
        // One directory has the store open when it happens.
        let (_home, path) = made();
        let before = open(&path);
        find_one(&before, "user.1@contoso.com");
        before.remove([8; 16]).expect("a change");
        let mailbox = mailbox_of(&path);
        attacked(&path, attack.sql);
        for (which, directory) in [("already open", before), ("opened anew", open(&path))] {
            for (what, done) in attempts(&directory, &path, mailbox) {
                let error = done
                    .err()
                    .unwrap_or_else(|| panic!("{}, {which}: {what} goes through", attack.name));
                assert_eq!(
                    error.code(),
                    ErrorCode::StoreCorrupt,
                    "{}, {which}, {what}: {error}",
                    attack.name
                );
                assert!(names(&error, attack.named), "{}, {which}, {what}: {error}", attack.name);
            }
        }
        let error = open_read_only(&path).find(&Identity::parse("user").expect("an identity"), Route::Preferred);
        let error = error
            .err()
            .unwrap_or_else(|| panic!("{}: -WhatIf reads it", attack.name));
        assert!(names(&error, attack.named), "{}, read-only: {error}", attack.name);
    }
}

/// Somebody who does not let the number of the schema change: SQLite then goes on with the schema that it knows, and so may we.
#[test]
fn a_change_that_hides_from_open_connections_has_no_effect_on_them() {
    for sql in [
        "CREATE TRIGGER quiet BEFORE UPDATE ON credential BEGIN SELECT RAISE(IGNORE); END",
        "CREATE VIEW spare AS SELECT 1",
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY', 'PRIMARY KEY ON CONFLICT IGNORE') WHERE name = 'credential'",
    ] {
        let (_home, path) = made();
        let directory = open(&path);
        let mailbox = mailbox_of(&path);
        directory.credential(mailbox, None).expect("the record");
        directory.remove([8; 16]).expect("a change");
        let connection = Connection::open(&path).expect("the store");
        let version: i64 = connection
            .query_row("PRAGMA schema_version", [], |r| r.get(0))
            .expect("a number");
        connection
            .execute_batch(&format!("BEGIN; {sql}; PRAGMA schema_version = {version}; COMMIT"))
            .expect("the attack");
        drop(connection);
        directory
            .apply(change(mailbox, Some(b"the first record"), b"the second"))
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
        let stored = directory.credential(mailbox, None).expect("the record");
        assert_eq!(stored.record.as_deref(), Some(&b"the second"[..]), "{sql}");
        let error = open(&path).credential(mailbox, None).expect_err("a new connection sees it");
        assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{sql}: {error}");
    }
}

#[test]
fn numbers_of_the_file_that_are_not_ours_are_refused() {
    for (sql, code) in [
        ("PRAGMA user_version = 0", ErrorCode::StoreCorrupt),
        ("PRAGMA user_version = -1", ErrorCode::StoreCorrupt),
        ("PRAGMA user_version = 2", ErrorCode::ConfigurationInvalid),
        ("PRAGMA application_id = 0", ErrorCode::StoreCorrupt),
    ] {
        let (_home, path) = made();
        let mailbox = mailbox_of(&path);
        attacked(&path, sql);
        for (what, done) in attempts(&open(&path), &path, mailbox) {
            let error = done.err().unwrap_or_else(|| panic!("{sql}: {what} goes through"));
            assert_eq!(error.code(), code, "{sql}, {what}: {error}");
        }
    }
}

/// As the administrator sees it: the reset fails, and the record is the one from before.
#[test]
fn a_reset_through_a_trigger_is_an_error_and_no_ok() {
    let store = support::Store::with_people();
    store
        .reset(json!({ "identity": "tonysmith@contoso.com" }), Some("580291"))
        .expect("a reset");
    let before = store.record("tonysmith@contoso.com").1;
    let database = store.path("directory.db");
    attacked(
        &database,
        "CREATE TRIGGER quiet BEFORE UPDATE ON credential BEGIN SELECT RAISE(IGNORE); END",
    );
    for fields in [
        json!({ "identity": "tonysmith@contoso.com" }),
        json!({ "identity": "tonysmith@contoso.com", "keepPin": true, "lockedOut": true }),
    ] {
        for session in [&store.session, &support::open(store.directory.path())] {
            let error = support::reset(session, fields.clone(), None).err().expect("no OK");
            assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error}");
            assert!(error.message().contains("trigger \"quiet\""), "{error}");
            assert!(
                error.recommended_action().contains("backup"),
                "{}",
                error.recommended_action()
            );
        }
    }
    attacked(&database, "DROP TRIGGER quiet");
    assert_eq!(store.record("tonysmith@contoso.com").1, before);
    store
        .reset(json!({ "identity": "tonysmith@contoso.com" }), Some("914730"))
        .expect("the store is whole again");
    assert!(store.pin_is("tonysmith@contoso.com", "914730"));
}

/// What a consistent copy, a rebuild and another program's reading leave is still ours.
#[test]
fn what_administrators_do_with_sqlite_changes_nothing() {
    let (_home, path) = made();
    attacked(
        &path,
        "VACUUM; REINDEX; PRAGMA integrity_check; PRAGMA optimize; PRAGMA journal_mode = DELETE",
    );
    let directory = open(&path);
    let mailbox = find_one(&directory, "user.0@contoso.com").object_id;
    directory
        .apply(change(mailbox, Some(b"the first record"), b"the second"))
        .expect("a change");
}
