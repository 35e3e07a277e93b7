//! The audit log of a host, as its journal has it.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use umpin::audit::ChainStatus;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions, LocalOutbox};
use umpin::directory::journal::{IntentRecord, IntentState, Journal};

use umpin::service::audit::{AuditItem, AuditQuery};

use super::simulation::Simulation;

/// One entry: whose operation it belongs to, and what it says.
pub type Entry = ([u8; 16], Value);

pub fn entries(simulation: &Simulation, host: &str) -> Vec<Entry> {
    let store = EmbeddedDirectory::new(EmbeddedOptions::new(simulation.outbox_file(host)));
    if !store.exists().expect("a look") {
        return Vec::new();
    }
    let entries = store.audit_entries(0, usize::MAX).expect("the log").into_iter();
    let parsed = |body: &str| serde_json::from_str(body).expect("JSON");
    entries.map(|e| (e.entry.operation, parsed(&e.entry.body))).collect()
}

/// The log in short: `action` or `error` and whether it succeeded.
pub fn brief(simulation: &Simulation, host: &str) -> Vec<String> {
    let brief = |(_, body): Entry| {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match (text("kind").as_str(), body["succeeded"].as_bool()) {
            ("intent", _) => format!("intent {}", text("action")),
            (_, Some(true)) => format!("{} done", text("action")).trim_start().to_owned(),
            (_, Some(false)) => format!("{}{} failed", text("action"), text("error")),
            (_, None) => format!("{}{}", text("action"), text("error")),
        }
    };
    entries(simulation, host).into_iter().map(brief).collect()
}

/// As `Get-UMPinAudit` shows it; the chain must be sound.
pub fn shown(simulation: &Arc<Simulation>, host: &str) -> Vec<AuditItem> {
    let query = AuditQuery {
        page_size: 100_000,
        ..AuditQuery::default()
    };
    let page = simulation.process(host).service.audit_entries(&query).expect("the log");
    assert!(page.errors.is_empty(), "the chain of {host}: {:?}", page.errors);
    let sound = |verdict: &ChainStatus| matches!(verdict, ChainStatus::Intact);
    assert!(page.chains.iter().all(|chain| sound(&chain.status)));
    page.items
}

pub fn notes(simulation: &Simulation, host: &str, number: usize) -> Vec<IntentRecord> {
    let outbox = LocalOutbox::new(EmbeddedOptions::new(simulation.outbox_file(host)));
    outbox.intents_of(simulation.object_id(number)).expect("the notes")
}

/// Everything has an end that the log tells of. How many operations on PINs are said to have been made.
pub fn check(simulation: &Arc<Simulation>, mailboxes: usize, host: &str, place: &str) -> usize {
    shown(simulation, host);
    let mut operations: HashMap<[u8; 16], Vec<Value>> = HashMap::new();
    for (operation, body) in entries(simulation, host) {
        operations.entry(operation).or_default().push(body);
    }
    let mut made = 0;
    for told in operations.values() {
        // What was refused before anything was asked for is one entry, and nothing of it is done.
        if let [one] = told.as_slice()
            && one["kind"] == "outcome"
            && one["succeeded"] == false
        {
            assert!(one["error"].is_string(), "{place}: {told:#?}");
            continue;
        }
        let is = |body: &&Value, kind: &str| body["kind"] == kind && body["action"] != "ResetLost";
        let intents = told.iter().filter(|body| is(body, "intent")).count();
        let known: Vec<bool> = told
            .iter()
            .filter(|body| is(body, "outcome"))
            .filter_map(|body| body["succeeded"].as_bool())
            .collect();
        assert_eq!(
            intents,
            known.len(),
            "{place}: intents and their outcomes on {host}: {told:#?}"
        );
        assert_eq!(told[0]["kind"], "intent", "{place}: {told:#?}");
        let sets_pin = ["Reset", "AutomaticReset", "ChangePin"]
            .iter()
            .any(|action| told[0]["action"] == *action);
        made += usize::from(sets_pin && known.last() == Some(&true));
    }
    for number in 0..mailboxes {
        let open = notes(simulation, host, number);
        let open: Vec<_> = open
            .iter()
            .filter(|note| note.state != IntentState::Committed)
            .collect();
        assert!(
            open.is_empty(),
            "{place}: nobody has found out on {host} about {open:#?}"
        );
    }
    made
}
