//! Which mailbox a row is about, what stays of it, and what two mailboxes cannot share.

use crate::support::embedded::{change, find_one, open};
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::directory::{Directory, ImportCounts, Route};
use umpin::identity::Identity;
use umpin::import::{Format, ImportOptions, parse};
use umpin::mailbox::Mailbox;

struct Store {
    directory: EmbeddedDirectory,
    _home: tempfile::TempDir,
}

impl Store {
    /// Filled by the file; whoever is in it has a record that tells whose it is.
    fn new(csv: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let store = Self {
            directory: open(&home.path().join("directory.db")),
            _home: home,
        };
        let counts = store.import(csv);
        assert_eq!(counts.refused, [], "the first import");
        store.mark();
        store
    }

    /// Gives a record to each mailbox that has none: its name.
    fn mark(&self) {
        let page = self
            .directory
            .mailboxes(Default::default(), Route::Preferred, None, 100)
            .expect("a listing");
        for found in page.items {
            let mailbox = found.mailbox;
            if self.record(&mailbox).is_none() {
                let record = mailbox.name.as_bytes();
                self.directory
                    .apply(change(mailbox.object_id, None, record))
                    .expect("a record");
            }
        }
    }

    fn import(&self, csv: &str) -> ImportCounts {
        let plan = parse(csv.as_bytes(), Format::Csv, &ImportOptions::default()).expect("a usable file");
        assert_eq!(plan.errors, [], "{csv}");
        let rehearsed = self.directory.import(&plan, None, true).expect("a rehearsal");
        let counts = self.directory.import(&plan, None, false).expect("an import");
        assert_eq!(counts, rehearsed, "-WhatIf says what happens");
        counts
    }

    /// The reasons for which nothing is imported.
    #[track_caller]
    fn refuses(&self, csv: &str, said: &[&str]) {
        let before = self.names();
        let refused = self.import(csv).refused;
        assert_eq!(refused.len(), 1, "{refused:?}");
        for text in said {
            assert!(
                refused[0].message.contains(text),
                "'{text}' in '{}'",
                refused[0].message
            );
        }
        assert_eq!(self.names(), before, "nothing is changed");
    }

    fn names(&self) -> Vec<String> {
        let page = self
            .directory
            .mailboxes(Default::default(), Route::Preferred, None, 100)
            .expect("a listing");
        page.items.iter().map(|found| found.mailbox.identity()).collect()
    }

    fn record(&self, mailbox: &Mailbox) -> Option<String> {
        let stored = self.directory.credential(mailbox.object_id, None).expect("a mailbox");
        stored.record.map(|record| String::from_utf8(record).expect("a name"))
    }

    /// Whose PIN the mailbox has that is found by this name.
    #[track_caller]
    fn pin_of(&self, identity: &str) -> Option<String> {
        self.record(&find_one(&self.directory, identity))
    }
}

fn told(counts: &ImportCounts) -> (u64, u64, u64) {
    (
        counts.mailboxes_created,
        counts.mailboxes_updated,
        counts.mailboxes_unchanged,
    )
}

const HEADER: &str = "DistinguishedName,Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled,Extensions\n";

fn file(rows: &[(&str, &str, &str, &str)]) -> String {
    let mut text = HEADER.to_owned();
    for (dn, upn, address, extension) in rows {
        let name = dn.split(',').next().unwrap_or_default().trim_start_matches("CN=");
        text +=
            &format!("\"{dn},DC=contoso,DC=com\",{name},{upn}@contoso.com,{address}@contoso.com,True,{extension}\n");
    }
    text
}

const KIM: (&str, &str, &str, &str) = ("CN=Kim,OU=Sales", "kim", "kim", "42711");
const TONY: (&str, &str, &str, &str) = ("CN=Tony,OU=Sales", "tony", "tony", "42710");

#[test]
fn a_user_who_is_renamed_and_moved_keeps_mailbox_and_pin() {
    let store = Store::new(&file(&[KIM, TONY]));
    let counts = store.import(&file(&[("CN=Kim Ralls,OU=Support", "kim", "kim", "42711")]));
    assert_eq!(told(&counts), (0, 1, 0));
    assert_eq!(counts.followed.len(), 1, "{:?}", counts.followed);
    let said = &counts.followed[0].message;
    assert!(
        said.contains("contoso.com/Sales/Kim") && said.contains("contoso.com/Support/Kim Ralls"),
        "{said}"
    );
    assert_eq!(store.pin_of("kim@contoso.com").as_deref(), Some("Kim"));
    assert_eq!(
        store.names(),
        ["contoso.com/Support/Kim Ralls", "contoso.com/Sales/Tony"]
    );
}

