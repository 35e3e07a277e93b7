//! Truncated results, and results wider than the identity.

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::scripted::Action;
use crate::scripted_forest::{MailboxRequest, ScriptedForest, TONY, mailbox, mailbox_requests};
use umpin_core::directory::{Directory as _, Route};
use umpin_core::mailbox::ObjectId;

const SIZE_LIMIT_EXCEEDED: u32 = 4;

#[test]
fn a_truncated_result_is_counted_page_by_page() {
    let forest = ScriptedForest::new();
    let pages = AtomicU8::new(0);
    let controller = forest.controller(move |asked| {
        let person = |n: u8| mailbox(ObjectId([n; 16]), &format!("Tony {n:02}"), None, None);
        match asked {
            MailboxRequest::Search => vec![person(1), Action::Done(SIZE_LIMIT_EXCEEDED, "")],
            MailboxRequest::Page => {
                let page = pages.fetch_add(1, Ordering::SeqCst);
                let first = page * 10 + 1;
                let mut answer: Vec<Action> = (first..first + 10).map(person).collect();
                answer.push(Action::Page(if page < 2 { b"more".to_vec() } else { Vec::new() }));
                answer
            }
            _ => vec![Action::Done(0, "")],
        }
    });
    let directory = forest.directory(&[&controller]);
    let matches = directory
        .find(&Identity::parse("tony").expect("an identity"), Route::Preferred)
        .expect("an answer");
    assert_eq!((matches.count, matches.found.len()), (30, 11));
    assert_eq!(matches.found[0].mailbox.name, "Tony 01");
    assert_eq!(
        mailbox_requests(&controller),
        [
            MailboxRequest::Search,
            MailboxRequest::Page,
            MailboxRequest::Page,
            MailboxRequest::Page
        ]
    );
}

#[test]
fn extra_matches_of_the_server_are_ignored() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|_| {
        vec![
            mailbox(TONY, "Tony Smith", None, None),
            mailbox(ObjectId([9; 16]), "Toni Smith", None, None),
            Action::Reference("ldap://fabrikam.com/DC=fabrikam,DC=com"),
            Action::Done(0, ""),
        ]
    });
    let directory = forest.directory(&[&controller]);
    let find = |text: &str| {
        let identity = Identity::parse(text).expect("an identity");
        directory.find(&identity, Route::Preferred).expect("an answer")
    };
    assert_eq!(find("TONY SMITH").found[0].mailbox.object_id, TONY);
    assert_eq!(find("TONY SMITH").count, 1);
    assert_eq!(find("Töny Smith").count, 0);
    let found = directory
        .find_by_object_id(ObjectId([9; 16]), Route::Preferred)
        .expect("an answer");
    assert_eq!(found.expect("a mailbox").mailbox.name, "Toni Smith");
}
