//! No file can be opened, because the process has as many open as it may: that is what is told, and not that rights, a key or the
//! store are lacking. In a process of its own, whose limit it lowers.
#![cfg(unix)]
#![allow(unsafe_code, reason = "the limit is the system's")]

use std::fs::File;

use crate::support::{Store, process, request, reset, try_open};
use serde_json::json;

/// As many files as there may be.
fn exhaust() -> Vec<File> {
    let limit = libc::rlimit {
        rlim_cur: 128,
        rlim_max: 128,
    };
    // SAFETY: the structure is whole, and lives during the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files
}

#[test]
fn too_many_open_files_are_told_as_that() {
    if !process::is_alone("open_files::too_many_open_files_are_told_as_that") {
        return;
    }
    let store = Store::with_people();
    store
        .reset(json!({ "identity": "tonysmith@contoso.com" }), Some("580291"))
        .expect("a PIN");
    let config = store.path("umpin.json");
    std::fs::write(&config, "{}").expect("a configuration");
    let open = json!({ "v": 1, "dataDirectory": store.directory.path() });
    let configured = json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": config });
    // Opened before, and with nothing of its own open yet.
    let session = try_open(&open).expect("a session");
    let mut taken = exhaust();

    let said = |error: &umpin::Error| format!("{} {}", error.message(), error.recommended_action());
    let mut told = vec![said(&try_open(&configured).map(drop).expect_err("no file"))];
    let status = request(&session, &json!({ "v": 1, "operation": "status" })).expect_err("no file");
    told.push(said(&status));
    let again = reset(&session, json!({ "identity": "tonysmith@contoso.com" }), None).map(drop);
    told.push(said(&again.expect_err("no file")));
    // Enough for the lock, the store, and so on, one after the other: each of them may be the one that is not to be had.
    for _ in 1..8 {
        taken.pop();
        let session = try_open(&open).expect("a session");
        let fields = json!({ "identity": "tonysmith@contoso.com", "sendEmail": false });
        if let Err(error) = reset(&session, fields, None) {
            told.push(said(&error));
        }
    }
    drop(taken);
    for said in &told {
        let lower = said.to_lowercase();
        assert!(
            lower.contains("too many") && lower.contains("limit of open files"),
            "{said}"
        );
    }
    assert!(told.len() > 4, "only {} were refused", told.len());
    reset(&session, json!({ "identity": "tonysmith@contoso.com" }), None).expect("the same session goes on");
}
