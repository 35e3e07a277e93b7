//! A queue that the version before wrote.

use umpin::service::Lookup;

use crate::child::{self, Kind};
use crate::{rig, support, verdict};

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
