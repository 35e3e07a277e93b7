//! Updates of the key through the session, as the cmdlet makes them.

use std::fs;

use serde_json::{Value, json};
use umpin::session::{Session, SharedError};

use crate::support::request;

/// One step.
pub fn step(session: &Session, fields: &Value) -> Result<Value, SharedError> {
    let mut asked = json!({ "v": 1, "operation": "updateKey" });
    let fields = fields.as_object().expect("fields").clone();
    asked.as_object_mut().expect("fields").extend(fields);
    request(session, &asked)
}

/// All steps; the last answer, with the problems of all of them.
pub fn update(session: &Session, fields: Value) -> Result<Value, SharedError> {
    let mut fields = fields;
    let mut problems = Vec::new();
    loop {
        let mut answer = step(session, &fields)?;
        problems.extend(answer["problems"].as_array().expect("problems").clone());
        if answer["next"].is_null() {
            answer["problems"] = problems.into();
            return Ok(answer);
        }
        fields["after"] = answer["next"].clone();
    }
}

/// Removes the files that the answer says nothing needs any more.
pub fn remove_old_files(answer: &Value) -> usize {
    let files = answer["replaced"].as_array().expect("replaced keys");
    let removable = files.iter().filter(|key| key["removable"] == true);
    removable
        .map(|key| fs::remove_file(key["path"].as_str().expect("a path")).expect("it can be removed"))
        .count()
}

/// States of the chains of the log, or of an export of it, where no place is broken.
pub fn chains(session: &Session, path: Option<&std::path::Path>) -> Vec<String> {
    let mut query = json!({ "v": 1, "operation": "audit", "pageSize": 500 });
    if let Some(path) = path {
        query["path"] = path.to_str().into();
    }
    loop {
        let page = request(session, &query).expect("a page of the log");
        assert_eq!(page["faults"], json!([]), "faults of the audit");
        if page["next"].is_null() {
            let mut states: Vec<String> = page["chains"]
                .as_array()
                .expect("chains")
                .iter()
                .map(|c| c["state"].as_str().expect("a state").to_owned())
                .collect();
            // Of several hosts: as one.
            states.dedup();
            return states;
        }
        query["after"] = page["next"].clone();
    }
}

/// What the log tells of updates: what was given, whether it succeeded, what came of it.
pub fn audited(session: &Session) -> Vec<Value> {
    let query = json!({ "v": 1, "operation": "audit", "action": "UpdateKey", "pageSize": 10_000 });
    let page = request(session, &query).expect("the log");
    page["items"].as_array().expect("items").clone()
}
