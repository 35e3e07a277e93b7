//! The tables. Stores in the field are compared with them word for word (`schema/check.rs`): they change with [`VERSION`] only.

pub(super) mod check;

use rusqlite::Connection;

use super::error::{StoreError, StoreResult};
use umpin_core::{Error, ErrorCode};

/// "umpn": tells our files from every other SQLite file.
pub(super) const APPLICATION_ID: i64 = 0x756d_706e;

/// The format that this version of the library reads and writes.
pub(super) const VERSION: i64 = 1;

/// `identity` is the whole of the lookup: one row for each text that names a mailbox, folded by us, because SQLite's NOCASE
/// knows ASCII only. `dn_key` keeps the DN unique; the GUID is `guid_given` when it came from outside and so names the object for good.
///
/// `extension.digits` is the number as a telephone sends it.
///
/// `staged_mailbox` and `staged_name` are what an import prepares, see `overlay.rs`.
///
/// `outbox.state`: 0 ready, 1 unconfirmed, 2 given up. `held` tells an entry that somebody handles (until `leased_until`) from one
/// that was put off. `untold`: given up, and nobody knows.
///
/// `outbox.leased_until` names a lease, and `due` is when the entry may be leased: the same, unless the clock was set back since
/// `noted`, the moment when the entry was last made or leased.
///
/// `audit_chain` holds one head per host. `audit_failure` counts the failed operations of an account in the hour from `since` on:
/// those in the log (`entries`), and those that are only counted (`omitted`).
///
/// `retired_key` holds the keys under which nothing is sealed any more: each with the one that replaced it and its audit sub-key,
/// sealed. `chain` names that sub-key, `operation` the update that replaced the key, `done` says that it found nothing left to seal.
///
/// `change_note` is what a host keeps about its changes of a remote directory. `state`: 0 asked for, 1 its answer was lost, 2 made, 3
/// lost to another change. `pin_id` (and `previous`, the one before it) or `seal` tells in a record that the change was made.
pub(super) const TABLES: &str = "
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policy (
    id                              INTEGER PRIMARY KEY,
    key                             TEXT NOT NULL UNIQUE,
    guid                            BLOB NOT NULL UNIQUE,
    distinguished_name              TEXT,
    name                            TEXT NOT NULL,
    min_pin_length                  INTEGER NOT NULL,
    pin_lifetime_days               INTEGER,
    pin_history_count               INTEGER NOT NULL,
    allow_common_patterns           INTEGER NOT NULL,
    logon_failures_before_pin_reset INTEGER,
    max_logon_attempts              INTEGER,
    reset_pin_text                  TEXT NOT NULL
) STRICT;

CREATE TABLE mailbox (
    id                   INTEGER PRIMARY KEY,
    object_id            BLOB NOT NULL UNIQUE,
    guid                 BLOB NOT NULL UNIQUE,
    guid_given           INTEGER NOT NULL,
    dn_key               TEXT UNIQUE,
    distinguished_name   TEXT,
    name                 TEXT NOT NULL,
    display_name         TEXT,
    alias                TEXT,
    sam_account_name     TEXT,
    user_principal_name  TEXT,
    primary_smtp_address TEXT,
    legacy_exchange_dn   TEXT,
    um_enabled           INTEGER NOT NULL,
    um_mailbox_policy    TEXT,
    preferred_language   TEXT
) STRICT;
CREATE INDEX mailbox_um_enabled ON mailbox (id) WHERE um_enabled;

