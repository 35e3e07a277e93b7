//! What imports do to mailboxes, policies and records.

use std::time::{Duration, Instant};

use crate::support::embedded::*;
use umpin::directory::{Directory, Route};
use umpin::identity::{DistinguishedName, Identity};
use umpin::import::PolicyRow;
use umpin::policy::{Limit, UmMailboxPolicy};
use uuid::Uuid;

#[test]
fn importing_again_keeps_records_and_ids() {
    let (_home, path) = store(5);
    let directory = open(&path);
    let before = find_one(&directory, "User 3");
    directory.apply(change(before.object_id, None, b"record")).unwrap();
    let id = directory.store_id().unwrap();

    let counts = directory.import(&plan(rows(5)), None, false).unwrap();
    assert_eq!(
        (
            counts.mailboxes_created,
            counts.mailboxes_updated,
            counts.mailboxes_unchanged
        ),
        (0, 0, 5)
    );
    assert!(counts.policies_created.is_empty() && counts.policies_updated.is_empty());

    let mut many = rows(6);
    many[3].mailbox.distinguished_name = DistinguishedName::parse("cn=USER 3, ou=sales, dc=contoso, dc=com");
    many[3].mailbox.alias = Some("tony".to_owned());
    many[3].mailbox.email_addresses = vec!["SMTP:tony@contoso.com".to_owned()];
    many[3].mailbox.extensions.clear();
    let rehearsed = directory.import(&plan(many.clone()), None, true).unwrap();
    assert_eq!(find_one(&directory, "User 3"), before);
    let counts = directory.import(&plan(many), None, false).unwrap();
    assert_eq!(counts, rehearsed);
    assert_eq!(
        (
            counts.mailboxes_created,
            counts.mailboxes_updated,
            counts.mailboxes_unchanged
        ),
        (1, 1, 4)
    );
    let after = find_one(&directory, "TONY@contoso.com");
    assert_eq!((after.object_id, after.guid), (before.object_id, before.guid));
    assert!(after.extensions.is_empty());
    assert_eq!(
        directory
            .find(&Identity::parse("user.3@fabrikam.com").unwrap(), Route::Preferred)
            .unwrap()
            .count,
        0
    );
    assert_eq!(
        directory.credential(after.object_id, None).unwrap().record.as_deref(),
        Some(&b"record"[..])
    );
    assert_eq!(directory.store_id().unwrap(), id);
}

#[test]
fn the_user_s_languages_are_kept_until_the_file_says_otherwise() {
    let (_home, path) = store(1);
    let directory = open(&path);
    assert_eq!(find_one(&directory, "User 0").preferred_language, None);
    for languages in [Some("de-AT, en;q=0.8"), Some("fr"), None] {
        let mut one = rows(1);
        one[0].mailbox.preferred_language = languages.map(str::to_owned);
        let counts = directory.import(&plan(one), None, false).unwrap();
        assert_eq!(counts.mailboxes_updated, 1);
        assert_eq!(find_one(&directory, "User 0").preferred_language.as_deref(), languages);
    }
}

#[test]
fn a_mailbox_is_followed_by_its_guid_and_its_pin_goes_to_nobody_else() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("directory.db");
    let directory = open(&path);
    let (a, b) = (Uuid::from_u128(0xa), Uuid::from_u128(0xb));
    // First imported without GUIDs; they come with the second file.
    directory.import(&plan(rows(2)), None, false).unwrap();
    let mut many = rows(2);
    many[0].mailbox.guid = Some(a);
    many[1].mailbox.guid = Some(b);
    let counts = directory.import(&plan(many.clone()), None, false).unwrap();
    assert_eq!((counts.mailboxes_created, counts.mailboxes_updated), (0, 2));
    let ids = (
        find_one(&directory, "User 0").object_id,
        find_one(&directory, "User 1").object_id,
    );
    // The two swap their names.
    let dn = many[0].mailbox.distinguished_name.clone();
    many[0].mailbox.distinguished_name = many[1].mailbox.distinguished_name.clone();
    many[1].mailbox.distinguished_name = dn;
    let counts = directory.import(&plan(many.clone()), None, false).unwrap();
    assert_eq!((counts.mailboxes_updated, counts.refused.len()), (2, 0));
    assert_eq!(find_one(&directory, &a.to_string()).object_id, ids.0);
    assert_eq!(find_one(&directory, "contoso.com/Sales/User 0").object_id, ids.1);
    // A newcomer takes the name of one who moves away, his row standing first.
    let mut newcomer = row(1, "Newcomer");
    newcomer.mailbox.distinguished_name = many[0].mailbox.distinguished_name.clone();
    newcomer.mailbox.guid = Some(Uuid::from_u128(0xc));
    many[0].mailbox.distinguished_name = DistinguishedName::parse("CN=Moved,DC=contoso,DC=com");
    let counts = directory
        .import(&plan(vec![newcomer.clone(), many[0].clone()]), None, false)
        .unwrap();
    assert_eq!((counts.mailboxes_created, counts.mailboxes_updated), (1, 1));
    assert_eq!(find_one(&directory, "contoso.com/Moved").object_id, ids.0);
    // Nobody moved the one whose name this row wants.
    let mut newcomer = row(9, "Another");
    newcomer.mailbox.distinguished_name = DistinguishedName::parse("CN=Moved,DC=contoso,DC=com");
    newcomer.mailbox.guid = Some(Uuid::from_u128(0xd));
    let counts = directory.import(&plan(vec![newcomer]), None, false).unwrap();
    assert_eq!(counts.refused.len(), 1);
    assert_eq!(
        directory
            .find(
                &Identity::parse(&Uuid::from_u128(0xd).to_string()).unwrap(),
                Route::Preferred
            )
            .unwrap()
            .count,
        0
    );
}

