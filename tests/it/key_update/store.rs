//! One update after the other on a store at rest: what is sealed anew, and what stays as it was.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use umpin::session::Session;

use super::attempt::{self, sign_in};
use super::update::{audited, chains, remove_old_files, step, update};
use crate::support::{Store, open, request, try_open};

const TONY: &str = "tonysmith@contoso.com";
const KIM: &str = "kakers";
const PIN: &str = "580291";

/// Two PINs and their history, failed sign-ins, a message that waits, and an export of the log.
fn filled() -> Store {
    let store = Store::with_people();
    // No relay answers there: the messages stay in the outbox.
    let config = store.path("relay.json");
    let relay = r#"{ "notification": { "type": "smtp", "host": "127.0.0.1", "port": 1, "tls": "none", "from": "um@contoso.com" } }"#;
    fs::write(&config, relay).unwrap();
    let asked = json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": config });
    let off = try_open(&asked).unwrap();
    for (fields, pin) in [(json!({}), "914730"), (json!({ "pinExpired": false }), PIN)] {
        let mut fields = fields;
        fields["identity"] = TONY.into();
        let done = crate::support::reset(&off, fields, Some(pin)).unwrap();
        assert_eq!(done.response["notification"], "queued", "{}", done.response);
    }
    store
        .reset(json!({ "identity": KIM, "sendEmail": false, "lockedOut": true }), None)
        .unwrap();
    for _ in 0..2 {
        let answer = sign_in(&store.session, TONY, "111999").unwrap();
        assert_eq!(attempt::outcome(&answer), "rejected");
    }
    export(&store.session, &store.path("before.jsonl"));
    store
}

fn export(session: &Session, path: &Path) {
    request(session, &json!({ "v": 1, "operation": "auditExport", "path": path })).expect("an export");
}

fn key_files(store: &Store) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(store.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".key"))
        .collect();
    names.sort();
    names
}

