//! What the forest's schema says of the attributes that are read and written here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::connection::{Connection, Depth, Entry, Search};
use super::failure::Failure;
use super::filter;
use umpin_core::attributes::policy;
use umpin_core::credential::counter::FailureCounter;
use umpin_core::credential::record::CredentialRecord;
use umpin_core::credential::seal::{OVERHEAD, is_sealed};
use umpin_core::{Error, ErrorCode, Result};

/// The attribute of the sealed record.
pub(super) const RECORD: &str = "msExchUMPinChecksum";

/// What else must be there.
const NEEDED: [&str; 3] = ["msExchUMEnabledFlags", "msExchUMTemplateLink", policy::CLASS];

const FACTS: &[&str] = &[
    "lDAPDisplayName",
    "attributeSyntax",
    "isSingleValued",
    "rangeUpper",
    "isDefunct",
];

/// How the counter's attribute holds bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// An octet string.
    Octets,
    /// A string of characters: in base64.
    Text,
}

/// The two attributes that are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schema {
    /// Name of the attribute of the counter.
    pub counter: String,
    form: Form,
    /// Their `rangeUpper`.
    most_of_record: Option<usize>,
    most_of_counter: Option<usize>,
}

impl Schema {
    /// The definitions, to be handed to [`Self::of`].
    pub(crate) fn read(
        connection: &mut Connection,
        schema: &str,
        counter: &str,
    ) -> std::result::Result<Vec<Entry>, Failure> {
        let names: Vec<String> = NEEDED
            .iter()
            .chain(&[RECORD, counter])
            .map(|name| filter::equality("lDAPDisplayName", name))
            .collect();
        let search = Search {
            base: schema,
            depth: Depth::OneLevel,
            filter: &filter::any(&names),
            attributes: FACTS,
            size_limit: 0,
        };
        Ok(connection.search(&search)?.entries)
    }

    /// Checks that record and counter can be kept.
    ///
    /// # Errors
    /// `ConfigurationInvalid`, which says what is missing or not as it must be.
    pub(crate) fn of(definitions: &[Entry], counter: &str) -> Result<Self> {
        let find = |name: &str| definition(definitions, name);
        let missing: Vec<&str> = NEEDED
            .into_iter()
            .chain([RECORD, counter])
            .filter(|name| find(name).is_none())
            .collect();
        if !missing.is_empty() {
            return Err(unsuitable(format!("does not have {}", missing.join(", "))).detail("missing", missing));
        }
        let (Some(record), Some(counter_facts)) = (find(RECORD), find(counter)) else {
            return Err(unsuitable("cannot be read".to_owned()));
        };
        if counter.eq_ignore_ascii_case(RECORD) {
            return Err(Error::new(
                ErrorCode::ConfigurationInvalid,
                format!("{RECORD} holds the PIN records and cannot hold the counters as well."),
            )
            .action("Name another attribute in 'directory.counterAttribute'."));
        }
        if form(record) != Some(Form::Octets) {
            return Err(unsuitable(format!(
                "has {RECORD} with another syntax than octet string"
            )));
        }
        let form = form(counter_facts).ok_or_else(|| {
            unsuitable(format!(
                "has {counter} with a syntax that holds neither octets nor text"
            ))
        })?;
        for (name, facts) in [(RECORD, record), (counter, counter_facts)] {
            // A second writer's first value must be refused.
            if !is_true(facts, "issinglevalued") {
                return Err(unsuitable(format!("allows {name} several values")));
            }
        }
        let schema = Self {
            counter: counter.to_owned(),
            form,
            most_of_record: number(record, "rangeupper"),
            most_of_counter: number(counter_facts, "rangeupper"),
        };
        schema.check_record(CredentialRecord::FULL_LENGTH + OVERHEAD)?;
        let zero = FailureCounter::zero([0; 16]).encode();
        schema.counter_value(&vec![0; zero.len() + OVERHEAD])?;
        Ok(schema)
    }

    /// Whether a record of this length can be kept.
    ///
    /// # Errors
    /// `ConfigurationInvalid`.
    pub(crate) fn check_record(&self, length: usize) -> Result<()> {
        check(RECORD, length, self.most_of_record)
    }

    /// A sealed counter as its attribute holds it.
    ///
    /// # Errors
    /// `ConfigurationInvalid` where it does not fit.
    pub(crate) fn counter_value(&self, sealed: &[u8]) -> Result<Vec<u8>> {
        let value = match self.form {
            Form::Octets => sealed.to_vec(),
            Form::Text => STANDARD.encode(sealed).into_bytes(),
        };
        check(&self.counter, value.len(), self.most_of_counter)?;
        Ok(value)
    }

