//! The forest of a test.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::accounts::{Account, SERVICES};
use super::certificates::Authority;
use super::controller::Controller;
use super::namespaces::{self, MEMORY_FS_ROOT};
use super::network::{self, CLIENT, DC1, DC2, DC3};
use super::{BASE, DOMAIN, Forest, POLICIES, provision, template, tools};

/// Replication takes a second; the rest is for loaded machines.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One or two domain controllers, running.
pub struct Lab {
    authority: Authority,
    dc1: Controller,
    dc2: Option<Controller>,
    other_forest_controller: Option<Controller>,
}

/// A user that was created for one test.
#[derive(Clone, Debug)]
pub struct Mailbox {
    /// `CN=…,OU=Tests,DC=contoso,DC=com`
    pub dn: String,
    /// `objectGUID`
    pub guid: Uuid,
    /// Alias, `sAMAccountName` and the first part of the addresses.
    pub alias: String,
}

/// The CA of the controllers' certificates.
pub fn ca_file() -> PathBuf {
    Path::new(MEMORY_FS_ROOT).join("authority.pem")
}

/// The key of the records, `keys.k1` on all hosts.
pub fn key_file() -> PathBuf {
    Path::new(MEMORY_FS_ROOT).join("umpin.key")
}

fn password_file(account: Account) -> PathBuf {
    Path::new(MEMORY_FS_ROOT).join(format!("{}.password", account.name))
}

/// Writes a private file.
fn secret(file: &Path, content: &[u8]) {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(file);
    file.and_then(|mut file| file.write_all(content)).expect("a file");
}

impl Lab {
    pub(super) fn start(forest: Forest) -> Self {
        static FURNISHED: Once = Once::new();
        FURNISHED.call_once(namespaces::write_system_files);
        let authority = Authority::new_in(Path::new(MEMORY_FS_ROOT));
        fs::copy(authority.file(), ca_file()).expect("the authority's certificate");
        let lab = Self {
            dc1: Controller::at(DC1, &authority),
            dc2: (forest == Forest::Pair).then(|| Controller::at(DC2, &authority)),
            other_forest_controller: (forest == Forest::TwoForests).then(|| Controller::at(DC3, &authority)),
            authority,
        };
        let controllers: Vec<&Controller> = lab.controllers().chain(&lab.other_forest_controller).collect();
        for account in SERVICES {
            secret(&password_file(account), account.password.as_bytes());
        }
        secret(&key_file(), Uuid::new_v4().simple().to_string().as_bytes());
        template::place(forest, &controllers);
        for dc in controllers {
            dc.start();
        }
        lab
    }

    pub fn controllers(&self) -> impl Iterator<Item = &Controller> {
        [Some(&self.dc1), self.dc2.as_ref()].into_iter().flatten()
    }

    /// The first controller, which has all roles.
    pub fn dc1(&self) -> &Controller {
        &self.dc1
    }

    /// The second one.
    ///
    /// # Panics
    /// If the forest is not [`Forest::Pair`].
    pub fn dc2(&self) -> &Controller {
        self.dc2.as_ref().expect("a forest of two controllers")
    }

    /// The controller of another forest, `fabrikam.com`.
    ///
    /// # Panics
    /// If the forest is not [`Forest::TwoForests`].
    pub fn other_forest_controller(&self) -> &Controller {
        self.other_forest_controller
            .as_ref()
            .expect("a forest beside another one")
    }

    /// The section `directory` of a configuration with this account and these controllers.
    pub fn directory(&self, account: Account) -> Value {
        let hosts: Vec<String> = self.controllers().map(Controller::host).collect();
        json!({
            "type": "activeDirectory",
            "domain": DOMAIN,
            "domainControllers": hosts,
            "caFile": ca_file(),
            "bind": { "method": "simple", "user": account.user(), "passwordFile": password_file(account) },
        })
    }

    /// The CA, to sign more certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A Kerberos keytab of the account [`UM`](super::UM).
    pub fn keytab(&self) -> PathBuf {
        provision::keytab(&self.dc1)
    }

