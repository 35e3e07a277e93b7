//! Tests of internals.

use std::sync::mpsc::Receiver;

use rusqlite::Connection;

use super::command::{Command, Job, queued};
use super::connection::open_in_memory;
use super::lookup::lookup_sql;
use super::{EmbeddedDirectory, EmbeddedOptions, group, schema};
use umpin_core::cancellation::Cancellation;
use umpin_core::directory::{Applied, CounterChange, CredentialChange, Directory, MailboxFilter, Route, Swap};
use umpin_core::identity::Identity;
use umpin_core::import::ImportPlan;
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::Outbox;
use umpin_core::{ErrorCode, Result};

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
    for keys in [1, 3, 10] {
        let plan = query_plan(&connection, &lookup_sql(keys));
        assert!(
            plan.iter()
                .any(|p| p.starts_with("SEARCH i USING PRIMARY KEY (key=? AND kind=?)")),
            "{plan:?}"
        );
        // What is scanned is the list of keys.
        assert!(
            !plan.iter().any(|p| p.starts_with("SCAN") && p.contains(" i")),
            "{plan:?}"
        );
    }
    for sql in [
        "SELECT id FROM mailbox WHERE object_id = ?1",
        "SELECT record FROM credential WHERE mailbox = ?1",
        "SELECT 1 FROM outbox WHERE due <= ?1 LIMIT 1",
        "SELECT 1 FROM outbox WHERE noted > ?1 LIMIT 1",
        "SELECT max(at) FROM audit WHERE at <= ?1",
        "SELECT omitted FROM audit_failure WHERE host = ?1",
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

fn first_record(mailbox: ObjectId, cancellation: &Cancellation) -> (Box<dyn Job>, Receiver<Result<Applied>>) {
    let change = CredentialChange {
        mailbox,
        controller: None,
        record: Some(Swap {
            expected: None,
            new: b"a record".to_vec(),
        }),
        counter: CounterChange::Keep,
        message: None,
        audit: None,
        cancellation: cancellation.clone(),
        premise: None,
    };
    queued(super::credential_command(change))
}

/// Four changes in one transaction: one cancelled before it, one when its savepoint was released already, by the commit point of
/// the change before it.
#[test]
fn a_cancelled_change_of_a_group_touches_none_of_the_others() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("directory.db");
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(&path));
    let csv = b"DistinguishedName\n\"CN=A,DC=contoso,DC=com\"\n\"CN=B,DC=contoso,DC=com\"\n\
        \"CN=C,DC=contoso,DC=com\"\n\"CN=D,DC=contoso,DC=com\"\n";
    let plan = umpin_core::import::parse(
        csv,
        umpin_core::import::Format::Csv,
        &umpin_core::import::ImportOptions::default(),
    )
    .unwrap();
    directory.import(&plan, None, false).unwrap();
    let page = directory
        .mailboxes(MailboxFilter::default(), Route::Preferred, None, 9)
        .unwrap();
    let ids: Vec<ObjectId> = page.items.iter().map(|found| found.mailbox.object_id).collect();
    let flags: Vec<Cancellation> = ids.iter().map(|_| Cancellation::new()).collect();
    flags[0].cancel();
    let last_moment = flags[2].clone();
    flags[1].at_commit_point(move || assert!(last_moment.cancel(), "its commit point comes after this one"));
    let (mut jobs, replies): (Vec<_>, Vec<_>) =
        ids.iter().zip(&flags).map(|(id, flag)| first_record(*id, flag)).unzip();

    let connection = Connection::open(&path).unwrap();
    let begin = || Ok(connection.execute_batch("BEGIN IMMEDIATE")?);
    assert!(
        group::transact(&connection, &begin, &mut jobs).is_ok(),
        "the transaction failed as a whole"
    );
    drop(connection);
    for job in jobs {
        job.reply(&path);
    }
    let committed: Vec<bool> = replies
        .iter()
        .map(|reply| match reply.recv().expect("a reply") {
            Ok(Applied::Committed) => true,
            Err(error) if error.code() == ErrorCode::Cancelled => false,
            other => panic!("neither committed nor cancelled: {other:?}"),
        })
        .collect();
    let written = ids
        .iter()
        .map(|id| directory.credential(*id, None).unwrap().record.is_some());
    assert_eq!(committed, [false, true, false, true]);
    assert_eq!(written.collect::<Vec<_>>(), committed);
    assert!(
        !flags[1].cancel() && !flags[3].cancel(),
        "they are past their commit points"
    );
}

#[test]
fn a_panic_of_the_writer_is_an_unknown_outcome_and_the_next_change_finds_a_new_one() {
    let home = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(home.path().join("directory.db")));
    directory.import(&ImportPlan::default(), None, false).unwrap();
    for _ in 0..3 {
        let error = directory
            .write(Command::<()>::new(|_| panic!("a test wants it")))
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::OutcomeUnknown);
        directory.remove([1; 16]).unwrap();
    }
}