#[test]
fn a_new_sign_in_name_or_a_new_address_is_followed_while_the_rest_agrees() {
    let store = Store::new(&file(&[KIM, TONY]));
    assert_eq!(
        told(&store.import(&file(&[("CN=Kim,OU=Sales", "kim.ralls", "kim", "42711")]))),
        (0, 1, 0)
    );
    assert_eq!(
        told(&store.import(&file(&[("CN=Kim,OU=Sales", "kim.ralls", "kim.ralls", "42711")]))),
        (0, 1, 0)
    );
    // In another unit, with another sign-in name: the name and the address are still the same.
    let counts = store.import(&file(&[("CN=Kim,OU=Support", "kralls", "kim.ralls", "42711")]));
    assert_eq!(told(&counts), (0, 1, 0));
    assert_eq!(
        counts.notices.len(),
        1,
        "an address alone is told as a warning: {counts:?}"
    );
    assert_eq!(store.pin_of("kralls@contoso.com").as_deref(), Some("Kim"));
}

#[test]
fn a_file_without_sign_in_names_is_followed_by_the_address() {
    let rows = |dn: &str| format!("DistinguishedName,PrimarySmtpAddress,UMEnabled\n\"{dn}\",kim@contoso.com,True\n");
    let store = Store::new(&rows("CN=Kim,OU=Sales,DC=contoso,DC=com"));
    assert_eq!(
        told(&store.import(&rows("CN=Kim Ralls,OU=Support,DC=contoso,DC=com"))),
        (0, 1, 0)
    );
    assert_eq!(store.pin_of("kim@contoso.com").as_deref(), Some("Kim"));
}

#[test]
fn a_guid_that_comes_later_is_the_same_user_s_and_then_decides() {
    let store = Store::new(&file(&[KIM, TONY]));
    let with_guid = |dn: &str, upn: &str, guid: &str| {
        format!(
            "DistinguishedName,UserPrincipalName,PrimarySmtpAddress,objectGUID,UMEnabled\n\"{dn},DC=contoso,DC=com\",{upn}@contoso.com,{upn}@contoso.com,{guid},True\n"
        )
    };
    let kim = "X'8e0b6f0f22220040800000000000000a'";
    assert_eq!(
        told(&store.import(&with_guid("CN=Kim Ralls,OU=Support", "kim", kim))),
        (0, 1, 0)
    );
    assert_eq!(
        told(&store.import(&with_guid("CN=K,OU=Board", "kralls", kim))),
        (0, 1, 0)
    );
    assert_eq!(store.pin_of("contoso.com/Board/K").as_deref(), Some("Kim"));
    // Another user, who has the sign-in name now: never the PIN of the first.
    let other = "{0f6f0b8e-2222-4000-8000-00000000000b}";
    store.refuses(
        &with_guid("CN=Kim,OU=Sales", "kralls", other),
        &["kralls@contoso.com", "contoso.com/Board/K"],
    );
}

#[test]
fn who_takes_over_the_address_of_somebody_who_left_does_not_get_the_pin() {
    let store = Store::new(&file(&[("CN=Pat,OU=Sales", "pat", "info", "42712"), TONY]));
    store.refuses(
        &file(&[("CN=Jeff,OU=Sales", "jeff", "info", "42713")]),
        &[
            "'info@contoso.com'",
            "contoso.com/Sales/Jeff",
            "contoso.com/Sales/Pat",
            "Remove-UMDirectoryMailbox",
        ],
    );
    // Nor as a secondary address, also where the file has no sign-in names.
    store.refuses(
        "DistinguishedName,EmailAddresses\n\"CN=Jeff,DC=contoso,DC=com\",SMTP:jeff@contoso.com;smtp:info@contoso.com\n",
        &["'info@contoso.com'", "contoso.com/Jeff", "contoso.com/Sales/Pat"],
    );
    // Pat, in the same file, has another address by now.
    let counts = store.import(&file(&[
        ("CN=Jeff,OU=Sales", "jeff", "info", "42713"),
        ("CN=Pat,OU=Sales", "pat", "pat", "42712"),
    ]));
    assert_eq!(told(&counts), (1, 1, 0));
    assert_eq!(store.pin_of("jeff@contoso.com"), None);
    assert_eq!(store.pin_of("pat@contoso.com").as_deref(), Some("Pat"));
}

