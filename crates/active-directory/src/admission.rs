//! Whether a server may be asked: what it says of itself, compared with what it is asked as.

use super::connection::root_dse::{RootDse, comparable, dns_name};
use super::failure::{Failure, FailureKind};
use super::server::{Endpoint, Role};
use umpin_core::ErrorCode;

/// What is demanded of a server before it is asked anything else, or gets the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    pub holding: Holding,
    pub source: Source,
    /// Asked for by its name: it may be read-only, which is said where it is asked for a change.
    pub is_named: bool,
}

/// What it must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// The domain of this DNS name.
    Domain(String),
    /// Any domain of the forest with this configuration partition.
    Forest { name: String, configuration: String },
}

/// Who named it, and so where a wrong one is to be corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Configuration,
    Dns,
    /// `-DomainController`.
    Parameter,
    /// A mailbox was read or changed there before.
    Record,
}

impl Admission {
    /// # Errors
    /// `Foreign`, `Declined`.
    pub(crate) fn check(&self, endpoint: &Endpoint, about: &RootDse) -> Result<(), Failure> {
        if !self.holding.is_in(about) {
            return Err(self.foreign(endpoint, about));
        }
        if about.is_read_only && !self.is_named {
            return Err(Failure::unavailable(FailureKind::Declined(0), endpoint, "is read-only"));
        }
        if endpoint.role == Role::Catalog && !about.is_catalog {
            return Err(Failure::unavailable(
                FailureKind::Declined(0),
                endpoint,
                "does not hold the global catalog",
            ));
        }
        Ok(())
    }

    fn foreign(&self, endpoint: &Endpoint, about: &RootDse) -> Failure {
        let held = dns_name(&about.domain);
        let what = match (&self.holding, &held) {
            (_, None) => "does not say which domain it holds".to_owned(),
            (Holding::Domain(domain), Some(held)) => format!("holds the domain {held}, not {domain}"),
            (Holding::Forest { name, .. }, Some(held)) => {
                format!("holds the domain {held}, which is not in the forest of {name}")
            }
        };
        let code = match self.source {
            Source::Configuration => ErrorCode::ConfigurationInvalid,
            Source::Dns | Source::Parameter | Source::Record => ErrorCode::DirectoryUnavailable,
        };
        let mut failure = Failure::of(FailureKind::Foreign, code, endpoint, &what);
        failure.error = failure.error.action(self.action(endpoint));
        if let Some(held) = held {
            failure.error = failure.error.detail("domain", held);
        }
        failure
    }

    fn action(&self, endpoint: &Endpoint) -> String {
        let wanted = match &self.holding {
            Holding::Domain(domain) => domain,
            Holding::Forest { name, .. } => name,
        };
        match (self.source, endpoint.role) {
            (Source::Configuration, Role::Controller) => {
                format!("Correct 'directory.domain', or name controllers of {wanted} in 'directory.domainControllers'.")
            }
            (Source::Configuration, Role::Catalog) => {
                format!("Name global catalogs of the forest of {wanted} in 'directory.globalCatalogs'.")
            }
            (Source::Dns, _) => {
                format!("Correct the SRV records of {wanted} in DNS, or name the servers in the configuration.")
            }
            (Source::Parameter, _) => format!(
                "Name a controller of {wanted}; a mailbox of another domain of the forest is found by -IgnoreDefaultScope."
            ),
            (Source::Record, _) => {
                format!(
                    "Check which server answers by this name: it was a controller of the forest of {wanted} before."
                )
            }
        }
    }
}

impl Holding {
    fn is_in(&self, about: &RootDse) -> bool {
        match self {
            Self::Domain(domain) => dns_name(&about.domain) == Some(comparable(domain)),
            Self::Forest { configuration, .. } => {
                !about.domain.is_empty() && about.configuration.to_lowercase() == configuration.to_lowercase()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Server;

    fn endpoint(role: Role) -> Endpoint {
        Endpoint {
            server: Server::parse("dc9.example.com").unwrap(),
            role,
        }
    }

    fn controller_of(domain: &str, configuration: &str) -> RootDse {
        RootDse {
            domain: domain.to_owned(),
            configuration: configuration.to_owned(),
            is_catalog: true,
            ..RootDse::default()
        }
    }

    fn admission(holding: Holding, source: Source) -> Admission {
        Admission {
            holding,
            source,
            is_named: false,
        }
    }

    #[test]
    fn a_domain_is_compared_by_its_dns_name_in_any_form() {
        for (configured, held, is_admitted) in [
            ("contoso.com", "DC=contoso,DC=com", true),
            ("contoso.com", "dc=Contoso, dc=COM", true),
            ("Contoso.COM.", "DC=contoso,DC=com", true),
            ("xn--bcher-kva.example", "DC=Bücher,DC=example", true),
            ("bücher.example", "DC=xn--bcher-kva,DC=example", true),
            ("contoso.com", "DC=fabrikam,DC=com", false),
            ("contoso.com", "DC=emea,DC=contoso,DC=com", false),
            ("emea.contoso.com", "DC=contoso,DC=com", false),
            ("contoso.com", "DC=contoso", false),
            ("contoso.com", "OU=x,DC=contoso,DC=com", false),
            ("contoso.com", "", false),
        ] {
            let checked = admission(Holding::Domain(configured.to_owned()), Source::Configuration)
                .check(&endpoint(Role::Controller), &controller_of(held, ""));
            assert_eq!(checked.is_ok(), is_admitted, "{configured}: {held}");
        }
    }

    #[test]
    fn a_catalog_belongs_to_the_forest() {
        let holding = Holding::Forest {
            name: "contoso.com".to_owned(),
            configuration: "CN=Configuration,DC=contoso,DC=com".to_owned(),
        };
        let catalog = admission(holding, Source::Configuration);
        for (domain, configuration, is_admitted) in [
            ("DC=emea,DC=contoso,DC=com", "cn=configuration,DC=Contoso,DC=com", true),
            ("DC=fabrikam,DC=com", "CN=Configuration,DC=fabrikam,DC=com", false),
            ("", "CN=Configuration,DC=contoso,DC=com", false),
            ("DC=contoso,DC=com", "", false),
        ] {
            let checked = catalog.check(&endpoint(Role::Catalog), &controller_of(domain, configuration));
            assert_eq!(checked.is_ok(), is_admitted, "{domain} {configuration}");
        }
    }

    #[test]
    fn both_domains_are_named_and_who_is_to_be_corrected() {
        for (source, code, corrected) in [
            (
                Source::Configuration,
                ErrorCode::ConfigurationInvalid,
                "'directory.domain'",
            ),
            (
                Source::Dns,
                ErrorCode::DirectoryUnavailable,
                "SRV records of contoso.com",
            ),
            (
                Source::Parameter,
                ErrorCode::DirectoryUnavailable,
                "-IgnoreDefaultScope",
            ),
            (Source::Record, ErrorCode::DirectoryUnavailable, "which server answers"),
        ] {
            let failure = admission(Holding::Domain("contoso.com".to_owned()), source)
                .check(&endpoint(Role::Controller), &controller_of("DC=fabrikam,DC=com", ""))
                .expect_err("another domain");
            assert_eq!((failure.kind, failure.error.code()), (FailureKind::Foreign, code));
            assert_eq!(
                failure.error.message(),
                "The domain controller dc9.example.com holds the domain fabrikam.com, not contoso.com."
            );
            let action = failure.error.recommended_action();
            assert!(action.contains(corrected), "{action}");
            assert_eq!(failure.error.details()["domain"], "fabrikam.com");
        }
    }
}
