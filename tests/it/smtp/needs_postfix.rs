//! Delivery through Postfix; messages are parsed by Python.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use umpin::notification::smtp::SmtpNotifier;
use umpin::notification::{DeliveryError, Notifier as _};

use super::harness::{PASSWORD, PIN, discreet, message};
use super::postfix_server::Postfix;
use crate::support::{self, Store};

fn parsed(message: &Path) -> Value {
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp/parse.py"))
        .arg(message)
        .output()
        .expect("python3 starts: is it installed?");
    let content = fs::read_to_string(message).unwrap_or_default();
    assert!(
        output.status.success(),
        "{}\n{content}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_reset_is_delivered_intact() {
    let postfix = Postfix::start();
    let people = support::PEOPLE.replace(
        "Tony Smith,Tony Smith,tonysmith",
        "Tony Smith,\"Žoë \"\"T\"\", Smith <x@fabrikam.com>\",tonysmith",
    );
    let store = Store::with(&people);
    let file = store.path("umpin.json");
    let notification = json!({
        "type": "smtp", "host": "localhost", "port": postfix.port, "caFile": postfix.authority.file(), "user": "um@contoso.com",
        "passwordVariable": "UMPIN_RELAY", "from": "Telefonbüro <um@bücher.example>",
    });
    fs::write(&file, json!({ "notification": notification }).to_string()).expect("a file");
    let session = support::try_open(&json!({
        "v": 1, "dataDirectory": store.directory.path(), "configFile": file, "variables": { "UMPIN_RELAY": PASSWORD },
    }))
    .expect("a session");
    for (identity, extra) in [
        ("tonysmith@contoso.com", json!({})),
        (
            "kimakers",
            json!({ "notifyEmail": "zoë@bücher.example", "pinExpired": false }),
        ),
    ] {
        let mut request = extra;
        request["identity"] = identity.into();
        let reset = support::reset(&session, request, None).expect("a reset");
        assert_eq!(reset.response["notification"], "sent", "{}", reset.response);
    }
    let mut got: Vec<Value> = postfix.delivered(2).iter().map(|path| parsed(path)).collect();
    got.sort_by_key(|got| got["to"][1] != "tonysmith@contoso.com");
    for (got, identity) in got.iter().zip(["tonysmith@contoso.com", "kimakers"]) {
        assert!(store.pin_is(identity, got["pin"].as_str().expect("a PIN")));
        assert_eq!(got["from"], json!(["Telefonbüro", "um@xn--bcher-kva.example"]));
        assert_eq!(got["returnPath"], "<um@xn--bcher-kva.example>");
        // Encrypted and signed in.
        assert!(got["received"].as_str().expect("text").contains("SMTPSA"), "{got}");
    }
    assert_eq!(
        got[0]["to"],
        json!(["Žoë \"T\", Smith <x@fabrikam.com>", "tonysmith@contoso.com"])
    );
    assert_eq!(got[1]["to"][1], "zoë@bücher.example");
    assert_eq!(got[0]["deliveredTo"], json!(["tonysmith@contoso.com"]));
}

#[test]
fn replies_of_postfix_are_understood() {
    let postfix = Postfix::start();
    let notifier = SmtpNotifier::new(postfix.relay(PASSWORD));
    notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    match notifier.deliver(&message("gone@contoso.com")) {
        Err(DeliveryError::Permanent(why)) => assert!(discreet(why).contains("refused the recipient: 550 5.1.1")),
        other => panic!("{other:?}"),
    }
    match notifier.deliver(&message("later@contoso.com")) {
        Err(DeliveryError::Temporary(why)) => {
            assert!(discreet(why).contains("refused the recipient for now: 451 4.3.0"))
        }
        other => panic!("{other:?}"),
    }
    notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    match SmtpNotifier::new(postfix.relay("wrong")).deliver(&message("tony@contoso.com")) {
        Err(DeliveryError::Temporary(why)) => {
            assert!(discreet(why).contains("refused the sign-in as 'um@contoso.com': 535 5.7.8"));
        }
        other => panic!("{other:?}"),
    }
    let delivered = postfix.delivered(2);
    assert_eq!(delivered.len(), 2);
    for path in delivered {
        let content = fs::read_to_string(path).expect("a message");
        // Postfix converts line endings.
        assert!(content.ends_with(&format!("\n\n{PIN}\n.\n..two\n.QUIT\n")), "{content}");
    }
    // One connection for all deliveries but the rejected sign-in.
    let connects = postfix.log().matches(": connect from ").count();
    drop(notifier);
    // The probes at start-up connect too.
    assert!((2..=6).contains(&connects), "{}", postfix.log());
}
