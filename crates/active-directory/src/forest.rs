//! Data of the forest that is read once per session: configuration partition, domains, schema.

use std::sync::Arc;

use uuid::Uuid;

use super::ActiveDirectory;
use super::connection::{Connection, Entry, Scope, Search};
use super::schema::Schema;
use super::server_error::ServerError;
use super::servers::ServerSelector;
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
    /// `objectGUID` of the configuration partition: immutable and the same on every controller.
    pub id: Uuid,
    /// DN of the configuration partition.
    pub configuration: String,
    pub schema: Schema,
    domains: Vec<Domain>,
}

impl Forest {
    /// The NetBIOS name of the domain with this DNS name.
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
    /// The forest, read on first use.
    pub(super) fn forest(&self) -> Result<Arc<Forest>> {
        let mut cached = super::lock(&self.forest);
        if let Some(forest) = &*cached {
            return Ok(Arc::clone(forest));
        }
        let settings = self.servers.settings();
        let read_forest_entries = self
            .servers
            .execute(ServerSelector::DomainController(&settings.domain), |connection| {
                self.read_forest_entries(connection)
            })?;
        let forest = Arc::new(read_forest_entries.forest(&settings.counter_attribute)?);
        *cached = Some(Arc::clone(&forest));
        Ok(forest)
    }

    fn read_forest_entries(&self, connection: &mut Connection) -> std::result::Result<ForestEntries, ServerError> {
        let root_dse = connection.root_dse().clone();
        let configuration = root_dse.configuration;
        let configuration_entry = connection.search(&Search {
            base: &configuration,
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &["objectGUID"],
            size_limit: 1,
        })?;
        let domains = connection.search(&Search {
            base: &format!("CN=Partitions,{configuration}"),
            scope: Scope::OneLevel,
            filter: "(&(objectClass=crossRef)(nETBIOSName=*))",
            attributes: &["dnsRoot", "nETBIOSName"],
            size_limit: 0,
        })?;
        let schema = Schema::read(connection, &root_dse.schema, &self.servers.settings().counter_attribute)?;
        Ok(ForestEntries {
            configuration,
            configuration_entry: configuration_entry.entries.into_iter().next(),
            domains: domains.entries,
            schema,
        })
    }
}

/// The entries that describe the forest.
struct ForestEntries {
    configuration: String,
    configuration_entry: Option<Entry>,
    domains: Vec<Entry>,
    schema: Vec<Entry>,
}

impl ForestEntries {
    fn forest(self, counter: &str) -> Result<Forest> {
        let id = self
            .configuration_entry
            .and_then(|configuration_entry| configuration_entry.guid("objectGUID").ok().flatten());
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
            schema: Schema::from_definitions(&self.schema, counter)?,
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

    fn read_forest_entries() -> ForestEntries {
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
        ForestEntries {
            configuration: "CN=Configuration,DC=contoso,DC=com".to_owned(),
            configuration_entry: Some(entry("CN=Configuration", &[("objectguid", &[1; 16])])),
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
        read_forest_entries().forest("extensionAttribute15").expect("a forest")
    }

    #[test]
    fn domains_have_a_dns_and_a_netbios_name() {
        let forest = forest();
        assert_eq!(forest.netbios_name("Contoso.COM"), Some("CORP"));
        assert_eq!(forest.netbios_name("fabrikam.com"), None);
        assert_eq!(forest.domains().collect::<Vec<_>>(), ["contoso.com"]);
    }

    #[test]
    fn an_unreadable_configuration_partition_is_access_denied() {
        let read_forest_entries = ForestEntries {
            configuration_entry: None,
            ..read_forest_entries()
        };
        let error = read_forest_entries
            .forest("extensionAttribute15")
            .expect_err("unreadable");
        assert_eq!(error.code(), ErrorCode::AccessDenied);
    }
}
