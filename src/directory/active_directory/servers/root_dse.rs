//! What a server says of itself.

use crate::directory::active_directory::connection::{Connection, Depth, Entry, Search};
use crate::directory::active_directory::failure::Failure;

/// `LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID`: a read-only controller (MS-ADTS 3.1.1.3.4.3.6).
const READ_ONLY: &[u8] = b"1.2.840.113556.1.4.1920";

/// What is needed of the rootDSE (MS-ADTS 3.1.1.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RootDse {
    /// `defaultNamingContext`: the domain that it holds.
    pub domain: String,
    /// `rootDomainNamingContext`: the domain that the forest is named after.
    pub root_domain: String,
    /// `configurationNamingContext`: what all controllers of the forest hold.
    pub configuration: String,
    /// `schemaNamingContext`.
    pub schema: String,
    /// `dsServiceName`: its own NTDS Settings object.
    pub settings: String,
    /// Whether it takes no changes.
    pub is_read_only: bool,
    /// Whether it holds the catalog by now.
    pub is_catalog: bool,
}

impl RootDse {
    pub fn read(connection: &mut Connection) -> Result<Self, Failure> {
        let answer = connection.search(&Search {
            base: "",
            depth: Depth::Base,
            filter: "(objectClass=*)",
            attributes: &[
                "defaultNamingContext",
                "rootDomainNamingContext",
                "configurationNamingContext",
                "schemaNamingContext",
                "dsServiceName",
                "supportedCapabilities",
                "isGlobalCatalogReady",
            ],
            size_limit: 1,
        })?;
        Ok(answer.entries.first().map(Self::of).unwrap_or_default())
    }

    fn of(entry: &Entry) -> Self {
        Self {
            domain: text(entry, "defaultnamingcontext"),
            root_domain: text(entry, "rootdomainnamingcontext"),
            configuration: text(entry, "configurationnamingcontext"),
            schema: text(entry, "schemanamingcontext"),
            settings: text(entry, "dsservicename"),
            is_read_only: entry.values("supportedcapabilities").any(|oid| oid == READ_ONLY),
            is_catalog: text(entry, "isglobalcatalogready").eq_ignore_ascii_case("TRUE"),
        }
    }
}

/// The first value, empty where there is none.
pub(crate) fn text(entry: &Entry, name: &str) -> String {
    let value = entry.first(name).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// `contoso.com` out of `DC=contoso,DC=com`; `None` where there is more in it than that.
pub(crate) fn dns_name(dn: &str) -> Option<String> {
    let labels: Option<Vec<_>> = dn
        .split(',')
        .map(|part| {
            let (kind, label) = part.trim().split_once('=')?;
            (kind.eq_ignore_ascii_case("DC") && !label.is_empty()).then(|| label.to_ascii_lowercase())
        })
        .collect();
    labels.map(|labels| labels.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_dns_names() {
        for (dn, name) in [
            ("DC=contoso,DC=com", Some("contoso.com")),
            ("dc=Emea, dc=contoso, dc=com", Some("emea.contoso.com")),
            ("OU=Sales,DC=contoso,DC=com", None),
            ("DC=", None),
            ("", None),
        ] {
            assert_eq!(dns_name(dn).as_deref(), name, "{dn}");
        }
    }

    #[test]
    fn a_read_only_controller_says_so() {
        let capabilities = |oids: &[&str]| {
            RootDse::of(&Entry {
                dn: String::new(),
                attributes: oids
                    .iter()
                    .map(|oid| ("supportedcapabilities".to_owned(), oid.as_bytes().to_vec()))
                    .collect(),
            })
        };
        assert!(capabilities(&["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1920"]).is_read_only);
        assert!(!capabilities(&["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.19201"]).is_read_only);
        assert!(!capabilities(&[]).is_read_only);
    }
}
