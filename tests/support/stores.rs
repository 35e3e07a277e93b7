//! Stores to be mistreated, sessions on them, and what a store really holds.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use umpin::audit::{AuditEntry, ChainKeys, ChainLink};
use umpin::clock::{Clock, SystemClock, Timestamp};
use umpin::credential::kdf::{Cost, KdfContext, PinVerifiers};
use umpin::credential::keyring::KeyRing;
use umpin::credential::master_key::Purpose;
use umpin::credential::record::{CredentialRecord, StoredPin};
use umpin::credential::seal::SealContext;
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::directory::{Directory, Route};
use umpin::identity::Identity;
use umpin::keys::Keys;
use umpin::mailbox::Mailbox;
use umpin::notification::pickup::PickupNotifier;
use umpin::pin::Pin;
use umpin::service::{Caller, Ports, Service, Settings};
use umpin::session::Session;

use crate::support;

/// The least that Argon2 allows: what is tested here is not the derivation.
pub const CHEAP: Cost = Cost {
    memory_kib: 8,
    iterations: 1,
    parallelism: 1,
};

/// The system's clock, this many milliseconds ahead.
pub struct Ahead(pub i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0)
    }
}

/// An import file with `count` UM-enabled mailboxes "User 0", "User 1", …
pub fn csv(count: usize) -> String {
    let mut csv = String::from("DistinguishedName,Name,PrimarySmtpAddress,UMEnabled,Extensions,UMMailboxPolicy\n");
    for n in 0..count {
        writeln!(
            csv,
            "\"CN=User {n},OU=Sales,DC=contoso,DC=com\",User {n},user{n}@contoso.com,True,{},Default",
            42_000 + n
        )
        .expect("text grows");
    }
    csv
}

/// A store with the mailboxes of [`csv`].
pub fn store(count: usize) -> TempDir {
    let home = tempfile::tempdir().expect("a temporary directory");
    let file = home.path().join("import.csv");
    fs::write(&file, csv(count)).expect("the import file is written");
    support::request(
        &support::open(home.path()),
        &json!({ "v": 1, "operation": "import", "path": file }),
    )
    .expect("the import succeeds");
    fs::remove_file(file).expect("the import file is removed");
    home
}

pub fn address(number: usize) -> String {
    format!("user{number}@contoso.com")
}

/// The use cases on a store, with a directory that may stand before the real one.
pub fn service(
    data: &Path,
    real: Arc<EmbeddedDirectory>,
    seen: Arc<dyn Directory>,
    clock: Arc<dyn Clock>,
    cost: Cost,
) -> Service {
    service_with(data, real, seen, clock, settings(cost))
}

pub fn service_with(
    data: &Path,
    real: Arc<EmbeddedDirectory>,
    seen: Arc<dyn Directory>,
    clock: Arc<dyn Clock>,
    settings: Settings,
) -> Service {
    let ports = Ports {
        directory: seen,
        audit: Arc::clone(&real) as _,
        outbox: real,
        journal: None,
        notifier: Arc::new(PickupNotifier::new(
            data.join("pickup"),
            "Unified Messaging <um@contoso.com>".to_owned(),
            None,
        )),
        clock,
        keys: Arc::new(support::keys(data)),
    };
    Service::new(ports, settings)
}

/// Audited, and without floor under the answers to a sign-in.
pub fn settings(cost: Cost) -> Settings {
    Settings {
        cost,
        audit: true,
        audit_retention_days: None,
        scope: None,
        answer_floor: Duration::ZERO,
        expire_notifications_after: Duration::from_secs(72 * 3600),
        netbios_name: None,
        message: umpin::notification::MessageSettings::default(),
        caller: Caller {
            user: "CONTOSO\\admin".to_owned(),
            run_as: None,
            host: "host".to_owned(),
            application: "durability".to_owned(),
        },
    }
}

pub fn cheap_service(data: &Path, clock: Arc<dyn Clock>) -> Service {
    let directory = Arc::new(support::embedded(data));
    service(data, Arc::clone(&directory), directory, clock, CHEAP)
}

pub fn cheap_session(data: &Path) -> Session {
    Session::with_service(cheap_service(data, Arc::new(SystemClock)))
}

pub fn mailbox(directory: &EmbeddedDirectory, identity: &str) -> Mailbox {
    let identity = Identity::parse(identity).expect("an identity");
    let found = directory.find(&identity, Route::Preferred).expect("a look-up");
    assert_eq!(found.count, 1, "matches of {identity:?}");
    found.found.into_iter().next().expect("one mailbox").mailbox
}

/// What a store holds, seen from outside, its key included.
pub struct Inside {
    directory: EmbeddedDirectory,
    ring: Option<KeyRing>,
}

impl Inside {
    pub fn of(data: &Path) -> Self {
        Self {
            directory: support::embedded(data),
            ring: support::keys(data).load().ok(),
        }
    }

    /// The record, opened; none for a mailbox that never had one.
    pub fn record(&self, identity: &str) -> Option<CredentialRecord> {
        let id = mailbox(&self.directory, identity).object_id;
        let sealed = self.directory.credential(id, None).expect("a look-up").record?;
        let context = SealContext {
            store_id: self.directory.store_id().expect("a store"),
            object_id: id,
        };
        let ring = self.ring.as_ref().expect("there is a record, so there must be its key");
        let plain = ring
            .open(Purpose::Record, &context, &sealed)
            .expect("the record opens under the key of the store");
        Some(CredentialRecord::decode(&plain).expect("the record decodes"))
    }

