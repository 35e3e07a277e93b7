//! A queue, and a journal, that the version before wrote.

use std::time::Duration;

use umpin::service::Lookup;

use crate::child::{self, Kind};
use crate::world::{Way, World};
use crate::{log, rig, support, verdict};

#[test]
fn messages_of_the_version_before_are_listed_by_a_reader_and_sent() {
    let home = rig::store(1);
    let down = home.path().join("down");
    std::fs::write(&down, "").expect("the relay is down");
    verdict::reset(&child::service(home.path(), Kind::Transactional, 0), 0).expect("a reset");
    std::fs::remove_file(down).expect("the relay is back");
    let store = rusqlite::Connection::open(home.path().join("directory.db")).expect("the store");
    store
        .execute_batch(
            "DROP INDEX outbox_mailbox; DROP INDEX outbox_untold; ALTER TABLE outbox DROP COLUMN state;
             ALTER TABLE outbox DROP COLUMN controller; ALTER TABLE outbox DROP COLUMN held;
             ALTER TABLE outbox DROP COLUMN untold; DROP TABLE change_note; PRAGMA user_version = 3;",
        )
        .expect("an older store");
    let version = || -> i64 {
        store
            .query_row("PRAGMA user_version", [], |r| r.get(0))
            .expect("a version")
    };

    let service = child::service(home.path(), Kind::Transactional, 7_200_000);
    let listed = service
        .notifications(None, Lookup::default(), None, 10)
        .expect("a listing");
    assert_eq!(listed.items.len(), 1);
    assert_eq!(version(), 3, "reading changes nothing");
    assert_eq!(verdict::send(&service), ["sent"]);
    assert!(version() > 3);
    assert_eq!(support::messages(&home.path().join("mail")).len(), 1);
}

/// The outbox of a directory elsewhere, from before it had notes.
#[test]
fn a_journal_of_the_version_before_is_read_as_it_is_and_brought_up_to_date_by_the_next_change() {
    let world = World::new(1);
    world.send_by(&[Way::AnswerLost]);
    assert!(verdict::reset(&world.process("a").service, 0).is_err());
    let store = rusqlite::Connection::open(world.outbox_file("a")).expect("the journal");
    store
        .execute_batch("DROP TABLE change_note; PRAGMA user_version = 4;")
        .expect("an older journal");
    let version = || -> i64 {
        store
            .query_row("PRAGMA user_version", [], |r| r.get(0))
            .expect("a version")
    };

    let service = world.process("a").service;
    let info = service
        .pin_info(&rig::address(0), Lookup::default())
        .expect("its state");
    assert!(info.warnings.is_empty());
    assert_eq!(log::shown(&world, "a").len(), 1);
    assert_eq!(version(), 4, "reading changes nothing");
    world.later(Duration::from_secs(900));
    assert_eq!(
        verdict::send(&service),
        ["sent"],
        "a message without note is found out about as well"
    );
    assert!(version() > 4);
    verdict::reset(&service, 0).expect("a reset");
    assert_eq!(log::notes(&world, "a", 0).len(), 1);
}
