//! The two operations as JSON, through the session as the C ABI uses it.

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::session::{Request, Session};

use super::child::{self, Kind};
use super::fixture;
use crate::support;

fn ask(session: &Session, fields: Value) -> Value {
    let mut request = json!({ "v": 1 });
    request
        .as_object_mut()
        .expect("an object")
        .extend(fields.as_object().expect("an object").clone());
    support::request(session, &request).expect("an answer")
}

#[test]
fn the_queue_is_listed_page_by_page_and_sent_until_nothing_is_left() {
    const MESSAGES: usize = 70;
    let home = fixture::store(MESSAGES);
    let down = home.path().join("down");
    std::fs::write(&down, "").expect("the relay is down");
    let session = |ahead| Session::with_service(child::service(home.path(), Kind::Transactional, ahead));
    let now = session(0);
    for number in 0..MESSAGES {
        let done =
            support::reset(&now, json!({ "identity": fixture::address(number) }), Some("580291")).expect("a reset");
        assert_eq!(done.response["notification"], "queued");
    }
    let mut listed = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = ask(
            &now,
            json!({ "operation": "notifications", "pageSize": 32, "after": after }),
        );
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 32);
        assert!(
            !page.to_string().contains("580291") && !page.to_string().contains("@contoso.com"),
            "{page}"
        );
        listed.extend(
            items
                .iter()
                .map(|item| item["identity"].as_str().expect("a name").to_owned()),
        );
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let expected: Vec<String> = (0..MESSAGES).map(|n| format!("contoso.com/Sales/User {n}")).collect();
    assert_eq!(listed, expected, "oldest first");
    let one = ask(
        &now,
        json!({ "operation": "notifications", "identity": fixture::address(7) }),
    );
    assert_eq!(one["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&one["items"][0]["state"], &one["items"][0]["attempts"]),
        (&json!("queued"), &json!(1))
    );

    std::fs::remove_file(down).expect("the relay is back");
    let later = session(7_200_000);
    let mut sent = 0;
    let mut due = Value::Null;
    let mut calls = 0;
    loop {
        let report = ask(&later, json!({ "operation": "sendNotifications", "due": due }));
        let items = report["items"].as_array().expect("items");
        assert!(
            items
                .iter()
                .all(|item| item["outcome"] == "sent" && item["reason"].is_null()),
            "{report}"
        );
        assert_eq!(report["blocked"], false);
        sent += items.len();
        calls += 1;
        due = report["next"].clone();
        if due.is_null() {
            break;
        }
    }
    assert_eq!((sent, calls > 1), (MESSAGES, true));
    assert_eq!(ask(&later, json!({ "operation": "notifications" }))["items"], json!([]));
}

#[test]
fn what_is_no_request_is_refused() {
    let home = fixture::store(1);
    let session = Session::with_service(child::service(home.path(), Kind::Transactional, 0));
    let refused = |request: Value| {
        support::answer(Request::new(&session, request.to_string().as_bytes()))
            .expect_err("a refusal")
            .code()
    };
    for request in [
        json!({ "v": 1, "operation": "sendNotifications", "identiy": "x" }),
        json!({ "v": 2, "operation": "sendNotifications" }),
        json!({ "v": 1, "operation": "sendNotifications", "due": "now" }),
        json!({ "v": 1, "operation": "notifications", "after": "no cursor" }),
    ] {
        assert_eq!(refused(request.clone()), ErrorCode::InvalidRequest, "{request}");
    }
    for operation in ["notifications", "sendNotifications"] {
        let request = json!({ "v": 1, "operation": operation, "identity": "nobody" });
        assert_eq!(refused(request), ErrorCode::ManagementObjectNotFound);
    }
}