    pub fn pins(&self, identity: &str) -> Pins {
        Pins::of(self.record(identity))
    }

    /// How many resets the audit tells of, each with intent and outcome; checks the chain on the way.
    pub fn audited_resets(&self) -> usize {
        let operations = self.operations();
        let resets = operations.iter().filter(|o| o.intent["cmdlet"] == "Set-UMMailboxPIN");
        let done = resets.clone().filter(|o| o.outcome.is_some()).count();
        assert_eq!(resets.count(), done, "intents with outcome");
        done
    }

    /// Everything that the audit tells of, oldest first; checks the chain on the way.
    pub fn operations(&self) -> Vec<Operation> {
        let entries = self.directory.audit_entries(0, usize::MAX).expect("the audit");
        let keys = self.ring.as_ref().map(|ring| ChainKeys::new(ring.chain_keys()));
        let mut last: HashMap<String, ChainLink> = HashMap::new();
        let mut places: HashMap<[u8; 16], usize> = HashMap::new();
        let mut operations: Vec<Operation> = Vec::new();
        for stored in entries {
            let AuditEntry { body, .. } = &stored.entry;
            let previous = last.entry(stored.host.clone()).or_default();
            if let Some(keys) = &keys {
                assert!(
                    keys.is_valid_entry(previous, &stored),
                    "audit entry {} does not follow the one before it: {body}",
                    stored.seq
                );
            }
            previous.position += 1;
            previous.mac = stored.mac;
            let body: Value = serde_json::from_str(body).expect("an audit entry is JSON");
            if body["kind"] == "intent" {
                places.insert(stored.entry.operation, operations.len());
                operations.push(Operation {
                    intent: body,
                    outcome: None,
                });
            } else if let Some(place) = places.get(&stored.entry.operation) {
                operations[*place].outcome = Some(body);
            }
        }
        operations
    }
}

/// What the audit tells of one operation.
pub struct Operation {
    pub intent: Value,
    pub outcome: Option<Value>,
}

/// The PINs that a record knows, the one in force first.
pub struct Pins {
    record: Option<CredentialRecord>,
}

impl Pins {
    pub fn of(record: Option<CredentialRecord>) -> Self {
        Self { record }
    }

    pub fn stored(&self) -> Vec<&StoredPin> {
        self.record
            .iter()
            .flat_map(|record| record.current().into_iter().chain(record.history()))
            .collect()
    }

    pub fn count(&self) -> usize {
        self.stored().len()
    }

    pub fn ids(&self) -> Vec<[u8; 16]> {
        self.stored().iter().map(|pin| pin.pin_id).collect()
    }

    /// How many PINs were set after this one; `None` when it never was (or is forgotten).
    pub fn position(&self, pin: &str) -> Option<usize> {
        let record = self.record.as_ref()?;
        let mut verifiers = PinVerifiers::new(Pin::new(pin.to_owned()));
        let mut kdf = KdfContext::new();
        self.stored().iter().position(|stored| {
            let params = record.params_of(stored);
            verifiers.verifier(params, &mut kdf).expect("a derivation") == stored.verifier
        })
    }
}

/// The ids of the PINs whose messages still lie in the outbox.
pub fn outbox(data: &Path) -> Vec<[u8; 16]> {
    let connection = look(data);
    let mut statement = connection.prepare("SELECT pin_id FROM outbox").expect("the outbox");
    let rows = statement.query_map([], |row| row.get(0)).expect("the outbox");
    rows.map(|row| row.expect("an entry")).collect()
}

/// When the only entry of the outbox was made, and its id.
pub fn only_outbox_entry(data: &Path) -> (Timestamp, [u8; 16]) {
    assert_eq!(outbox(data).len(), 1, "messages in the outbox");
    look(data)
        .query_row("SELECT created, id FROM outbox", [], |row| {
            Ok((Timestamp(row.get(0)?), row.get(1)?))
        })
        .expect("the entry")
}

pub fn assert_sound(data: &Path) {
    let verdict: String = look(data)
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(verdict, "ok", "integrity_check of {}", data.display());
    let broken: Option<String> = look(data)
        .query_row("PRAGMA foreign_key_check", [], |row| row.get(0))
        .ok();
    assert_eq!(broken, None, "foreign_key_check of {}", data.display());
}

/// SQLite alone, without the locks of the directory: only while nobody else is inside.
fn look(data: &Path) -> Connection {
    let connection = Connection::open(data.join("directory.db")).expect("the store opens");
    connection
        .set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .expect("a setting");
    connection
}

/// Whose PIN a message announces, and which.
pub fn announcement(message: &str) -> (String, String) {
    let to = message
        .lines()
        .find_map(|line| line.strip_prefix("To: "))
        .unwrap_or_else(|| panic!("no To: line in\n{message}"));
    let address = to.rsplit(['<', ' ']).next().unwrap_or_default();
    let address = address.trim_end_matches(['>', '\r']).to_owned();
    (address, support::announced_pin(message))
}

/// Every message in the pickup directory as recipient and PIN.
pub fn announcements(data: &Path) -> Vec<(String, String)> {
    support::messages(&data.join("pickup"))
        .iter()
        .map(|(_, text)| announcement(text))
        .collect()
}

/// A small generator with a seed that a failure message can name.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `limit` (splitmix64; the bias does not matter here).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// `UMPIN_TEST_SEED`, else a new one; printed, so that a failure can be repeated.
pub fn seed(test: &str) -> u64 {
    let seed = std::env::var("UMPIN_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(rand::random::<u64>);
    println!("{test}: UMPIN_TEST_SEED={seed}");
    seed
}
