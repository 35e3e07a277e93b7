//! Another writer comes in between looking up and changing; and what a reset costs in derivations.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use umpin::clock::SystemClock;
use umpin::credential::kdf::{Cost, KdfContext};
use umpin::directory::embedded::EmbeddedDirectory;
use umpin::directory::{Applied, CredentialChange, Directory};
use umpin::import::{Format, ImportOptions};
use umpin::mailbox::ObjectId;
use umpin::pin::Pin;
use umpin::service::Service;
use umpin::service::reset::{Notification, ResetOutcome, ResetRequest};
use umpin::{Error, ErrorCode, Result};

use super::double::{Asked, Double};
use super::fixture::{self, CHEAP, Inside};
use crate::support;

const FIRST: &str = "580291";
const OTHER: &str = "914730";
const OURS: &str = "263815";

/// A store with two mailboxes, the first of which has the PIN [`FIRST`].
struct Scene {
    home: TempDir,
    real: Arc<EmbeddedDirectory>,
}

impl Scene {
    fn new() -> Self {
        let home = fixture::store(2);
        let real = Arc::new(support::embedded(home.path()));
        let scene = Self { home, real };
        let done = reset(&scene.plain(), request(0, Some(FIRST)), &mut KdfContext::new());
        assert!(done.is_ok(), "the first PIN is set");
        scene
    }

    fn plain(&self) -> Service {
        plain(self.home.path(), &self.real)
    }

    fn service(&self, seen: &Arc<Double>) -> Service {
        let seen = Arc::clone(seen) as Arc<dyn Directory>;
        fixture::service(
            self.home.path(),
            Arc::clone(&self.real),
            seen,
            Arc::new(SystemClock),
            CHEAP,
        )
    }

    fn id(&self, number: usize) -> ObjectId {
        fixture::mailbox(&self.real, &fixture::address(number)).object_id
    }

    fn position(&self, number: usize, pin: &str) -> Option<usize> {
        Inside::of(self.home.path())
            .pins(&fixture::address(number))
            .position(pin)
    }

    fn messages(&self) -> usize {
        fixture::announcements(self.home.path()).len()
    }

    /// A double before whose first change another writer does something.
    fn interrupted(&self, other: impl Fn(&EmbeddedDirectory, &Path) + Send + Sync + 'static) -> Arc<Double> {
        let path = self.home.path().to_owned();
        let changes = AtomicU32::new(0);
        Arc::new(Double::new(&self.real).on_apply(move |real, change| {
            if changes.fetch_add(1, Ordering::Relaxed) == 0 {
                other(real, &path);
            }
            real.apply(change)
        }))
    }
}

fn plain(data: &Path, real: &Arc<EmbeddedDirectory>) -> Service {
    fixture::service(
        data,
        Arc::clone(real),
        Arc::clone(real) as _,
        Arc::new(SystemClock),
        CHEAP,
    )
}

/// Another process's reset: everything of its own but the store.
fn reset_elsewhere(data: &Path, number: usize, pin: &str) {
    let service = fixture::cheap_service(data, Arc::new(SystemClock));
    assert!(reset(&service, request(number, Some(pin)), &mut KdfContext::new()).is_ok());
}

fn import_elsewhere(real: &EmbeddedDirectory, csv: &str) {
    let plan = umpin::import::parse(csv.as_bytes(), Format::Csv, &ImportOptions::default()).expect("an import file");
    assert!(plan.errors.is_empty(), "{:?}", plan.errors);
    real.import(&plan, None, false).expect("an import");
}

fn request(number: usize, pin: Option<&str>) -> ResetRequest {
    ResetRequest {
        identity: fixture::address(number),
        pin: pin.map(|pin| Pin::new(pin.to_owned())),
        ..ResetRequest::default()
    }
}

fn reset(service: &Service, request: ResetRequest, kdf: &mut KdfContext) -> Result<ResetOutcome> {
    let plan = service.prepare_reset(request, kdf)?;
    service.commit_reset(plan, kdf)
}

