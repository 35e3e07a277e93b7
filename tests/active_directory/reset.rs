//! Resets through the session, as every program makes them: on this directory as on the embedded one.

use std::fs;

use serde_json::{Value, json};
use umpin::credential::keyring::Purpose;
use umpin::credential::record::CredentialRecord;
use umpin::credential::seal::SealContext;
use umpin::directory::Directory as _;
use umpin::keys::{KeyFiles, Keys as _};
use umpin::session::Session;

use crate::adapter::{directory, id};
use crate::credential::stored;
use crate::rig::{Lab, Mailbox, UM, key_file, shared};
use crate::support;

struct Host {
    folder: tempfile::TempDir,
    session: Session,
}

impl Host {
    fn new(lab: &Lab, scope: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("umpin.json");
        let mut configuration = json!({
            "directory": lab.directory(UM),
            "keys": { "active": "k1", "k1": key_file() },
            "notification": { "type": "pickup", "directory": "pickup", "from": "um@contoso.com" },
        });
        if let Some(scope) = scope {
            configuration["defaultScope"] = scope.into();
        }
        fs::write(&file, configuration.to_string()).expect("a configuration");
        let session = support::try_open(&json!({ "v": 1, "configFile": file, "dataDirectory": folder.path() }));
        Self {
            session: session.expect("the session opens"),
            folder,
        }
    }

    fn reset(&self, identity: &str, pin: Option<&str>) -> support::Reset {
        support::reset(&self.session, json!({ "identity": identity }), pin)
            .unwrap_or_else(|error| panic!("{identity}: {error:?}"))
    }

    fn info(&self, identity: &str) -> Value {
        let request = json!({ "v": 1, "operation": "pinInfo", "identity": identity });
        support::request(&self.session, &request).expect("the state can be read")["items"][0].clone()
    }
}

fn record(lab: &Lab, mailbox: &Mailbox) -> CredentialRecord {
    let directory = directory(lab, &UM);
    let sealed = stored(&directory, mailbox, lab.dc1()).record.expect("a record");
    let keys = KeyFiles {
        active: "k1".to_owned(),
        files: [("k1".to_owned(), key_file())].into(),
        group: None,
    };
    let context = SealContext {
        store_id: directory.store_id().expect("an id"),
        object_id: id(mailbox),
    };
    let ring = keys.load().expect("the key");
    let plain = ring.open(Purpose::Record, &context, &sealed).expect("the record opens");
    CredentialRecord::decode(&plain).expect("the record decodes")
}

#[test]
fn a_reset_by_any_identity_is_in_force_and_announced() {
    shared(|lab| {
        let host = Host::new(lab, None);
        let mailbox = lab.mailbox("reset-once");
        let before = host.info("reset-once");
        assert_eq!(before["firstTimeUser"], true, "{before}");
        let reset = host.reset(r"CONTOSO\reset-once", None);
        let pin = reset.pin.expect("a generated PIN");
        let messages = support::messages(&host.folder.path().join("pickup"));
        assert_eq!(messages.len(), 1);
        assert_eq!(support::announced_pin(&messages[0].1), pin);
        let record = record(lab, &mailbox);
        assert!(record.current().is_some() && record.history().is_empty());
        host.reset(&mailbox.dn, Some("735261"));
        assert_eq!(self::record(lab, &mailbox).history().len(), 1);
        let after = host.info(&mailbox.guid.to_string());
        assert_eq!(after["lockedOut"], false, "{after}");
    });
}

#[test]
fn a_full_history_is_kept_in_the_directory() {
    shared(|lab| {
        let host = Host::new(lab, None);
        let mailbox = lab.mailbox("reset-history");
        for n in 0..22 {
            host.reset("reset-history", Some(&format!("{}", 735_261 + 1_013 * n)));
        }
        assert_eq!(record(lab, &mailbox).history().len(), 19);
        let sealed = stored(&directory(lab, &UM), &mailbox, lab.dc1())
            .record
            .expect("a record");
        assert!(sealed.len() < 1200, "{} bytes", sealed.len());
    });
}

#[test]
fn two_hosts_at_one_mailbox_lose_nothing() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-hosts");
        let hosts = [Host::new(lab, None), Host::new(lab, None)];
        std::thread::scope(|scope| {
            for host in &hosts {
                scope.spawn(|| {
                    for _ in 0..8 {
                        host.reset("reset-hosts", None);
                    }
                });
            }
        });
        let record = record(lab, &mailbox);
        assert_eq!(record.history().len(), 15, "of sixteen PINs fifteen are former ones");
        let messages: usize = hosts
            .iter()
            .map(|host| support::messages(&host.folder.path().join("pickup")).len())
            .sum();
        assert!(messages > 0);
    });
}

#[test]
fn outside_the_scope_nobody_is_found_but_by_dn_in_the_whole_forest() {
    shared(|lab| {
        let host = Host::new(lab, Some("contoso.com/Sales"));
        let mailbox = lab.mailbox("reset-scope");
        let error = support::reset(&host.session, json!({ "identity": "reset-scope" }), None)
            .err()
            .expect("outside");
        assert_eq!(error.code(), umpin::ErrorCode::ManagementObjectNotFound, "{error:?}");
        let fields = json!({ "identity": mailbox.dn, "ignoreDefaultScope": true });
        support::reset(&host.session, fields, None).unwrap_or_else(|error| panic!("{error:?}"));
        assert!(record(lab, &mailbox).current().is_some());
    });
}
