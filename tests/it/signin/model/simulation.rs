//! The library on ports of the test's choice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use umpin::ErrorCode;
use umpin::Result;
use umpin::audit::AuditLog;
use umpin::credential::kdf::{KdfContext, PinVerifiers};
use umpin::credential::master_key::Purpose;
use umpin::credential::record::CredentialRecord;
use umpin::credential::seal::SealContext;
use umpin::directory::{Directory, Route};
use umpin::identity::Identity;
use umpin::import::{Format, ImportOptions};
use umpin::keys::Keys;
use umpin::notification::outbox::Outbox;
use umpin::pin::Pin;
use umpin::policy::UmMailboxPolicy;
use umpin::service::reset::ResetRequest;
use umpin::service::signin::{ChangePinRequest, SignInAnswer, SignInRequest, Subscriber};
use umpin::service::{Lookup, Ports, Service};

use super::reference::{Phone, Rules, Shown, Told};
use crate::signin::attempt::{self, limit};
use crate::signin::fixture;
use crate::signin::memory::{Mails, Memory, OneKey, Watch};
use crate::support;

const BEGIN: i64 = 1_700_000_000_000;

pub struct Simulation {
    service: Service,
    directory: Arc<dyn Directory>,
    clock: Arc<Watch>,
    mails: Arc<Mails>,
    kdf: KdfContext,
    /// Where an embedded store lies.
    _home: Option<tempfile::TempDir>,
}

impl Simulation {
    pub fn in_memory(phones: &[Phone]) -> Self {
        let directory = Arc::new(Memory::default());
        let outbox = Arc::clone(&directory);
        Self::new(Arc::clone(&directory) as _, outbox, directory, None, phones)
    }

