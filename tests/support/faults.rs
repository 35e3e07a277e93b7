//! Ways in which a store can be broken, and what a refused operation must have left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use tempfile::TempDir;
use umpin::ErrorCode;
use umpin::pin::Pin;
use umpin::session::{Request, Session, SharedError, error_json};

use super::{PEOPLE, answer, commit, open, plan, request, reset, target, validate};

pub const TONY: &str = "tonysmith@contoso.com";
pub const KIM: &str = "kakers";
/// Tony's and Kim's PINs in [`Broken::new`].
pub const OLD_PINS: [&str; 2] = ["580291", "914730"];

/// A store with one PIN for Tony and one for Kim, nobody's session open on it, ready to be broken.
pub struct Broken {
    pub home: TempDir,
}

impl Broken {
    /// A copy of a store that is made once for each test program.
    pub fn new() -> Self {
        static MASTER: OnceLock<TempDir> = OnceLock::new();
        let master = MASTER.get_or_init(|| {
            let home = tempfile::tempdir().expect("a temporary directory");
            fill(home.path());
            home
        });
        let home = tempfile::tempdir().expect("a temporary directory");
        copy(master.path(), home.path());
        Self { home }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn session(&self) -> Session {
        open(self.home.path())
    }

    /// Changes the store behind the library's back.
    pub fn sql(&self, statements: &str) {
        database(&self.path("directory.db"))
            .execute_batch(statements)
            .expect("the store is changed");
        merge_log(&self.path("directory.db"));
    }

    pub fn record_of(&self, name: &str) -> Vec<u8> {
        self.value_of("record", name)
    }

    pub fn set_record(&self, name: &str, record: &[u8]) {
        self.set_value("record", name, record);
    }

    /// `record` or `counter`.
    pub fn value_of(&self, column: &str, name: &str) -> Vec<u8> {
        let statement = format!("SELECT {column} FROM credential JOIN mailbox ON id = mailbox WHERE name = ?1");
        database(&self.path("directory.db"))
            .query_row(&statement, [name], |r| r.get(0))
            .expect("a value")
    }

    pub fn set_value(&self, column: &str, name: &str, value: &[u8]) {
        let statement =
            format!("UPDATE credential SET {column} = ?2 WHERE mailbox = (SELECT id FROM mailbox WHERE name = ?1)");
        let changed = database(&self.path("directory.db"))
            .execute(&statement, (name, value))
            .expect("the store is changed");
        assert_eq!(changed, 1);
        merge_log(&self.path("directory.db"));
    }

    pub fn patch(&self, name: &str, at: u64, bytes: &[u8]) {
        use std::io::{Seek as _, SeekFrom, Write as _};
        let mut file = fs::OpenOptions::new()
            .write(true)
            .open(self.path(name))
            .expect("the file opens");
        file.seek(SeekFrom::Start(at))
            .and_then(|_| file.write_all(bytes))
            .expect("the file is changed");
    }
}

fn fill(home: &Path) {
    let session = open(home);
    let file = home.join("people.csv");
    fs::write(&file, PEOPLE).expect("the import file is written");
    request(&session, &json!({ "v": 1, "operation": "import", "path": file })).expect("the import succeeds");
    reset(&session, json!({ "identity": TONY }), Some(OLD_PINS[0])).expect("a PIN for Tony");
    let kim = json!({ "identity": KIM, "sendEmail": false });
    reset(&session, kim, Some(OLD_PINS[1])).expect("a PIN for Kim");
    drop(session);
    merge_log(&home.join("directory.db"));
    fs::remove_file(file).expect("the import file is removed");
}

/// The library's last worker may still be closing the store: SQLite's own locks keep the two apart.
fn merge_log(store: &Path) {
    let begin = Instant::now();
    loop {
        let busy: i64 = database(store)
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))
            .expect("a checkpoint");
        if busy == 0 {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "the store stays busy");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn database(store: &Path) -> Connection {
    let connection = Connection::open_with_flags(store, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the store opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("a time-out");
    connection
}

/// Without what belongs to open connections.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        if is_transient(&name.to_string_lossy()) {
            continue;
        }
        let target = to.join(&name);
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir(&target).expect("a directory");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a copy");
        }
    }
}