/// Every entry of the log with its binding.
fn entries(store: &Store) -> Vec<(i64, String, Vec<u8>, Vec<u8>)> {
    let connection = Connection::open(store.path("directory.db")).unwrap();
    let mut statement = connection
        .prepare("SELECT seq, body, key, mac FROM audit ORDER BY seq")
        .unwrap();
    let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The ids of the keys that anything is sealed under.
fn keys_in_use(store: &Store) -> Vec<String> {
    let connection = Connection::open(store.path("directory.db")).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT DISTINCT lower(hex(substr(value, 5, 8))) FROM (SELECT record AS value FROM credential \
             UNION ALL SELECT counter FROM credential UNION ALL SELECT sealed FROM outbox \
             UNION ALL SELECT audit_key FROM retired_key) WHERE length(value) > 0",
        )
        .unwrap();
    let rows = statement.query_map([], |r| r.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_new_key_seals_everything_and_the_old_file_can_go() {
    let store = filled();
    let (tony, kim) = (store.info(TONY), store.info(KIM));
    let history = store.record(TONY).0;
    let old = fs::read(store.path("umpin.key")).unwrap();
    let bound = entries(&store);

    let done = update(&store.session, json!({})).unwrap();
    assert_eq!(
        (&done["complete"], &done["made"], &done["problems"], &done["warnings"]),
        (&json!(true), &json!(true), &json!([]), &json!([])),
        "{done}"
    );
    assert_eq!(
        (&done["records"], &done["counters"], &done["messages"]),
        (&json!(2), &json!(2), &json!(2)),
        "{done}"
    );
    // The file keeps its name, so that the configuration stays true.
    let key = done["keyId"].as_str().unwrap();
    assert_eq!(done["path"], store.path("umpin.key").to_str().unwrap());
    let former = done["replaced"][0]["keyId"].as_str().unwrap();
    assert_eq!(
        key_files(&store),
        ["umpin.key".to_owned(), format!("umpin.key.{former}")]
    );
    assert_ne!(fs::read(store.path("umpin.key")).unwrap(), old);
    assert_eq!(fs::read(store.path(&format!("umpin.key.{former}"))).unwrap(), old);
    assert_eq!(keys_in_use(&store), [key]);

    assert_eq!(remove_old_files(&done), 1);
    assert_eq!(key_files(&store), ["umpin.key"]);
    for session in [&store.session, &open(store.directory.path())] {
        assert_eq!(chains(session, None), ["intact"]);
        assert_eq!(chains(session, Some(&store.path("before.jsonl"))), ["intact"]);
        let read = |identity| {
            request(
                session,
                &json!({ "v": 1, "operation": "pinInfo", "identity": identity }),
            )
        };
        assert_eq!(read(TONY).unwrap()["items"][0], tony);
        assert_eq!(read(KIM).unwrap()["items"][0], kim);
    }
    assert_eq!(store.record(TONY).0, history, "PINs, history, flags and epoch");
    assert_eq!(entries(&store)[..bound.len()], bound, "no entry is bound anew");

    // The chain goes on under the new key, and so do the messages.
    let sent = request(
        &store.session,
        &json!({ "v": 1, "operation": "sendNotifications", "identity": TONY }),
    )
    .unwrap();
    let outcomes: Vec<&Value> = sent["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["outcome"])
        .collect();
    assert_eq!(outcomes, ["dropped", "sent"], "{sent}");
    let answer = sign_in(&store.session, TONY, PIN).unwrap();
    assert_eq!(attempt::outcome(&answer), "accepted");
    export(&store.session, &store.path("after.jsonl"));
    assert_eq!(chains(&store.session, Some(&store.path("after.jsonl"))), ["intact"]);

    let told = audited(&store.session);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["cmdlet"], &told[0]["succeeded"]),
        (&json!("Update-UMPinKey"), &json!(true))
    );
    assert_eq!(told[0]["parameters"]["Key"], key);
    assert_eq!(told[0]["result"]["records"], 2);
}

#[test]
fn chains_and_exports_outlive_several_keys() {
    let store = filled();
    let mut exports = vec![store.path("before.jsonl")];
    for round in 0..3 {
        let done = update(&store.session, json!({})).unwrap();
        assert_eq!(done["complete"], true, "{done}");
        assert_eq!(remove_old_files(&done), 1, "{done}");
        store
            .reset(json!({ "identity": TONY, "sendEmail": false }), None)
            .unwrap();
        let path = store.path(&format!("{round}.jsonl"));
        export(&store.session, &path);
        exports.push(path);
    }
    assert_eq!(keys_in_use(&store).len(), 1);
    let session = open(store.directory.path());
    assert_eq!(chains(&session, None), ["intact"]);
    for export in exports {
        assert_eq!(chains(&session, Some(&export)), ["intact"], "{}", export.display());
    }
}

#[test]
fn a_head_that_somebody_altered_does_not_become_whole() {
    let store = filled();
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection
        .execute_batch(
            "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit); \
             UPDATE audit_chain SET position = position - 1, last_mac = (SELECT mac FROM audit ORDER BY seq DESC LIMIT 1)",
        )
        .unwrap();
    drop(connection);
    let session = open(store.directory.path());
    let done = update(&session, json!({})).unwrap();
    assert_eq!(done["complete"], true, "{done}");
    let query = json!({ "v": 1, "operation": "audit", "pageSize": 10_000 });
    let page = request(&session, &query).unwrap();
    assert_eq!(page["chains"][0]["state"], "broken", "{page}");
}

#[test]
fn an_update_that_ended_early_is_gone_on_with() {
    let store = filled();
    let begun = step(&store.session, &json!({})).unwrap();
    let key = begun["keyId"].clone();
    assert_eq!((&begun["made"], &begun["complete"]), (&json!(true), &json!(false)));
    assert_eq!(begun["replaced"][0]["removable"], false);
    // Nothing is sealed anew yet, and everything works.
    assert_eq!(keys_in_use(&store).len(), 2);
    let answer = sign_in(&store.session, TONY, PIN).unwrap();
    assert_eq!(attempt::outcome(&answer), "accepted");
    let session = open(store.directory.path());
    let done = update(&session, json!({})).unwrap();
    assert_eq!(
        (&done["keyId"], &done["made"], &done["complete"]),
        (&key, &json!(false), &json!(true)),
        "{done}"
    );
    assert_eq!(key_files(&store).len(), 2);
    assert_eq!(audited(&session).len(), 1, "one operation, whoever ended it");
    assert_eq!(audited(&session)[0]["succeeded"], true);
    // And the next one makes another key.
    assert_ne!(update(&session, json!({})).unwrap()["keyId"], key);
}

#[test]
fn what_if_changes_nothing() {
    let store = filled();
    let contents = |name: &str| fs::read(store.path(name)).unwrap();
    let (before, bound) = (contents("umpin.key"), entries(&store));
    let told = step(&store.session, &json!({ "whatIf": true })).unwrap();
    assert_eq!(
        (&told["keyId"], &told["made"], &told["total"], &told["next"]),
        (&Value::Null, &json!(true), &json!(2), &Value::Null),
        "{told}"
    );
    assert_eq!(told["replaced"][0]["path"], store.path("umpin.key").to_str().unwrap());
    assert_eq!(
        (key_files(&store), contents("umpin.key")),
        (vec!["umpin.key".to_owned()], before)
    );
    assert_eq!(entries(&store), bound);
}

#[test]
fn a_key_made_beforehand_is_the_one_that_is_taken() {
    let store = filled();
    let made = step(&store.session, &json!({ "newKeyOnly": true })).unwrap();
    assert_eq!((&made["made"], &made["next"]), (&json!(true), &Value::Null), "{made}");
    let key = made["keyId"].as_str().unwrap();
    assert_eq!(made["path"], store.path(&format!("umpin.key.{key}")).to_str().unwrap());
    // It only waits: nothing is sealed under it, and asked again it is the same.
    store
        .reset(json!({ "identity": KIM, "sendEmail": false }), None)
        .unwrap();
    assert_eq!(keys_in_use(&store).len(), 1);
    assert_ne!(keys_in_use(&store), [key]);
    let again = step(&store.session, &json!({ "newKeyOnly": true })).unwrap();
    assert_eq!((&again["keyId"], &again["made"]), (&json!(key), &json!(false)));
    let done = update(&store.session, json!({})).unwrap();
    assert_eq!((&done["keyId"], &done["made"]), (&json!(key), &json!(false)), "{done}");
    assert_eq!(keys_in_use(&store), [key]);
    assert_eq!(audited(&store.session).len(), 2);

    // Two that wait: nobody can know which one the other hosts have.
    for byte in [1, 2] {
        let id = umpin::credential::master_key::MasterKey::new(&[byte; 32]).id();
        umpin::platform::files::write_atomically(&store.path(&format!("umpin.key.{id}")), &[byte; 32], None).unwrap();
    }
    let error = step(&store.session, &json!({})).unwrap_err();
    assert_eq!(error.code().id(), "ConfigurationInvalid");
    assert!(error.message().contains("Two keys wait"), "{error}");
}

#[test]
fn keys_that_the_configuration_names_are_replaced_by_its_active_one() {
    let store = filled();
    let config = store.path("umpin.json");
    umpin::platform::files::write_atomically(&store.path("second.key"), &[7; 32], None).unwrap();
    let written = r#"{ "keys": { "active": "k2", "k1": "umpin.key", "k2": "second.key" } }"#;
    fs::write(&config, written).unwrap();
    let opened = || try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": config }));
    let session = opened().unwrap();
    let done = update(&session, json!({})).unwrap();
    assert_eq!(
        (&done["complete"], &done["made"]),
        (&json!(true), &json!(false)),
        "{done}"
    );
    assert_eq!(done["path"], store.path("second.key").to_str().unwrap());
    assert_eq!(
        (&done["replaced"][0]["configured"], &done["replaced"][0]["removable"]),
        (&json!(true), &json!(true)),
        "{done}"
    );
    assert_eq!(
        fs::read_to_string(&config).unwrap(),
        written,
        "the configuration is the administrator's"
    );
    drop(session);
    fs::remove_file(store.path("umpin.key")).unwrap();
    fs::write(&config, r#"{ "keys": { "active": "k2", "k2": "second.key" } }"#).unwrap();
    let session = opened().unwrap();
    assert_eq!(chains(&session, None), ["intact"]);
    assert_eq!(attempt::outcome(&sign_in(&session, TONY, PIN).unwrap()), "accepted");
}

#[test]
fn a_record_that_nothing_opens_is_told_and_stops_nobody() {
    let store = filled();
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection
        .execute(
            "UPDATE credential SET record = CAST(substr(record, 1, 60) || x'00' || substr(record, 62) AS BLOB) WHERE mailbox = \
             (SELECT id FROM mailbox WHERE name = 'Kim Akers')",
            [],
        )
        .unwrap();
    drop(connection);
    let session = open(store.directory.path());
    let done = update(&session, json!({})).unwrap();
    assert_eq!(
        (&done["complete"], &done["records"]),
        (&json!(true), &json!(1)),
        "{done}"
    );
    let problem = &done["problems"][0];
    assert_eq!(problem["identity"], "contoso.com/Sales/Kim Akers");
    assert!(problem["message"].as_str().unwrap().contains("damaged"), "{problem}");
}
