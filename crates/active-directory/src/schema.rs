//! The schema definitions of the attributes that hold record and counter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::connection::{Connection, Entry, Scope, Search};
use super::filter;
use super::server_error::ServerError;
use umpin_core::attributes::policy;
use umpin_core::credential::counter::FailureCounter;
use umpin_core::credential::record::CredentialRecord;
use umpin_core::credential::seal::{OVERHEAD, is_sealed};
use umpin_core::{Error, ErrorCode, Result};

/// The attribute of the sealed record.
pub(super) const RECORD: &str = "msExchUMPinChecksum";

/// The other required attributes and classes.
const REQUIRED: [&str; 3] = ["msExchUMEnabledFlags", "msExchUMTemplateLink", policy::CLASS];

const DEFINITION_ATTRIBUTES: &[&str] = &[
    "lDAPDisplayName",
    "attributeSyntax",
    "isSingleValued",
    "rangeUpper",
    "isDefunct",
];

/// How bytes are encoded in the counter's attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// Octet string.
    Binary,
    /// Text in Base64.
    Base64,
}

/// Properties of the two attributes that are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schema {
    /// Name of the counter's attribute.
    pub counter: String,
    encoding: Encoding,
    /// Their `rangeUpper`.
    record_range_upper: Option<usize>,
    counter_range_upper: Option<usize>,
}

impl Schema {
    /// Reads the definitions for [`Self::from_definitions`].
    pub(crate) fn read(
        connection: &mut Connection,
        schema: &str,
        counter: &str,
    ) -> std::result::Result<Vec<Entry>, ServerError> {
        let names: Vec<String> = REQUIRED
            .iter()
            .chain(&[RECORD, counter])
            .map(|name| filter::equality("lDAPDisplayName", name))
            .collect();
        let search = Search {
            base: schema,
            scope: Scope::OneLevel,
            filter: &filter::any(&names),
            attributes: DEFINITION_ATTRIBUTES,
            size_limit: 0,
        };
        Ok(connection.search(&search)?.entries)
    }

    /// Checks that record and counter can be stored.
    ///
    /// # Errors
    /// `ConfigurationInvalid` with what is missing or unsuitable.
    pub(crate) fn from_definitions(definitions: &[Entry], counter: &str) -> Result<Self> {
        let find = |name: &str| definition(definitions, name);
        let mailbox_missing: Vec<&str> = REQUIRED
            .into_iter()
            .chain([RECORD, counter])
            .filter(|name| find(name).is_none())
            .collect();
        if !mailbox_missing.is_empty() {
            return Err(
                unsuitable_schema(format!("does not have {}", mailbox_missing.join(", ")))
                    .detail("missing", mailbox_missing),
            );
        }
        let (Some(record), Some(counter_facts)) = (find(RECORD), find(counter)) else {
            return Err(unsuitable_schema("cannot be read".to_owned()));
        };
        if counter.eq_ignore_ascii_case(RECORD) {
            return Err(Error::new(
                ErrorCode::ConfigurationInvalid,
                format!("{RECORD} holds the PIN records and cannot hold the counters as well."),
            )
            .action("Name another attribute in 'directory.counterAttribute'."));
        }
        if encoding(record) != Some(Encoding::Binary) {
            return Err(unsuitable_schema(format!(
                "has {RECORD} with another syntax than octet string"
            )));
        }
        let encoding = encoding(counter_facts).ok_or_else(|| {
            unsuitable_schema(format!(
                "has {counter} with a syntax that holds neither octets nor text"
            ))
        })?;
        for (name, attributes) in [(RECORD, record), (counter, counter_facts)] {
            // Otherwise a second writer's first value would be accepted.
            if !is_true(attributes, "issinglevalued") {
                return Err(unsuitable_schema(format!("allows {name} several values")));
            }
        }
        let schema = Self {
            counter: counter.to_owned(),
            encoding,
            record_range_upper: number(record, "rangeupper"),
            counter_range_upper: number(counter_facts, "rangeupper"),
        };
        schema.check_record(CredentialRecord::FULL_LENGTH + OVERHEAD)?;
        let zero = FailureCounter::zero([0; 16]).encode();
        schema.counter_value(&vec![0; zero.len() + OVERHEAD])?;
        Ok(schema)
    }

