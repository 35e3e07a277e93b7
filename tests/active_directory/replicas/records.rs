//! Opens the records on a controller with the shared key.

use umpin::config::{Config, DirectoryConfig, OpenRequest};
use umpin::credential::keyring::KeyRing;
use umpin::credential::master_key::Purpose;
use umpin::credential::record::CredentialRecord;
use umpin::credential::seal::SealContext;
use umpin::directory::Directory as _;
use umpin::directory::active_directory::ActiveDirectory;
use umpin::keys::{KeyFiles, Keys as _};
use umpin::mailbox::ObjectId;

use super::host::Host;
use crate::harness::{Controller, Lab, Mailbox, key_file};
use crate::stores::Pins;

pub const RECORD: &str = "msExchUMPinChecksum";
pub const COUNTER: &str = "extensionAttribute15";

/// Opens records.
pub struct Opener {
    ring: KeyRing,
    store_id: [u8; 16],
}

impl Opener {
    pub fn new(host: &Host) -> Self {
        let keys = KeyFiles {
            active: "k1".to_owned(),
            files: [("k1".to_owned(), key_file())].into(),
            group: None,
            store: None,
        };
        let config = Config::load(&OpenRequest {
            config_file: Some(host.folder().join("umpin.json")),
            data_directory: host.folder().to_owned(),
            ..OpenRequest::default()
        });
        let DirectoryConfig::ActiveDirectory { settings, .. } = config.expect("a configuration").directory else {
            panic!("another directory");
        };
        Self {
            ring: keys.load().expect("the key"),
            store_id: ActiveDirectory::new(*settings).store_id().expect("the forest"),
        }
    }

    fn open(&self, mailbox: &Mailbox, sealed: &[u8]) -> CredentialRecord {
        let context = SealContext {
            store_id: self.store_id,
            object_id: ObjectId(mailbox.guid.into_bytes()),
        };
        let plain = self.ring.open(Purpose::Record, &context, sealed);
        let plain = plain.unwrap_or_else(|error| panic!("the record of {} does not open: {error:?}", mailbox.alias));
        CredentialRecord::decode(&plain).expect("the record decodes")
    }

    /// The PINs that a controller's record knows.
    pub fn pins(&self, dc: &Controller, mailbox: &Mailbox) -> Pins {
        Pins::of(self.record(dc, mailbox))
    }

    pub fn record(&self, dc: &Controller, mailbox: &Mailbox) -> Option<CredentialRecord> {
        let values = sealed(dc, mailbox)?;
        Some(self.open(mailbox, &values))
    }

    /// Waits until both controllers have the same of everything, and opens it.
    pub fn agreed(&self, lab: &Lab, mailbox: &Mailbox) -> Pins {
        lab.agree(&mailbox.dn, COUNTER);
        let sealed = lab.agree(&mailbox.dn, RECORD);
        Pins::of(sealed.map(|sealed| self.open(mailbox, &sealed)))
    }
}

/// The record as it stands there.
pub fn sealed(dc: &Controller, mailbox: &Mailbox) -> Option<Vec<u8>> {
    dc.administrator().value(&mailbox.dn, RECORD)
}

/// Mailboxes that both controllers know.
pub fn mailboxes(lab: &Lab, prefix: &str, count: usize) -> Vec<Mailbox> {
    let made: Vec<Mailbox> = (0..count).map(|n| lab.mailbox(&format!("{prefix}-{n}"))).collect();
    lab.replicate(lab.dc1(), lab.dc2());
    for mailbox in &made {
        lab.agree(&mailbox.dn, "mail");
    }
    made
}
