//! What can happen, named so that it means something whatever PINs were generated before.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::reference::{Phone, Rules};

/// How many mailboxes there are.
pub const PHONES: usize = 4;

const MINUTE: i64 = 60_000;
const DAY: i64 = 1_440 * MINUTE;

#[derive(Clone, Debug)]
pub enum Step {
    Reset {
        who: usize,
        /// Generated where there is none.
        pin: Option<NewPin>,
        expired: Option<bool>,
        locked: Option<bool>,
        mail: bool,
    },
    Keep {
        who: usize,
        lock: bool,
        expired: Option<bool>,
    },
    SignIn {
        who: usize,
        pin: Guess,
        by_extension: bool,
    },
    Change {
        who: usize,
        old: Guess,
        new: NewPin,
    },
    Policy(Rules),
    Clock(i64),
}

#[derive(Clone, Debug)]
pub enum Guess {
    Right,
    Former(usize),
    Wrong(u32),
}

#[derive(Clone, Debug)]
pub enum NewPin {
    /// Nearly always allowed.
    Fresh(u64),
    Short,
    Long,
    Letters,
    Up,
    Down,
    Repeated,
    WithExtension,
    EndOfExtension,
    /// In force (0) or before.
    Known(usize),
}

impl Guess {
    pub fn text(&self, phone: &Phone) -> String {
        match self {
            Self::Right => phone.in_force().unwrap_or("482913").to_owned(),
            Self::Former(age) => phone.pins.get(age + 1).map_or("739152", String::as_str).to_owned(),
            Self::Wrong(number) => {
                let text = format!("{number:06}");
                // By chance the right one.
                if phone.in_force() == Some(&text) {
                    "0".to_owned()
                } else {
                    text
                }
            }
        }
    }
}

impl NewPin {
    pub fn text(&self, phone: &Phone, rules: &Rules) -> String {
        let length = rules.min_length;
        let digits = |first: u8, step: i16| {
            let digit = |n: i16| char::from(first.wrapping_add_signed(i8::try_from(n * step).expect("ten digits")));
            (0..i16::try_from(length.min(9)).expect("short")).map(digit).collect()
        };
        match self {
            Self::Fresh(number) => {
                let mut mixed = *number;
                let mut digit = || {
                    mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b'0' + u8::try_from((mixed >> 33) % 10).expect("a digit"))
                };
                let more = usize::try_from(number % 3).expect("small");
                (0..(length + more).min(24)).map(|_| digit()).collect()
            }
            Self::Short => "8351".repeat(6)[..length - 1].to_owned(),
            Self::Long => "6183042957".repeat(3)[..25].to_owned(),
            Self::Letters => "73a9152".repeat(4)[..length].to_owned(),
            Self::Up => digits(b'1', 1),
            Self::Down => digits(b'9', -1),
            Self::Repeated => "7".repeat(length),
            Self::WithExtension => format!("62{}{}", phone.extension, "9".repeat(length))[..length.max(13)].to_owned(),
            Self::EndOfExtension => phone.extension[phone.extension.len() - length.min(10)..].to_owned(),
            Self::Known(age) => phone.pins.get(*age).map_or("739152840", String::as_str).to_owned(),
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let limits = prop_oneof![
        4 => Just((Some(5), Some(15))),
        2 => Just((Some(1), Some(2))),
        2 => Just((Some(2), Some(3))),
        2 => Just((Some(2), Some(7))),
        1 => Just((None, Some(1))),
        1 => Just((None, Some(4))),
        1 => Just((Some(3), None)),
        1 => Just((Some(998), Some(999))),
        1 => Just((None, None)),
    ];
    let lifetime = prop_oneof![Just(None), Just(Some(1)), Just(Some(60)), Just(Some(999))];
    let history = prop_oneof![Just(1_usize), Just(2), Just(5), Just(20)];
    let length = prop_oneof![1 => Just(4_usize), 4 => Just(6), 1 => Just(9), 1 => Just(24)];
    (length, lifetime, history, any::<bool>(), limits).prop_map(
        |(min_length, lifetime_days, history, common, (reset_after, lock_after))| Rules {
            min_length,
            lifetime_days,
            history,
            common,
            reset_after,
            lock_after,
        },
    )
}

fn guess() -> impl Strategy<Value = Guess> {
    prop_oneof![
        2 => Just(Guess::Right),
        1 => (0_usize..3).prop_map(Guess::Former),
        6 => (0_u32..1_000_000).prop_map(Guess::Wrong),
    ]
}

fn new_pin() -> impl Strategy<Value = NewPin> {
    prop_oneof![
        12 => any::<u64>().prop_map(NewPin::Fresh),
        1 => Just(NewPin::Short),
        1 => Just(NewPin::Long),
        1 => Just(NewPin::Letters),
        1 => Just(NewPin::Up),
        1 => Just(NewPin::Down),
        1 => Just(NewPin::Repeated),
        1 => Just(NewPin::WithExtension),
        1 => Just(NewPin::EndOfExtension),
        3 => (0_usize..22).prop_map(NewPin::Known),
    ]
}

/// The first mailbox more often than the others: limits are only reached by many attempts at one.
fn who() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(0_usize), 1 => 0..PHONES]
}

fn step() -> impl Strategy<Value = Step> {
    let clock = prop_oneof![
        4 => 1..MINUTE,
        2 => DAY / 2..2 * DAY,
        1 => 58 * DAY..62 * DAY,
        1 => Just(DAY),
        1 => Just(60 * DAY),
        2 => -3 * DAY..0,
    ];
    prop_oneof![
        6 => (who(), option::of(new_pin()), any::<Option<bool>>(), any::<Option<bool>>(), any::<bool>())
            .prop_map(|(who, pin, expired, locked, mail)| Step::Reset { who, pin, expired, locked, mail }),
        5 => (who(), prop::bool::weighted(0.3), any::<Option<bool>>())
            .prop_map(|(who, lock, expired)| Step::Keep { who, lock, expired }),
        50 => (who(), guess(), any::<bool>())
            .prop_map(|(who, pin, by_extension)| Step::SignIn { who, pin, by_extension }),
        14 => (who(), guess(), new_pin()).prop_map(|(who, old, new)| Step::Change { who, old, new }),
        6 => rules().prop_map(Step::Policy),
        12 => clock.prop_map(Step::Clock),
    ]
}

pub fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(), count / 2..count * 3 / 2)
}
