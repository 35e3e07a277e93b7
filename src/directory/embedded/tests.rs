//! Tests of what is not visible from outside.

use rusqlite::Connection;

use super::connection::open_in_memory;
use super::lookup::lookup_sql;
use super::writer::Task;
use super::{EmbeddedDirectory, EmbeddedOptions, schema};
use crate::ErrorCode;
use crate::directory::Directory;
use crate::directory::Route;
use crate::identity::Identity;
use crate::import::ImportPlan;
use crate::notification::outbox::Outbox;

fn query_plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let count = statement.parameter_count();
    statement
        .query_map(rusqlite::params_from_iter(vec!["x"; count]), |r| r.get("detail"))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn a_lookup_searches_the_index_and_never_scans_a_table() {
    let connection = open_in_memory().unwrap();
    schema::create(&connection).unwrap();
    for probes in [1, 3, 10] {
        let plan = query_plan(&connection, &lookup_sql(probes));
        assert!(
            plan.iter()
                .any(|p| p.starts_with("SEARCH i USING PRIMARY KEY (key=? AND kind=?)")),
            "{plan:?}"
        );
        // What is scanned is the list of probes.
        assert!(
            !plan.iter().any(|p| p.starts_with("SCAN") && p.contains(" i")),
            "{plan:?}"
        );
    }
    for sql in [
        "SELECT id FROM mailbox WHERE object_id = ?1",
        "SELECT record FROM credential WHERE mailbox = ?1",
        "SELECT 1 FROM outbox WHERE leased_until <= ?1 LIMIT 1",
        "SELECT mac FROM audit WHERE host = ?1 ORDER BY seq DESC LIMIT 1",
        "SELECT mailbox, dial_plan FROM extension WHERE digits = ?1 ORDER BY mailbox",
        "SELECT id FROM mailbox WHERE id > ?1 AND um_enabled ORDER BY id LIMIT ?2",
        "DELETE FROM identity WHERE mailbox = ?1",
        "SELECT action FROM change_note WHERE mailbox = ?1",
        "SELECT 1 FROM change_note WHERE due <= ?1 LIMIT 1",
        "SELECT action FROM change_note WHERE state = 3 AND at > ?1",
    ] {
        let plan = query_plan(&connection, sql);
        assert!(plan.iter().all(|p| p.starts_with("SEARCH")), "{sql}: {plan:?}");
    }
}

#[test]
fn a_store_of_an_unknown_format_is_not_touched() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("directory.db");
    let connection = Connection::open(&path).unwrap();
    schema::create(&connection).unwrap();
    connection
        .pragma_update(None, "user_version", schema::VERSION + 1)
        .unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(&path));
    let error = directory
        .find(&Identity::parse("tony").unwrap(), Route::Preferred)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
    assert!(error.message().contains("newer version"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_panic_of_the_writer_is_an_unknown_outcome_and_the_next_change_finds_a_new_one() {
    let home = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(home.path().join("directory.db")));
    directory.import(&ImportPlan::default(), None, false).unwrap();
    for _ in 0..3 {
        let error = directory.write(Task::Panic).err().unwrap();
        assert_eq!(error.code(), ErrorCode::OutcomeUnknown);
        directory.remove([1; 16]).unwrap();
    }
}