CREATE TABLE email_address (
    mailbox  INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (mailbox, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE extension (
    mailbox   INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,
    number    TEXT NOT NULL,
    dial_plan TEXT,
    digits    TEXT GENERATED ALWAYS AS (
        replace(replace(replace(replace(replace(replace(replace(number, ' ', ''), '+', ''), '-', ''), '.', ''), '(', ''), ')', ''), '/', '')
    ) VIRTUAL,
    PRIMARY KEY (mailbox, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX extension_digits ON extension (digits);

CREATE TABLE identity (
    key     TEXT NOT NULL,
    kind    INTEGER NOT NULL,
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    PRIMARY KEY (key, kind, mailbox)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_mailbox ON identity (mailbox);

CREATE TABLE staged_mailbox (
    mailbox    INTEGER PRIMARY KEY,
    object_id  BLOB NOT NULL UNIQUE,
    um_enabled INTEGER NOT NULL,
    guid_given INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;

CREATE TABLE staged_name (
    key     TEXT NOT NULL,
    kind    INTEGER NOT NULL,
    mailbox INTEGER NOT NULL,
    PRIMARY KEY (key, kind, mailbox)
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    mailbox INTEGER PRIMARY KEY REFERENCES mailbox (id) ON DELETE CASCADE,
    record  BLOB NOT NULL,
    counter BLOB
) STRICT;

CREATE TABLE outbox (
    id           BLOB NOT NULL PRIMARY KEY,
    mailbox      BLOB NOT NULL,
    pin_id       BLOB NOT NULL,
    created      INTEGER NOT NULL,
    sealed       BLOB NOT NULL,
    leased_until INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    noted        INTEGER NOT NULL,
    held         INTEGER NOT NULL DEFAULT 1,
    attempts     INTEGER NOT NULL,
    last_error   TEXT,
    state        INTEGER NOT NULL,
    untold       INTEGER NOT NULL DEFAULT 0,
    controller   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (due);
CREATE INDEX outbox_noted ON outbox (noted);
CREATE INDEX outbox_mailbox ON outbox (mailbox);
CREATE INDEX outbox_untold ON outbox (created) WHERE untold;

CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    host      TEXT NOT NULL,
    operation BLOB NOT NULL,
    at        INTEGER NOT NULL,
    body      TEXT NOT NULL,
    position  INTEGER NOT NULL,
    key       BLOB NOT NULL,
    mac       BLOB NOT NULL
) STRICT;
CREATE INDEX audit_host ON audit (host, seq);
CREATE INDEX audit_at ON audit (at);

CREATE TABLE audit_chain (
    host          TEXT NOT NULL PRIMARY KEY,
    base_position INTEGER NOT NULL,
    base_mac      BLOB NOT NULL,
    base_at       INTEGER,
    position      INTEGER NOT NULL,
    last_mac      BLOB NOT NULL,
    key           BLOB NOT NULL,
    mac           BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE retired_key (
    id        BLOB NOT NULL PRIMARY KEY,
    successor BLOB NOT NULL,
    chain     BLOB NOT NULL,
    audit_key BLOB NOT NULL,
    at        INTEGER NOT NULL,
    operation BLOB NOT NULL,
    done      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX retired_key_chain ON retired_key (chain);

CREATE TABLE audit_failure (
    host    TEXT NOT NULL,
    account TEXT NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    omitted INTEGER NOT NULL,
    PRIMARY KEY (host, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE change_note (
    operation  BLOB NOT NULL PRIMARY KEY,
    action     TEXT NOT NULL,
    mailbox    BLOB NOT NULL,
    controller TEXT,
    pin_id     BLOB,
    previous   BLOB,
    seal       BLOB,
    at         INTEGER NOT NULL,
    state      INTEGER NOT NULL,
    due        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX change_note_mailbox ON change_note (mailbox);
CREATE INDEX change_note_due ON change_note (due);
CREATE INDEX change_note_lost ON change_note (at) WHERE state = 3;
";

/// Refuses what is not a store of this version, and gives the number that changes whenever its schema does.
pub(super) fn inspect(connection: &Connection) -> StoreResult<i64> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if application != APPLICATION_ID || version < 1 {
        return Err(StoreError::Core(
            Error::new(
                ErrorCode::StoreCorrupt,
                format!(
                    "The file '{}' is not an umpin directory.",
                    connection.path().unwrap_or_default()
                ),
            )
            .action("Name the umpin directory in the configuration, or restore it from a backup."),
        ));
    }
    if version > VERSION {
        return Err(StoreError::Core(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!(
                "The directory '{}' was made by a newer version of umpin (format {version}; this one knows {VERSION}).",
                connection.path().unwrap_or_default()
            ),
        )
        .action("Update umpin on this computer.")));
    }
    check::compare(connection)
}

/// Fills an empty file, inside the caller's transaction.
pub(super) fn create(connection: &Connection) -> StoreResult<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('store_id', ?1)",
        [umpin_core::random::system_bytes::<16>()?],
    )?;
    Ok(())
}
