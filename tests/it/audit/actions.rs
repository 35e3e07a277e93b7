//! Whatever changes the directory is recorded under its own name, and nothing else is.

use std::fs;

use serde_json::{Value, json};
use umpin::pin::Pin;
use umpin::session::Request;

use super::fixture::{TONY, items, people};
use crate::support::{Store, answer, plan, request, target, validate};

const PIN: &str = "739152";
const WRONG: &str = "111222";

fn pin(text: &str) -> Option<Pin> {
    Some(Pin::new(text.to_owned()))
}

fn attempt(cmdlet: &str) -> Vec<u8> {
    json!({ "v": 1, "identity": TONY, "cmdlet": cmdlet })
        .to_string()
        .into_bytes()
}

fn sign_in(store: &Store, text: &str) -> Value {
    answer(Request::sign_in(&store.session, &attempt("ivr"), pin(text))).expect("an answer")["outcome"].clone()
}

/// What was recorded since the last call: action, cmdlet, target.
struct Log<'a> {
    store: &'a Store,
    seen: usize,
}

impl Log<'_> {
    fn new(store: &Store) -> Log<'_> {
        let seen = items(&store.session, json!({})).len();
        Log { store, seen }
    }

    fn since(&mut self) -> Vec<String> {
        let items = items(&self.store.session, json!({}));
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or("-").to_owned();
        let new = items[self.seen..].iter().map(|item| {
            assert_eq!(item["succeeded"], true, "{item}");
            format!(
                "{} {} {}",
                text(item, "action"),
                text(item, "cmdlet"),
                text(item, "target")
            )
        });
        let new = new.collect();
        self.seen = items.len();
        new
    }
}

#[test]
fn resets_locks_and_changes_are_told_apart() {
    let store = people();
    let mut log = Log::new(&store);
    let reset = |fields: Value, pin| drop(store.reset(fields, pin).expect("the reset"));
    reset(json!({ "identity": TONY, "pinExpired": false }), Some(PIN));
    reset(json!({ "identity": TONY, "lockedOut": true, "keepPin": true }), None);
    reset(
        json!({ "identity": TONY, "lockedOut": false, "keepPin": true, "cmdlet": "Unlock-UMMailbox" }),
        None,
    );
    let change = Request::change_pin(&store.session, &attempt("ivr"), pin(PIN), pin("482913"));
    answer(change).expect("the change");
    let tony = "contoso.com/Sales/Tony Smith";
    assert_eq!(
        log.since(),
        [
            format!("Reset Set-UMMailboxPIN {tony}"),
            format!("Lock Set-UMMailboxPIN {tony}"),
            format!("Unlock Unlock-UMMailbox {tony}"),
            format!("ChangePin ivr {tony}"),
        ]
    );
}

#[test]
fn wrong_pins_and_what_they_lead_to_are_recorded_and_refusals_unseen_are_not() {
    let store = people();
    store
        .reset(json!({ "identity": TONY, "pinExpired": false }), Some(PIN))
        .expect("the reset");
    let mut log = Log::new(&store);
    assert_eq!(sign_in(&store, PIN), "accepted");
    assert_eq!(log.since(), Vec::<String>::new(), "the right PIN changes nothing");
    let outcomes: Vec<Value> = (0..17).map(|_| sign_in(&store, WRONG)).collect();
    assert_eq!(outcomes[14..], ["locked", "locked", "locked"]);

    let tony = "ivr contoso.com/Sales/Tony Smith";
    let mut expected = Vec::new();
    for n in 1..=15 {
        expected.push(format!("SignInFailure {tony}"));
        match n {
            5 | 10 => expected.push(format!("AutomaticReset {tony}")),
            15 => expected.push(format!("LockOut {tony}")),
            _ => {}
        }
    }
    assert_eq!(log.since(), expected);
    let locked = items(&store.session, json!({ "action": "LockOut" }));
    assert_eq!(locked.len(), 1);
    assert_eq!(locked[0]["result"]["failures"], 15, "{}", locked[0]);
}

#[test]
fn an_import_records_the_policies_that_it_changes_with_their_settings_before_and_after() {
    let store = people();
    let mut log = Log::new(&store);
    let file = store.path("policy.ldf");
    let policy = "dn: CN=Default,CN=UM Mailbox Policies,CN=Contoso,CN=Configuration,DC=contoso,DC=com\n\
                  objectClass: msExchUMRecipientTemplate\ncn: Default\nmsExchUMPinPolicyMinPasswordLength: 8\n";
    fs::write(&file, policy).expect("the file is written");
    let import = json!({ "v": 1, "operation": "import", "path": file });
    request(&store.session, &import).expect("the import");
    assert_eq!(
        log.since(),
        ["Import Import-UMDirectory -", "PolicyChange Import-UMDirectory Default"]
    );
    let changes = items(&store.session, json!({ "action": "PolicyChange" }));
    let last = changes.last().expect("a change");
    assert_eq!(last["result"]["before"]["MinPINLength"], 6, "{last}");
    assert_eq!(last["result"]["after"]["MinPINLength"], 8, "{last}");
    request(&store.session, &import).expect("the import");
    assert_eq!(log.since(), ["Import Import-UMDirectory -"], "nothing changed");
}

#[test]
fn what_only_looks_leaves_no_trace() {
    let store = people();
    let mut log = Log::new(&store);
    let looked = plan(&store.session, json!({ "identity": TONY, "whatIf": true }), Some(PIN)).expect("a plan");
    target(&looked).expect("a target");
    validate(&looked).expect("a valid PIN");
    store.info(TONY);
    let file = store.path("people.csv");
    let trial = json!({ "v": 1, "operation": "import", "path": file, "whatIf": true });
    request(&store.session, &trial).expect("the trial");
    assert_eq!(log.since(), Vec::<String>::new());
}
