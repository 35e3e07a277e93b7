//! Resets through the session, with a relay configured.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use umpin::session::Session;

use super::certificates::Authority;
use super::harness::{PASSWORD, Received, Sink};
use crate::support::{self, Store, announced_pin};

const TONY: &str = "tonysmith@contoso.com";
const VARIABLE: &str = "UMPIN_RELAY_PASSWORD";

/// A session on the store that mails through a relay on this computer.
fn session(store: &Store, port: u16, more: Value) -> Session {
    let mut notification = json!({
        "type": "smtp", "host": "localhost", "port": port, "tls": "none", "from": "Unified Messaging <um@contoso.com>",
        "timeoutSeconds": 5,
    });
    for (key, value) in more.as_object().expect("keys") {
        notification[key] = value.clone();
    }
    open(store, &json!({ "notification": notification }))
}

fn open(store: &Store, configuration: &Value) -> Session {
    let file = store.path("umpin.json");
    fs::write(&file, configuration.to_string()).expect("a file");
    support::try_open(&json!({
        "v": 1, "dataDirectory": store.directory.path(), "configFile": file, "variables": { VARIABLE: PASSWORD },
    }))
    .expect("a session")
}

fn text(got: &Received) -> String {
    String::from_utf8(got.content.clone()).expect("text")
}

fn outbox(store: &Store) -> Vec<Option<String>> {
    let connection = rusqlite::Connection::open(store.path("directory.db")).expect("the store");
    let mut rows = connection.prepare("SELECT last_error FROM outbox").expect("a query");
    let found = rows.query_map([], |row| row.get(0)).expect("rows");
    found.map(|row| row.expect("a row")).collect()
}

/// Whether a text is in any file of the store.
fn is_anywhere(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return is_anywhere(&path, text);
        }
        let bytes = fs::read(&path).expect("a file");
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

fn warnings(response: &Value) -> Vec<&str> {
    let list = response["warnings"].as_array().expect("warnings");
    list.iter().filter_map(|warning| warning["id"].as_str()).collect()
}

#[test]
fn a_reset_is_mailed_through_the_relay() {
    let authority = Authority::new();
    let sink = Sink::trusted(&authority, json!({ "user": "um", "password": PASSWORD }));
    let store = Store::with_people();
    let more = json!({ "tls": "startTls", "caFile": authority.file(), "user": "um", "passwordVariable": VARIABLE });
    let session = session(&store, sink.port, more);
    let reset = support::reset(&session, json!({ "identity": TONY }), None).expect("a reset");
    assert_eq!(reset.response["notification"], "sent");
    let got = &sink.messages(1)[0];
    assert!(got.tls && got.mechanism.as_deref() == Some("PLAIN"));
    assert_eq!(
        (got.sender.as_str(), got.recipients.as_slice()),
        ("um@contoso.com", &[TONY.to_owned()][..])
    );
    let pin = announced_pin(&text(got));
    assert!(store.pin_is(TONY, &pin));
    assert!(outbox(&store).is_empty());
    for secret in [PASSWORD, &pin] {
        assert!(
            !is_anywhere(store.directory.path(), secret),
            "the store has it in plain text"
        );
    }
}

#[test]
fn what_if_does_not_connect() {
    let sink = Sink::start(json!({}));
    let store = Store::with_people();
    let session = session(&store, sink.port, json!({}));
    let plan = support::plan(&session, json!({ "identity": TONY, "whatIf": true }), None).expect("a plan");
    support::target(&plan).expect("a target");
    support::validate(&plan).expect("no violation");
    assert_eq!(sink.connections(), 0);
}

#[test]
fn permanent_configuration_errors_fail_before_the_change() {
    let store = Store::with_people();
    for (more, said) in [
        (
            json!({ "user": "um", "passwordVariable": "UMPIN_OTHER" }),
            "'UMPIN_OTHER' is not set",
        ),
        (json!({ "user": "um", "passwordFile": "none" }), "none' cannot be read"),
        (json!({ "host": "192.0.2.1" }), "is at 192.0.2.1, not on this computer"),
        (
            json!({ "tls": "startTls", "caFile": "none.pem" }),
            "none.pem' cannot be read",
        ),
    ] {
        let session = session(&store, 9, more);
        let Err(error) = support::reset(&session, json!({ "identity": TONY }), None) else {
            panic!("it was reset");
        };
        assert_eq!(error.code(), umpin::ErrorCode::NotificationUnavailable);
        assert!(error.message().contains(said), "{}", error.message());
        assert!(error.message().contains("Nothing was changed"), "{}", error.message());
        assert_eq!(store.info(TONY)["lastSet"], Value::Null);
        // Without mail the configuration of the relay does not matter.
        support::reset(&session, json!({ "identity": "kimakers", "sendEmail": false }), None).expect("a reset");
    }
}