fn is_transient(name: &str) -> bool {
    ["-wal", "-shm", ".lock", ".gate"].iter().any(|end| name.ends_with(end))
}

/// Everything that a refused operation must leave as it was: the store's content, and every file beside it. The audit's entry about
/// the refusal is no part of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot {
    store: Result<BTreeMap<String, Vec<String>>, Vec<u8>>,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Snapshot {
    pub fn of(home: &Path) -> Self {
        let mut files = BTreeMap::new();
        collect(home, home, &mut files);
        let store = home.join("directory.db");
        Self {
            store: dump(&store)
                .map(without_refusals)
                .ok_or_else(|| fs::read(&store).unwrap_or_default()),
            files,
        }
    }
}

/// Without the entries about failed operations, and what they move: the end of the chain and the counts.
fn without_refusals(mut tables: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    for table in ["audit_chain", "audit_failure", "sqlite_sequence"] {
        tables.remove(table);
    }
    if let Some(entries) = tables.get_mut("audit") {
        entries.retain(|entry| !(entry.contains(r#"\"succeeded\":false"#) && entry.contains(r#"\"error\":"#)));
    }
    tables
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root).expect("below the root").to_owned();
        let text = name.to_string_lossy().into_owned();
        if text == "directory.db" || is_transient(&text) {
            continue;
        }
        let kind = fs::symlink_metadata(&path).expect("metadata").file_type();
        if kind.is_dir() {
            files.insert(name, b"directory".to_vec());
            collect(root, &path, files);
        } else if kind.is_file() {
            files.insert(name, fs::read(&path).expect("a file"));
        } else {
            files.insert(name, format!("{:?}", fs::read_link(&path)).into_bytes());
        }
    }
}

/// Every row of every table; `None` where SQLite cannot read it.
pub fn dump(store: &Path) -> Option<BTreeMap<String, Vec<String>>> {
    // A copy: what the look leaves behind must not be in the store.
    let copy = tempfile::tempdir().ok()?;
    let path = copy.path().join("directory.db");
    fs::copy(store, &path).ok()?;
    let log = store.with_file_name("directory.db-wal");
    if log.exists() {
        fs::copy(log, copy.path().join("directory.db-wal")).ok()?;
    }
    let connection = Connection::open(path).ok()?;
    let names = |c: &Connection| -> rusqlite::Result<Vec<String>> {
        c.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
            .query_map([], |r| r.get(0))?
            .collect()
    };
    let mut tables = BTreeMap::new();
    for table in names(&connection).ok()? {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).ok()?;
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                (0..columns)
                    .map(|i| row.get::<_, Sql>(i))
                    .collect::<rusqlite::Result<Vec<_>>>()
                    .map(|values| format!("{values:?}"))
            })
            .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
            .ok()?;
        tables.insert(table, rows);
    }
    Some(tables)
}

/// One operation of the library on Tony's mailbox, with a marked PIN where it takes one.
pub type Operation = (&'static str, fn(&Session, &str) -> Result<Value, SharedError>);

/// Everything that reads or writes a PIN's record.
pub const OPERATIONS: &[Operation] = &[
    ("pinInfo", |session, _| {
        request(session, &json!({ "v": 1, "operation": "pinInfo", "identity": TONY }))
    }),
    ("whatIf", |session, pin| {
        let plan = plan(session, json!({ "identity": TONY, "whatIf": true }), Some(pin))?;
        let shown = target(&plan)?;
        validate(&plan).map(|()| shown)
    }),
    ("generate", |session, _| {
        reset(session, json!({ "identity": TONY }), None).map(|r| r.response)
    }),
    ("set", |session, pin| {
        reset(session, json!({ "identity": TONY }), Some(pin)).map(|r| r.response)
    }),
    ("set without a look at the target", |session, pin| {
        let plan = plan(session, json!({ "identity": TONY, "sendEmail": false }), Some(pin))?;
        commit(&plan).map(|r| r.response)
    }),
    ("lock", |session, _| {
        let fields = json!({ "identity": TONY, "keepPin": true, "lockedOut": true });
        reset(session, fields, None).map(|r| r.response)
    }),
    ("sign in", |session, pin| {
        answer(Request::sign_in(session, &attempt(), Some(Pin::new(pin.to_owned()))))
    }),
    ("sign in with the PIN in force", |session, _| {
        let pin = Pin::new(OLD_PINS[0].to_owned());
        answer(Request::sign_in(session, &attempt(), Some(pin)))
    }),
    ("change", |session, pin| {
        let [old, new] = [OLD_PINS[0], pin].map(|pin| Some(Pin::new(pin.to_owned())));
        answer(Request::change_pin(session, &attempt(), old, new))
    }),
];

fn attempt() -> Vec<u8> {
    json!({ "v": 1, "identity": TONY }).to_string().into_bytes()
}

/// Which operations a fault stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    Everything,
    /// Only those that have a message to deliver.
    Mail,
}

