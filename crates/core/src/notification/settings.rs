//! The settings of messages.

use std::collections::BTreeMap;

use crate::identity::fold::fold;
use crate::mailbox::Extension;

/// The name for all dial plans without an entry of their own.
const ANY_DIAL_PLAN: &str = "*";

/// The settings that all messages share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageSettings {
    /// The language of users without an available preference; one of [`super::language::tags`].
    pub language: Option<String>,
    /// The help desk: one line of text, or an address.
    pub help_desk: Option<String>,
    access_numbers: BTreeMap<String, Vec<String>>,
}

impl MessageSettings {
    /// Settings without access numbers.
    #[must_use]
    pub fn new(language: Option<String>, help_desk: Option<String>) -> Self {
        Self {
            language,
            help_desk,
            access_numbers: BTreeMap::new(),
        }
    }

    /// Sets the access numbers of a dial plan, or with `*` of every dial plan without numbers. Names are compared without regard to
    /// case; false if the name has numbers already.
    pub fn add_access_numbers(&mut self, dial_plan: &str, numbers: Vec<String>) -> bool {
        self.access_numbers.insert(fold(dial_plan.trim()), numbers).is_none()
    }

    /// The numbers for all of a user's extensions, each once. A user without extensions gets those of `*`.
    pub(super) fn access_numbers(&self, extensions: &[Extension]) -> Vec<&str> {
        let any = self.access_numbers.get(ANY_DIAL_PLAN);
        let of = |extension: &Extension| {
            extension
                .dial_plan
                .as_deref()
                .and_then(|name| self.access_numbers.get(&fold(name.trim())))
                .or(any)
        };
        let lists: Vec<_> = match extensions {
            [] => any.into_iter().collect(),
            some => some.iter().filter_map(of).collect(),
        };
        let mut numbers: Vec<&str> = Vec::new();
        for number in lists.into_iter().flatten() {
            if !numbers.contains(&number.as_str()) {
                numbers.push(number);
            }
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extension(dial_plan: Option<&str>) -> Extension {
        Extension {
            number: "4271".to_owned(),
            dial_plan: dial_plan.map(str::to_owned),
        }
    }

    #[test]
    fn each_dial_plan_has_its_numbers_and_the_others_those_of_the_star() {
        let mut settings = MessageSettings::default();
        assert!(settings.access_numbers(&[extension(Some("Main"))]).is_empty());
        assert!(settings.add_access_numbers("Main.Contoso.com", vec!["1".into(), "2".into()]));
        assert!(settings.add_access_numbers("Straße", vec!["3".into()]));
        assert!(!settings.add_access_numbers(" MAIN.contoso.COM", vec!["1".into(), "2".into()]));
        assert_eq!(
            settings.access_numbers(&[extension(Some("main.contoso.com"))]),
            ["1", "2"]
        );
        assert_eq!(settings.access_numbers(&[extension(Some("STRASSE"))]), ["3"]);
        assert!(settings.access_numbers(&[extension(Some("Branch"))]).is_empty());
        assert!(settings.access_numbers(&[extension(None)]).is_empty());
        assert!(settings.access_numbers(&[]).is_empty());

        assert!(settings.add_access_numbers("*", vec!["9".into(), "1".into()]));
        assert_eq!(settings.access_numbers(&[]), ["9", "1"]);
        assert_eq!(settings.access_numbers(&[extension(None)]), ["9", "1"]);
        assert_eq!(
            settings.access_numbers(&[
                extension(Some("main.contoso.com")),
                extension(Some("Branch")),
                extension(Some("straße"))
            ]),
            ["1", "2", "9", "3"]
        );
    }
}
