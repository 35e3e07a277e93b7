//! `kill -9` in the middle of 200 resets, many times over, on one store that lives through it all.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::credential::kdf::KdfContext;
use umpin::notification::pickup::PickupNotifier;
use umpin::pin::Pin;
use umpin::service::reset::{Notification, ResetRequest};

use super::child::{self, Ack, ENTRY};
use super::fixture::{self, Ahead, Dice, Inside};
use super::process::Running;
use crate::support;

const ROUNDS: usize = 16;
/// Each resets its own mailboxes in turn, so that their order is known.
const THREADS: usize = 4;
/// 200 resets on 12 mailboxes: at most 17 each, and a record remembers 20.
const MAILBOXES: usize = 12;
const RESETS: usize = 200;
/// Reset by the next command after each kill.
const NEXT: usize = MAILBOXES;
/// Past every lease of a process that died.
const LATER: i64 = 600_000;

#[test]
fn a_killed_process_leaves_old_or_new_pins_and_loses_no_acknowledged_one() {
    let seed = fixture::seed("kill");
    let mut dice = Dice::new(seed);
    let mut home = fixture::store(MAILBOXES + 1);
    let mut audited = 0;
    let mut in_the_middle = 0;
    for round in 0..ROUNDS {
        // Every fourth time a new store is killed early: the folder and the log are just being made.
        let early = round % 4 == 0;
        if early {
            home = fixture::store(MAILBOXES + 1);
            audited = 0;
        }
        let data = home.path();
        let before = pins_before(data);
        let acks = resets_until_killed(data, &mut dice, early);
        in_the_middle += usize::from(!acks.is_empty() && acks.len() < RESETS);
        let set = check_records(data, &before, &acks, seed, round);
        assert!(
            (acks.len()..=acks.len() + THREADS).contains(&set),
            "{set} PINs were set for {} acknowledgements by {THREADS} threads",
            acks.len()
        );
        audited += set;
        assert_eq!(
            Inside::of(data).audited_resets(),
            audited,
            "audited changes, round {round}"
        );
        fixture::assert_sound(data);
        next_command(data);
        audited += 1;
        check_after_next_command(data);
    }
    assert!(
        in_the_middle >= ROUNDS / 2,
        "only {in_the_middle} of {ROUNDS} kills hit a process at work"
    );
}

fn pins_before(data: &Path) -> Vec<Vec<[u8; 16]>> {
    let inside = Inside::of(data);
    (0..MAILBOXES)
        .map(|n| inside.pins(&fixture::address(n)).ids())
        .collect()
}

/// Kills after a random acknowledgement and a random moment more.
fn resets_until_killed(data: &Path, dice: &mut Dice, early: bool) -> Vec<Ack> {
    let threads: Vec<Vec<usize>> = (0..THREADS)
        .map(|t| (t..MAILBOXES).step_by(THREADS).collect())
        .collect();
    let mut running = Running::new(ENTRY, &child::resets(data, &threads, RESETS / THREADS, false));
    let patience = if early { 0 } else { dice.below(RESETS as u64 - 20) };
    let moment = Duration::from_micros(dice.below(if early { 40_000 } else { 8_000 }));
    let mut acks = Vec::new();
    running.go();
    while (acks.len() as u64) < patience {
        acks.push(running.next().expect("the child works on until it is killed"));
    }
    wait_actively(moment);
    acks.extend(running.kill::<Ack>());
    acks
}

/// Not to wait for something, but to kill at any moment: sleeping would round it.
fn wait_actively(moment: Duration) {
    let since = Instant::now();
    while since.elapsed() < moment {
        std::hint::spin_loop();
    }
}