#[test]
fn rows_without_guid_and_dn_are_matched_by_upn() {
    let (_home, path) = store(3);
    let directory = open(&path);
    let before = find_one(&directory, "User 1");
    let mut one = row(3, "Renamed");
    one.mailbox.distinguished_name = None;
    one.mailbox.user_principal_name = Some("USER.1@upn.contoso.com".to_owned());
    let counts = directory.import(&plan(vec![one]), None, false).unwrap();
    assert_eq!((counts.mailboxes_created, counts.mailboxes_updated), (0, 1));
    let after = find_one(&directory, "Renamed");
    assert_eq!(after.object_id, before.object_id);
    assert_eq!(after.distinguished_name, before.distinguished_name);
}

#[test]
fn a_refused_row_keeps_the_whole_file_out() {
    let (home, path) = store(1);
    let mut twice = rows(4);
    twice[2].mailbox.guid = Some(Uuid::from_u128(7));
    twice[3].mailbox.guid = Some(Uuid::from_u128(7));
    twice.push(row(9, "User 1"));
    for (path, exists) in [(path.clone(), true), (home.path().join("new.db"), false)] {
        let directory = open(&path);
        for dry_run in [true, false] {
            let counts = directory.import(&plan(twice.clone()), None, dry_run).unwrap();
            let lines: Vec<u64> = counts.refused.iter().map(|p| p.line).collect();
            assert_eq!(lines, [5, 9]);
            assert!(counts.refused[0].message.contains("Line 4"), "{:?}", counts.refused);
        }
        assert_eq!(path.exists(), exists);
        if exists {
            assert_eq!(
                directory
                    .find(&Identity::parse("User 1").unwrap(), Route::Preferred)
                    .unwrap()
                    .count,
                0
            );
        }
    }
    let _ = twice.split_off(3);
    assert_eq!(
        open(&path).import(&plan(twice), None, false).unwrap().mailboxes_created,
        2
    );
}

#[test]
fn policies_are_updated_only_where_the_file_describes_them() {
    let (_home, path) = store(1);
    let directory = open(&path);
    let mut settings = UmMailboxPolicy::with_defaults("DEFAULT");
    settings.pin_lifetime_days = Limit::Unlimited;
    settings.min_pin_length = 8;
    let mut plan = plan(Vec::new());
    plan.policies = vec![PolicyRow {
        line: 1,
        guid: Some(Uuid::from_u128(5)),
        distinguished_name: Some("CN=Default,DC=contoso,DC=com".to_owned()),
        settings: settings.clone(),
        described: true,
    }];
    let counts = directory.import(&plan, None, false).unwrap();
    assert_eq!(counts.policies_updated, ["DEFAULT"]);
    let stored = directory.policy("default", Route::Preferred).unwrap().unwrap();
    assert_eq!((stored.guid, &stored.settings), (Uuid::from_u128(5), &settings));
    plan.policies[0].described = false;
    plan.policies[0].settings.min_pin_length = 4;
    directory.import(&plan, None, false).unwrap();
    assert_eq!(directory.policies(Route::Preferred).unwrap(), [stored]);
    assert_eq!(directory.policy("other", Route::Preferred).unwrap(), None);
}

#[test]
fn ten_thousand_rows_take_seconds() {
    let begin = Instant::now();
    let (_home, path) = store(10_000);
    let directory = open(&path);
    let counts = directory.import(&plan(rows(10_000)), None, false).unwrap();
    assert_eq!(counts.mailboxes_unchanged, 10_000);
    let elapsed = begin.elapsed();
    eprintln!("twice 10,000 rows: {elapsed:?}");
    assert!(elapsed < Duration::from_secs(60), "{elapsed:?}");
}
