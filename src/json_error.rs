//! Errors of JSON texts, for the author of the text: the field, and what is expected. Never the value of the field, which may be a
//! password, and never the names of Rust types.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// An error of a field, or of the whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// An invalid value, and what is expected, if that is known.
    InvalidValue { field: String, expected: Option<String> },
    /// An unknown field.
    UnknownField { field: String },
    /// A field that occurs twice.
    DuplicateField { field: String },
    /// A required field that is missing.
    MissingField { field: String },
    /// Another error of a field.
    Other { field: String, what: String },
    /// The text is not an object.
    NotAnObject,
    /// The text is not JSON.
    Syntax { what: String },
}

impl JsonError {
    /// From an error and its path, as `serde_path_to_error` gives them.
    pub(crate) fn new(path: &str, error: &serde_json::Error) -> Self {
        let full = error.to_string();
        let message = full.split(" at line ").next().unwrap_or_default().replace('\n', " ");
        if !error.is_data() {
            return Self::Syntax { what: syntax(&message) };
        }
        let whole = path == ".";
        if whole && message.starts_with("invalid type") {
            return Self::NotAnObject;
        }
        let field = path.to_owned();
        let quoted = message.split('`').nth(1).unwrap_or(path);
        if message.starts_with("unknown field") {
            return Self::UnknownField {
                field: joined(path, quoted),
            };
        }
        if message.starts_with("duplicate field") {
            return Self::DuplicateField {
                field: joined(path, quoted),
            };
        }
        if message.starts_with("missing field") {
            return Self::MissingField {
                field: joined(path, quoted),
            };
        }
        let repeats_the_value = ["invalid type", "invalid value", "invalid length", "unknown variant"]
            .iter()
            .any(|start| message.starts_with(start));
        if repeats_the_value {
            let expected = message
                .rsplit_once(", expected ")
                .map(|(_, expected)| without_rust_terms(expected));
            return Self::InvalidValue { field, expected };
        }
        Self::Other { field, what: message }
    }

    /// The field concerned.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::InvalidValue { field, .. }
            | Self::UnknownField { field }
            | Self::DuplicateField { field }
            | Self::MissingField { field }
            | Self::Other { field, .. } => Some(field),
            Self::NotAnObject | Self::Syntax { .. } => None,
        }
    }

    /// The error with its path relative to the field `outer`.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        if let Self::InvalidValue { field, .. }
        | Self::UnknownField { field }
        | Self::DuplicateField { field }
        | Self::MissingField { field }
        | Self::Other { field, .. } = &mut self
            && let Some(inner) = field.strip_prefix(outer).and_then(|rest| rest.strip_prefix('.'))
        {
            *field = inner.to_owned();
        }
        self
    }

    /// Completes "The request …" or "The configuration file … "; `part` is the caller's word for a field (`field`, `key`).
    pub(crate) fn explain(&self, part: &str, place: &str) -> String {
        match self {
            Self::InvalidValue {
                field,
                expected: Some(expected),
            } => {
                format!("has an invalid value in the {part} '{field}'{place}: expected {expected}")
            }
            Self::InvalidValue { field, expected: None } => {
                format!("has an invalid value in the {part} '{field}'{place}")
            }
            Self::UnknownField { field } => format!("has a {part} that is not known, '{field}'{place}"),
            Self::DuplicateField { field } => format!("has a {part} twice, '{field}'{place}"),
            Self::MissingField { field } => format!("lacks the {part} '{field}'{place}"),
            Self::Other { field, what } => format!("has an error in the {part} '{field}'{place}: {what}"),
            Self::NotAnObject => format!("is not a JSON object{place}"),
            Self::Syntax { what } => format!("is not valid JSON{place}: {what}"),
        }
    }
}

/// The path of a field that an error names: the path of an error is that of the field or of the object around it.
fn joined(path: &str, name: &str) -> String {
    if path == "." {
        name.to_owned()
    } else if path == name || path.ends_with(&format!(".{name}")) {
        path.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// The expected value, without the terms of Rust.
fn without_rust_terms(expected: &str) -> String {
    let whole = |from: &str, to: &str| format!("a whole number from {from} to {to}");
    match expected {
        "u8" => whole("0", "255"),
        "u16" => whole("0", "65535"),
        "u32" => whole("0", "4294967295"),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "a borrowed string" | "a character" | "path string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "unit" | "option" => "nothing".to_owned(),
        "string or map" | "variant identifier" => "one of the documented words".to_owned(),
        other if other.starts_with("struct ") || other.starts_with("enum ") || other.starts_with("tuple ") => {
            "an object".to_owned()
        }
        other => other.replace('`', "'"),
    }
}

/// The error of a text that is not JSON, without its position.
fn syntax(what: &str) -> String {
    if let Some(inside) = what.strip_prefix("EOF while parsing ") {
        return format!("it ends in the middle of {}", inside.replace("a string", "text"));
    }
    match what {
        "expected ident" => "true, false or null is misspelt",
        "expected value" => "a value is missing or misspelt",
        "key must be a string" => "a key must be in double quotes",
        "trailing comma" => "a comma before a closing bracket or brace is not allowed",
        "trailing characters" => "something follows its end",
        "invalid escape" => "a backslash in text must be written twice",
        "invalid number" | "number out of range" => "a number is misspelt or too large",
        "recursion limit exceeded" => "it is nested too deeply",
        what if what.starts_with("control character") => "a line break or control character is inside text",
        what if what.contains("surrogate") || what.contains("hex escape") || what.contains("code point") => {
            "what follows \\u in text is not a character"
        }
        other => return other.replace('`', "'"),
    }
    .to_owned()
}

/// The fields of a JSON object; a duplicate is an error.
pub(crate) fn fields(text: &str) -> Result<Map<String, Value>, (JsonError, serde_json::Error)> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path = e.path().to_string();
        let error = JsonError::new(&path, e.inner());
        (error, e.into_inner())
    });
    let Fields(fields) = read?;
    json.end().map_err(|e| (JsonError::new(".", &e), e))?;
    Ok(fields)
}