pub struct Fault {
    pub name: &'static str,
    pub code: ErrorCode,
    /// A file whose path the message must name.
    pub names: &'static str,
    pub stops: Stops,
    pub inflict: fn(&Broken),
}

const fn fault(name: &'static str, code: ErrorCode, names: &'static str, inflict: fn(&Broken)) -> Fault {
    Fault {
        name,
        code,
        names,
        stops: Stops::Everything,
        inflict,
    }
}

const fn mail(name: &'static str, inflict: fn(&Broken)) -> Fault {
    Fault {
        name,
        code: ErrorCode::NotificationUnavailable,
        names: "pickup",
        stops: Stops::Mail,
        inflict,
    }
}

/// Faults that stop every operation before it has changed anything.
pub const FAULTS: &[Fault] = &[
    fault("no store", ErrorCode::DirectoryUnavailable, "directory.db", |b| {
        fs::remove_file(b.path("directory.db")).unwrap();
    }),
    fault("empty record", ErrorCode::StoreCorrupt, "directory.db", |b| {
        b.set_record("Tony Smith", b"");
    }),
    fault("record cut off", ErrorCode::StoreCorrupt, "directory.db", |b| {
        let record = b.record_of("Tony Smith");
        b.set_record("Tony Smith", &record[..record.len() - 1]);
    }),
    fault(
        "bit flipped in a record",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            let mut record = b.record_of("Tony Smith");
            let middle = record.len() / 2;
            record[middle] ^= 4;
            b.set_record("Tony Smith", &record);
        },
    ),
    fault(
        "another mailbox's record",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            let record = b.record_of("Kim Akers");
            b.set_record("Tony Smith", &record);
        },
    ),
    fault(
        "a record of another store",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            b.sql("UPDATE meta SET value = zeroblob(16) WHERE name = 'store_id'");
        },
    ),
    fault(
        "a record of a newer format",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            let mut record = b.record_of("Tony Smith");
            record[3] = 2;
            b.set_record("Tony Smith", &record);
        },
    ),
    fault("no key", ErrorCode::KeyUnavailable, "umpin.key", |b| {
        fs::remove_file(b.path("umpin.key")).unwrap();
    }),
    fault("another key", ErrorCode::KeyUnavailable, "directory.db", |b| {
        fs::write(b.path("umpin.key"), [7; 32]).unwrap();
    }),
    fault("a key of 31 bytes", ErrorCode::KeyUnavailable, "umpin.key", |b| {
        let key = fs::read(b.path("umpin.key")).unwrap();
        fs::write(b.path("umpin.key"), &key[..31]).unwrap();
    }),
    fault("a key of 33 bytes", ErrorCode::KeyUnavailable, "umpin.key", |b| {
        let mut key = fs::read(b.path("umpin.key")).unwrap();
        key.push(b'\n');
        fs::write(b.path("umpin.key"), key).unwrap();
    }),
    fault("an empty key", ErrorCode::KeyUnavailable, "umpin.key", |b| {
        fs::write(b.path("umpin.key"), b"").unwrap();
    }),
    #[cfg(unix)]
    fault(
        "a key that others can read",
        ErrorCode::KeyUnavailable,
        "umpin.key",
        |b| {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(b.path("umpin.key"), fs::Permissions::from_mode(0o644)).unwrap();
        },
    ),
    fault("a directory for a key", ErrorCode::KeyUnavailable, "umpin.key", |b| {
        fs::remove_file(b.path("umpin.key")).unwrap();
        fs::create_dir(b.path("umpin.key")).unwrap();
    }),
    #[cfg(unix)]
    fault(
        "a link to nowhere for a key",
        ErrorCode::KeyUnavailable,
        "umpin.key",
        |b| {
            fs::remove_file(b.path("umpin.key")).unwrap();
            std::os::unix::fs::symlink(b.path("elsewhere"), b.path("umpin.key")).unwrap();
        },
    ),
    #[cfg(unix)]
    fault("a pipe for a key", ErrorCode::KeyUnavailable, "umpin.key", |b| {
        fs::remove_file(b.path("umpin.key")).unwrap();
        nix::unistd::mkfifo(&b.path("umpin.key"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }),
    fault("an empty store file", ErrorCode::StoreCorrupt, "directory.db", |b| {
        fs::write(b.path("directory.db"), b"").unwrap();
    }),
    fault(
        "a store that is no database",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            b.patch("directory.db", 0, &[0x5a; 100]);
        },
    ),
    fault("a store cut off", ErrorCode::StoreCorrupt, "directory.db", |b| {
        let length = fs::metadata(b.path("directory.db")).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(b.path("directory.db")).unwrap();
        file.set_len(length / 2).unwrap();
    }),
    fault(
        "every page but the first overwritten",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            let length = fs::metadata(b.path("directory.db")).unwrap().len();
            b.patch(
                "directory.db",
                4096,
                &vec![0xa5; usize::try_from(length).unwrap() - 4096],
            );
        },
    ),
    fault(
        "a directory for a store",
        ErrorCode::ConfigurationInvalid,
        "directory.db",
        |b| {
            fs::remove_file(b.path("directory.db")).unwrap();
            fs::create_dir(b.path("directory.db")).unwrap();
        },
    ),
    fault("a foreign database", ErrorCode::StoreCorrupt, "directory.db", |b| {
        fs::remove_file(b.path("directory.db")).unwrap();
        Connection::open(b.path("directory.db"))
            .unwrap()
            .execute_batch("CREATE TABLE bookmark (url TEXT); INSERT INTO bookmark VALUES ('https://contoso.com')")
            .unwrap();
    }),
    fault(
        "a store of a newer version",
        ErrorCode::ConfigurationInvalid,
        "directory.db",
        |b| {
            b.sql("PRAGMA user_version = 99");
        },
    ),
    fault("a store without its id", ErrorCode::StoreCorrupt, "directory.db", |b| {
        b.sql("DELETE FROM meta");
    }),
    fault(
        "a store with an id of the wrong size",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            b.sql("UPDATE meta SET value = zeroblob(15) WHERE name = 'store_id'");
        },
    ),
    fault("a table gone", ErrorCode::StoreCorrupt, "directory.db", |b| {
        b.sql("PRAGMA foreign_keys = OFF; DROP TABLE credential");
    }),
    fault(
        "a mailbox with a broken name",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            b.sql("UPDATE mailbox SET distinguished_name = 'no DN'");
        },
    ),
    fault("a policy gone", ErrorCode::StoreCorrupt, "directory.db", |b| {
        b.sql("DELETE FROM policy");
    }),
    fault(
        "a policy without length",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            b.sql("UPDATE policy SET min_pin_length = 0, pin_history_count = 0");
        },
    ),
    fault(
        "a policy of impossible length",
        ErrorCode::StoreCorrupt,
        "directory.db",
        |b| {
            b.sql("UPDATE policy SET min_pin_length = 250");
        },
    ),
    mail("a file for the pickup directory", |b| {
        fs::remove_dir_all(b.path("pickup")).unwrap();
        fs::write(b.path("pickup"), b"a file").unwrap();
    }),
    #[cfg(unix)]
    mail("a link for the pickup directory", |b| {
        fs::rename(b.path("pickup"), b.path("elsewhere")).unwrap();
        std::os::unix::fs::symlink(b.path("elsewhere"), b.path("pickup")).unwrap();
    }),
];

/// All that the library says about an error, wherever somebody may see it.
pub fn everything_said(error: &SharedError) -> String {
    format!(
        "{error} {error:?} {} {}",
        error.message(),
        String::from_utf8(error_json(error)).expect("UTF-8")
    )
}
