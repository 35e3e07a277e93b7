//! Paged listings: each mailbox once, on a connection that is kept between pages.

use std::collections::BTreeMap;

use umpin::ErrorCode;
use umpin::directory::active_directory::ActiveDirectory;
use umpin::directory::{Directory as _, Found, MailboxFilter, Route};

use crate::directory_port::directory;
use crate::harness::{BASE, Forest, UM, alone, shared};

const ALL: MailboxFilter = MailboxFilter { um_enabled_only: false };
const ENABLED: MailboxFilter = MailboxFilter { um_enabled_only: true };

/// The number of pages, and their items.
fn pages(directory: &ActiveDirectory, filter: MailboxFilter, route: Route<'_>, limit: usize) -> (usize, Vec<Found>) {
    let mut items = Vec::new();
    let mut cursor = None;
    let mut number = 0;
    loop {
        let page = directory
            .mailboxes(filter, route, cursor.as_deref(), limit)
            .unwrap_or_else(|error| panic!("page {number}: {error:?}"));
        number += 1;
        assert!(
            page.items.len() <= limit,
            "page {number} has {} items",
            page.items.len()
        );
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return (number, items);
        }
    }
}

/// How often each mailbox is listed.
fn counted(items: &[Found]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item.mailbox.name.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn each_mailbox_is_listed_once_for_every_page_size() {
    alone(Forest::Single, |lab| {
        let directory = directory(lab, &UM);
        let dc1 = lab.dc1().host();
        let people = lab
            .dc1()
            .administrator()
            .search(BASE, "(mailNickname=*)", &["cn"])
            .len();
        assert!(people > 20, "{people}");
        for route in [Route::Preferred, Route::Controller(&dc1), Route::Forest] {
            for limit in [1, 4, people, 1000, usize::MAX] {
                let (number, items) = pages(&directory, ALL, route, limit);
                let counts = counted(&items);
                assert_eq!(
                    (counts.len(), items.len()),
                    (people, people),
                    "{counts:?} in pages of {limit} by {route:?}"
                );
                assert!(number >= people.div_ceil(limit), "{number} pages of {limit}");
            }
        }
        let (_, enabled) = pages(&directory, ENABLED, Route::Preferred, 5);
        let counts = counted(&enabled);
        assert!(
            !counts.contains_key("Rob Young") && counts.contains_key("Tony Smith"),
            "{counts:?}"
        );
        assert_eq!(counts.len(), people - 3);
        assert!(enabled.iter().all(|found| found.controller.is_some()));
    });
}

#[test]
fn a_cursor_is_valid_once() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let page = |cursor: Option<&str>| directory.mailboxes(ENABLED, Route::Preferred, cursor, 2);
        let first = page(None).expect("a page").next.expect("more");
        let other = page(None).expect("a page").next.expect("more");
        assert_ne!(first, other, "two listings do not meet");
        let second = page(Some(&first)).expect("a page").next.expect("more");
        for cursor in [first.as_str(), "999-1"] {
            let error = page(Some(cursor)).expect_err("it has gone on");
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{error:?}");
            assert!(error.recommended_action().contains("from the beginning"), "{error:?}");
        }
        assert!(page(Some(&second)).is_ok());
        assert!(page(Some(&other)).is_ok());
        for cursor in ["", "1", "-", "1-", "x-1", "1-1-1"] {
            let error = page(Some(cursor)).expect_err("no cursor");
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{cursor}: {error:?}");
        }
    });
}

#[test]
fn the_oldest_suspended_listings_are_dropped() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let page = |cursor: Option<&str>| directory.mailboxes(ENABLED, Route::Preferred, cursor, 1);
        let cursors: Vec<String> = (0..20)
            .map(|_| page(None).expect("a page").next.expect("more"))
            .collect();
        let alive = |cursor: &String| page(Some(cursor)).is_ok();
        assert!(cursors[4..].iter().rev().all(alive), "sixteen wait");
        assert!(!cursors[..4].iter().any(alive), "and the oldest are forgotten");
    });
}

#[test]
fn listings_exceed_the_size_limit_of_the_server() {
    alone(Forest::Populated(2500), |lab| {
        let directory = directory(lab, &UM);
        let (number, items) = pages(&directory, ENABLED, Route::Preferred, usize::MAX);
        let counts = counted(&items);
        assert!(number >= 3, "{number} pages");
        assert_eq!(counts.len(), items.len(), "each once");
        let generated = counts.keys().filter(|name| name.starts_with("Generated User")).count();
        assert_eq!(generated, 2500);
    });
}
