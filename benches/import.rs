//! How long an import of changed rows keeps others out: the longest time for which the store is locked for one alone, and the longest
//! wait of what a sign-in does.
//!
//! `cargo bench --bench import [-- ROWS]`; 100,000 rows unless given.
#![allow(missing_docs)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{Directory, Route};
use umpin::identity::{DistinguishedName, Identity};
use umpin::import::{ImportPlan, MailboxRow, PolicyRow, Properties};
use umpin::mailbox::{Extension, MailboxProperties};
use umpin::policy::UmMailboxPolicy;

fn row(n: u64, domain: &str) -> MailboxRow {
    let alias = format!("user{n}");
    MailboxRow {
        line: n + 2,
        given: Properties::ALL,
        mailbox: MailboxProperties {
            object_id: (),
            um_mailbox_policy_link: None,
            guid: None,
            distinguished_name: DistinguishedName::parse(&format!("CN=User {n},OU=Sales,DC=contoso,DC=com")),
            name: format!("User {n}"),
            display_name: Some(format!("User {n} of {domain}")),
            alias: Some(alias.clone()),
            sam_account_name: Some(alias.clone()),
            user_principal_name: Some(format!("{alias}@contoso.com")),
            primary_smtp_address: Some(format!("{alias}@{domain}")),
            email_addresses: vec![format!("SMTP:{alias}@{domain}"), format!("smtp:{alias}@mail.{domain}")],
            legacy_exchange_dn: Some(format!("/o=Contoso/cn=Recipients/cn={alias}")),
            um_enabled: true,
            extensions: vec![Extension {
                number: (100_000 + n).to_string(),
                dial_plan: Some(domain.to_owned()),
            }],
            um_mailbox_policy: Some("Default".to_owned()),
            preferred_language: None,
        },
    }
}

fn plan(rows: u64, domain: &str) -> ImportPlan {
    ImportPlan {
        mailboxes: (0..rows).map(|n| row(n, domain)).collect(),
        policies: vec![PolicyRow {
            line: 1,
            guid: None,
            distinguished_name: None,
            settings: UmMailboxPolicy::with_defaults("Default"),
            described: false,
        }],
        ..ImportPlan::default()
    }
}

/// The longest time for which nobody else could have the lock.
fn longest_hold(lock: &Path, done: &AtomicBool) -> Duration {
    let file = File::open(lock).expect("the lock file");
    let (mut longest, mut since) = (Duration::ZERO, None);
    while !done.load(Ordering::SeqCst) {
        if file.try_lock_shared().is_ok() {
            let _ = file.unlock();
            if let Some(begun) = since.take().map(|begun: Instant| begun.elapsed()) {
                longest = longest.max(begun);
            }
        } else {
            since.get_or_insert_with(Instant::now);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    longest
}

/// What an attempt to sign in does: a look-up, then a change that is synced.
fn longest_wait(store: &Path, done: &AtomicBool) -> (Duration, u64) {
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(store));
    let somebody = Identity::parse("user7@contoso.com").expect("an identity");
    let (mut longest, mut count) = (Duration::ZERO, 0);
    while !done.load(Ordering::SeqCst) {
        let begun = Instant::now();
        directory.find(&somebody, Route::Preferred).expect("an answer");
        directory.dummy_write(Route::Preferred).expect("a change");
        longest = longest.max(begun.elapsed());
        count += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    (longest, count)
}

fn main() {
    let rows = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(100_000);
    let home = tempfile::tempdir().expect("a folder");
    let store: PathBuf = home.path().join("directory.db");
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(&store));
    let begun = Instant::now();
    directory
        .import(&plan(rows, "contoso.com"), None, false)
        .expect("the first import");
    println!("first import of {rows} rows: {:?}", begun.elapsed());
    let changed = plan(rows, "fabrikam.com");
    let (done, lock) = (AtomicBool::new(false), home.path().join("directory.db.lock"));
    std::thread::scope(|scope| {
        let hold = scope.spawn(|| longest_hold(&lock, &done));
        let wait = scope.spawn(|| longest_wait(&store, &done));
        let begun = Instant::now();
        let counts = directory.import(&changed, None, false).expect("an import");
        let took = begun.elapsed();
        done.store(true, Ordering::SeqCst);
        let (wait, signed_in) = wait.join().expect("no panic");
        println!(
            "{} changed rows: {took:?}; longest exclusive hold {:?}; longest wait {wait:?} of {signed_in} sign-ins",
            counts.mailboxes_updated,
            hold.join().expect("no panic")
        );
    });
}
