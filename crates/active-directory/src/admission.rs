//! Checks a server's rootDSE against the domain, the role and the writability that are required of it.

use super::connection::root_dse::{RootDse, comparable, dns_name};
use super::server::{Endpoint, Role};
use super::server_error::{ServerError, ServerErrorKind};
use umpin_core::ErrorCode;

/// What a server must hold before it gets the password or any other request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    pub requirement: DomainRequirement,
    pub source: Source,
    /// The server was selected by name. It may be read-only then; a change reports that.
    pub is_named: bool,
}

/// The domain that the server must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DomainRequirement {
    /// The domain of this DNS name.
    Domain(String),
    /// Any domain of the forest with this configuration partition.
    Forest { name: String, configuration: String },
}

/// Where the server's name comes from, and so where a wrong one is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Configuration,
    Dns,
    /// `-DomainController`.
    Parameter,
    /// A mailbox was read or changed there before.
    Recorded,
}

impl Admission {
    /// # Errors
    /// `Foreign`, `Declined`.
    pub(crate) fn check(&self, endpoint: &Endpoint, root_dse: &RootDse) -> Result<(), ServerError> {
        if !self.requirement.is_met_by(root_dse) {
            return Err(self.wrong_domain(endpoint, root_dse));
        }
        if root_dse.is_read_only && !self.is_named {
            return Err(ServerError::unavailable(
                ServerErrorKind::Declined(0),
                endpoint,
                "is read-only",
            ));
        }
        if endpoint.role == Role::Catalog && !root_dse.is_catalog {
            return Err(ServerError::unavailable(
                ServerErrorKind::Declined(0),
                endpoint,
                "does not hold the global catalog",
            ));
        }
        Ok(())
    }

    fn wrong_domain(&self, endpoint: &Endpoint, root_dse: &RootDse) -> ServerError {
        let hosted = dns_name(&root_dse.domain);
        let what = match (&self.requirement, &hosted) {
            (_, None) => "does not say which domain it holds".to_owned(),
            (DomainRequirement::Domain(domain), Some(hosted)) => format!("holds the domain {hosted}, not {domain}"),
            (DomainRequirement::Forest { name, .. }, Some(hosted)) => {
                format!("holds the domain {hosted}, which is not in the forest of {name}")
            }
        };
        let code = match self.source {
            Source::Configuration => ErrorCode::ConfigurationInvalid,
            Source::Dns | Source::Parameter | Source::Recorded => ErrorCode::DirectoryUnavailable,
        };
        let mut failure = ServerError::new(ServerErrorKind::WrongDomain, code, endpoint, &what);
        failure.error = failure.error.action(self.action(endpoint));
        if let Some(hosted) = hosted {
            failure.error = failure.error.detail("domain", hosted);
        }
        failure
    }

    fn action(&self, endpoint: &Endpoint) -> String {
        let required = match &self.requirement {
            DomainRequirement::Domain(domain) => domain,
            DomainRequirement::Forest { name, .. } => name,
        };
        match (self.source, endpoint.role) {
            (Source::Configuration, Role::Controller) => {
                format!(
                    "Correct 'directory.domain', or name controllers of {required} in 'directory.domainControllers'."
                )
            }
            (Source::Configuration, Role::Catalog) => {
                format!("Name global catalogs of the forest of {required} in 'directory.globalCatalogs'.")
            }
            (Source::Dns, _) => {
                format!("Correct the SRV records of {required} in DNS, or name the servers in the configuration.")
            }
            (Source::Parameter, _) => format!(
                "Name a controller of {required}; a mailbox of another domain of the forest is found by -IgnoreDefaultScope."
            ),
            (Source::Recorded, _) => {
                format!(
                    "Check which server answers by this name: it was a controller of the forest of {required} before."
                )
            }
        }
    }
}

impl DomainRequirement {
    fn is_met_by(&self, root_dse: &RootDse) -> bool {
        match self {
            Self::Domain(domain) => dns_name(&root_dse.domain) == Some(comparable(domain)),
            Self::Forest { configuration, .. } => {
                !root_dse.domain.is_empty() && root_dse.configuration.to_lowercase() == configuration.to_lowercase()
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

    fn admission(requirement: DomainRequirement, source: Source) -> Admission {
        Admission {
            requirement,
            source,
            is_named: false,
        }
    }

    #[test]
    fn domains_are_compared_by_normalised_dns_name() {
        for (configured, hosted, is_admitted) in [
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
            let checked = admission(DomainRequirement::Domain(configured.to_owned()), Source::Configuration)
                .check(&endpoint(Role::Controller), &controller_of(hosted, ""));
            assert_eq!(checked.is_ok(), is_admitted, "{configured}: {hosted}");
        }
    }

    #[test]
    fn a_catalog_must_belong_to_the_forest() {
        let requirement = DomainRequirement::Forest {
            name: "contoso.com".to_owned(),
            configuration: "CN=Configuration,DC=contoso,DC=com".to_owned(),
        };
        let catalog = admission(requirement, Source::Configuration);
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
    fn the_message_names_both_domains_and_what_to_correct() {
        for (source, code, named) in [
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
            (
                Source::Recorded,
                ErrorCode::DirectoryUnavailable,
                "which server answers",
            ),
        ] {
            let failure = admission(DomainRequirement::Domain("contoso.com".to_owned()), source)
                .check(&endpoint(Role::Controller), &controller_of("DC=fabrikam,DC=com", ""))
                .expect_err("another domain");
            assert_eq!(
                (failure.kind, failure.error.code()),
                (ServerErrorKind::WrongDomain, code)
            );
            assert_eq!(
                failure.error.message(),
                "The domain controller dc9.example.com holds the domain fabrikam.com, not contoso.com."
            );
            let action = failure.error.recommended_action();
            assert!(action.contains(named), "{action}");
            assert_eq!(failure.error.details()["domain"], "fabrikam.com");
        }
    }
}
