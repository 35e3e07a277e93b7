//! The documented rules once more, as simply as they can be written. Nothing here calls the library.

const DAY: i64 = 86_400_000;
/// How many PINs a mailbox remembers, the one in force included.
const REMEMBERED: usize = 20;

/// The settings of a policy. `None` is Unlimited.
#[derive(Clone, Debug)]
pub struct Rules {
    pub min_length: usize,
    pub lifetime_days: Option<u32>,
    pub history: usize,
    pub common: bool,
    pub reset_after: Option<u32>,
    pub lock_after: Option<u32>,
}

/// What is known of one mailbox.
#[derive(Clone, Debug)]
pub struct Phone {
    pub name: &'static str,
    pub extension: &'static str,
    pub has_address: bool,
    /// The one in force first.
    pub pins: Vec<String>,
    pub set_at: Option<i64>,
    pub marked_expired: bool,
    pub locked_by_administrator: Option<i64>,
    pub locked_by_failures: Option<i64>,
    pub first_time: bool,
    pub failures: u32,
    pub failures_since_reset: u32,
    pub last_failure: Option<i64>,
    pub messages: usize,
}

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Answer {
        outcome: &'static str,
        until_reset: Option<u32>,
        until_lock: Option<u32>,
        first_time: bool,
        expires_on: Option<i64>,
    },
    Refused(Vec<String>),
    Reset {
        expired: bool,
        locked: bool,
    },
}

/// What `Get-UMMailboxPIN` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub expired: bool,
    pub locked: bool,
    pub first_time: bool,
    pub last_set: Option<i64>,
    pub expires_on: Option<i64>,
    pub failed_attempts: u32,
    pub last_failure: Option<i64>,
    pub locked_since: Option<i64>,
}

impl Phone {
    pub fn new(name: &'static str, extension: &'static str, has_address: bool) -> Self {
        Self {
            name,
            extension,
            has_address,
            pins: Vec::new(),
            set_at: None,
            marked_expired: false,
            locked_by_administrator: None,
            locked_by_failures: None,
            first_time: true,
            failures: 0,
            failures_since_reset: 0,
            last_failure: None,
            messages: 0,
        }
    }

    pub fn in_force(&self) -> Option<&str> {
        self.pins.first().map(String::as_str)
    }

    /// The rules that a new PIN breaks.
    pub fn broken(&self, rules: &Rules, pin: &str) -> Vec<String> {
        let numeric = pin.chars().all(|c| c.is_ascii_digit());
        let digits: Vec<i32> = pin.bytes().map(|b| i32::from(b) - 48).collect();
        let steps = |by: i32| digits.len() > 1 && digits.windows(2).all(|w| w[1] - w[0] == by);
        let history = &self.pins[..self.pins.len().min(rules.history)];
        let mut broken = Vec::new();
        let mut rule = |name: &str, is_broken: bool| {
            if is_broken {
                broken.push(name.to_owned());
            }
        };
        rule("TooShort", pin.len() < rules.min_length);
        rule("TooLong", pin.len() > 24);
        rule("NotNumeric", !numeric);
        rule("Sequential", numeric && !rules.common && (steps(1) || steps(-1)));
        rule("Repeated", numeric && !rules.common && steps(0));
        let extension = self.extension;
        rule(
            "Extension",
            numeric && (extension.ends_with(pin) || pin.contains(extension)),
        );
        rule("History", history.iter().any(|old| old == pin));
        broken
    }

    /// An administrator's reset. `made` is the PIN that was generated where none is given.
    pub fn reset(
        &mut self,
        rules: &Rules,
        now: i64,
        (given, made): (Option<&str>, Option<&str>),
        (expired, locked): (Option<bool>, Option<bool>),
        mail: bool,
    ) -> Told {
        if mail && !self.has_address {
            return Told::Refused(vec!["NoNotificationAddress".to_owned()]);
        }
        if let Some(pin) = given {
            let broken = self.broken(rules, pin);
            if !broken.is_empty() {
                return Told::Refused(broken);
            }
        }
        let pin = given.or(made).expect("a PIN").to_owned();
        self.set(pin, now, expired.unwrap_or(true));
        self.locked_by_administrator = match locked {
            Some(true) => Some(self.locked_by_administrator.unwrap_or(now)),
            _ => None,
        };
        self.forget_failures();
        self.messages += usize::from(mail);
        self.after_reset(rules, now)
    }

    /// Locking and unlocking without a new PIN.
    pub fn keep(&mut self, rules: &Rules, now: i64, lock: bool, expired: Option<bool>) -> Told {
        if lock {
            self.locked_by_administrator = Some(self.locked_by_administrator.unwrap_or(now));
        } else {
            self.locked_by_administrator = None;
            self.forget_failures();
        }
        self.marked_expired = expired.unwrap_or(self.marked_expired);
        self.after_reset(rules, now)
    }