    /// The sealed counter in a value of its attribute; `None`: the value is somebody else's.
    pub(crate) fn sealed_counter(&self, value: &[u8]) -> Option<Vec<u8>> {
        let sealed = match self.form {
            Form::Octets => value.to_vec(),
            Form::Text => STANDARD.decode(value).ok()?,
        };
        is_sealed(&sealed).then_some(sealed)
    }
}

/// The one of that name, unless it is defunct.
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

/// By the syntaxes of Active Directory (MS-ADTS 3.1.1.2.2.2).
fn form(entry: &Entry) -> Option<Form> {
    match entry.first("attributesyntax")? {
        b"2.5.5.10" => Some(Form::Octets),
        // Teletex, IA5 or printable, Unicode.
        b"2.5.5.4" | b"2.5.5.5" | b"2.5.5.12" => Some(Form::Text),
        _ => None,
    }
}

fn check(attribute: &str, length: usize, most: Option<usize>) -> Result<()> {
    match most {
        Some(most) if length > most => Err(unsuitable(format!(
            "lets {attribute} hold at most {most} bytes, and {length} are needed"
        ))),
        _ => Ok(()),
    }
}

/// `what` completes "The schema of the forest … ".
fn unsuitable(what: String) -> Error {
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

    fn described(name: &str, facts: &[(&str, &str)]) -> Entry {
        let mut attributes = vec![("ldapdisplayname".to_owned(), name.as_bytes().to_vec())];
        attributes.extend(
            facts
                .iter()
                .map(|(fact, value)| ((*fact).to_owned(), value.as_bytes().to_vec())),
        );
        Entry {
            dn: format!("CN={name}"),
            attributes,
        }
    }

    /// The usual schema, with other facts of the record's and the counter's attribute where they are given.
    fn definitions(record: &[(&str, &str)], counter: &[(&str, &str)]) -> Vec<Entry> {
        let with = |defaults: [(&'static str, &'static str); 2], facts: &[(&str, &str)]| {
            let mut all: Vec<(String, String)> = facts.iter().map(|(f, v)| ((*f).into(), (*v).into())).collect();
            all.extend(defaults.map(|(f, v)| (f.into(), v.into())));
            all
        };
        let mut all: Vec<Entry> = NEEDED.iter().map(|name| described(name, &[])).collect();
        for (name, facts) in [
            (
                RECORD,
                with([("attributesyntax", "2.5.5.10"), ("issinglevalued", "TRUE")], record),
            ),
            (
                "extensionAttribute15",
                with([("attributesyntax", "2.5.5.12"), ("issinglevalued", "TRUE")], counter),
            ),
        ] {
            let facts: Vec<(&str, &str)> = facts.iter().map(|(f, v)| (f.as_str(), v.as_str())).collect();
            all.push(described(name, &facts));
        }
        all
    }

    fn refusal(definitions: &[Entry], counter: &str) -> String {
        let error = Schema::of(definitions, counter).expect_err("a refusal");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
        error.message().to_owned()
    }

    #[test]
    fn what_is_missing_is_named() {
        let all = definitions(&[], &[]);
        let without = |name: &str| -> Vec<Entry> {
            let others = all.iter().filter(|entry| entry.dn != format!("CN={name}"));
            others.cloned().collect()
        };
        for name in NEEDED.into_iter().chain([RECORD, "extensionAttribute15"]) {
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
    fn what_cannot_hold_the_values_is_refused() {
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
    fn a_counter_is_written_in_the_form_of_its_attribute() {
        let sealed = b"UMP\x01 and so on";
        for (syntax, value) in [
            ("2.5.5.10", sealed.to_vec()),
            ("2.5.5.12", STANDARD.encode(sealed).into_bytes()),
        ] {
            let definitions = definitions(&[], &[("attributesyntax", syntax)]);
            let schema = Schema::of(&definitions, "extensionAttribute15").expect("a schema");
            assert_eq!(schema.counter_value(sealed).expect("it fits"), value);
            assert_eq!(schema.sealed_counter(&value).as_deref(), Some(&sealed[..]));
            for foreign in [&b""[..], b"42", b"UM", b"Vk1Q", b"\xff\xfe"] {
                assert_eq!(schema.sealed_counter(foreign), None, "{foreign:?}");
            }
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_refused_before_the_server_does() {
        let definitions = definitions(&[("rangeupper", "1200")], &[]);
        let schema = Schema::of(&definitions, "extensionAttribute15").expect("a schema");
        assert!(schema.check_record(1200).is_ok());
        let error = schema.check_record(1201).expect_err("too long");
        assert!(error.message().contains("1201"), "{error}");
    }
}