/// The state right after the kill. Returns how many PINs were set.
fn check_records(data: &Path, before: &[Vec<[u8; 16]>], acks: &[Ack], seed: u64, round: usize) -> usize {
    let inside = Inside::of(data);
    let outbox: HashSet<[u8; 16]> = fixture::outbox(data).into_iter().collect();
    let mut messages: HashMap<String, Vec<String>> = HashMap::new();
    for (address, pin) in fixture::announcements(data) {
        messages.entry(address).or_default().push(pin);
    }
    let mut set = 0;
    for (number, old) in before.iter().enumerate() {
        let address = fixture::address(number);
        let place = format!("{address}, round {round}, seed {seed}");
        let pins = inside.pins(&address);
        let now = pins.ids();
        let new = match old.first() {
            None => now.len(),
            Some(in_force) => now
                .iter()
                .position(|id| id == in_force)
                .unwrap_or_else(|| panic!("{place}: the PIN that was in force is gone without trace")),
        };
        assert_eq!(
            now[new..],
            old[..now.len() - new],
            "{place}: the older history was changed"
        );
        set += new;
        let acknowledged: Vec<&str> = acks
            .iter()
            .filter(|ack| ack.address == address)
            .map(|ack| ack.pin.as_str())
            .collect();
        assert!(
            (acknowledged.len()..=acknowledged.len() + 1).contains(&new),
            "{place}: {new} PINs set for {} acknowledgements",
            acknowledged.len()
        );
        for (age, pin) in acknowledged.iter().rev().enumerate() {
            let unacknowledged = new - acknowledged.len();
            assert_eq!(
                pins.position(pin),
                Some(age + unacknowledged),
                "{place}: an acknowledged PIN is not where it belongs in the history"
            );
        }
        let announced = messages.remove(&address).unwrap_or_default();
        let mut told: HashSet<usize> = HashSet::new();
        for pin in &announced {
            let position = pins.position(pin).filter(|position| *position < new);
            let position = position.unwrap_or_else(|| panic!("{place}: a message announces a PIN that was not set"));
            assert!(told.insert(position), "{place}: two messages announce the same PIN");
        }
        for (position, id) in now[..new].iter().enumerate() {
            assert!(
                told.contains(&position) || outbox.contains(id),
                "{place}: the PIN set {position} resets ago has neither message nor outbox entry"
            );
        }
    }
    assert!(
        messages.is_empty(),
        "messages of other mailboxes: {:?}",
        messages.keys()
    );
    set
}

/// The next changing command, after the dead process's leases have run out.
fn next_command(data: &Path) {
    let service = fixture::cheap_service(data, Arc::new(Ahead(LATER)));
    let mut kdf = KdfContext::new();
    let request = ResetRequest {
        identity: fixture::address(NEXT),
        ..ResetRequest::default()
    };
    let plan = service
        .prepare_reset(request, &mut kdf)
        .expect("the next command starts");
    let outcome = service.commit_reset(plan, &mut kdf).expect("the next command works");
    assert_eq!(outcome.notification, Notification::Sent);
}

