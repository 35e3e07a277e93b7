//! The holder of the PDC emulator's role: other controllers send it changed passwords first, and it is where most tools write.

use crate::connection::root_dse::text;
use crate::connection::{Connection, Depth, Search};
use crate::failure::Failure;

/// Who holds the role in a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Emulator {
    /// Its NTDS Settings object.
    pub settings: String,
    /// Its host name, in lower case.
    pub host: String,
}

impl Emulator {
    /// As any controller of the domain knows it.
    pub(super) fn find(connection: &mut Connection, domain: &str) -> Result<Option<Self>, Failure> {
        let settings = attribute(connection, domain, "fSMORoleOwner")?;
        let Some(server) = parent(&settings) else {
            return Ok(None);
        };
        let host = attribute(connection, server, "dNSHostName")?.to_ascii_lowercase();
        Ok(Some(Self { settings, host }))
    }
}

fn attribute(connection: &mut Connection, dn: &str, name: &str) -> Result<String, Failure> {
    let answer = connection.search(&Search {
        base: dn,
        depth: Depth::Base,
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
    fn a_parent_is_behind_the_first_comma_that_counts() {
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
