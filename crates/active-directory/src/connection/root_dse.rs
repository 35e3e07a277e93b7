//! The rootDSE.

use super::Entry;
use super::Scope;
use super::request::SearchRequest;

/// `LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID`: a read-only controller (MS-ADTS 3.1.1.3.4.3.6).
const READ_ONLY: &[u8] = b"1.2.840.113556.1.4.1920";

/// The attributes used here (MS-ADTS 3.1.1.3.2). They can be read before the bind (MS-ADTS 5.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RootDse {
    /// `defaultNamingContext`: the domain that the server holds.
    pub domain: String,
    /// `rootDomainNamingContext`: the forest root domain.
    pub root_domain: String,
    /// `configurationNamingContext`: the same on all controllers of the forest.
    pub configuration: String,
    /// `schemaNamingContext`.
    pub schema: String,
    /// `dsServiceName`: the server's NTDS Settings object.
    pub settings: String,
    /// The server is a read-only domain controller.
    pub is_read_only: bool,
    /// The server is ready as a global catalog.
    pub is_catalog: bool,
}

impl RootDse {
    pub(crate) fn request(time_limit: i32) -> SearchRequest {
        let attributes = [
            "defaultNamingContext",
            "rootDomainNamingContext",
            "configurationNamingContext",
            "schemaNamingContext",
            "dsServiceName",
            "supportedCapabilities",
            "isGlobalCatalogReady",
        ];
        SearchRequest {
            base: String::new(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: attributes.map(str::to_owned).into(),
            size_limit: 1,
            time_limit,
            allow_truncated: false,
            page: None,
        }
    }

    /// Attributes that the server did not return are empty.
    pub(crate) fn of(entry: &Entry) -> Self {
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

/// The first value, or an empty string.
pub(crate) fn text(entry: &Entry, name: &str) -> String {
    let value = entry.first(name).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// `contoso.com` for `DC=contoso,DC=com`, normalised by [`comparable`]; `None` if the DN has other components.
pub(crate) fn dns_name(dn: &str) -> Option<String> {
    let labels: Option<Vec<_>> = dn
        .split(',')
        .map(|part| {
            let (kind, label) = part.trim().split_once('=')?;
            let (kind, label) = (kind.trim(), label.trim());
            (kind.eq_ignore_ascii_case("DC") && !label.is_empty()).then_some(label)
        })
        .collect();
    labels.map(|labels| comparable(&labels.join(".")))
}

/// A normalised DNS name: lower case, no trailing dot, IDNA A-labels.
pub(crate) fn comparable(name: &str) -> String {
    let name = name.trim_end_matches('.');
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_have_dns_names() {
        for (dn, name) in [
            ("DC=contoso,DC=com", Some("contoso.com")),
            ("dc=Emea, dc=contoso, dc=com", Some("emea.contoso.com")),
            ("DC=Bücher,DC=example", Some("xn--bcher-kva.example")),
            ("DC=xn--bcher-kva,DC=example", Some("xn--bcher-kva.example")),
            ("DC=my_corp,DC=local", Some("my_corp.local")),
            ("DC=contoso", Some("contoso")),
            ("OU=Sales,DC=contoso,DC=com", None),
            ("DC=", None),
            ("", None),
        ] {
            assert_eq!(dns_name(dn).as_deref(), name, "{dn}");
        }
    }

    #[test]
    fn dns_names_are_compared_in_one_form() {
        for name in [
            "bücher.example",
            "BÜCHER.Example.",
            "xn--bcher-kva.example",
            "XN--BCHER-KVA.example",
        ] {
            assert_eq!(comparable(name), "xn--bcher-kva.example", "{name}");
        }
    }

    #[test]
    fn read_only_controllers_are_recognised() {
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