    /// Interrupts the network between the controllers; the tests still reach both.
    pub fn cut(&self) {
        network::cut(DC1, DC2);
    }

    /// Undoes [`Self::cut`].
    pub fn heal(&self) {
        network::heal(DC1, DC2);
    }

    /// Drops all packets between the tests and this controller.
    pub fn isolate(&self, dc: &Controller) {
        network::cut(CLIENT, dc.place);
    }

    /// Undoes [`Self::isolate`].
    pub fn reach(&self, dc: &Controller) {
        network::heal(CLIENT, dc.place);
    }

    /// Drops the packets of all open connections to this controller, as a firewall that lost its state; returns their number.
    pub fn forget_connections(&self, dc: &Controller) -> usize {
        network::forget_connections(dc.place, 636)
    }

    /// Replicates the domain now instead of within a second.
    pub fn replicate(&self, from: &Controller, to: &Controller) {
        provision::replicate(from, to, BASE);
    }

    /// Creates an ordinary account for one test.
    pub fn account(&self, name: &'static str) -> Account {
        let account = Account {
            name,
            password: "Account-of-a-test-1",
            state: "ready",
        };
        // As a client sets a password (MS-ADTS 3.1.1.3.1.5).
        let password: Vec<u8> = format!("\"{}\"", account.password)
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        self.dc1.administrator().add(
            &format!("CN={name},CN=Users,{BASE}"),
            &[
                ("objectClass", &[b"user"]),
                ("sAMAccountName", &[name.as_bytes()]),
                ("userPrincipalName", &[account.user().as_bytes()]),
                ("unicodePwd", &[&password]),
                ("userAccountControl", &[b"512"]),
            ],
        );
        secret(&password_file(account), account.password.as_bytes());
        account
    }

    /// Creates a UM-enabled user with a unique name, the policy `Default` and its own extension.
    pub fn mailbox(&self, alias: &str) -> Mailbox {
        let dn = format!("CN={alias},OU=Tests,{BASE}");
        let administrator = self.dc1.administrator();
        let proxies = [
            format!("SMTP:{alias}@{DOMAIN}"),
            format!("eum:{alias}-extension;phone-context=Contoso.{DOMAIN}"),
        ];
        administrator.add(
            &dn,
            &[
                ("objectClass", &[b"user"]),
                ("sAMAccountName", &[alias.as_bytes()]),
                ("userPrincipalName", &[format!("{alias}@{DOMAIN}").as_bytes()]),
                ("displayName", &[alias.as_bytes()]),
                ("mail", &[format!("{alias}@{DOMAIN}").as_bytes()]),
                ("mailNickname", &[alias.as_bytes()]),
                ("msExchMailboxGuid", &[Uuid::new_v4().as_bytes()]),
                ("msExchUMEnabledFlags", &[b"1"]),
                ("msExchUMTemplateLink", &[format!("CN=Default,{POLICIES}").as_bytes()]),
                ("proxyAddresses", &[proxies[0].as_bytes(), proxies[1].as_bytes()]),
            ],
        );
        let guid = administrator.value(&dn, "objectGUID").expect("every object has one");
        Mailbox {
            guid: Uuid::from_slice_le(&guid).expect("16 bytes"),
            dn,
            alias: alias.to_owned(),
        }
    }

    /// Waits until both controllers have the same value of an attribute, and returns it.
    pub fn agree(&self, dn: &str, attribute: &str) -> Option<Vec<u8>> {
        let (first, second) = (self.dc1.administrator(), self.dc2().administrator());
        tools::wait_until(&format!("one {attribute} of {dn} on both"), TIMEOUT, || {
            let read = |dc: &super::Administrator| dc.read(dn, &[attribute]).map(|mut entry| entry.remove(attribute));
            let (first, second) = (read(&first), read(&second));
            match (first == second, first) {
                (true, Some(values)) => Ok(values.and_then(|mut values| values.pop())),
                (_, first) => Err(format!("{first:?} on dc1, {second:?} on dc2")),
            }
        })
    }
}
