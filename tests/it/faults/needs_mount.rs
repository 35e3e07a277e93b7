//! Read-only and full file systems, on a small one that the test mounts.

use std::fs;

use crate::support;
use crate::support::faults::{Broken, KIM, Snapshot, TONY};
use crate::support::small::Small;
use crate::support::{messages, open, request, reset, target};
use serde_json::json;
use umpin::ErrorCode;

#[test]
fn a_read_only_store_can_be_read_but_not_changed() {
    let small = Small::new("4m");
    small.copy_from(Broken::new().home.path());
    small.make_read_only();
    let home = small.root();
    let before = Snapshot::of(home);
    let session = open(home);
    let info = request(&session, &json!({ "v": 1, "operation": "pinInfo", "identity": TONY }));
    assert_eq!(
        info.expect("reading needs no right to write")["items"][0]["pinExpired"],
        true
    );
    for (fields, names) in [
        (json!({ "identity": TONY, "sendEmail": false }), "directory.db"),
        (
            json!({ "identity": TONY, "keepPin": true, "lockedOut": true }),
            "directory.db",
        ),
        (json!({ "identity": TONY }), "pickup"),
    ] {
        let error = reset(&session, fields, None)
            .map(|r| r.response)
            .expect_err("nothing can be written");
        let expected = if names == "pickup" {
            ErrorCode::NotificationUnavailable
        } else {
            ErrorCode::AccessDenied
        };
        assert_eq!(error.code(), expected, "{error:?}");
        assert!(
            error.message().contains(&*small.path(names).to_string_lossy()),
            "{error:?}"
        );
    }
    let file = tempfile::tempdir().unwrap().keep().join("people.csv");
    fs::write(&file, "UserPrincipalName,Name\nanna@contoso.com,Anna\n").unwrap();
    let import = request(&session, &json!({ "v": 1, "operation": "import", "path": file }));
    assert_eq!(
        import.expect_err("nothing can be written").code(),
        ErrorCode::AccessDenied
    );
    fs::remove_dir_all(file.parent().unwrap()).unwrap();
    assert_eq!(Snapshot::of(home), before);
}

#[test]
fn a_place_that_cannot_be_written_gets_neither_store_nor_key() {
    let small = Small::new("1m");
    fs::write(small.path("people.csv"), support::PEOPLE).unwrap();
    small.make_read_only();
    let session = open(&small.path("new"));
    let import = request(
        &session,
        &json!({ "v": 1, "operation": "import", "path": small.path("people.csv") }),
    );
    let error = import.expect_err("nothing can be written");
    assert!(
        matches!(error.code(), ErrorCode::AccessDenied | ErrorCode::KeyUnavailable),
        "{error:?}"
    );
    assert!(
        error.message().contains(&*small.path("new").to_string_lossy()),
        "{error:?}"
    );
}

/// At whatever byte the space ends, a reset has happened or has not, and works once there is space again.
#[test]
fn a_full_disk_refuses_a_reset_and_loses_nothing() {
    let small = Small::new("2m");
    small.copy_from(Broken::new().home.path());
    let home = small.root().to_owned();
    let mut refused = 0;
    for pages in [0, 1, 2, 4, 6, 8, 10, 12, 16, 24] {
        small.fill(pages * 4096);
        let before = Snapshot::of(&home);
        let session = open(&home);
        let result = reset(&session, json!({ "identity": KIM, "sendEmail": false }), None);
        drop(session);
        match result {
            Ok(_) => {}
            Err(error) => {
                refused += 1;
                assert_eq!(
                    error.code(),
                    ErrorCode::DirectoryUnavailable,
                    "{pages} pages: {error:?}"
                );
                assert!(error.message().contains(&*home.to_string_lossy()), "{error:?}");
                assert_eq!(Snapshot::of(&home), before, "{pages} pages");
            }
        }
        small.free();
        let session = open(&home);
        reset(&session, json!({ "identity": KIM, "sendEmail": false }), None).expect("there is space again");
    }
    assert!(refused > 0, "the disk was never full");
}

#[test]
fn a_full_pickup_directory_keeps_the_message_in_the_outbox() {
    let small = Small::new("64k");
    let store = Broken::new();
    let pickup = small.path("pickup");
    fs::create_dir(&pickup).unwrap();
    fs::write(
        store.path("umpin.json"),
        json!({ "notification": { "type": "pickup", "directory": pickup } }).to_string(),
    )
    .unwrap();
    let request = json!({ "v": 1, "dataDirectory": store.home.path(), "configFile": store.path("umpin.json") });
    let session = support::try_open(&request).unwrap();
    small.fill(0);
    let plan = support::plan(&session, json!({ "identity": TONY }), Some("7391846205")).unwrap();
    target(&plan).expect("the directory as such is sound");
    let response = support::commit(&plan).expect("the PIN is changed").response;
    assert_eq!(response["notification"], "queued", "{response}");
    let warning = response["warnings"][0]["message"].as_str().unwrap();
    assert!(
        warning.contains(&*pickup.to_string_lossy()) && !warning.contains("7391846205"),
        "{warning}"
    );
    assert_eq!(
        fs::read_dir(&pickup).unwrap().count(),
        0,
        "no part of a message is left"
    );
    small.free();
    // Due at once, for the next session that changes something.
    drop(session);
    store.sql("UPDATE outbox SET due = 0");
    let session = support::try_open(&request).unwrap();
    reset(&session, json!({ "identity": KIM, "sendEmail": false }), None).unwrap();
    let delivered = messages(&pickup);
    assert_eq!(delivered.len(), 1);
    assert_eq!(support::announced_pin(&delivered[0].1), "7391846205");
}
