//! The `accessNumbers` object: a list of numbers for each dial plan.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// In the order of the file, equal names included: a map would silently take the last of two.
#[derive(Debug)]
pub(super) struct RawAccessNumbers(pub Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for RawAccessNumbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NumbersVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = RawAccessNumbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list of numbers for each dial plan")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawAccessNumbers, A::Error> {
        let mut plans = Vec::new();
        while let Some(entry) = map.next_entry()? {
            plans.push(entry);
        }
        Ok(RawAccessNumbers(plans))
    }
}
