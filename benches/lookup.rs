//! What finding a mailbox costs in a small and in a large directory, in one run: `cargo bench --bench lookup`.
//!
//! Every identity form is one search of one index, so a thousand times more mailboxes should cost a few more pages, not a
//! thousand times the time. Filling the large directory takes a few minutes; another size can be given:
//! `cargo bench --bench lookup -- 100000`.

use std::path::Path;
use std::time::Instant;

use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{Directory, Route};
use umpin::identity::{DistinguishedName, Identity};
use umpin::import::{ImportPlan, MailboxRow, PolicyRow, Properties};
use umpin::mailbox::MailboxProperties;
use umpin::policy::UmMailboxPolicy;

const SMALL: u64 = 1_000;
const LARGE: u64 = 1_000_000;
const LOOKUPS: u64 = 2_000;

/// How a user is named.
type Form = fn(u64) -> String;

fn row(n: u64) -> MailboxRow {
    let dn = format!("CN=User {n},OU=Unit {},DC=contoso,DC=com", n % 97);
    MailboxRow {
        line: n + 2,
        given: Properties::ALL,
        mailbox: MailboxProperties {
            object_id: (),
            um_mailbox_policy_link: None,
            guid: None,
            distinguished_name: DistinguishedName::parse(&dn),
            name: format!("User {n}"),
            display_name: None,
            alias: Some(format!("user{n}")),
            sam_account_name: Some(format!("u{n}")),
            user_principal_name: Some(format!("user{n}@corp.contoso.com")),
            primary_smtp_address: Some(format!("user{n}@contoso.com")),
            email_addresses: vec![format!("SMTP:user{n}@contoso.com"), format!("smtp:u{n}@fabrikam.com")],
            legacy_exchange_dn: Some(format!("/o=Contoso/ou=Main/cn=Recipients/cn=user{n}")),
            um_enabled: true,
            extensions: Vec::new(),
            um_mailbox_policy: Some("Default".to_owned()),
            preferred_language: None,
        },
    }
}

fn filled(home: &Path, count: u64) -> EmbeddedDirectory {
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(home.join(format!("{count}.db"))));
    let plan = ImportPlan {
        mailboxes: (0..count).map(row).collect(),
        policies: vec![PolicyRow {
            line: 2,
            guid: None,
            distinguished_name: None,
            settings: UmMailboxPolicy::with_defaults("Default"),
            described: false,
        }],
        ..ImportPlan::default()
    };
    let start = Instant::now();
    let counts = directory.import(&plan, None, false).expect("the import");
    assert_eq!(counts.mailboxes_created, count, "{:?}", counts.refused);
    println!("{count} mailboxes imported in {:.1} s", start.elapsed().as_secs_f64());
    directory
}

/// The median time of a look-up in microseconds.
fn lookup(directory: &EmbeddedDirectory, count: u64, form: Form) -> f64 {
    let mut times: Vec<f64> = (0..LOOKUPS)
        .map(|n| {
            // Spread over the whole directory, and the same for every run.
            let user = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % count;
            let identity = Identity::parse(&form(user)).expect("an identity");
            let start = Instant::now();
            let found = directory.find(&identity, Route::Preferred).expect("a look-up");
            assert_eq!(found.count, 1, "user {user}");
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let large = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(LARGE);
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let directories = [(SMALL, filled(home.path(), SMALL)), (large, filled(home.path(), large))];
    let forms: [(&str, Form); 5] = [
        ("e-mail address", |n| format!("U{n}@Fabrikam.com")),
        ("distinguished name", |n| {
            format!("cn=User {n}, ou=Unit {}, dc=contoso, dc=com", n % 97)
        }),
        ("canonical name", |n| format!("contoso.com/Unit {}/User {n}", n % 97)),
        ("DOMAIN\\account", |n| format!("CONTOSO\\u{n}")),
        ("alias", |n| format!("user{n}")),
    ];
    println!(
        "{:20} {:>14} {:>14} {:>8}",
        "look-up by",
        format!("among {SMALL}"),
        format!("among {large}"),
        "ratio"
    );
    for (name, form) in forms {
        let [small, large] = [0, 1].map(|n| lookup(&directories[n].1, directories[n].0, form));
        println!("{name:20} {small:11.1} us {large:11.1} us {:8.2}", large / small);
    }
}
