//! What the tests of the embedded directory share.

use std::path::{Path, PathBuf};

use umpin::clock::Timestamp;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory, Route, Swap};
use umpin::identity::{DistinguishedName, Identity};
use umpin::import::{ImportPlan, MailboxRow, PolicyRow, Properties};
use umpin::mailbox::{Extension, Mailbox, MailboxProperties, ObjectId};
use umpin::notification::outbox::{EntryState, OutboxEntry};
use umpin::policy::UmMailboxPolicy;

pub fn open(path: &Path) -> EmbeddedDirectory {
    EmbeddedDirectory::new(EmbeddedOptions::new(path))
}

pub fn open_read_only(path: &Path) -> EmbeddedDirectory {
    let mut options = EmbeddedOptions::new(path);
    options.read_only = true;
    EmbeddedDirectory::new(options)
}

pub fn row(line: u64, name: &str) -> MailboxRow {
    let alias = name.to_lowercase().replace(' ', ".");
    MailboxRow {
        line,
        given: Properties::ALL,
        mailbox: MailboxProperties {
            object_id: (),
            um_mailbox_policy_link: None,
            guid: None,
            distinguished_name: DistinguishedName::parse(&format!("CN={name},OU=Sales,DC=contoso,DC=com")),
            name: name.to_owned(),
            display_name: Some(format!("{name} (Sales)")),
            alias: Some(alias.clone()),
            sam_account_name: Some(format!("{alias}.sam")),
            user_principal_name: Some(format!("{alias}@upn.contoso.com")),
            primary_smtp_address: Some(format!("{alias}@contoso.com")),
            email_addresses: vec![
                format!("SMTP:{alias}@contoso.com"),
                format!("smtp:{alias}@fabrikam.com"),
                format!("eum:{};phone-context=Main.contoso.com", 4000 + line),
            ],
            legacy_exchange_dn: Some(format!("/o=Contoso/ou=Sales/cn=Recipients/cn={alias}")),
            um_enabled: true,
            extensions: vec![Extension {
                number: (4000 + line).to_string(),
                dial_plan: Some("Main.contoso.com".to_owned()),
            }],
            um_mailbox_policy: Some("Default".to_owned()),
            preferred_language: None,
        },
    }
}

pub fn plan(mailboxes: Vec<MailboxRow>) -> ImportPlan {
    ImportPlan {
        mailboxes,
        policies: vec![PolicyRow {
            line: 1,
            guid: None,
            distinguished_name: None,
            settings: UmMailboxPolicy::with_defaults("Default"),
            described: false,
        }],
        ..ImportPlan::default()
    }
}

pub fn rows(count: u64) -> Vec<MailboxRow> {
    (0..count).map(|n| row(n + 2, &format!("User {n}"))).collect()
}

/// A store with `count` mailboxes "User 0", "User 1", …
pub fn store(count: u64) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("umpin/directory.db");
    let counts = open(&path).import(&plan(rows(count)), None, false).unwrap();
    assert_eq!(counts.mailboxes_created, count);
    (home, path)
}

pub fn find_one(directory: &EmbeddedDirectory, text: &str) -> Mailbox {
    let found = directory
        .find(&Identity::parse(text).unwrap(), Route::Preferred)
        .unwrap();
    assert_eq!(found.count, 1, "{text}: {found:?}");
    found.found.into_iter().next().unwrap().mailbox
}

pub fn change(mailbox: ObjectId, expected: Option<&[u8]>, record: &[u8]) -> CredentialChange {
    CredentialChange {
        mailbox,
        controller: None,
        record: Some(Swap {
            expected: expected.map(<[u8]>::to_vec),
            new: record.to_vec(),
        }),
        counter: CounterChange::Set(b"no failures".to_vec()),
        message: None,
        audit: None,
        cancellation: umpin::cancellation::Cancellation::default(),
        premise: None,
    }
}

pub fn message(id: u8, mailbox: ObjectId, leased_until: i64) -> OutboxEntry {
    OutboxEntry {
        id: [id; 16],
        mailbox,
        pin_id: [id; 16],
        controller: None,
        state: EntryState::Ready,
        created: Timestamp(i64::from(id)),
        sealed: vec![id; 40],
        leased_until: Timestamp(leased_until),
        attempts: 0,
        last_error: None,
    }
}

/// Adds one to the number that stands in the record, however often others are first; how often it was acknowledged is the caller's to count.
pub fn increment(directory: &EmbeddedDirectory, mailbox: ObjectId) {
    loop {
        let stored = directory.credential(mailbox, None).unwrap().record;
        let number = stored
            .as_deref()
            .map_or(0, |r| u64::from_be_bytes(r[..8].try_into().unwrap()));
        // As long as a real record, so that pages fill and checkpoints happen.
        let mut record = (number + 1).to_be_bytes().to_vec();
        record.resize(900, 7);
        match directory.apply(change(mailbox, stored.as_deref(), &record)).unwrap() {
            Applied::Committed => return,
            Applied::Conflict | Applied::Unreached => {}
        }
    }
}

pub fn number(directory: &EmbeddedDirectory, mailbox: ObjectId) -> u64 {
    directory
        .credential(mailbox, None)
        .unwrap()
        .record
        .map_or(0, |r| u64::from_be_bytes(r[..8].try_into().unwrap()))
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

/// Every table as text.
pub fn dump(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    let mut lines = Vec::new();
    for table in [
        "meta",
        "policy",
        "mailbox",
        "email_address",
        "extension",
        "identity",
        "credential",
        "outbox",
        "audit",
        "staged_mailbox",
        "staged_name",
    ] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> = (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
            lines.push(format!("{table}: {}", values.join(" | ")));
        }
    }
    lines
}

pub fn integrity(path: &Path) -> String {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .query_row("PRAGMA integrity_check", [], |r| r.get(0))
        .unwrap()
}
