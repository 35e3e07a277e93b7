//! Requests other than resets, through the session on a real store.

mod support;

use std::fs;

use serde_json::{Value, json};
use support::{PEOPLE, Store, request, try_open};
use umpin::ErrorCode;
use umpin::session::Session;

const TONY: &str = "tonysmith@contoso.com";

fn with_scope(store: &Store, scope: &str) -> Session {
    let file = store.path("umpin.json");
    fs::write(&file, json!({ "defaultScope": scope }).to_string()).unwrap();
    try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": file })).expect("a session")
}

fn names(answer: &Value) -> Vec<&str> {
    let items = answer["items"].as_array().expect("items");
    items
        .iter()
        .filter_map(|item| item["identity"].as_str()?.rsplit('/').next())
        .collect()
}

#[test]
fn listings_keep_to_the_default_scope_unless_told_otherwise() {
    let store = Store::with(&PEOPLE.replace("CN=Kim Akers,OU=Sales", "CN=Kim Akers,OU=IT"));
    let session = with_scope(&store, "contoso.com/Sales");
    for (operation, everywhere) in [
        ("pinInfo", vec!["Tony Smith", "Kim Akers"]),
        ("mailboxes", vec!["Tony Smith", "Kim Akers", "Jeff Hay"]),
    ] {
        let inside = request(&session, &json!({ "v": 1, "operation": operation })).unwrap();
        assert_eq!(names(&inside), ["Tony Smith"], "{operation}");
        let mut whole = json!({ "v": 1, "operation": operation, "ignoreDefaultScope": true });
        assert_eq!(names(&request(&session, &whole).unwrap()), everywhere, "{operation}");
        whole["domainController"] = "dc1.contoso.com".into();
        let error = request(&session, &whole).expect_err("the two exclude each other");
        assert_eq!(error.code(), ErrorCode::InvalidParameterCombination, "{operation}");
    }
}

#[test]
fn a_key_that_is_lost_while_the_session_is_open_is_told_by_the_status() {
    let store = Store::with_people();
    let status = json!({ "v": 1, "operation": "status" });
    store.reset(json!({ "identity": TONY }), None).unwrap();
    request(&store.session, &status).expect("the key is there");

    fs::rename(store.path("umpin.key"), store.path("saved.key")).unwrap();
    let error = request(&store.session, &status).expect_err("the key is gone");
    assert_eq!(error.code(), ErrorCode::KeyUnavailable);

    fs::rename(store.path("saved.key"), store.path("umpin.key")).unwrap();
    request(&store.session, &status).expect("the key is back");
}

#[test]
fn an_import_says_which_policies_it_made_up() {
    let store = Store::empty();
    let file = store.path("people.ldf");
    fs::write(
        &file,
        "\
dn: CN=Strict,CN=UM Mailbox Policies,CN=Contoso,DC=contoso,DC=com
objectClass: msExchUMRecipientTemplate
cn: Strict
msExchUMPinPolicyMinPasswordLength: 8

dn: CN=Tony Smith,OU=Sales,DC=contoso,DC=com
objectClass: user
cn: Tony Smith
msExchUMEnabledFlags: 1
msExchUMTemplateLink: CN=Strict,CN=UM Mailbox Policies,CN=Contoso,DC=contoso,DC=com

dn: CN=Kim Akers,OU=Sales,DC=contoso,DC=com
objectClass: user
cn: Kim Akers
msExchUMEnabledFlags: 1
msExchUMTemplateLink: CN=Elsewhere,CN=UM Mailbox Policies,CN=Contoso,DC=contoso,DC=com
",
    )
    .unwrap();
    let import = json!({ "v": 1, "operation": "import", "path": file });
    let answer = request(&store.session, &import).unwrap();
    assert_eq!(answer["policiesCreated"], json!(["Strict", "Elsewhere"]));
    assert_eq!(answer["policiesDefaulted"], json!(["Elsewhere"]));
    let again = request(&store.session, &import).unwrap();
    assert_eq!(again["policiesDefaulted"], json!([]));
}

#[test]
fn a_refused_import_counts_the_rows_and_names_the_first() {
    let store = Store::empty();
    let refused = |rows: &str| {
        let error = store
            .import(&format!("DistinguishedName,Name\n{rows}"))
            .expect_err("a bad row");
        assert_eq!(error.code(), ErrorCode::ImportInvalid);
        error.message().to_owned()
    };
    let one = refused("not a DN,A\n");
    assert!(one.ends_with(": the row in line 2 cannot be used."), "{one}");
    let two = refused("\"CN=A,DC=contoso,DC=com\",A\nnot a DN,B\nnor this,C\n");
    assert!(two.ends_with(": 2 rows cannot be used, the first in line 3."), "{two}");
}
