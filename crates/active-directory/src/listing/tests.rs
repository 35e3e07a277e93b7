//! Listings whose server becomes unavailable.

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::scripted::Action;
use crate::scripted_forest::{MailboxRequest, ScriptedForest, TONY, host_of, mailbox, mailbox_requests};
use umpin_core::directory::Directory as _;

const ALL: MailboxFilter = MailboxFilter { um_enabled_only: false };

fn page(cookie: &[u8]) -> Vec<Action> {
    vec![mailbox(TONY, "Tony Smith", None, None), Action::Page(cookie.to_vec())]
}

#[test]
fn a_listing_does_not_continue_on_another_server() {
    let forest = ScriptedForest::new();
    let pages = AtomicU8::new(0);
    let first = forest.controller(move |_| match pages.fetch_add(1, Ordering::SeqCst) {
        0 => page(b"more"),
        _ => vec![Action::Close],
    });
    let other = forest.controller(|_| page(b""));
    let directory = forest.directory(&[&first, &other]);
    let begun = directory.mailboxes(ALL, Route::Preferred, None, 1).expect("a page");
    let cursor = begun.next.expect("more");
    let error = directory
        .mailboxes(ALL, Route::Preferred, Some(&cursor), 1)
        .expect_err("the server is gone");
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{error:?}");
    assert!(error.recommended_action().contains("from the beginning"), "{error:?}");
    assert_eq!(mailbox_requests(&other), [], "another server does not know the cookie");
}

#[test]
fn the_first_page_fails_over() {
    let forest = ScriptedForest::new();
    let first = forest.controller(|_| vec![Action::Done(51, "")]);
    let other = forest.controller(|_| page(b""));
    let directory = forest.directory(&[&first, &other]);
    let begun = directory.mailboxes(ALL, Route::Preferred, None, 1).expect("a page");
    assert_eq!(begun.items[0].controller, Some(host_of(&other)));
    assert!(begun.next.is_none());
    let pinned = directory.mailboxes(ALL, Route::Controller(&host_of(&first)), None, 1);
    assert_eq!(pinned.expect_err("busy").code(), ErrorCode::DirectoryUnavailable);
    assert!(
        mailbox_requests(&other)
            .iter()
            .all(|asked| *asked == MailboxRequest::Page)
    );
}

#[test]
fn a_truncated_page_does_not_end_the_list() {
    for code in [3, 4, 11] {
        let truncated = move || vec![mailbox(TONY, "Tony Smith", None, None), Action::Done(code, "limit")];
        for is_first in [true, false] {
            let forest = ScriptedForest::new();
            let pages = AtomicU8::new(u8::from(is_first));
            let controller = forest.controller(move |_| match pages.fetch_add(1, Ordering::SeqCst) {
                0 => page(b"more"),
                _ => truncated(),
            });
            let directory = forest.directory(&[&controller]);
            let mut listed = directory.mailboxes(ALL, Route::Preferred, None, 10);
            if !is_first {
                let cursor = listed.expect("a page").next.expect("more");
                listed = directory.mailboxes(ALL, Route::Preferred, Some(&cursor), 10);
            }
            let error = listed.expect_err("a truncated list is an error");
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{code}: {error:?}");
            assert_eq!(error.details()["ldapCode"], code, "{error:?}");
            assert!(error.message().contains("a limit of its own"), "{code}: {error:?}");
        }
    }
}