fn refusal(result: Result<ResetOutcome>) -> Error {
    match result {
        Ok(_) => panic!("the reset should have been refused"),
        Err(error) => error,
    }
}

#[test]
fn a_lost_race_is_run_again_on_the_object_that_was_found() {
    let scene = Scene::new();
    let double = scene.interrupted(|_, data| reset_elsewhere(data, 0, OTHER));
    let mut kdf = KdfContext::new();
    let done = reset(&scene.service(&double), request(0, Some(OURS)), &mut kdf);
    assert!(done.is_ok());
    let id = scene.id(0);
    assert_eq!(
        double.asked(),
        [Asked::Find, Asked::Applied(id), Asked::FindById(id), Asked::Applied(id)],
        "after a lost race the object is taken by its id, never by what was typed"
    );
    assert_eq!(kdf.count(), 1, "derivations of a reset that lost a race");
    for (pin, position) in [(OURS, 0), (OTHER, 1), (FIRST, 2)] {
        assert_eq!(scene.position(0, pin), Some(position), "the history after a lost race");
    }
    assert_eq!(scene.messages(), 3);
}

#[test]
fn a_generated_pin_is_kept_through_a_lost_race() {
    let scene = Scene::new();
    let double = scene.interrupted(|_, data| reset_elsewhere(data, 0, OTHER));
    let mut kdf = KdfContext::new();
    let done = reset(&scene.service(&double), request(0, None), &mut kdf);
    let pin = done.ok().and_then(|done| done.generated).expect("a generated PIN");
    assert_eq!(kdf.count(), 1, "derivations of a reset that lost a race");
    assert_eq!(scene.position(0, pin.expose()), Some(0));
    assert_eq!(scene.position(0, OTHER), Some(1));
}

#[test]
fn a_pin_that_the_other_writer_set_is_refused() {
    let scene = Scene::new();
    let double = scene.interrupted(|_, data| reset_elsewhere(data, 0, OURS));
    let error = refusal(reset(
        &scene.service(&double),
        request(0, Some(OURS)),
        &mut KdfContext::new(),
    ));
    assert_eq!(error.code(), ErrorCode::PinPolicyViolation);
    assert_eq!(error.details()["rules"], serde_json::json!(["History"]));
    assert_eq!(Inside::of(scene.home.path()).pins(&fixture::address(0)).count(), 2);
}

/// The address that was typed belongs to another mailbox by the time of the retry.
#[test]
fn a_retry_never_resolves_the_identity_again() {
    let scene = Scene::new();
    let guid = fixture::mailbox(&scene.real, &fixture::address(0)).guid;
    let (found, namesake) = (scene.id(0), scene.id(1));
    let double = scene.interrupted(move |real, data| {
        import_elsewhere(
            real,
            &format!(
                "Guid,DistinguishedName,Name,PrimarySmtpAddress,UMEnabled\n\
                 {guid},\"CN=User 0,OU=Sales,DC=contoso,DC=com\",User 0,renamed@contoso.com,True\n\
                 ,\"CN=User 1,OU=Sales,DC=contoso,DC=com\",User 1,user0@contoso.com,True\n"
            ),
        );
        reset_elsewhere_by(data, "renamed@contoso.com", OTHER);
    });
    let done = reset(&scene.service(&double), request(0, Some(OURS)), &mut KdfContext::new());
    let done = done.unwrap_or_else(|e| panic!("the reset is not carried out: {e}"));
    assert_eq!(done.mailbox.object_id, found);
    assert_eq!(
        fixture::mailbox(&scene.real, &fixture::address(0)).object_id,
        namesake,
        "the address moved"
    );
    let inside = Inside::of(scene.home.path());
    assert_eq!(inside.pins("renamed@contoso.com").position(OURS), Some(0));
    assert_eq!(inside.pins(&fixture::address(0)).count(), 0, "the namesake has no PIN");
}