/// The fields as a structure.
pub(crate) fn structure<T: DeserializeOwned>(fields: Value) -> Result<T, JsonError> {
    serde_path_to_error::deserialize(fields).map_err(|e| JsonError::new(&e.path().to_string(), e.inner()))
}

/// An object without duplicate fields: a map would silently use the last of two.
struct Fields(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;

        impl<'de> serde::de::Visitor<'de> for Once {
            type Value = Fields;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Map::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value: Value = map.next_value()?;
                    if fields.insert(name.clone(), value).is_some() {
                        return Err(serde::de::Error::custom(format_args!("duplicate field `{name}`")));
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Inner {
        #[allow(dead_code, reason = "read")]
        port: u16,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum Kind {
        StartTls,
        Implicit,
        Pickup,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    #[allow(dead_code, reason = "read")]
    struct Outer {
        name: String,
        inner: Option<Inner>,
        page_size: Option<usize>,
        since: Option<i64>,
        flag: Option<bool>,
        kind: Option<Kind>,
        list: Option<Vec<String>>,
        path: Option<std::path::PathBuf>,
    }

    fn told(value: Value) -> String {
        structure::<Outer>(value).expect_err("an error").explain("field", "")
    }

    #[test]
    fn each_fault_names_its_field_and_what_belongs_there_and_never_the_value() {
        for (value, message) in [
            (json!({}), "lacks the field 'name'"),
            (
                json!({ "name": 739_184 }),
                "has an invalid value in the field 'name': expected text",
            ),
            (
                json!({ "name": null }),
                "has an invalid value in the field 'name': expected text",
            ),
            (
                json!({ "name": "x", "nome": 1 }),
                "has a field that is not known, 'nome'",
            ),
            (
                json!({ "name": "x", "inner": { "port": 739_184 } }),
                "has an invalid value in the field 'inner.port': expected a whole number from 0 to 65535",
            ),
            (json!({ "name": "x", "inner": {} }), "lacks the field 'inner.port'"),
            (
                json!({ "name": "x", "inner": 739_184 }),
                "has an invalid value in the field 'inner': expected an object",
            ),
            (
                json!({ "name": "x", "inner": { "port": 1, "part": 2 } }),
                "has a field that is not known, 'inner.part'",
            ),
            (
                json!({ "name": "x", "pageSize": -739_184 }),
                "has an invalid value in the field 'pageSize': expected a whole number, 0 or more",
            ),
            (
                json!({ "name": "x", "since": "739184" }),
                "has an invalid value in the field 'since': expected a whole number",
            ),
            (
                json!({ "name": "x", "flag": "739184" }),
                "has an invalid value in the field 'flag': expected true or false",
            ),
            (
                json!({ "name": "x", "kind": "739184" }),
                "has an invalid value in the field 'kind': expected one of 'startTls', 'implicit', 'pickup'",
            ),
            (
                json!({ "name": "x", "list": "739184" }),
                "has an invalid value in the field 'list': expected a list",
            ),
            (
                json!({ "name": "x", "list": ["a", 739_184] }),
                "has an invalid value in the field 'list[1]': expected text",
            ),
            (
                json!({ "name": "x", "path": 739_184 }),
                "has an invalid value in the field 'path': expected text",
            ),
            (json!("739184"), "is not a JSON object"),
        ] {
            assert_eq!(told(value.clone()), message, "{value}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_is_a_fault() {
        let (error, _) = fields(r#"{ "v": 1, "v": 1 }"#).expect_err("twice");
        assert_eq!(error, JsonError::DuplicateField { field: "v".to_owned() });
    }

    #[test]
    fn faults_of_syntax_say_what_to_change() {
        for (json, message) in [
            ("{", "it ends in the middle of an object"),
            (r#"{ "a": tru }"#, "true, false or null is misspelt"),
            (r#"{ "a": }"#, "a value is missing or misspelt"),
            ("{ a: 1 }", "a key must be in double quotes"),
            (r#"{ "a": 1, }"#, "a comma before"),
            ("{ } x", "something follows its end"),
            (r#"{ "a": "\ud800x" }"#, "what follows \\u in text"),
            (r#"{ "a": "C:\Pin" }"#, "a backslash in text must be written twice"),
            ("{ \"a\": \"x\ny\" }", "a line break or control character"),
            (r#"{ "a" 1 }"#, "expected ':'"),
            (r#"{ "a": 1 "b": 2 }"#, "expected ',' or '}'"),
            (r#"{ "a": 1e999 }"#, "a number is misspelt or too large"),
        ] {
            let error = serde_json::from_str::<Value>(json).unwrap_err();
            let what = JsonError::new(".", &error).explain("field", "");
            assert!(what.contains(message), "{json}: {what}");
            assert!(
                !what.contains("EOF") && !what.contains("ident") && !what.contains('`'),
                "{what}"
            );
        }
        let deep = serde_json::from_str::<Value>(&"[".repeat(500)).unwrap_err();
        assert!(
            JsonError::new(".", &deep)
                .explain("field", "")
                .ends_with("it is nested too deeply")
        );
    }
}
