//! Listings whose server goes away.

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::scripted::Act;
use crate::scripted_forest::{Asked, Ground, TONY, heard, mailbox, named};
use umpin_core::directory::Directory as _;

const ALL: MailboxFilter = MailboxFilter { um_enabled_only: false };

fn page(cookie: &[u8]) -> Vec<Act> {
    vec![mailbox(TONY, "Tony Smith", None, None), Act::Page(cookie.to_vec())]
}

#[test]
fn a_page_is_not_continued_elsewhere() {
    let ground = Ground::new();
    let pages = AtomicU8::new(0);
    let first = ground.controller(move |_| match pages.fetch_add(1, Ordering::SeqCst) {
        0 => page(b"more"),
        _ => vec![Act::Close],
    });
    let other = ground.controller(|_| page(b""));
    let directory = ground.directory(&[&first, &other]);
    let begun = directory.mailboxes(ALL, Route::Preferred, None, 1).expect("a page");
    let cursor = begun.next.expect("more");
    let error = directory
        .mailboxes(ALL, Route::Preferred, Some(&cursor), 1)
        .expect_err("the server is gone");
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{error:?}");
    assert!(error.recommended_action().contains("from the beginning"), "{error:?}");
    assert_eq!(heard(&other), [], "which would not know the cookie");
}

#[test]
fn the_first_page_is_given_by_whoever_can() {
    let ground = Ground::new();
    let first = ground.controller(|_| vec![Act::Done(51, "")]);
    let other = ground.controller(|_| page(b""));
    let directory = ground.directory(&[&first, &other]);
    let begun = directory.mailboxes(ALL, Route::Preferred, None, 1).expect("a page");
    assert_eq!(begun.items[0].controller, Some(named(&other)));
    assert!(begun.next.is_none());
    let pinned = directory.mailboxes(ALL, Route::Controller(&named(&first)), None, 1);
    assert_eq!(pinned.expect_err("busy").code(), ErrorCode::DirectoryUnavailable);
    assert!(heard(&other).iter().all(|asked| *asked == Asked::Page));
}

#[test]
fn a_page_that_a_limit_cut_never_ends_the_list() {
    for code in [3, 4, 11] {
        let cut = move || vec![mailbox(TONY, "Tony Smith", None, None), Act::Done(code, "limit")];
        for is_first in [true, false] {
            let ground = Ground::new();
            let pages = AtomicU8::new(u8::from(is_first));
            let controller = ground.controller(move |_| match pages.fetch_add(1, Ordering::SeqCst) {
                0 => page(b"more"),
                _ => cut(),
            });
            let directory = ground.directory(&[&controller]);
            let mut listed = directory.mailboxes(ALL, Route::Preferred, None, 10);
            if !is_first {
                let cursor = listed.expect("a page").next.expect("more");
                listed = directory.mailboxes(ALL, Route::Preferred, Some(&cursor), 10);
            }
            let error = listed.expect_err("a shorter list is no list");
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{code}: {error:?}");
            assert_eq!(error.details()["ldapCode"], code, "{error:?}");
            assert!(error.message().contains("a limit of its own"), "{code}: {error:?}");
        }
    }
}
