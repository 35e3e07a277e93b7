//! The log as a file.

use std::fs;

use serde_json::json;
use umpin::ErrorCode;

use super::fixture::{TONY, append, export, filled, items, read, states};
use crate::support::{open, request};

#[test]
fn an_export_is_checked_without_the_store() {
    let store = filled();
    append(store.directory.path(), "alpha", 1, 3, None);
    let answer = export(&store, "log.jsonl", false).unwrap();
    assert_eq!(
        (&answer["entries"], answer["faults"].as_array().unwrap().len()),
        (&json!(13), 0)
    );
    let file = store.path("log.jsonl");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(
        items(&store.session, json!({ "path": file })),
        items(&store.session, json!({}))
    );
    assert_eq!(
        items(&store.session, json!({ "path": file, "target": "tsmith" })).len(),
        3
    );
    fs::rename(store.path("directory.db"), store.path("gone.db")).unwrap();
    let states = states(&open(store.directory.path()), json!({ "path": file }));
    assert!(
        states.iter().all(|(_, state, _)| state == "intact") && states.len() == 2,
        "{states:?}"
    );
}

#[test]
fn an_export_that_lost_or_gained_something_says_so() {
    let store = filled();
    append(store.directory.path(), "alpha", 1, 3, None);
    export(&store, "log.jsonl", false).unwrap();
    let text = fs::read_to_string(store.path("log.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 13 + 2);
    let file = store.path("changed.jsonl");
    let check = |lines: &[String]| {
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        let (_, faults, chains) = read(&store.session, json!({ "path": file }));
        let torn = chains
            .as_array()
            .unwrap()
            .iter()
            .any(|chain| chain["state"] == "tornTail");
        (faults, torn)
    };
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();
    assert_eq!(check(&owned(&lines)), (Vec::new(), false));
    for n in 1..lines.len() {
        let mut without = owned(&lines);
        without.remove(n);
        let (faults, torn) = check(&without);
        assert!(faults.len() == 1 && !torn, "without line {}: {faults:?}", n + 1);
        let mut other = owned(&lines);
        let digit = other[n].rfind("\"mac\":\"").unwrap() + 7;
        let changed = if &other[n][digit..=digit] == "0" { "1" } else { "0" };
        other[n].replace_range(digit..=digit, changed);
        assert!(!check(&other).0.is_empty(), "line {} was changed", n + 1);
        let mut noise = owned(&lines);
        noise.insert(n, "{}".to_owned());
        let (faults, _) = check(&noise);
        assert_eq!(faults[0]["details"]["line"], n as u64 + 1);
    }
    // Cut off in the middle of a line: torn, wherever it is, and what is there is checked.
    for keep in [text.len() - 5, text.len() - lines[15].len() - 20] {
        fs::write(&file, &text[..keep]).unwrap();
        let (_, faults, chains) = read(&store.session, json!({ "path": file }));
        assert!(faults.is_empty(), "{faults:?}");
        assert!(
            chains
                .as_array()
                .unwrap()
                .iter()
                .any(|chain| chain["state"] == "tornTail"),
            "{chains}"
        );
    }
    // Cut off between lines: nothing that a copy or a crash does.
    let (faults, torn) = check(&owned(&lines[..lines.len() - 1]));
    assert!(faults.len() == 1 && !torn);
}

#[test]
fn an_export_replaces_nothing_but_an_older_export() {
    let store = filled();
    export(&store, "log.jsonl", false).unwrap();
    let refused = |name: &str, force: bool| {
        let before = fs::read(store.path(name)).ok();
        let error = export(&store, name, force).expect_err(name);
        assert_eq!(error.code(), ErrorCode::AuditFileUnusable, "{name}");
        assert_eq!(fs::read(store.path(name)).ok(), before);
        let left = fs::read_dir(store.directory.path()).unwrap();
        assert!(
            left.flatten()
                .all(|e| !e.file_name().to_string_lossy().ends_with(".tmp"))
        );
    };
    refused("log.jsonl", false);
    store.reset(json!({ "identity": TONY }), None).unwrap();
    assert_eq!(export(&store, "log.jsonl", true).unwrap()["entries"], 12);
    refused("umpin.key", true);
    refused("directory.db", true);
    refused("nowhere/log.jsonl", false);
    refused("pickup", true);

    for (name, content) in [("empty", ""), ("text", "hello\n")] {
        fs::write(store.path(name), content).unwrap();
    }
    for name in ["empty", "text", "missing", "pickup"] {
        let query = json!({ "v": 1, "operation": "audit", "path": store.path(name) });
        let error = request(&store.session, &query).expect_err(name);
        assert_eq!(error.code(), ErrorCode::AuditFileUnusable, "{name}");
    }
}