    pub fn embedded(phones: &[Phone]) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let directory = Arc::new(support::embedded(home.path()));
        let outbox = Arc::clone(&directory);
        Self::new(Arc::clone(&directory) as _, outbox, directory, Some(home), phones)
    }

    fn new(
        directory: Arc<dyn Directory>,
        outbox: Arc<dyn Outbox>,
        audit: Arc<dyn AuditLog>,
        home: Option<tempfile::TempDir>,
        phones: &[Phone],
    ) -> Self {
        let clock = Arc::new(Watch(AtomicI64::new(BEGIN)));
        let mails = Arc::new(Mails::default());
        let ports = Ports {
            directory: Arc::clone(&directory),
            outbox,
            journal: None,
            audit,
            notifier: Arc::clone(&mails) as _,
            clock: Arc::clone(&clock) as _,
            keys: Arc::new(OneKey),
        };
        let mut csv = "Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled,Extensions,UMMailboxPolicy\n".to_owned();
        for phone in phones {
            let name = phone.name;
            let address = if phone.has_address {
                format!("{name}@contoso.com")
            } else {
                String::new()
            };
            csv += &format!(
                "{name},{name}@sip.contoso.com,{address},True,{},Default\n",
                phone.extension
            );
        }
        let plan = umpin::import::parse(csv.as_bytes(), Format::Csv, &ImportOptions::default()).expect("a file");
        assert!(plan.errors.is_empty(), "{:?}", plan.errors);
        directory.import(&plan, None, false).expect("an import");
        Self {
            service: Service::new(ports, fixture::settings(fixture::CHEAP)),
            directory,
            clock,
            mails,
            kdf: KdfContext::new(),
            _home: home,
        }
    }

    pub fn now(&self) -> i64 {
        self.clock.0.load(Ordering::Relaxed)
    }

    pub fn move_clock(&self, by: i64) {
        self.clock.0.fetch_add(by, Ordering::Relaxed);
    }

    pub fn set_policy(&self, rules: &Rules) {
        let small = |number: usize| u32::try_from(number).expect("a small number");
        let settings = UmMailboxPolicy {
            min_pin_length: small(rules.min_length),
            pin_lifetime_days: limit(rules.lifetime_days),
            pin_history_count: small(rules.history),
            allow_common_patterns: rules.common,
            logon_failures_before_pin_reset: limit(rules.reset_after),
            max_logon_attempts: limit(rules.lock_after),
            ..UmMailboxPolicy::with_defaults("Default")
        };
        attempt::set_policy(&*self.directory, settings);
    }

    /// What the administrator is told, and the PIN that was generated.
    pub fn reset(&mut self, request: ResetRequest) -> Result<(Told, Option<String>), String> {
        let done = self
            .service
            .prepare_reset(request, &mut self.kdf)
            .and_then(|plan| self.service.commit_reset(plan, &mut self.kdf));
        match done {
            Ok(outcome) => {
                let told = Told::Reset {
                    expired: outcome.pin_expired,
                    locked: outcome.locked_out,
                };
                Ok((told, outcome.generated.map(|pin| pin.expose().to_owned())))
            }
            Err(error) => refused(&error).map(|told| (told, None)),
        }
    }

    /// What the user is told, and the PIN that was mailed.
    pub fn sign_in(&mut self, subscriber: Subscriber, pin: &str) -> Result<(Told, Option<String>), String> {
        let answer = self.service.sign_in(request(subscriber, pin), &mut self.kdf);
        self.told(answer)
    }

    pub fn change(&mut self, subscriber: Subscriber, old: &str, new: &str) -> Result<(Told, Option<String>), String> {
        let request = ChangePinRequest {
            attempt: request(subscriber, old),
            new_pin: Pin::new(new.to_owned()),
        };
        let answer = self.service.change_pin(request, &mut self.kdf);
        self.told(answer)
    }

    fn told(&self, answer: Result<SignInAnswer>) -> Result<(Told, Option<String>), String> {
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => return refused(&error).map(|told| (told, None)),
        };
        let before = self.messages();
        self.service.deliver_pending(&mut answer);
        let told = Told::Answer {
            outcome: answer.outcome.name(),
            until_reset: answer.left.until_reset,
            until_lock: answer.left.until_lock,
            first_time: answer.first_time_user,
            expires_on: answer.expires_at.map(|at| at.0),
        };
        let mailed = self.mails.delivered().get(before).cloned();
        Ok((told, mailed.map(|(_, message)| support::announced_pin(&message))))
    }

    pub fn messages(&self) -> usize {
        self.mails.delivered().len()
    }

    pub fn shown(&self, name: &str) -> Result<Shown, String> {
        let info = self
            .service
            .pin_info(name, Lookup::default())
            .map_err(|e| e.to_string())?;
        Ok(Shown {
            expired: info.pin_expired,
            locked: info.locked_out,
            first_time: info.first_time_user,
            last_set: info.last_set.map(|at| at.0),
            expires_on: info.expires_at.map(|at| at.0),
            failed_attempts: info.failed_attempts,
            last_failure: info.last_failure_at.map(|at| at.0),
            locked_since: info.locked_since.map(|at| at.0),
        })
    }

    /// Whether this is the PIN in force, or with `None` whether there is none: looks into the stored record.
    pub fn pin_is(&mut self, name: &str, pin: Option<&str>) -> bool {
        let found = self
            .directory
            .find(&Identity::parse(name).expect("a name"), Route::Preferred)
            .expect("a look-up");
        let object_id = found.found[0].mailbox.object_id;
        let sealed = self.directory.credential(object_id, None).expect("a look-up").record;
        let record = sealed.map(|sealed| {
            let context = SealContext {
                store_id: self.directory.store_id().expect("a store"),
                object_id,
            };
            let ring = OneKey.load().expect("the key");
            let plain = ring.open(Purpose::Record, &context, &sealed).expect("the record opens");
            CredentialRecord::decode(&plain).expect("a record")
        });
        match (record, pin) {
            (None, pin) => pin.is_none(),
            (Some(record), None) => record.current().is_none(),
            (Some(record), Some(pin)) => {
                let mut tags = PinVerifiers::new(Pin::new(pin.to_owned()));
                record.is_current(&mut tags, &mut self.kdf).expect("a derivation")
            }
        }
    }
}

fn request(subscriber: Subscriber, pin: &str) -> SignInRequest {
    SignInRequest {
        subscriber,
        alternatives: Vec::new(),
        pin: Pin::new(pin.to_owned()),
        cmdlet: None,
        domain_controller: None,
        ignore_default_scope: false,
    }
}

/// The broken rules, or what else a request may be refused for here; everything else is a failure of the library.
fn refused(error: &umpin::Error) -> Result<Told, String> {
    match error.code() {
        ErrorCode::PinPolicyViolation => {
            let rules = error.details()["rules"].as_array().expect("rules").iter();
            Ok(Told::Refused(
                rules.map(|rule| rule.as_str().expect("a rule").to_owned()).collect(),
            ))
        }
        ErrorCode::NoNotificationAddress => Ok(Told::Refused(vec![error.code().id().to_owned()])),
        code => Err(format!("{}: {error}", code.id())),
    }
}
