//! An LDAP client with which tests prepare and inspect a controller.

use std::collections::{HashMap, HashSet};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapResult, Mod, Scope, SearchEntry, SearchOptions, StdStream};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::{Builder, Runtime};

use super::accounts::{ADMINISTRATOR, Account};
use super::{DOMAIN, lab};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The attributes of an entry by name, with values as bytes.
pub type Attributes = HashMap<String, Vec<Vec<u8>>>;

/// A bound connection over LDAPS.
pub struct Administrator {
    runtime: Runtime,
    ldap: Mutex<Ldap>,
    timeout: Duration,
}

impl Administrator {
    /// Connects by address, independent of name resolution.
    pub(super) fn connect(address: &str, host: &str) -> Result<Self, String> {
        Self::connect_as(ADMINISTRATOR, address, host)
    }

    /// Connects as another account.
    pub(super) fn connect_as(account: Account, address: &str, host: &str) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let socket = TcpStream::connect((address, 636)).map_err(|error| error.to_string())?;
        // Otherwise the first request after the handshake waits for a delayed acknowledgement.
        let ready = socket.set_nodelay(true).and_then(|()| socket.set_nonblocking(true));
        ready.map_err(|error| error.to_string())?;
        let settings = LdapConnSettings::new()
            .set_conn_timeout(TIMEOUT)
            .set_config(trusting())
            .set_std_stream(StdStream::Tcp(socket));
        let ldap = runtime.block_on(async {
            let (connection, mut ldap) = LdapConnAsync::with_settings(settings, &format!("ldaps://{host}")).await?;
            ldap3::drive!(connection);
            let domain = host.split_once('.').map_or(DOMAIN, |(_, domain)| domain);
            let user = format!("{}@{domain}", account.name);
            ldap.simple_bind(&user, account.password).await?.success()?;
            Ok::<_, ldap3::LdapError>(ldap)
        });
        Ok(Self {
            ldap: Mutex::new(ldap.map_err(|error| error.to_string())?),
            runtime,
            timeout: TIMEOUT,
        })
    }

    /// Sets the time limit of each operation.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The entry, if there is one.
    pub fn read(&self, dn: &str, attributes: &[&str]) -> Option<Attributes> {
        self.ask(dn, Scope::Base, "(objectClass=*)", attributes)
            .pop()
            .map(|(_, attributes)| attributes)
    }

    /// One value of an attribute that has at most one.
    pub fn value(&self, dn: &str, attribute: &str) -> Option<Vec<u8>> {
        let mut entry = self
            .read(dn, &[attribute])
            .unwrap_or_else(|| panic!("{dn} is not there"));
        entry.remove(attribute).and_then(|mut values| values.pop())
    }

    /// A subtree search: DNs and attributes.
    pub fn search(&self, base: &str, filter: &str, attributes: &[&str]) -> Vec<(String, Attributes)> {
        self.ask(base, Scope::Subtree, filter, attributes)
    }

    /// The number of entries with the size limit `most` (0: no limit), and the `resultCode`.
    pub fn count(&self, base: &str, filter: &str, most: i32) -> (usize, u32) {
        let mut ldap = self.ldap.lock().expect("one at a time");
        ldap.with_timeout(self.timeout);
        ldap.with_search_options(SearchOptions::new().sizelimit(most));
        let answer = self
            .runtime
            .block_on(ldap.search(base, Scope::Subtree, filter, ["1.1"]));
        let answer = answer.unwrap_or_else(|error| panic!("{filter} below {base}: {error}"));
        let entries = answer.0.iter().filter(|entry| !entry.is_ref());
        (entries.count(), answer.1.rc)
    }

    fn ask(&self, base: &str, scope: Scope, filter: &str, attributes: &[&str]) -> Vec<(String, Attributes)> {
        let mut ldap = self.ldap.lock().expect("one at a time");
        ldap.with_timeout(self.timeout);
        let answer = self
            .runtime
            .block_on(ldap.search(base, scope, filter, attributes.to_vec()));
        let answer = answer.unwrap_or_else(|error| panic!("{filter} below {base}: {error}"));
        if answer.1.rc == 32 {
            return Vec::new();
        }
        let (entries, _) = answer
            .success()
            .unwrap_or_else(|error| panic!("{filter} below {base}: {error}"));
        let mut found = Vec::new();
        for entry in entries {
            if entry.is_ref() {
                continue;
            }
            let entry = SearchEntry::construct(entry);
            let mut attributes = entry.bin_attrs;
            for (name, values) in entry.attrs {
                attributes
                    .entry(name)
                    .or_default()
                    .extend(values.into_iter().map(String::into_bytes));
            }
            found.push((entry.dn, attributes));
        }
        found
    }

    /// Adds an entry.
    pub fn add(&self, dn: &str, attributes: &[(&str, &[&[u8]])]) {
        let attributes: Vec<(Vec<u8>, HashSet<Vec<u8>>)> = attributes
            .iter()
            .map(|(name, values)| {
                (
                    name.as_bytes().to_vec(),
                    values.iter().map(|value| value.to_vec()).collect(),
                )
            })
            .collect();
        self.change(dn, |runtime, ldap| runtime.block_on(ldap.add(dn, attributes)))
            .expect("the administrator may");
    }

    /// Replaces the values of an attribute; no values: removes it.
    pub fn replace(&self, dn: &str, attribute: &str, values: &[&[u8]]) {
        self.try_replace(dn, attribute, values).expect("the administrator may");
    }

    /// As [`Self::replace`], if the response may be lost.
    pub fn try_replace(&self, dn: &str, attribute: &str, values: &[&[u8]]) -> Result<(), String> {
        let values: HashSet<Vec<u8>> = values.iter().map(|value| value.to_vec()).collect();
        let change = vec![Mod::Replace(attribute.as_bytes().to_vec(), values)];
        self.change(dn, |runtime, ldap| runtime.block_on(ldap.modify(dn, change)))
    }

    /// Renames an entry.
    pub fn rename(&self, dn: &str, rdn: &str) {
        self.change(dn, |runtime, ldap| runtime.block_on(ldap.modifydn(dn, rdn, true, None)))
            .expect("the administrator may");
    }

    /// Deletes a leaf entry.
    pub fn delete(&self, dn: &str) {
        self.change(dn, |runtime, ldap| runtime.block_on(ldap.delete(dn)))
            .expect("the administrator may");
    }

    /// As [`Self::replace`] with one value; returns the `resultCode`.
    pub fn result_of_replace(&self, dn: &str, attribute: &str, value: &[u8]) -> u32 {
        let mut ldap = self.ldap.lock().expect("one at a time");
        ldap.with_timeout(self.timeout);
        let values = HashSet::from([value.to_vec()]);
        let change = vec![Mod::Replace(attribute.as_bytes().to_vec(), values)];
        let answer = self.runtime.block_on(ldap.modify(dn, change));
        answer.unwrap_or_else(|error| panic!("{dn}: {error}")).rc
    }

    fn change(
        &self,
        dn: &str,
        change: impl FnOnce(&Runtime, &mut Ldap) -> ldap3::result::Result<LdapResult>,
    ) -> Result<(), String> {
        let mut ldap = self.ldap.lock().expect("one at a time");
        ldap.with_timeout(self.timeout);
        change(&self.runtime, &mut ldap)
            .and_then(LdapResult::success)
            .map(drop)
            .map_err(|error| format!("{dn}: {error}"))
    }
}

/// Trusts the controllers' authority.
pub(super) fn trusting() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_file_iter(lab::ca_file()).expect("the authority") {
        roots.add(authority.expect("a certificate")).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the usual versions");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}
