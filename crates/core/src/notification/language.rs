//! The languages of messages, and the choice for a user.
//!
//! A language is a file `languages/<tag>.json`; adding one is adding its file.

use serde::Deserialize;

use crate::{Error, ErrorCode, Result};

/// Tag and content of every file in `languages/`, ordered by tag.
const LANGUAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/languages.rs"));

/// The language if neither the user nor the configuration asks for an available one.
pub(super) const FALLBACK: &str = "en";

/// The texts of a message. Each has at most the one placeholder that is named below.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Phrases {
    /// `ltr` or `rtl`.
    pub direction: Direction,
    /// Between the items of a list of numbers.
    pub list_separator: String,
    pub subject: String,
    /// `{name}`.
    pub greeting: String,
    pub greeting_without_name: String,
    /// Right before the PIN; so is the next.
    pub pin_set: String,
    pub pin_replaced: String,
    pub must_change: String,
    pub locked_out: String,
    pub calling_heading: String,
    /// `{extensions}`, for a single one.
    pub extension_one: String,
    /// `{extensions}`.
    pub extension_other: String,
    /// `{numbers}`, for a single one.
    pub access_number_one: String,
    /// `{numbers}`.
    pub access_number_other: String,
    pub help_heading: String,
    /// If the configuration names no help desk.
    pub help_desk: String,
    /// `{contact}`.
    pub help_contact: String,
    pub keep_secret: String,
}

/// The direction of the script.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Direction {
    Ltr,
    Rtl,
}

impl Direction {
    /// As the `dir` attribute has it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

impl Phrases {
    /// The phrases of a language in [`tags`].
    pub(super) fn of(tag: &str) -> Result<Self> {
        let fault = || {
            Error::new(
                ErrorCode::NativeFault,
                format!("The texts of the language '{tag}' cannot be used."),
            )
        };
        let (_, content) = LANGUAGES.iter().find(|(known, _)| *known == tag).ok_or_else(fault)?;
        serde_json::from_str(content).map_err(|e| fault().caused_by(e))
    }
}

/// The tags of all languages, in order.
pub fn tags() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().map(|(tag, _)| *tag)
}

/// The available language for a tag: itself, or the tag without its last subtags (`de-AT`: `de`), the lookup of RFC 4647. The
/// underscores of POSIX locales are read as hyphens.
#[must_use]
pub fn look_up(tag: &str) -> Option<&'static str> {
    let mut wanted = tag.trim().replace('_', "-");
    loop {
        if let Some(found) = tags().find(|known| known.eq_ignore_ascii_case(&wanted)) {
            return Some(found);
        }
        wanted.truncate(wanted.rfind('-')?);
    }
}

/// The language for a user: the best of `preferredLanguage` (`de-AT, en;q=0.8`, RFC 2798), else the configured one, else English.
///
/// Invalid language ranges and unavailable languages are ignored.
#[must_use]
pub fn choose(preferred: Option<&str>, configured: Option<&str>) -> &'static str {
    let mut wanted: Vec<(&str, u16)> = preferred
        .unwrap_or_default()
        .split(',')
        .filter_map(range)
        .filter(|(_, weight)| *weight > 0)
        .collect();
    // Stable: of equal weights the first.
    wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    wanted
        .into_iter()
        .map(|(tag, _)| tag)
        .chain(configured)
        .find_map(look_up)
        .unwrap_or(FALLBACK)
}

/// `en;q=0.8` as the tag and the weight in thousandths.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut fields = text.split(';').map(str::trim);
    let tag = fields.next().filter(|tag| !tag.is_empty())?;
    let weight = match fields.next() {
        None => 1000,
        Some(field) => {
            let (name, value) = field.split_once('=')?;
            if !name.trim().eq_ignore_ascii_case("q") {
                return None;
            }
            weight(value.trim())?
        }
    };
    fields.next().is_none().then_some((tag, weight))
}