fn reset_elsewhere_by(data: &Path, identity: &str, pin: &str) {
    let service = fixture::cheap_service(data, Arc::new(SystemClock));
    let request = ResetRequest {
        identity: identity.to_owned(),
        ..request(0, Some(pin))
    };
    assert!(reset(&service, request, &mut KdfContext::new()).is_ok());
}

#[test]
fn a_retry_holds_to_what_is_true_by_then() {
    let scene = Scene::new();
    let double = scene.interrupted(|real, data| {
        reset_elsewhere(data, 0, OTHER);
        import_elsewhere(
            real,
            "DistinguishedName,Name,PrimarySmtpAddress,UMEnabled\n\
             \"CN=User 0,OU=Sales,DC=contoso,DC=com\",User 0,user0@contoso.com,False\n",
        );
    });
    let error = refusal(reset(
        &scene.service(&double),
        request(0, Some(OURS)),
        &mut KdfContext::new(),
    ));
    assert_eq!(error.code(), ErrorCode::MailboxNotUmEnabled);

    let scene = Scene::new();
    let double = scene.interrupted(|real, data| {
        reset_elsewhere(data, 0, OTHER);
        import_elsewhere(
            real,
            "DistinguishedName,Name,PrimarySmtpAddress,UMEnabled,Extensions\n\
             \"CN=User 0,OU=Sales,DC=contoso,DC=com\",User 0,user0@contoso.com,True,3815\n",
        );
    });
    let error = refusal(reset(
        &scene.service(&double),
        request(0, Some(OURS)),
        &mut KdfContext::new(),
    ));
    assert_eq!(error.code(), ErrorCode::PinPolicyViolation);
    assert_eq!(error.details()["rules"], serde_json::json!(["Extension"]));
    assert_eq!(scene.position(0, OTHER), Some(0), "a refused retry changes nothing");
}

#[test]
fn a_mailbox_removed_meanwhile_is_not_found() {
    // Seen by the change itself.
    let scene = Scene::new();
    let double = scene.interrupted(|_, data| remove_mailbox(data, 0));
    let error = refusal(reset(&scene.service(&double), request(0, None), &mut KdfContext::new()));
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound, "{error}");

    // Seen when the object is taken again.
    let scene = Scene::new();
    let removed = Double::new(&scene.real)
        .on_apply(|_, _| Ok(Applied::Conflict))
        .on_find_by_id(|_, _| Ok(None));
    let error = refusal(reset(
        &scene.service(&Arc::new(removed)),
        request(0, None),
        &mut KdfContext::new(),
    ));
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    assert!(error.message().contains("User 0"), "{error}");
    assert_eq!(scene.messages(), 1, "nothing is mailed for a reset that did not happen");
}

fn remove_mailbox(data: &Path, number: usize) {
    let connection = rusqlite::Connection::open(data.join("directory.db")).expect("the store");
    connection
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000")
        .expect("settings");
    let removed = connection.execute(
        "DELETE FROM mailbox WHERE primary_smtp_address = ?1",
        [fixture::address(number)],
    );
    assert_eq!(removed.expect("the mailbox is removed"), 1);
}

#[test]
fn writers_that_are_always_faster_end_in_a_write_conflict() {
    let scene = Scene::new();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let double = Double::new(&scene.real).on_apply(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Applied::Conflict)
    });
    let begin = Instant::now();
    let mut kdf = KdfContext::new();
    let error = refusal(reset(&scene.service(&Arc::new(double)), request(0, None), &mut kdf));
    let took = begin.elapsed();
    assert_eq!(error.code(), ErrorCode::WriteConflict);
    assert!(error.message().contains("User 0"), "{error}");
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(15)).contains(&took),
        "gave up after {took:?}; the deadline is 10 s"
    );
    let tries = tries.load(Ordering::Relaxed);
    assert!(
        (20..5_000).contains(&tries),
        "{tries} attempts: pauses grow, but stay short"
    );
    assert_eq!(kdf.count(), 1, "however often the race is lost");
    assert_eq!(scene.position(0, FIRST), Some(0));
    assert_eq!(scene.messages(), 1);
}

