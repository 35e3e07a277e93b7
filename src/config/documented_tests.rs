//! `docs/configuration.md` against the code: every key, its default and its values.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::super::file::{RawAudit, RawBind, RawConfig, RawDirectory, RawNotification};
use super::*;

const DOCUMENT: &str = include_str!("../../docs/configuration.md");

/// One row of the document's tables.
struct Row {
    key: Vec<String>,
    with: Option<String>,
    values: Values,
    default: Unless,
}

enum Values {
    /// The least and the greatest number.
    Range(u64, u64),
    /// All that there are.
    OneOf(Vec<Value>),
    /// One of many.
    Example(Value),
}

/// What holds without the key.
enum Unless {
    Refused,
    Absent,
    Default(Value),
}

/// What stands in backticks, as JSON.
fn literals(cell: &str) -> Vec<Value> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted
        .map(|text| serde_json::from_str(text).unwrap_or_else(|e| panic!("`{text}` is not JSON: {e}")))
        .collect()
}

fn rows() -> Vec<Row> {
    let lines = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    lines.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let [_, key, with, values, default, _, _] = cells[..] else {
        panic!("five cells were expected: {line}");
    };
    let values = if let Some((least, greatest)) = values.split_once(" to ") {
        Values::Range(least.parse().expect(line), greatest.parse().expect(line))
    } else if let Some(list) = values.strip_prefix("one of ") {
        Values::OneOf(literals(list))
    } else {
        Values::Example(literals(values).into_iter().next().expect(line))
    };
    let default = match default {
        "needed" => Unless::Refused,
        "none" => Unless::Absent,
        literal => Unless::Default(literals(literal).into_iter().next().expect(line)),
    };
    let with = with.trim_matches('`');
    Row {
        key: key.trim_matches('`').split('.').map(str::to_owned).collect(),
        with: (!with.is_empty()).then(|| with.to_owned()),
        values,
        default,
    }
}

impl Row {
    fn name(&self) -> String {
        self.key.join(".")
    }

    /// Values that are taken.
    fn good(&self) -> Vec<Value> {
        match &self.values {
            Values::Range(least, greatest) => vec![json!(least), json!(greatest)],
            Values::OneOf(all) => all.clone(),
            Values::Example(value) => vec![value.clone()],
        }
    }

    /// Values that are refused.
    fn bad(&self) -> Vec<Value> {
        match &self.values {
            Values::Range(least, greatest) => vec![json!(least - 1), json!(greatest + 1), json!(-1), json!("1")],
            Values::OneOf(_) => vec![json!("no-such-value"), json!(7)],
            Values::Example(Value::String(_)) => vec![json!(7), json!(["a"]), json!("")],
            Values::Example(_) => vec![json!(7), json!("text")],
        }
    }

    /// A whole configuration of this type, without the key.
    fn without(&self, kind: &str) -> Value {
        let mut config = match (self.key[0].as_str(), kind) {
            ("directory", "activeDirectory") => json!({ "directory": {
                "type": "activeDirectory", "domain": "contoso.com",
                "bind": { "method": "simple", "user": "svc-um@contoso.com", "passwordVariable": "UMPIN_X" } } }),
            ("directory", _) => json!({ "directory": { "type": "embedded" } }),
            ("notification", "smtp") => json!({ "notification": {
                "type": "smtp", "host": "mail.contoso.com", "from": "um@contoso.com",
                "user": "um", "passwordVariable": "UMPIN_X" } }),
            ("notification", _) => json!({ "notification": { "type": "pickup" } }),
            ("keys", _) => json!({ "keys": { "active": "k2", "k1": "umpin.key", "k2": "other.key" } }),
            (section, _) => json!({ section: {} }),
        };
        let parent = self.parent(&mut config);
        parent.remove(self.leaf());
        // Of the two places of a password there is one; and an account of the relay has one.
        if self.leaf().starts_with("password") || self.name() == "notification.user" {
            parent.remove("passwordVariable");
        }
        config
    }

    /// The same with the key.
    fn with(&self, kind: &str, value: &Value) -> Value {
        let kind = match value.as_str() {
            Some(named @ ("activeDirectory" | "smtp")) if self.leaf() == "type" => named,
            _ => kind,
        };
        let mut config = self.without(kind);
        let parent = self.parent(&mut config);
        parent.insert(self.leaf().to_owned(), value.clone());
        if self.name() == "notification.user" {
            parent.insert("passwordVariable".to_owned(), json!("UMPIN_X"));
        }
        config
    }

    fn leaf(&self) -> &str {
        self.key.last().expect("a name")
    }

    /// The object that has the key.
    fn parent<'a>(&self, config: &'a mut Value) -> &'a mut Map<String, Value> {
        let mut at = config;
        for name in &self.key[..self.key.len() - 1] {
            at = &mut at[name];
            if at.is_null() {
                *at = json!({});
            }
        }
        at.as_object_mut().expect("an object")
    }

    /// Which types the key goes with, and which it does not.
    fn types(&self) -> (Vec<&str>, Vec<&str>) {
        let all: &[&str] = match self.key[0].as_str() {
            "directory" => &["embedded", "activeDirectory"],
            "notification" => &["pickup", "smtp"],
            _ => &[""],
        };
        match (&self.with, self.leaf()) {
            (_, "type") => (vec![all[0]], Vec::new()),
            (Some(with), _) => all.iter().partition(|kind| *kind == with),
            (None, _) => (all.to_vec(), Vec::new()),
        }
    }
}