#[test]
fn swapped_and_chained_names_stay_with_their_users() {
    let store = Store::new(&file(&[KIM, TONY, ("CN=Pat,OU=Sales", "pat", "pat", "42712")]));
    // Addresses.
    let counts = store.import(&file(&[
        ("CN=Kim,OU=Sales", "kim", "tony", "42711"),
        ("CN=Tony,OU=Sales", "tony", "kim", "42710"),
    ]));
    assert_eq!((told(&counts), counts.refused), ((0, 2, 0), vec![]));
    assert_eq!(
        find_one(&store.directory, "contoso.com/Sales/Kim")
            .primary_smtp_address
            .as_deref(),
        Some("tony@contoso.com")
    );
    assert_eq!(told(&store.import(&file(&[KIM, TONY]))), (0, 2, 0), "and back");
    // Distinguished names: Kim takes Tony's, who moves on.
    let counts = store.import(&file(&[
        ("CN=Tony,OU=Sales", "kim", "kim", "42711"),
        ("CN=Pat,OU=Sales", "tony", "tony", "42710"),
        ("CN=Pat,OU=Board", "pat", "pat", "42712"),
    ]));
    assert_eq!((told(&counts), counts.refused), ((0, 3, 0), vec![]));
    for (upn, whose) in [("kim", "Kim"), ("tony", "Tony"), ("pat", "Pat")] {
        assert_eq!(store.pin_of(&format!("{upn}@contoso.com")).as_deref(), Some(whose));
    }
    // Extensions.
    let counts = store.import(&file(&[
        ("CN=Tony,OU=Sales", "kim", "kim", "42710"),
        ("CN=Pat,OU=Sales", "tony", "tony", "42711"),
    ]));
    assert_eq!((told(&counts), counts.refused), ((0, 2, 0), vec![]));
    // Tony's name is taken, and Tony is not in the file.
    store.refuses(
        &file(&[("CN=Pat,OU=Sales", "kim", "kim", "42710")]),
        &["distinguished name", "contoso.com/Sales/Pat"],
    );
}

#[test]
fn two_rows_never_become_one_mailbox() {
    let store = Store::new(&file(&[KIM, TONY]));
    store.refuses(
        &file(&[
            ("CN=Kim,OU=Board", "kim", "kim2", "1"),
            ("CN=Kim,OU=Support", "kim", "kim3", "2"),
        ]),
        &["Line 2", "'kim@contoso.com'", "contoso.com/Support/Kim"],
    );
}

#[test]
fn two_mailboxes_share_neither_name_nor_address_nor_extension() {
    let store = Store::new(&file(&[KIM, TONY]));
    store.refuses(
        &file(&[("CN=New,OU=Sales", "tony", "new", "9"), TONY]),
        &["user principal name 'tony@contoso.com'"],
    );
    store.refuses(
        &file(&[("CN=New,OU=Sales", "new", "tony", "9"), TONY]),
        &["address 'tony@contoso.com'", "Sales/Tony"],
    );
    store.refuses(
        &file(&[("CN=New,OU=Sales", "new", "new", "42710")]),
        &["extension '42710'", "Sales/New", "Sales/Tony"],
    );
    store.refuses(
        &file(&[("CN=A,OU=Sales", "a", "a", "77"), ("CN=B,OU=Sales", "b", "b", "77")]),
        &["Line 2", "extension '77'", "Sales/A", "Sales/B"],
    );
    let legacy = |name: &str, plan: &str| {
        format!(
            "DistinguishedName,LegacyExchangeDN,Extensions\n\"CN={name},DC=contoso,DC=com\",/o=Contoso/cn=x,5@{plan}\n"
        )
    };
    assert_eq!(told(&store.import(&legacy("C", "Redmond"))), (1, 0, 0));
    store.refuses(
        &legacy("D", "Seattle"),
        &["legacyExchangeDN", "contoso.com/C", "contoso.com/D"],
    );
    let secondary =
        "DistinguishedName,EmailAddresses\n\"CN=E,DC=contoso,DC=com\",SMTP:e@contoso.com;smtp:TONY@contoso.com\n";
    store.refuses(secondary, &["address 'tony@contoso.com'", "Sales/Tony"]);
    // The same number in another dial plan is another extension.
    let other = "DistinguishedName,Extensions\n\"CN=F,DC=contoso,DC=com\",5@Seattle\n";
    assert_eq!(told(&store.import(other)), (1, 0, 0));
}

