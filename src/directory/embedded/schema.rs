//! The tables, and how an older file becomes a newer one.

use rusqlite::Connection;

use super::error::{Fault, Sql};
use crate::{Error, ErrorCode};

/// "umpn": tells our files from every other SQLite file.
pub(super) const APPLICATION_ID: i64 = 0x756d_706e;

/// Each step takes a file from the version of its index to the next.
const MIGRATIONS: &[Step] = &[
    Step {
        migrate: VERSION_1,
        overlay: "",
    },
    Step {
        migrate: VERSION_2,
        overlay: OVERLAY_2,
    },
    Step {
        migrate: ADD_PREFERRED_LANGUAGE,
        overlay: NO_PREFERRED_LANGUAGE,
    },
    Step {
        migrate: ADD_OUTBOX_STATE,
        overlay: OVERLAY_OUTBOX_STATE,
    },
    Step {
        migrate: ADD_CHANGE_NOTE,
        overlay: NO_CHANGE_NOTE,
    },
];

struct Step {
    /// What a writer changes in the file.
    migrate: &'static str,
    /// What a reader, who changes nothing, puts before the older tables instead: temporary objects come first in SQLite's search.
    overlay: &'static str,
}

/// What this version of the library writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// `identity` is the whole of the lookup: one row for each text that names a mailbox, folded by us, because SQLite's NOCASE
/// knows ASCII only. `dn_key` keeps the DN unique; the GUID is `guid_given` when it came from outside and so names the object for good.
const VERSION_1: &str = "
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
    um_mailbox_policy    TEXT
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
    PRIMARY KEY (mailbox, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE identity (
    key     TEXT NOT NULL,
    kind    INTEGER NOT NULL,
    mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
    PRIMARY KEY (key, kind, mailbox)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_mailbox ON identity (mailbox);

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
    attempts     INTEGER NOT NULL,
    last_error   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (leased_until);

CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    host      TEXT NOT NULL,
    operation BLOB NOT NULL,
    at        INTEGER NOT NULL,
    body      TEXT NOT NULL,
    mac       BLOB NOT NULL
) STRICT;
CREATE INDEX audit_host ON audit (host, seq);
";

/// `audit_chain` holds one head per host. The migration has no key: a chain gets its head with the next entry, and that head says
/// how many entries were there before it (`adopted`). Those lack `position`, and every entry written since has one, so a deleted
/// head does not look like one that was never made. `digits` is the number as a telephone sends it.
const VERSION_2: &str = "
ALTER TABLE audit ADD COLUMN position INTEGER;
ALTER TABLE audit ADD COLUMN key BLOB;

CREATE TABLE audit_chain (
    host          TEXT NOT NULL PRIMARY KEY,
    base_position INTEGER NOT NULL,
    base_mac      BLOB NOT NULL,
    base_at       INTEGER,
    adopted       INTEGER NOT NULL,
    position      INTEGER NOT NULL,
    last_mac      BLOB NOT NULL,
    key           BLOB NOT NULL,
    mac           BLOB NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE extension ADD COLUMN digits TEXT GENERATED ALWAYS AS (
    replace(replace(replace(replace(replace(replace(replace(number, ' ', ''), '+', ''), '-', ''), '.', ''), '(', ''), ')', ''), '/', '')
) VIRTUAL;
CREATE INDEX extension_digits ON extension (digits);
";

const OVERLAY_2: &str = "
CREATE TEMP VIEW audit AS
    SELECT seq, host, operation, at, body, mac, NULL AS position, NULL AS key FROM main.audit;
CREATE TEMP VIEW audit_chain AS
    SELECT NULL AS host, NULL AS base_position, NULL AS base_mac, NULL AS base_at, NULL AS adopted, NULL AS position,
           NULL AS last_mac, NULL AS key, NULL AS mac WHERE FALSE;
CREATE TEMP VIEW extension AS
    SELECT mailbox, position, number, dial_plan,
           replace(replace(replace(replace(replace(replace(replace(
               number, ' ', ''), '+', ''), '-', ''), '.', ''), '(', ''), ')', ''), '/', '') AS digits
    FROM main.extension;
";

/// A separate column, because older files have no place for it.
const ADD_PREFERRED_LANGUAGE: &str = "ALTER TABLE mailbox ADD COLUMN preferred_language TEXT;";

const NO_PREFERRED_LANGUAGE: &str = "
CREATE TEMP VIEW mailbox AS SELECT *, NULL AS preferred_language FROM main.mailbox;
";

/// `state`: 0 ready, 1 unconfirmed, 2 given up. `held` tells an entry that somebody handles (until `leased_until`) from one that
/// was put off; which of the two an older entry is, is not known, so it counts as handled. `untold`: given up, and nobody knows.
const ADD_OUTBOX_STATE: &str = "
ALTER TABLE outbox ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN controller TEXT;
ALTER TABLE outbox ADD COLUMN held INTEGER NOT NULL DEFAULT 1;
ALTER TABLE outbox ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_mailbox ON outbox (mailbox);
CREATE INDEX outbox_untold ON outbox (created) WHERE untold;
";

const OVERLAY_OUTBOX_STATE: &str = "
CREATE TEMP VIEW outbox AS
    SELECT id, mailbox, pin_id, created, sealed, leased_until, attempts, last_error, 0 AS state, NULL AS controller, 1 AS held,
           0 AS untold
    FROM main.outbox;
";

/// What a host keeps about its changes of a directory elsewhere. `state`: 0 asked for, 1 its answer was lost, 2 made, 3 lost to
/// another change. `pin_id` (and `previous`, the one before it) or `seal` tells in a record that the change was made.
const ADD_CHANGE_NOTE: &str = "
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

const NO_CHANGE_NOTE: &str = "
CREATE TEMP VIEW change_note AS
    SELECT NULL AS operation, NULL AS action, NULL AS mailbox, NULL AS controller, NULL AS pin_id, NULL AS previous, NULL AS seal,
           NULL AS at, NULL AS state, NULL AS due WHERE FALSE;
";

/// What a file says it is.
pub(super) enum Found {
    /// A store of this version.
    Current,
    /// One that an older version made.
    Older(i64),
}

/// Reads the file's first page and refuses what is not ours.
pub(super) fn inspect(connection: &Connection) -> Sql<Found> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |r| r.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if application != APPLICATION_ID || version < 1 {
        return Err(Fault::Own(
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
        return Err(Fault::Own(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!(
                "The directory '{}' was made by a newer version of umpin (format {version}; this one knows {VERSION}).",
                connection.path().unwrap_or_default()
            ),
        )
        .action("Update umpin on this computer.")));
    }
    Ok(if version == VERSION {
        Found::Current
    } else {
        Found::Older(version)
    })
}

/// Takes the file from `version` (0: nothing in it) to the current one, inside the caller's transaction.
pub(super) fn migrate(connection: &Connection, version: i64) -> Sql<()> {
    let done = usize::try_from(version).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        connection.execute_batch(step.migrate)?;
    }
    connection.pragma_update(None, "user_version", VERSION)?;
    Ok(())
}

/// Migrates where that is needed.
pub(super) fn bring_up_to_date(connection: &Connection) -> Sql<()> {
    match inspect(connection)? {
        Found::Current => Ok(()),
        Found::Older(version) => migrate(connection, version),
    }
}

/// Lets this connection read a file of `version` as one of the current version. Nothing is written.
pub(super) fn overlay(connection: &Connection, version: i64) -> Sql<()> {
    let done = usize::try_from(version).unwrap_or(0);
    for step in MIGRATIONS.iter().skip(done) {
        connection.execute_batch(step.overlay)?;
    }
    Ok(())
}

/// Fills an empty file, inside the caller's transaction.
pub(super) fn create(connection: &Connection) -> Sql<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    migrate(connection, 0)?;
    connection.execute(
        "INSERT INTO meta (name, value) VALUES ('store_id', ?1)",
        [crate::random::system_bytes::<16>()?],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_of_any_older_version_gets_a_place_for_its_language() {
        for version in 1..VERSION {
            let connection = Connection::open_in_memory().expect("memory");
            for step in MIGRATIONS.iter().take(usize::try_from(version).expect("small")) {
                connection.execute_batch(step.migrate).expect("step");
            }
            connection
                .execute_batch("INSERT INTO mailbox (object_id, guid, guid_given, name, um_enabled) VALUES (x'01', x'02', 0, 'Tony', 1)")
                .expect("a row");
            migrate(&connection, version).map_err(|_| "fault").expect("migrated");
            let row: (String, Option<String>) = connection
                .query_row("SELECT name, preferred_language FROM mailbox", [], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })
                .expect("the row");
            assert_eq!(row, ("Tony".to_owned(), None), "from version {version}");
        }
    }
}
