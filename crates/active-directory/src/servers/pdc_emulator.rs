//! The PDC emulator: other controllers send it changed passwords first, and most tools write there.

use crate::connection::root_dse::text;
use crate::connection::{Connection, Scope, Search};
use crate::server_error::ServerError;

/// The holder of the role in a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PdcEmulator {
    /// Its NTDS Settings object.
    pub ntds_settings: String,
    /// Its host name, in lower case.
    pub host: String,
}

impl PdcEmulator {
    /// Reads the role owner from any controller of the domain.
    pub(super) fn find(connection: &mut Connection, domain: &str) -> Result<Option<Self>, ServerError> {
        let ntds_settings = attribute(connection, domain, "fSMORoleOwner")?;
        let Some(server) = parent(&ntds_settings) else {
            return Ok(None);
        };
        let host = attribute(connection, server, "dNSHostName")?.to_ascii_lowercase();
        Ok(Some(Self { ntds_settings, host }))
    }
}

fn attribute(connection: &mut Connection, dn: &str, name: &str) -> Result<String, ServerError> {
    let answer = connection.search(&Search {
        base: dn,
        scope: Scope::Base,
        filter: "(objectClass=*)",
        attributes: &[name],
        size_limit: 1,
    })?;
    let name = name.to_ascii_lowercase();
    Ok(answer
        .entries
        .first()
        .map(|entry| text(entry, &name))
        .unwrap_or_default())
}

/// The DN without its first component.
fn parent(dn: &str) -> Option<&str> {
    let mut is_escaped = false;
    let at = dn.find(|c| {
        let ends = c == ',' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    Some(&dn[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_starts_after_the_first_unescaped_comma() {
        for (dn, above) in [
            ("CN=NTDS Settings,CN=DC1,CN=Servers", Some("CN=DC1,CN=Servers")),
            (r"CN=a\,b,DC=x", Some("DC=x")),
            (r"CN=a\\,DC=x", Some("DC=x")),
            (r"CN=a\", None),
            ("", None),
        ] {
            assert_eq!(parent(dn), above, "{dn}");
        }
    }
}