#[test]
fn what_the_file_has_no_column_for_stays_and_an_empty_cell_clears() {
    let whole = "DistinguishedName,DisplayName,Alias,SamAccountName,UserPrincipalName,PrimarySmtpAddress,EmailAddresses,LegacyExchangeDN,UMEnabled,Extensions,UMMailboxPolicy,PreferredLanguage\n\
        \"CN=Kim,DC=contoso,DC=com\",Kim Akers,kima,kakers,kim@contoso.com,kim@contoso.com,SMTP:kim@contoso.com;smtp:ka@contoso.com;eum:42711;phone-context=Redmond,/o=Contoso/cn=kim,True,42799,Voice,de\n";
    let store = Store::new(whole);
    let before = find_one(&store.directory, "kima");
    for columns in ["DistinguishedName", "UserPrincipalName", "PrimarySmtpAddress"] {
        let value = if columns == "DistinguishedName" {
            "\"cn=kim, dc=contoso, dc=com\""
        } else {
            "kim@contoso.com"
        };
        let counts = store.import(&format!("{columns},DisplayName\n{value},Kim\n"));
        assert_eq!(told(&counts), (0, 1, 0), "{columns}");
        let mut after = find_one(&store.directory, "kima");
        assert_eq!(after.display_name.as_deref(), Some("Kim"));
        after.display_name.clone_from(&before.display_name);
        after.distinguished_name.clone_from(&before.distinguished_name);
        assert_eq!(
            Mailbox {
                name: before.name.clone(),
                ..after
            },
            before,
            "{columns}"
        );
        store.import(&format!("{columns},DisplayName\n{value},Kim Akers\n"));
    }
    // The primary address alone: the others stay.
    let counts = store.import("UserPrincipalName,PrimarySmtpAddress\nkim@contoso.com,ralls@contoso.com\n");
    let names: Vec<_> = counts.changes[0].properties.iter().map(|p| p.name()).collect();
    assert_eq!(names, ["PrimarySmtpAddress", "EmailAddresses"]);
    let after = find_one(&store.directory, "kima");
    assert_eq!(
        after.email_addresses,
        [
            "SMTP:ralls@contoso.com",
            "smtp:ka@contoso.com",
            "eum:42711;phone-context=Redmond"
        ]
    );
    assert_eq!(after.extensions, before.extensions);
    // The addresses alone: the primary one is that of the list, and the extensions of the old list go with it.
    store.import(
        "UserPrincipalName,EmailAddresses\nkim@contoso.com,smtp:ralls@contoso.com;eum:42712;phone-context=Redmond\n",
    );
    let after = find_one(&store.directory, "kima");
    assert_eq!(after.primary_smtp_address.as_deref(), Some("ralls@contoso.com"));
    let numbers: Vec<_> = after.extensions.iter().map(|e| e.number.as_str()).collect();
    assert_eq!(numbers, ["42712", "42799"]);
    // Empty cells.
    let counts = store
        .import("UserPrincipalName,DisplayName,Alias,UMEnabled,Extensions,PreferredLanguage\nkim@contoso.com,,,,,\n");
    assert_eq!(
        counts.properties.keys().map(|p| p.name()).collect::<Vec<_>>(),
        [
            "DisplayName",
            "Alias",
            "EmailAddresses",
            "UMEnabled",
            "Extensions",
            "PreferredLanguage"
        ]
    );
    let after = find_one(&store.directory, "kim@contoso.com");
    assert_eq!(
        (
            after.display_name,
            after.alias,
            after.um_enabled,
            after.extensions.len()
        ),
        (None, None, false, 0)
    );
    assert_eq!(after.um_mailbox_policy.as_deref(), Some("Voice"));
}

#[test]
fn a_policy_is_made_only_where_a_mailbox_needs_it() {
    let store = Store::new("DistinguishedName,UMEnabled,UMMailboxPolicy\n\"CN=Kim,DC=contoso,DC=com\",True,Voice\n");
    let counts = store.import("DistinguishedName,UMEnabled\n\"CN=Kim,DC=contoso,DC=com\",True\n");
    assert_eq!((told(&counts), counts.policies_created.len()), ((0, 0, 1), 0));
    // The column is there, and empty: the default it is.
    let counts = store.import("DistinguishedName,UMMailboxPolicy\n\"CN=Kim,DC=contoso,DC=com\",\n");
    assert_eq!(
        (told(&counts), counts.policies_created),
        ((0, 1, 0), vec!["Default".to_owned()])
    );
    assert_eq!(
        find_one(&store.directory, "Kim").um_mailbox_policy.as_deref(),
        Some("Default")
    );
}

#[test]
fn a_new_mailbox_needs_a_name() {
    let store = Store::new(&file(&[KIM]));
    store.refuses(
        "UserPrincipalName,Extensions\nnew@contoso.com,5\n",
        &["'new@contoso.com'", "Name"],
    );
    let found = store.directory.find(
        &Identity::parse("new@contoso.com").expect("an identity"),
        Route::Preferred,
    );
    assert_eq!(found.expect("an answer").count, 0);
}
