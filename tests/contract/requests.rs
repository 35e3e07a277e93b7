//! Requests other than resets, through the session on a real store.

use std::fs;

use crate::support;
use crate::support::{PEOPLE, Store, request, try_open};
use serde_json::{Value, json};
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

const UNKNOWN: &str = "0f6f0b8e-2222-4000-8000-000000000001";
const DN: &str = "CN=Tony Smith,OU=Sales,DC=contoso,DC=com";
/// Two namesakes without a place in a tree: only address and GUID tell them apart.
const NAMESAKES: &str = "\
Name,Alias,UserPrincipalName,PrimarySmtpAddress,UMEnabled,Extensions,UMMailboxPolicy
Yan Li,yanli,yanli@contoso.com,yanli@contoso.com,True,4273,Default
Yan Li,yanli2,yanli2@contoso.com,yanli2@contoso.com,True,4274,Default
";

#[test]
fn an_object_whose_guid_is_unknown_is_found_by_its_other_names_in_every_operation() {
    let store = Store::with_people();
    let names = json!([DN, "somebody else"]);
    let reset = json!({ "identity": UNKNOWN, "alternatives": names, "sendEmail": false });
    let reset = store.reset(reset, Some("1985848")).expect("a reset");
    assert_eq!(reset.response["primarySmtpAddress"], TONY);
    assert!(store.pin_is(TONY, "1985848"));

    for (operation, field) in [
        ("pinInfo", "identity"),
        ("mailboxes", "identity"),
        ("notifications", ""),
        ("sendNotifications", ""),
    ] {
        let mut query = json!({ "v": 1, "operation": operation, "identity": UNKNOWN, "alternatives": names });
        let answer = request(&store.session, &query).unwrap_or_else(|e| panic!("{operation}: {e}"));
        if !field.is_empty() {
            assert_eq!(answer["items"][0][field], "contoso.com/Sales/Tony Smith", "{operation}");
        }
        query["identity"] = Value::Null;
        let error = request(&store.session, &query).expect_err("alternatives to nothing");
        assert_eq!(error.code(), ErrorCode::InvalidRequest, "{operation}");
    }

    let policy = json!({ "v": 1, "operation": "policies", "identity": UNKNOWN, "alternatives": ["Default"] });
    let policy = request(&store.session, &policy).expect("the policy");
    assert_eq!(policy["items"][0]["name"], "Default");

    let audit = json!({ "v": 1, "operation": "audit", "target": UNKNOWN, "alternatives": names });
    let audit = request(&store.session, &audit).expect("the log");
    let targets: Vec<&str> = audit["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|item| item["target"].as_str())
        .collect();
    assert_eq!(targets, ["contoso.com/Sales/Tony Smith"]);

    let attempt = json!({ "v": 1, "identity": UNKNOWN, "alternatives": names });
    let signed_in = sign_in(&store, &attempt, "1985848").expect("an attempt");
    assert_eq!(signed_in["outcome"], "changeRequired");
    let error = sign_in(
        &store,
        &json!({ "v": 1, "extension": "4271", "alternatives": names }),
        "1985848",
    );
    assert_eq!(error.expect_err("no identity").code(), ErrorCode::InvalidRequest);
}

#[test]
fn the_first_name_that_is_found_decides_and_what_is_not_found_is_told_whole() {
    let store = Store::with_people();
    let found = |identity: &str, alternatives: &[&str]| {
        let query = json!({ "v": 1, "operation": "mailboxes", "identity": identity, "alternatives": alternatives });
        request(&store.session, &query)
    };
    let first = found("jeffhay", &[TONY]).expect("the first");
    assert_eq!(first["items"][0]["alias"], "jeffhay");
    let error = found(UNKNOWN, &["CN=Nobody,DC=contoso,DC=com", "nobody"]).expect_err("nobody has them");
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    let said = format!("No mailbox \"{UNKNOWN}\", \"CN=Nobody,DC=contoso,DC=com\" or \"nobody\" was found in ");
    assert!(error.message().starts_with(&said), "{}", error.message());
    assert_eq!(error.details()["identity"], UNKNOWN);
    // Found, and refused: a weaker name must not lead to somebody else.
    let error = store
        .reset(json!({ "identity": "jeffhay", "alternatives": [TONY] }), None)
        .map(|reset| reset.response)
        .expect_err("Jeff Hay has no Unified Messaging");
    assert_eq!(error.code(), ErrorCode::MailboxNotUmEnabled);
}

#[test]
fn of_namesakes_the_name_that_only_one_of_them_has_decides() {
    let store = Store::with(NAMESAKES);
    let reset = |identity: &str, alternatives: &[&str]| {
        let fields = json!({ "identity": identity, "alternatives": alternatives, "sendEmail": false });
        store.reset(fields, None).map(|reset| reset.response)
    };
    let second = reset("Yan Li", &[UNKNOWN, "yanli2@contoso.com"]).expect("only one has the address");
    assert_eq!(second["primarySmtpAddress"], "yanli2@contoso.com");
    let error = reset("Yan Li", &[UNKNOWN]).expect_err("two have the name");
    assert_eq!(error.code(), ErrorCode::ManagementObjectAmbiguous);
    assert_eq!(error.details()["count"], 2);

    store.import(PEOPLE).expect("a second import");
    let error = reset("Yan Li", &[TONY]).expect_err("Tony Smith is neither of them");
    assert_eq!(error.code(), ErrorCode::ManagementObjectAmbiguous);
    assert_eq!(store.info(TONY)["lastSet"], Value::Null);
}

#[test]
fn an_object_outside_the_scope_is_not_replaced_by_one_that_a_weaker_name_finds() {
    let store = Store::with_people();
    let session = with_scope(&store, "contoso.com/Sales");
    let jeff = "CN=Jeff Hay,OU=IT,DC=contoso,DC=com";
    let query = |identity: &str, alternatives: &[&str], everywhere: bool| {
        let query = json!({
            "v": 1, "operation": "mailboxes", "identity": identity, "alternatives": alternatives,
            "ignoreDefaultScope": everywhere,
        });
        request(&session, &query)
    };
    let error = query(jeff, &[TONY], false).expect_err("Jeff Hay is outside");
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    // In the whole forest only a distinguished name counts, wherever it stands.
    let found = query(UNKNOWN, &["contoso.com/IT/Jeff Hay", jeff], true).expect("his DN is among them");
    assert_eq!(found["items"][0]["alias"], "jeffhay");
    let error = query(UNKNOWN, &[TONY], true).expect_err("none is a DN");
    assert_eq!(error.code(), ErrorCode::InvalidParameterCombination);
}

fn sign_in(store: &Store, attempt: &Value, pin: &str) -> Result<Value, umpin::session::SharedError> {
    let pin = umpin::pin::Pin::new(pin.to_owned());
    let started = umpin::session::Request::sign_in(&store.session, attempt.to_string().as_bytes(), Some(pin));
    support::answer(started)
}

/// What the C header says of the import file is what an import understands.
#[test]
fn the_columns_that_the_header_names_are_read() {
    let manual = include_str!("../../include/prologue.h").replace("\n *", "");
    let manual = manual.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, list) = manual
        .split_once("those of the LDAP attributes in brackets: ")
        .expect("the list of columns");
    let (list, _) = list.split_once(". ").expect("its end");
    let columns: Vec<&str> = list
        .split(", ")
        .filter_map(|column| column.split_whitespace().next())
        .collect();
    assert!(columns.len() > 10, "{columns:?}");
    let store = Store::empty();
    let cells: Vec<&str> = columns
        .iter()
        .map(|column| match *column {
            "DistinguishedName" => "\"CN=Tony Smith,OU=Sales,DC=contoso,DC=com\"",
            _ => "",
        })
        .collect();
    let answer = store
        .import(&format!("{}\n{}\n", columns.join(","), cells.join(",")))
        .expect("an import");
    assert_eq!(answer["ignoredColumns"], json!([]), "of {columns:?}");
    assert_eq!(answer["mailboxesCreated"], 1);
}