#[test]
fn messages_are_queued_while_the_relay_is_down() {
    let sink = Sink::start(json!({}));
    let port = sink.port;
    drop(sink);
    let store = Store::with_people();
    let down = session(&store, port, json!({}));
    let reset = support::reset(&down, json!({ "identity": TONY }), None).expect("a reset");
    assert_eq!(reset.response["notification"], "queued");
    assert_eq!(warnings(&reset.response), ["NotificationQueued"]);
    let waiting = outbox(&store);
    assert!(
        waiting.len() == 1
            && waiting[0]
                .as_deref()
                .is_some_and(|why| why.contains("cannot be reached")),
        "{waiting:?}"
    );
    let (first, _) = store.record(TONY);
    drop(down);

    let sink = Sink::start(json!({ "port": port }));
    // Ends the back-off.
    let connection = rusqlite::Connection::open(store.path("directory.db")).expect("the store");
    connection.execute("UPDATE outbox SET due = 0", []).expect("an update");
    let up = session(&store, port, json!({}));
    let lock = json!({ "identity": "kimakers", "notifyEmail": "kim@fabrikam.com" });
    support::reset(&up, lock, None).expect("a change");
    let mut got = sink.messages(2);
    got.sort_by_key(|got| got.recipients[0] != TONY);
    assert_eq!(got[0].recipients, [TONY]);
    assert!(store.pin_is(TONY, &announced_pin(&text(&got[0]))));
    assert!(store.pin_is("kimakers", &announced_pin(&text(&got[1]))));
    assert_eq!(store.record(TONY).0, first);
    assert!(outbox(&store).is_empty());
}

#[test]
fn a_rejected_recipient_is_reported_and_the_pin_stays_changed() {
    let sink = Sink::start(json!({ "answers": { "RCPT": { "say": "550 5.1.1 no such user" } } }));
    let store = Store::with_people();
    let session = session(&store, sink.port, json!({}));
    let reset = support::reset(&session, json!({ "identity": TONY }), Some("580291")).expect("a reset");
    assert_eq!(reset.response["notification"], "failed");
    assert_eq!(warnings(&reset.response), ["NotificationFailed"]);
    let message = reset.response["warnings"][0]["message"].as_str().expect("text");
    let expected = format!(
        "was refused and stays queued: The relay localhost, port {}, refused the recipient: 550 5.1.1 no such user.",
        sink.port
    );
    assert!(message.ends_with(&expected), "{message}");
    assert!(!reset.response.to_string().contains("580291"));
    assert!(store.pin_is(TONY, "580291"));
    // As the message says, it stays queued and is sent once the cause is corrected.
    let action = reset.response["warnings"][0]["recommendedAction"]
        .as_str()
        .expect("text");
    assert!(
        action.contains("Send-UMPinNotification") && action.contains("stays queued"),
        "{action}"
    );
    let waits = support::request(&session, &json!({ "v": 1, "operation": "notifications" })).expect("a list");
    assert_eq!(waits["items"][0]["state"], "queued", "{waits}");
    let tried = json!({ "v": 1, "operation": "sendNotifications", "identity": TONY });
    let tried = support::request(&session, &tried).expect("an answer");
    assert_eq!(tried["items"][0]["outcome"], "failed", "{tried}");
    let willing = Sink::start(json!({}));
    let mended = self::session(&store, willing.port, json!({}));
    let sent = json!({ "v": 1, "operation": "sendNotifications", "identity": TONY });
    let sent = support::request(&mended, &sent).expect("an answer");
    assert_eq!(sent["items"][0]["outcome"], "sent", "{sent}");
}

#[test]
fn a_batch_goes_over_a_few_connections() {
    const COUNT: usize = 24;
    let sink = Sink::start(json!({}));
    let people: String = (0..COUNT)
        .map(|n| format!("User {n},user{n}@contoso.com,user{n}@contoso.com,True\n"))
        .collect();
    let store = Store::with(&format!(
        "Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled\n{people}"
    ));
    let session = session(&store, sink.port, json!({}));
    let batch = umpin::session::Batch::new(&session, 8).expect("a batch");
    for n in 0..COUNT {
        let plan =
            support::plan(&session, json!({ "identity": format!("user{n}@contoso.com") }), None).expect("a plan");
        support::target(&plan).expect("a target");
        while matches!(batch.submit(&plan), Ok(umpin::session::Poll::Pending)) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    let got = sink.messages(COUNT);
    for got in &got {
        assert!(store.pin_is(&got.recipients[0], &announced_pin(&text(got))));
    }
    assert!(sink.connections() <= 4, "{} connections", sink.connections());
}

#[test]
fn variables_are_limited_to_own_names_without_duplicates() {
    let store = Store::with_people();
    for variables in [
        json!({ "PATH": "swordfish" }),
        json!({ "UMPIN_X": ["swordfish"] }),
        json!("swordfish"),
    ] {
        let request = json!({ "v": 1, "dataDirectory": store.directory.path(), "variables": variables });
        let Err(error) = support::try_open(&request) else {
            panic!("{request}")
        };
        assert_eq!(error.code(), umpin::ErrorCode::InvalidRequest);
        assert!(!format!("{error:?}{error}").contains("swordfish"));
    }
}
