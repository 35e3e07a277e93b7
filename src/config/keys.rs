//! The `keys` object: `active`, and a file for each key id.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

#[derive(Debug)]
pub(super) struct RawKeys {
    pub active: String,
    pub files: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for RawKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(KeysVisitor)
    }
}

/// Written by hand, because a map would silently use the last of two equal keys.
struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = RawKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with 'active' and a file for each key id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawKeys, A::Error> {
        let mut active = None;
        let mut files = BTreeMap::new();
        while let Some(id) = map.next_key::<String>()? {
            let value: String = map.next_value()?;
            if id == "active" {
                if active.replace(value).is_some() {
                    return Err(A::Error::custom("'active' occurs twice"));
                }
            } else if !is_id(&id) {
                return Err(A::Error::custom(
                    "a key id is 1 to 32 letters, digits, '-', '_' and '.'",
                ));
            } else if files.insert(id.clone(), value).is_some() {
                return Err(A::Error::custom(format!("'{id}' occurs twice")));
            }
        }
        let active = active.ok_or_else(|| A::Error::missing_field("active"))?;
        if !files.contains_key(&active) {
            return Err(A::Error::custom("'active' names none of the other entries"));
        }
        Ok(RawKeys { active, files })
    }
}

fn is_id(id: &str) -> bool {
    (1..=32).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