    /// Checks that a record of this length can be stored.
    ///
    /// # Errors
    /// `ConfigurationInvalid`.
    pub(crate) fn check_record(&self, length: usize) -> Result<()> {
        check_length(RECORD, length, self.record_range_upper)
    }

    /// Encodes a sealed counter for its attribute.
    ///
    /// # Errors
    /// `ConfigurationInvalid` if it does not fit.
    pub(crate) fn counter_value(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let value = match self.encoding {
            Encoding::Binary => sealed.to_vec(),
            Encoding::Base64 => STANDARD.encode(sealed).into_bytes(),
        };
        check_length(&self.counter, value.len(), self.counter_range_upper)?;
        Ok(value)
    }

    /// The sealed counter in an attribute value; `None` if the value is of another application.
    pub(crate) fn sealed_counter(&self, value: &[u8]) -> Option<Vec<u8>> {
        let sealed = match self.encoding {
            Encoding::Binary => value.to_vec(),
            Encoding::Base64 => STANDARD.decode(value).ok()?,
        };
        is_sealed(&sealed).then_some(sealed)
    }
}

/// The definition with this name, unless it is defunct.
pub(super) fn definition<'a>(definitions: &'a [Entry], name: &str) -> Option<&'a Entry> {
    let is_named = |value: &[u8]| value.eq_ignore_ascii_case(name.as_bytes());
    definitions
        .iter()
        .find(|entry| entry.first("ldapdisplayname").is_some_and(is_named) && !is_true(entry, "isdefunct"))
}

fn is_true(entry: &Entry, name: &str) -> bool {
    entry
        .first(name)
        .is_some_and(|value| value.eq_ignore_ascii_case(b"TRUE"))
}

fn number(entry: &Entry, name: &str) -> Option<usize> {
    entry.text(name).ok()?.trim().parse().ok()
}

/// The encoding for an attribute's syntax (MS-ADTS 3.1.1.2.2.2).
fn encoding(entry: &Entry) -> Option<Encoding> {
    match entry.first("attributesyntax")? {
        b"2.5.5.10" => Some(Encoding::Binary),
        // Teletex, IA5 or printable, Unicode.
        b"2.5.5.4" | b"2.5.5.5" | b"2.5.5.12" => Some(Encoding::Base64),
        _ => None,
    }
}

fn check_length(attribute: &str, length: usize, range_upper: Option<usize>) -> Result<()> {
    match range_upper {
        Some(range_upper) if length > range_upper => Err(unsuitable_schema(format!(
            "lets {attribute} hold at most {range_upper} bytes, and {length} are needed"
        ))),
        _ => Ok(()),
    }
}

