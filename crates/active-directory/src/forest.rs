//! What is the same for all questions of a session: partitions, domains and their names, the schema.

use std::sync::Arc;

use uuid::Uuid;

use super::ActiveDirectory;
use super::connection::{Connection, Depth, Entry, Search};
use super::failure::Failure;
use super::schema::Schema;
use super::servers::Whom;
use umpin_core::identity::fold::fold;
use umpin_core::{Error, ErrorCode, Result};

/// A domain of the forest.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Domain {
    dns_name: String,
    netbios_name: String,
}

/// The forest.
#[derive(Debug)]
pub(super) struct Forest {
    /// `objectGUID` of the configuration partition: the same on every controller, and never changed.
    pub id: Uuid,
    /// Name of the configuration partition.
    pub configuration: String,
    pub schema: Schema,
    domains: Vec<Domain>,
}

impl Forest {
    /// The NetBIOS name of a domain given by its DNS name.
    pub(crate) fn netbios_name(&self, dns_name: &str) -> Option<&str> {
        let name = fold(dns_name);
        let domain = self.domains.iter().find(|domain| fold(&domain.dns_name) == name)?;
        Some(&domain.netbios_name)
    }

    /// DNS names of all domains.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(|domain| domain.dns_name.as_str())
    }
}

impl ActiveDirectory {
    /// The forest, read at the first need.
    pub(super) fn forest(&self) -> Result<Arc<Forest>> {
        let mut slot = super::lock(&self.forest);
        if let Some(forest) = &*slot {
            return Ok(Arc::clone(forest));
        }
        let settings = self.servers.settings();
        let facts = self
            .servers
            .ask(Whom::DomainController(&settings.domain), |connection| {
                self.facts(connection)
            })?;
        let forest = Arc::new(facts.forest(&settings.counter_attribute)?);
        *slot = Some(Arc::clone(&forest));
        Ok(forest)
    }

    fn facts(&self, connection: &mut Connection) -> std::result::Result<Facts, Failure> {
        let about = connection.about().clone();
        let configuration = about.configuration;
        let head = connection.search(&Search {
            base: &configuration,
            depth: Depth::Base,
            filter: "(objectClass=*)",
            attributes: &["objectGUID"],
            size_limit: 1,
        })?;
        let domains = connection.search(&Search {
            base: &format!("CN=Partitions,{configuration}"),
            depth: Depth::OneLevel,
            filter: "(&(objectClass=crossRef)(nETBIOSName=*))",
            attributes: &["dnsRoot", "nETBIOSName"],
            size_limit: 0,
        })?;
        let schema = Schema::read(connection, &about.schema, &self.servers.settings().counter_attribute)?;
        Ok(Facts {
            configuration,
            head: head.entries.into_iter().next(),
            domains: domains.entries,
            schema,
        })
    }
}

/// As the directory gave them.
struct Facts {
    configuration: String,
    head: Option<Entry>,
    domains: Vec<Entry>,
    schema: Vec<Entry>,
}

impl Facts {
    fn forest(self, counter: &str) -> Result<Forest> {
        let id = self.head.and_then(|head| head.guid("objectGUID").ok().flatten());
        let Some(id) = id else {
            return Err(Error::new(
                ErrorCode::AccessDenied,
                format!(
                    "The account may not read the configuration partition '{}'.",
                    self.configuration
                ),
            )
            .action("Use an account of the forest that may read its configuration, as every authenticated user may."));
        };
        let domain = |entry: &Entry| {
            let text = |name| entry.text(name).ok().filter(|text| !text.is_empty());
            Some(Domain {
                dns_name: text("dnsRoot")?,
                netbios_name: text("nETBIOSName")?,
            })
        };
        Ok(Forest {
            id,
            configuration: self.configuration,
            schema: Schema::of(&self.schema, counter)?,
            domains: self.domains.iter().filter_map(domain).collect(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn entry(dn: &str, attributes: &[(&str, &[u8])]) -> Entry {
        Entry {
            dn: dn.to_owned(),
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
                .collect(),
        }
    }

    fn facts() -> Facts {
        let definition = |name: &str, syntax: &str| {
            entry(
                name,
                &[
                    ("ldapdisplayname", name.as_bytes()),
                    ("attributesyntax", syntax.as_bytes()),
                    ("issinglevalued", b"TRUE"),
                ],
            )
        };
        Facts {
            configuration: "CN=Configuration,DC=contoso,DC=com".to_owned(),
            head: Some(entry("CN=Configuration", &[("objectguid", &[1; 16])])),
            domains: vec![
                entry("CN=CORP", &[("dnsroot", b"contoso.com"), ("netbiosname", b"CORP")]),
                entry("CN=half", &[("netbiosname", b"HALF")]),
            ],
            schema: vec![
                definition("msExchUMEnabledFlags", "2.5.5.9"),
                definition("msExchUMTemplateLink", "2.5.5.1"),
                definition("msExchUMRecipientTemplate", ""),
                definition("msExchUMPinChecksum", "2.5.5.10"),
                definition("extensionAttribute15", "2.5.5.12"),
            ],
        }
    }

    /// `contoso.com`, whose NetBIOS name is `CORP`.
    pub(crate) fn forest() -> Forest {
        facts().forest("extensionAttribute15").expect("a forest")
    }

    #[test]
    fn domains_are_known_by_both_names() {
        let forest = forest();
        assert_eq!(forest.netbios_name("Contoso.COM"), Some("CORP"));
        assert_eq!(forest.netbios_name("fabrikam.com"), None);
        assert_eq!(forest.domains().collect::<Vec<_>>(), ["contoso.com"]);
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_told() {
        let facts = Facts { head: None, ..facts() };
        let error = facts.forest("extensionAttribute15").expect_err("unreadable");
        assert_eq!(error.code(), ErrorCode::AccessDenied);
    }
}
