//! Tests of what a hostile schema would do, were it not refused.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::connection::open_in_memory;
use super::error::{StoreError, StoreResult};
use super::journal::JournalTask;
use super::{audit, change, import, outbox, schema};
use umpin_core::audit::{AuditBatch, AuditEntry, ChainKey};
use umpin_core::cancellation::Cancellation;
use umpin_core::clock::Timestamp;
use umpin_core::directory::journal::{ChangeFingerprint, IntentRecord, IntentState};
use umpin_core::directory::{CounterChange, CredentialChange, Swap};
use umpin_core::import::{ImportPlan, MailboxRow, PolicyRow, Properties};
use umpin_core::mailbox::{MailboxProperties, ObjectId};
use umpin_core::notification::outbox::{EntryState, OutboxEntry};
use umpin_core::policy::UmMailboxPolicy;

fn one_mailbox() -> ImportPlan {
    let name = "Tony Smith".to_owned();
    ImportPlan {
        mailboxes: vec![MailboxRow {
            line: 2,
            given: Properties::ALL,
            mailbox: MailboxProperties {
                object_id: (),
                um_mailbox_policy_link: None,
                guid: None,
                distinguished_name: None,
                name: name.clone(),
                display_name: None,
                alias: Some("tonysmith".to_owned()),
                sam_account_name: None,
                user_principal_name: None,
                primary_smtp_address: None,
                email_addresses: vec!["smtp:tony@contoso.com".to_owned()],
                legacy_exchange_dn: None,
                um_enabled: true,
                extensions: vec![umpin_core::mailbox::Extension {
                    number: "4271".to_owned(),
                    dial_plan: None,
                }],
                um_mailbox_policy: Some("Default".to_owned()),
                preferred_language: None,
            },
        }],
        policies: vec![PolicyRow {
            line: 1,
            guid: None,
            distinguished_name: None,
            settings: UmMailboxPolicy::with_defaults("Default"),
            described: true,
        }],
        ..ImportPlan::default()
    }
}

fn set_record(connection: &Connection, expected: Option<&[u8]>) -> StoreResult<()> {
    let id: [u8; 16] = connection.query_row("SELECT object_id FROM mailbox", [], |r| r.get(0))?;
    let new = CredentialChange {
        mailbox: ObjectId(id),
        controller: None,
        record: Some(Swap {
            expected: expected.map(<[u8]>::to_vec),
            new: b"new".to_vec(),
        }),
        counter: CounterChange::Set(b"none".to_vec()),
        message: None,
        audit: None,
        cancellation: Cancellation::default(),
        premise: None,
    };
    change::apply(connection, &new).map(drop)
}

fn count(connection: &Connection) -> StoreResult<()> {
    let id: [u8; 16] = connection.query_row("SELECT object_id FROM mailbox", [], |r| r.get(0))?;
    let new = CredentialChange {
        mailbox: ObjectId(id),
        controller: None,
        record: None,
        counter: CounterChange::Set(b"one".to_vec()),
        message: None,
        audit: None,
        cancellation: Cancellation::default(),
        premise: None,
    };
    change::apply(connection, &new).map(drop)
}

fn queue(connection: &Connection) -> StoreResult<()> {
    outbox::insert(
        connection,
        &OutboxEntry {
            id: [1; 16],
            mailbox: ObjectId([2; 16]),
            pin_id: [3; 16],
            controller: None,
            state: EntryState::Ready,
            created: Timestamp(0),
            sealed: Vec::new(),
            leased_until: Timestamp(0),
            attempts: 0,
            last_error: None,
        },
    )
}

fn record_in_audit(connection: &Connection) -> StoreResult<()> {
    let entry = AuditEntry {
        operation: [4; 16],
        at: Timestamp(0),
        body: "{}".to_owned(),
    };
    audit::append(
        connection,
        &AuditBatch::new("host", vec![entry], vec![ChainKey::new([1; 32])]),
    )
}

fn lease(connection: &Connection) -> StoreResult<()> {
    outbox::lease_due(connection, Timestamp(1), Timestamp(1), Timestamp(2), 1).map(drop)
}

fn take_note(connection: &Connection) -> StoreResult<()> {
    JournalTask::Prepare {
        note: IntentRecord {
            operation: [5; 16],
            action: "reset".to_owned(),
            mailbox: ObjectId([2; 16]),
            controller: None,
            fingerprint: ChangeFingerprint::Seal([6; 16]),
            at: Timestamp(0),
            state: IntentState::Prepared,
            due: Timestamp(0),
        },
        message: None,
        intent: None,
    }
    .perform(connection)
    .map(drop)
}

/// Triggers are off in a store. Were they on, or did a table take no changes for any other reason, it would not go unnoticed.
#[test]
fn a_change_that_changed_no_row_is_an_error() {
    type Step = fn(&Connection) -> StoreResult<()>;
    let import: Step = |c| import::run(c, &one_mailbox(), None).map(drop);
    let first_record: Step = |c| set_record(c, None);
    let next_record: Step = |c| set_record(c, Some(b"new"));
    let cases: [(&str, &str, &[Step], Step); 12] = [
        ("INSERT", "policy", &[], import),
        ("INSERT", "email_address", &[], import),
        ("INSERT", "extension", &[], import),
        ("INSERT", "identity", &[], import),
        ("INSERT", "credential", &[import], first_record),
        ("UPDATE", "credential", &[import, first_record], next_record),
        ("UPDATE", "credential", &[import, first_record], count),
        ("INSERT", "outbox", &[], queue),
        ("UPDATE", "outbox", &[queue], lease),
        ("INSERT", "audit", &[], record_in_audit),
        ("INSERT", "audit_chain", &[], record_in_audit),
        ("INSERT", "change_note", &[], take_note),
    ];
    for (event, table, before, change) in cases {
        let made = || {
            let connection = open_in_memory().unwrap();
            schema::create(&connection).unwrap();
            connection
                .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)
                .unwrap();
            before.iter().for_each(|step| step(&connection).unwrap());
            connection
        };
        let sound = made();
        change(&sound).unwrap_or_else(|e| panic!("{event} on {table}: {e:?}"));
        let quiet = made();
        quiet
            .execute_batch(&format!(
                "CREATE TRIGGER quiet BEFORE {event} ON {table} BEGIN SELECT RAISE(IGNORE); END"
            ))
            .unwrap();
        let error = change(&quiet).err();
        assert!(
            matches!(error, Some(StoreError::Damaged(_))),
            "{event} on {table}: {error:?}"
        );
    }
}

#[test]
fn triggers_and_views_of_a_store_are_off() {
    let connection = open_in_memory().unwrap();
    schema::create(&connection).unwrap();
    connection
        .execute_batch(
            "CREATE VIEW v AS SELECT 1 AS x;
             CREATE TRIGGER t BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'the trigger ran'); END",
        )
        .unwrap();
    queue(&connection).unwrap();
    let read = connection.query_row("SELECT x FROM v", [], |r| r.get::<_, i64>(0));
    assert!(read.unwrap_err().to_string().contains("access to view"));
}