/// `what` completes "The schema of the forest … ".
fn unsuitable_schema(what: String) -> Error {
    Error::new(
        ErrorCode::ConfigurationInvalid,
        format!("The schema of the forest {what}."),
    )
    .action(
        "Extend the schema with Exchange's Unified Messaging attributes, or name another 'directory.counterAttribute'.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition_entry(name: &str, properties: &[(&str, &str)]) -> Entry {
        let mut attributes = vec![("ldapdisplayname".to_owned(), name.as_bytes().to_vec())];
        attributes.extend(
            properties
                .iter()
                .map(|(property, value)| ((*property).to_owned(), value.as_bytes().to_vec())),
        );
        Entry {
            dn: format!("CN={name}"),
            attributes,
        }
    }

    /// A valid schema, with these properties of the record's and the counter's attribute.
    fn definitions(record: &[(&str, &str)], counter: &[(&str, &str)]) -> Vec<Entry> {
        let with = |defaults: [(&'static str, &'static str); 2], attributes: &[(&str, &str)]| {
            let mut all: Vec<(String, String)> = attributes.iter().map(|(f, v)| ((*f).into(), (*v).into())).collect();
            all.extend(defaults.map(|(f, v)| (f.into(), v.into())));
            all
        };
        let mut all: Vec<Entry> = REQUIRED.iter().map(|name| definition_entry(name, &[])).collect();
        for (name, attributes) in [
            (
                RECORD,
                with([("attributesyntax", "2.5.5.10"), ("issinglevalued", "TRUE")], record),
            ),
            (
                "extensionAttribute15",
                with([("attributesyntax", "2.5.5.12"), ("issinglevalued", "TRUE")], counter),
            ),
        ] {
            let attributes: Vec<(&str, &str)> = attributes.iter().map(|(f, v)| (f.as_str(), v.as_str())).collect();
            all.push(definition_entry(name, &attributes));
        }
        all
    }

    fn refusal(definitions: &[Entry], counter: &str) -> String {
        let error = Schema::from_definitions(definitions, counter).expect_err("a refusal");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
        error.message().to_owned()
    }

    #[test]
    fn missing_definitions_are_named() {
        let all = definitions(&[], &[]);
        let without = |name: &str| -> Vec<Entry> {
            let others = all.iter().filter(|entry| entry.dn != format!("CN={name}"));
            others.cloned().collect()
        };
        for name in REQUIRED.into_iter().chain([RECORD, "extensionAttribute15"]) {
            let message = refusal(&without(name), "extensionAttribute15");
            assert_eq!(message, format!("The schema of the forest does not have {name}."));
        }
        let message = refusal(&[], "extensionAttribute15");
        assert!(
            message.contains("msExchUMEnabledFlags, msExchUMTemplateLink, msExchUMRecipientTemplate"),
            "{message}"
        );
        assert!(refusal(&all, "extensionAttribute16").contains("extensionAttribute16"));
        let defunct = definitions(&[("isdefunct", "TRUE")], &[]);
        assert!(refusal(&defunct, "extensionAttribute15").contains(RECORD));
        assert!(refusal(&all, "MSEXCHUMPINCHECKSUM").contains("cannot hold the counters as well"));
    }

    #[test]
    fn unsuitable_attributes_are_rejected() {
        let counter = "extensionAttribute15";
        for (record, other, says) in [
            (("attributesyntax", "2.5.5.12"), ("x", ""), "octet string"),
            (("issinglevalued", "FALSE"), ("x", ""), RECORD),
            (
                ("rangeupper", "1000"),
                ("x", ""),
                "at most 1000 bytes, and 1096 are needed",
            ),
            (("x", ""), ("attributesyntax", "2.5.5.9"), "neither octets nor text"),
            (("x", ""), ("issinglevalued", "FALSE"), counter),
            (("x", ""), ("rangeupper", "64"), "at most 64 bytes, and 128 are needed"),
        ] {
            let message = refusal(&definitions(&[record], &[other]), counter);
            assert!(message.contains(says), "{message} does not say: {says}");
        }
    }

    #[test]
    fn a_counter_is_encoded_for_the_syntax_of_its_attribute() {
        let sealed = b"UMP\x01 and so on";
        for (syntax, value) in [
            ("2.5.5.10", sealed.to_vec()),
            ("2.5.5.12", STANDARD.encode(sealed).into_bytes()),
        ] {
            let definitions = definitions(&[], &[("attributesyntax", syntax)]);
            let schema = Schema::from_definitions(&definitions, "extensionAttribute15").expect("a schema");
            assert_eq!(schema.counter_value(sealed).expect("it fits"), value);
            assert_eq!(schema.sealed_counter(&value).as_deref(), Some(&sealed[..]));
            for foreign in [&b""[..], b"42", b"UM", b"Vk1Q", b"\xff\xfe"] {
                assert_eq!(schema.sealed_counter(foreign), None, "{foreign:?}");
            }
        }
    }

    #[test]
    fn a_record_beyond_range_upper_is_rejected() {
        let definitions = definitions(&[("rangeupper", "1200")], &[]);
        let schema = Schema::from_definitions(&definitions, "extensionAttribute15").expect("a schema");
        assert!(schema.check_record(1200).is_ok());
        let error = schema.check_record(1201).expect_err("too long");
        assert!(error.message().contains("1201"), "{error}");
    }
}
