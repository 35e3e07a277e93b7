//! Answers that are cut, and answers that say too much.

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::scripted::Act;
use crate::scripted_forest::{Asked, Ground, TONY, heard, mailbox};
use umpin_core::directory::{Directory as _, Route};
use umpin_core::mailbox::ObjectId;

const SIZE_LIMIT_EXCEEDED: u32 = 4;

#[test]
fn what_a_server_does_not_give_at_once_is_counted_page_by_page() {
    let ground = Ground::new();
    let pages = AtomicU8::new(0);
    let controller = ground.controller(move |asked| {
        let person = |n: u8| mailbox(ObjectId([n; 16]), &format!("Tony {n:02}"), None, None);
        match asked {
            Asked::Search => vec![person(1), Act::Done(SIZE_LIMIT_EXCEEDED, "")],
            Asked::Page => {
                let page = pages.fetch_add(1, Ordering::SeqCst);
                let first = page * 10 + 1;
                let mut answer: Vec<Act> = (first..first + 10).map(person).collect();
                answer.push(Act::Page(if page < 2 { b"more".to_vec() } else { Vec::new() }));
                answer
            }
            _ => vec![Act::Done(0, "")],
        }
    });
    let directory = ground.directory(&[&controller]);
    let matches = directory
        .find(&Identity::parse("tony").expect("an identity"), Route::Preferred)
        .expect("an answer");
    assert_eq!((matches.count, matches.found.len()), (30, 11));
    assert_eq!(matches.found[0].mailbox.name, "Tony 01");
    assert_eq!(
        heard(&controller),
        [Asked::Search, Asked::Page, Asked::Page, Asked::Page]
    );
}

#[test]
fn whoever_the_server_finds_besides_is_not_found() {
    let ground = Ground::new();
    let controller = ground.controller(|_| {
        vec![
            mailbox(TONY, "Tony Smith", None, None),
            mailbox(ObjectId([9; 16]), "Toni Smith", None, None),
            Act::Reference("ldap://fabrikam.com/DC=fabrikam,DC=com"),
            Act::Done(0, ""),
        ]
    });
    let directory = ground.directory(&[&controller]);
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
