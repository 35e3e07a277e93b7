//! From the configuration and the import to the message that a user gets.

use std::fs;
use std::path::Path;

use crate::support::message::read;
use crate::support::{Store, announced_pin, answer, messages, request, reset, try_open};
use serde_json::json;
use umpin::pin::Pin;
use umpin::session::{Request, Session};

const PEOPLE: &str = "\
DistinguishedName,Name,PrimarySmtpAddress,UMEnabled,Extensions,UMMailboxPolicy,PreferredLanguage
\"CN=Zoe Nunez,DC=contoso,DC=com\",Zoe Nunez,zoe@contoso.com,True,eum:4271;phone-context=Main.contoso.com,Default,\"de-AT, en;q=0.8\"
\"CN=Kim Akers,DC=contoso,DC=com\",Kim Akers,kim@contoso.com,True,4272,Default,
";

fn session(home: &Path, notification: &serde_json::Value) -> Session {
    let file = home.join("umpin.json");
    fs::write(&file, json!({ "notification": notification }).to_string()).expect("written");
    let session = try_open(&json!({ "v": 1, "dataDirectory": home, "configFile": file })).expect("opened");
    let people = home.join("people.csv");
    fs::write(&people, PEOPLE).expect("written");
    request(&session, &json!({ "v": 1, "operation": "import", "path": people })).expect("imported");
    session
}

/// The one message in the pickup directory that was not there before.
fn the_message(home: &Path, known: &mut Vec<String>) -> String {
    let mut new: Vec<_> = messages(&home.join("pickup"))
        .into_iter()
        .filter(|(name, _)| !known.contains(name))
        .collect();
    assert_eq!(new.len(), 1, "one message");
    let (name, message) = new.remove(0);
    known.push(name);
    message
}

#[test]
fn users_are_told_in_their_language_where_to_call_and_whom_to_ask() {
    let home = tempfile::tempdir().expect("folder");
    let session = session(
        home.path(),
        &json!({ "type": "pickup", "directory": "pickup", "language": "fr", "helpDesk": "helpdesk@contoso.com",
                 "accessNumbers": { "main.contoso.COM": ["+1 425 555 0100"], "*": ["5000", "5001"] } }),
    );
    let mut known = Vec::new();

    reset(&session, json!({ "identity": "zoe@contoso.com" }), None).expect("reset");
    let german = read(&the_message(home.path(), &mut known));
    assert_eq!(german.subject, "Ihre neue Voicemail-PIN");
    for said in [
        "wurde eine neue PIN festgelegt",
        "Nebenstelle 4271.",
        "Rufnummer +1 425 555 0100.",
        "hier: helpdesk@contoso.com",
    ] {
        assert!(german.text.contains(said), "{}", german.text);
    }

    reset(&session, json!({ "identity": "kim@contoso.com" }), None).expect("reset");
    let french = read(&the_message(home.path(), &mut known));
    assert_eq!(french.subject, "Votre nouveau code PIN de messagerie vocale");
    assert!(french.text.contains("numéros\u{a0}: 5000, 5001."), "{}", french.text);
}

#[test]
fn a_pin_reset_by_failures_is_announced_as_such() {
    let home = tempfile::tempdir().expect("folder");
    let session = session(home.path(), &json!({ "type": "pickup", "directory": "pickup" }));
    let silent = json!({ "identity": "zoe@contoso.com", "sendEmail": false });
    reset(&session, silent, Some("739152")).expect("reset");
    for number in 1..=5 {
        let fields = json!({ "v": 1, "identity": "zoe@contoso.com", "deliver": true }).to_string();
        let wrong = Some(Pin::new("111222".to_owned()));
        let answer = answer(Request::sign_in(&session, fields.as_bytes(), wrong)).expect("an answer");
        assert_eq!(answer["outcome"] == "resetByFailures", number == 5, "{answer}");
    }
    let message = the_message(home.path(), &mut Vec::new());
    let german = read(&message);
    assert!(
        german.text.contains("zu oft eine falsche PIN eingegeben"),
        "{}",
        german.text
    );
    assert!(
        german.html.contains("zu oft eine falsche PIN eingegeben"),
        "{}",
        german.html
    );
    assert!(german.text.contains(&announced_pin(&message)));
}

#[test]
fn without_a_language_the_message_is_english() {
    let store = Store::with_people();
    store
        .reset(json!({ "identity": "tonysmith@contoso.com" }), None)
        .expect("reset");
    let [(_, message)] = &store.messages()[..] else {
        panic!("one message");
    };
    assert_eq!(read(message).subject, "Your new voice mail PIN");
}