/// `0.8` in thousandths: `0` or `1`, and up to three decimals that leave it within 1.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (value <= 1000).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_user_gets_the_best_language_that_there_is() {
        for (preferred, configured, chosen) in [
            (None, None, "en"),
            (Some(""), None, "en"),
            (None, Some("fr"), "fr"),
            (Some("de"), Some("fr"), "de"),
            (Some("DE-at"), None, "de"),
            (Some("de_AT"), None, "de"),
            (Some("zh-Hant-TW-x-private, ja-JP"), None, "ja"),
            (Some("de-AT, en;q=0.8"), None, "de"),
            (Some("en;q=0.8, de-AT"), None, "de"),
            (Some("en;q=0.8,es;q=0.9,fr;q=.5"), None, "es"),
            (Some("en; Q=0.5 , ja ; q = 0.501"), None, "ja"),
            (Some("fr;q=0.7, es;q=0.7"), None, "fr"),
            (Some("fr;q=0, es;q=0.001"), None, "es"),
            (Some("fr;q=0.000"), Some("de"), "de"),
            (Some("nl, pt-BR"), Some("es-MX"), "es"),
            (Some("*"), Some("es"), "es"),
            (Some("German"), Some("nonsense"), "en"),
            (Some("fr;q=1.001"), None, "en"),
            (Some("fr;q=0.5;x=1, de;level=1, es;q, ja;q=-1, ;q=1,,"), None, "en"),
            (Some("e"), None, "en"),
            (Some("-"), None, "en"),
        ] {
            assert_eq!(choose(preferred, configured), chosen, "{preferred:?} {configured:?}");
        }
    }

    #[test]
    fn the_table_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/notification/languages");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("folder")
            .map(|entry| entry.expect("entry").file_name().into_string().expect("UTF-8"))
            .collect();
        files.sort();
        assert_eq!(files, tags().map(|tag| format!("{tag}.json")).collect::<Vec<_>>());
        for tag in ["de", "en", "es", "fr", "ja"] {
            assert!(tags().any(|known| known == tag), "{tag}");
        }
    }

    /// The struct refuses missing and unknown keys; here is what it cannot know.
    #[test]
    fn every_language_says_everything_and_leaves_nothing_open() {
        let placeholder = |key: &str| match key {
            "greeting" => Some("{name}"),
            "extensionOne" | "extensionOther" => Some("{extensions}"),
            "accessNumberOne" | "accessNumberOther" => Some("{numbers}"),
            "helpContact" => Some("{contact}"),
            _ => None,
        };
        for (tag, content) in LANGUAGES {
            Phrases::of(tag).unwrap_or_else(|e| panic!("{tag}: {e:?}"));
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(content).expect(tag);
            assert_eq!(
                content.matches("\": \"").count(),
                object.len(),
                "{tag}: a key stands there twice"
            );
            for (key, value) in &object {
                let text = value.as_str().expect(key);
                let placeholder = placeholder(key);
                let rest = match placeholder {
                    Some(placeholder) => {
                        assert_eq!(text.matches(placeholder).count(), 1, "{tag}.{key}");
                        text.replace(placeholder, "")
                    }
                    None => text.to_owned(),
                };
                assert!(!rest.contains(['{', '}', '<', '>', '&']), "{tag}.{key}: {text}");
                assert!(!text.chars().any(char::is_control), "{tag}.{key}");
                assert!(
                    !text.contains("  ") && !rest.chars().any(|c| c.is_ascii_digit()),
                    "{tag}.{key}"
                );
                if key != "listSeparator" {
                    assert_eq!(text.trim(), text, "{tag}.{key}");
                    assert!(rest.chars().any(char::is_alphabetic), "{tag}.{key}");
                }
            }
        }
    }

    #[test]
    fn no_language_repeats_the_english() {
        let values = |tag: &str| {
            let (_, content) = LANGUAGES.iter().find(|(known, _)| *known == tag).expect(tag);
            serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(content).expect(tag)
        };
        let english = values(FALLBACK);
        for tag in tags().filter(|tag| *tag != FALLBACK) {
            for (key, value) in values(tag) {
                if !matches!(key.as_str(), "direction" | "listSeparator") {
                    assert_ne!(Some(&value), english.get(&key), "{tag}.{key} is not translated");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_preference_leads_to_a_language(preferred in "[a-zA-Z0-9*;,.=_ q-]{0,60}", configured in any::<String>()) {
            let chosen = choose(Some(&preferred), Some(&configured));
            prop_assert!(tags().any(|tag| tag == chosen));
        }
    }
}