    fn after_reset(&self, rules: &Rules, now: i64) -> Told {
        Told::Reset {
            expired: self.is_expired(rules, now),
            locked: self.locked_by_administrator.is_some(),
        }
    }

    /// `made` is the PIN of an automatic reset, if there was one.
    pub fn sign_in(&mut self, rules: &Rules, now: i64, pin: &str, made: Option<&str>) -> Told {
        if let Some(told) = self.unless_right(rules, now, pin, made) {
            return told;
        }
        self.forget_failures();
        self.answer(
            rules,
            if self.is_expired(rules, now) {
                "changeRequired"
            } else {
                "accepted"
            },
        )
    }

    pub fn change(&mut self, rules: &Rules, now: i64, (old, new): (&str, &str), made: Option<&str>) -> Told {
        if let Some(told) = self.unless_right(rules, now, old, made) {
            return told;
        }
        self.forget_failures();
        let broken = self.broken(rules, new);
        if !broken.is_empty() {
            return Told::Refused(broken);
        }
        self.set(new.to_owned(), now, false);
        self.first_time = false;
        self.answer(rules, "accepted")
    }

    /// What follows from everything but the right PIN of a mailbox that is not locked.
    fn unless_right(&mut self, rules: &Rules, now: i64, pin: &str, made: Option<&str>) -> Option<Told> {
        if self.locked_since(rules).is_some() {
            if self.locked_by_administrator.is_none() {
                // A lock that a stricter policy brought stays when the policy is relaxed.
                self.locked_by_failures = self.locked_by_failures.or(self.last_failure);
            }
            return Some(self.answer(rules, "locked"));
        }
        let Some(in_force) = self.in_force() else {
            return Some(self.answer(rules, "rejected"));
        };
        if in_force == pin {
            return None;
        }
        self.failures += 1;
        self.failures_since_reset += 1;
        self.last_failure = Some(now);
        let reached = |limit: Option<u32>, count: u32| limit.is_some_and(|limit| count >= limit);
        if reached(rules.lock_after, self.failures) {
            self.locked_by_failures = Some(now);
            return Some(self.answer(rules, "locked"));
        }
        if reached(rules.reset_after, self.failures_since_reset) && self.has_address {
            self.set(made.unwrap_or("no PIN was made").to_owned(), now, true);
            self.failures_since_reset = 0;
            self.messages += 1;
            return Some(self.answer(rules, "resetByFailures"));
        }
        Some(self.answer(rules, "rejected"))
    }

    fn set(&mut self, pin: String, now: i64, expired: bool) {
        self.pins.insert(0, pin);
        self.pins.truncate(REMEMBERED);
        self.set_at = Some(now);
        self.marked_expired = expired;
    }

    fn forget_failures(&mut self) {
        self.failures = 0;
        self.failures_since_reset = 0;
        self.last_failure = None;
        self.locked_by_failures = None;
    }

    fn answer(&self, rules: &Rules, outcome: &'static str) -> Told {
        let knows_the_pin = matches!(outcome, "accepted" | "changeRequired");
        Told::Answer {
            outcome,
            until_reset: rules
                .reset_after
                .map(|limit| limit.saturating_sub(self.failures_since_reset).max(1)),
            until_lock: rules.lock_after.map(|limit| limit.saturating_sub(self.failures)),
            first_time: self.first_time,
            expires_on: if knows_the_pin { self.expires_on(rules) } else { None },
        }
    }

    fn expires_on(&self, rules: &Rules) -> Option<i64> {
        Some(self.set_at? + i64::from(rules.lifetime_days?) * DAY)
    }

    fn is_expired(&self, rules: &Rules, now: i64) -> bool {
        self.set_at.is_none() || self.marked_expired || self.expires_on(rules).is_some_and(|end| now >= end)
    }

    fn locked_since(&self, rules: &Rules) -> Option<i64> {
        let too_many = rules.lock_after.is_some_and(|limit| self.failures >= limit);
        let by_failures = self
            .locked_by_failures
            .or(if too_many { self.last_failure } else { None });
        match (self.locked_by_administrator, by_failures) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub fn shown(&self, rules: &Rules, now: i64) -> Shown {
        let locked_since = self.locked_since(rules);
        Shown {
            expired: self.is_expired(rules, now),
            locked: locked_since.is_some(),
            first_time: self.first_time,
            last_set: self.set_at,
            expires_on: self.expires_on(rules),
            failed_attempts: self.failures,
            last_failure: self.last_failure,
            locked_since,
        }
    }
}