/// Whatever was pending is done; then the messages are collected, as a mail system would.
fn check_after_next_command(data: &Path) {
    assert_eq!(fixture::outbox(data).len(), 0, "the next command drains the outbox");
    let inside = Inside::of(data);
    let messages = fixture::announcements(data);
    for number in 0..=MAILBOXES {
        let address = fixture::address(number);
        let pins = inside.pins(&address);
        let in_force = messages
            .iter()
            .filter(|(to, pin)| *to == address && pins.position(pin) == Some(0));
        // A mailbox that was not reset in this round had its message collected after an earlier one.
        assert!(
            in_force.count() <= 1,
            "{address}: two messages announce the PIN in force"
        );
        for (_, pin) in messages.iter().filter(|(to, _)| *to == address) {
            assert!(pins.position(pin).is_some(), "{address}: a message for a PIN never set");
        }
    }
    for entry in fs::read_dir(data.join("pickup")).expect("the pickup directory") {
        let path = entry.expect("an entry").path();
        assert!(
            path.extension().is_some_and(|e| e == "eml"),
            "{} was left behind and may hold a PIN",
            path.display()
        );
        fs::remove_file(path).expect("the message is collected");
    }
    let mut names: Vec<String> = fs::read_dir(data)
        .expect("the data directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| !name.starts_with("directory.db") && name != "umpin.key" && name != "pickup");
    assert!(names.is_empty(), "left behind in the data directory: {names:?}");
}

/// A process that died while it left a message, whose PIN is replaced before anybody delivers it: nothing may keep that PIN.
#[test]
fn a_dropped_message_leaves_no_part_of_it_behind() {
    let home = fixture::store(2);
    let data = home.path();
    let pickup = data.join("pickup");
    let request = |number, pin: &str| ResetRequest {
        identity: fixture::address(number),
        pin: Some(Pin::new(pin.to_owned())),
        ..ResetRequest::default()
    };
    let mut kdf = KdfContext::new();
    let service = fixture::cheap_service(data, Arc::new(Ahead(0)));
    let plan = service.prepare_reset(request(0, "580291"), &mut kdf).expect("a plan");
    // The message cannot be left where a file is in the folder's way: it stays in the outbox.
    fs::write(&pickup, "in the way").expect("a file");
    let outcome = service
        .commit_reset(plan, &mut kdf)
        .expect("the PIN is changed all the same");
    assert_ne!(outcome.notification, Notification::Sent);
    fs::remove_file(&pickup).expect("the file is removed");
    let (created, id) = fixture::only_outbox_entry(data);
    let part = pickup.join(format!(".{}.tmp", PickupNotifier::file_name(created, id)));
    fs::create_dir(&pickup).expect("the folder");
    fs::write(&part, "580291").expect("a part of the message");

    let plan = service.prepare_reset(request(0, "914730"), &mut kdf).expect("a plan");
    service.commit_reset(plan, &mut kdf).expect("the PIN is replaced");
    let later = fixture::cheap_service(data, Arc::new(Ahead(LATER)));
    let plan = later.prepare_reset(request(1, "263815"), &mut kdf).expect("a plan");
    later.commit_reset(plan, &mut kdf).expect("the next command");
    assert!(!part.exists(), "{} still holds a PIN", part.display());
    assert_eq!(fixture::outbox(data).len(), 0);
    let announced: Vec<String> = fixture::announcements(data).into_iter().map(|(_, pin)| pin).collect();
    assert!(
        !announced.contains(&"580291".to_owned()),
        "the replaced PIN is not mailed"
    );
    assert_eq!(announced.len(), 2);
}

/// What the administrator imports, and how often it is killed.
const ROWS: usize = 60;
const IMPORTS: usize = 12;

#[test]
fn a_killed_import_leaves_all_or_nothing() {
    let seed = fixture::seed("import");
    let mut dice = Dice::new(seed);
    let mut made = 0;
    let mut whole = Duration::ZERO;
    for round in 0..=IMPORTS {
        let home = tempfile::tempdir().expect("a temporary directory");
        let data = home.path().join("data");
        let file = home.path().join("import.csv");
        fs::write(&file, fixture::csv(ROWS)).expect("the import file is written");
        let task = json!({ "task": "import", "store": data, "file": file });
        let mut running = Running::new(ENTRY, &task);
        running.go();
        if round == 0 {
            // Nobody is killed the first time: that tells how long an import takes here.
            let begin = Instant::now();
            running.finish::<Ack>();
            whole = begin.elapsed();
        } else {
            let limit = u64::try_from(whole.as_micros()).expect("a moment");
            wait_actively(Duration::from_micros(dice.below(limit)));
            running.kill::<Ack>();
        }

        let place = format!("round {round}, seed {seed}");
        let session = support::open(&data);
        if data.join("directory.db").exists() {
            made += 1;
            assert_eq!(mailboxes(&session), ROWS, "{place}: mailboxes of a half-made store");
            // Reads the audit with the key: it must be the one that the store was made under.
            assert_eq!(Inside::of(&data).audited_resets(), 0);
        }
        let again = support::request(&session, &json!({ "v": 1, "operation": "import", "path": file }))
            .unwrap_or_else(|e| panic!("{place}: the import does not work any more: {e}"));
        let known = again["mailboxesCreated"].as_u64().unwrap_or(0) + again["mailboxesUnchanged"].as_u64().unwrap_or(0);
        assert_eq!(known, ROWS as u64, "{place}: {again}");
        support::reset(&session, json!({ "identity": fixture::address(0) }), None)
            .unwrap_or_else(|e| panic!("{place}: no reset after a killed import: {e}"));
        drop(session);
        fixture::assert_sound(&data);
        for entry in fs::read_dir(&data).expect("the data directory") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            assert!(!name.starts_with("directory.db.new"), "{place}: {name} was left behind");
        }
    }
    println!("{} of {IMPORTS} stores were made before the kill", made - 1);
}

fn mailboxes(session: &umpin::session::Session) -> usize {
    let question = json!({ "v": 1, "operation": "mailboxes", "pageSize": 1000 });
    let answer = support::request(session, &question).expect("a listing");
    answer["items"].as_array().map_or(0, Vec::len)
}