#[test]
fn a_lost_answer_is_passed_on_and_nothing_is_tried_again() {
    // The change was made, but its answer never came: neither a second attempt nor a message may follow from a guess.
    let scene = Scene::new();
    let tries = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&tries);
    let double = Double::new(&scene.real).on_apply(move |real, change: CredentialChange| {
        counted.fetch_add(1, Ordering::Relaxed);
        real.apply(change)?;
        Err(Error::new(ErrorCode::OutcomeUnknown, "The answer was lost."))
    });
    let error = refusal(reset(
        &scene.service(&Arc::new(double)),
        request(0, Some(OURS)),
        &mut KdfContext::new(),
    ));
    assert_eq!(error.code(), ErrorCode::OutcomeUnknown);
    assert_eq!(tries.load(Ordering::Relaxed), 1);
    assert_eq!(
        scene.messages(),
        1,
        "the outbox keeps the message until the outcome is known"
    );
    assert_eq!(scene.position(0, OURS), Some(0));

    // The record tells: the next command, once the lease is over, sends it.
    let later = fixture::cheap_service(scene.home.path(), Arc::new(fixture::Ahead(600_000)));
    assert!(reset(&later, request(1, None), &mut KdfContext::new()).is_ok());
    let messages = fixture::announcements(scene.home.path());
    assert!(
        messages.contains(&(fixture::address(0), OURS.to_owned())),
        "the message of a PIN in force"
    );
    assert_eq!(fixture::outbox(scene.home.path()).len(), 0);
}

#[test]
fn a_reset_derives_once() {
    let scene = Scene::new();
    let service = scene.plain();
    for validated in [false, true] {
        // A first PIN, a generated one after it, a given one.
        for (number, pin) in [(1, None), (0, None), (0, Some(if validated { OURS } else { OTHER }))] {
            let mut kdf = KdfContext::new();
            let Ok(mut plan) = service.prepare_reset(request(number, pin), &mut kdf) else {
                panic!("the plan is made")
            };
            assert_eq!(kdf.count(), 0, "looking up derives nothing");
            if validated {
                service.validate_reset(&mut plan, &mut kdf).expect("a valid plan");
                assert!(kdf.count() <= 1);
            }
            let done = service.commit_reset(plan, &mut kdf);
            assert!(done.is_ok_and(|done| done.notification == Notification::Sent));
            assert_eq!(
                kdf.count(),
                1,
                "derivations of a reset (given PIN: {}, validated: {validated})",
                pin.is_some()
            );
        }
    }
}

/// The old PINs are checked at their old cost, the new one is stored at the new: two derivations until they are forgotten.
#[test]
fn a_raised_cost_takes_a_second_derivation() {
    let scene = Scene::new();
    let dearer = Cost { iterations: 2, ..CHEAP };
    let directory = Arc::clone(&scene.real) as Arc<dyn Directory>;
    let service = fixture::service(
        scene.home.path(),
        Arc::clone(&scene.real),
        directory,
        Arc::new(SystemClock),
        dearer,
    );
    // The policy's history is five PINs: after five resets none of them is at the old cost.
    for derivations in [2, 2, 2, 2, 2, 1] {
        let mut kdf = KdfContext::new();
        assert!(reset(&service, request(0, None), &mut kdf).is_ok());
        assert_eq!(kdf.count(), derivations);
    }
    let record = Inside::of(scene.home.path())
        .record(&fixture::address(0))
        .expect("a record");
    let current = record.current().expect("a PIN");
    assert_eq!(record.params_of(current).cost, dearer);
}