fn loaded(config: &Value) -> Result<Config, String> {
    let (folder, config) = load(config.to_string().as_bytes());
    let place = folder.path().to_owned();
    config
        .map(|config| Config {
            file: None,
            ..at(config, &place)
        })
        .map_err(|error| error.message().to_owned())
}

/// Each file lies in a folder of its own: two configurations are compared without it.
fn at(mut config: Config, folder: &Path) -> Config {
    let bare = |path: &mut std::path::PathBuf| {
        if let Ok(rest) = path.strip_prefix(folder) {
            *path = Path::new("/beside").join(rest);
        }
    };
    config.keys.files.values_mut().for_each(bare);
    match &mut config.directory {
        DirectoryConfig::Embedded { path, .. } => bare(path),
        DirectoryConfig::ActiveDirectory { outbox, .. } => bare(outbox),
    }
    config
}

#[test]
fn every_documented_value_is_taken_and_every_other_refused() {
    for row in rows() {
        let (with, without) = row.types();
        for kind in &with {
            for value in row.good() {
                let config = row.with(kind, &value);
                assert!(
                    loaded(&config).is_ok(),
                    "{} with {kind:?}: {config}: {:?}",
                    row.name(),
                    loaded(&config)
                );
            }
            for value in row.bad() {
                let config = row.with(kind, &value);
                assert!(
                    loaded(&config).is_err(),
                    "{} with {kind:?}: {config} was taken",
                    row.name()
                );
            }
        }
        let other = rows()
            .iter()
            .any(|other| other.key == row.key && other.with != row.with);
        for kind in without.iter().filter(|_| !other) {
            let config = row.with(kind, &row.good()[0]);
            assert!(
                loaded(&config).is_err(),
                "{} with {kind:?}: {config} was taken",
                row.name()
            );
        }
    }
}

#[test]
fn without_a_key_its_documented_default_holds() {
    for row in rows() {
        for kind in row.types().0 {
            let without = row.without(kind);
            match &row.default {
                Unless::Refused => {
                    let message = loaded(&without).expect_err(&row.name());
                    assert!(message.contains(row.leaf()), "{}: {message}", row.name());
                }
                Unless::Absent => {
                    if !row.leaf().starts_with("password") {
                        assert!(loaded(&without).is_ok(), "{}: {:?}", row.name(), loaded(&without));
                    }
                }
                Unless::Default(value) => {
                    let mut given = loaded(&row.with(kind, value)).unwrap_or_else(|e| panic!("{}: {e}", row.name()));
                    let bare = loaded(&without).unwrap_or_else(|e| panic!("{}: {e}", row.name()));
                    if row.name() == "notification.language" {
                        // The same for every reader: a message in no language is in English.
                        given.message.language = None;
                    }
                    assert_eq!(given, bare, "{} with {kind:?}", row.name());
                }
            }
        }
    }
}

/// The names that serde expects in place of one that it does not know.
fn fields<T: DeserializeOwned>(section: &str) -> impl Iterator<Item = String> {
    let Err(error) = serde_json::from_value::<T>(json!({ "no such key": 1 })) else {
        panic!("{section} takes any key");
    };
    let message = error.to_string();
    let (_, expected) = message.split_once("expected").expect("serde lists the fields");
    let names: Vec<String> = expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|name| format!("{section}{name}"))
        .collect();
    assert!(!names.is_empty(), "{message}");
    names.into_iter()
}

#[test]
fn every_key_of_the_code_is_documented_and_no_other() {
    let known: BTreeSet<String> = fields::<RawConfig>("")
        .chain(fields::<RawDirectory>("directory."))
        .chain(fields::<RawBind>("directory.bind."))
        .chain(fields::<RawNotification>("notification."))
        .chain(fields::<RawAudit>("audit."))
        .chain(["keys.active".to_owned(), "keys.k1".to_owned()])
        .collect();
    let documented: BTreeSet<String> = rows().iter().map(Row::name).collect();
    assert_eq!(documented, known, "left: docs/configuration.md; right: src/config");
}

#[test]
fn configurations_in_the_documents_are_whole_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).expect("docs");
    let documents = docs
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .chain(["README.md", "SECURITY.md"].map(|name| root.join(name)));
    let mut found = 0;
    for document in documents {
        let text = std::fs::read_to_string(&document).expect("readable");
        for block in text.split("```json\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let (_folder, config) = load(block.as_bytes());
            assert!(config.is_ok(), "{}: {:?} of\n{block}", document.display(), config.err());
            found += 1;
        }
    }
    assert!(found > 2, "the documents show {found} configurations only");
}
