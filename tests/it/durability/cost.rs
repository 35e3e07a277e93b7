//! The whole path of a session, its worker threads included, costs one derivation a reset.

use serde_json::json;
use umpin::credential::kdf::derivations_so_far;

use super::child::{Ack, ENTRY};
use super::fixture;
use super::process::{self, Running};
use crate::support;

/// In a process of its own: the counter belongs to the process, and other tests derive too.
#[test]
fn a_session_derives_once_a_reset() {
    let home = fixture::store(1);
    let task = json!({ "task": "counted", "store": home.path() });
    Running::new(ENTRY, &task).finish::<Ack>();
}

pub fn counted(data: &std::path::Path) {
    process::say("ready");
    let session = support::open(data);
    let identity = json!({ "identity": fixture::address(0) });
    // The first PIN of the mailbox, a generated one, given ones; each with and without a check beforehand.
    for (pin, validated) in [
        (None, false),
        (None, true),
        (None, false),
        (Some("580291"), false),
        (Some("914730"), true),
    ] {
        let before = derivations_so_far();
        let plan = support::plan(&session, identity.clone(), pin).expect("a plan");
        support::target(&plan).expect("a target");
        assert_eq!(derivations_so_far(), before, "looking up derives nothing");
        if validated {
            support::validate(&plan).expect("a valid plan");
        }
        support::commit(&plan).expect("a reset");
        let derived = derivations_so_far() - before;
        assert_eq!(derived, 1, "given PIN: {}, validated: {validated}", pin.is_some());
    }
}
