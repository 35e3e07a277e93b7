//! The directory port on the controllers of the harness.

use std::time::Duration;

use umpin::directory::active_directory::{
    ActiveDirectory, ActiveDirectorySettings, Bind, DEFAULT_COUNTER_ATTRIBUTE, Server, Tls,
};
use umpin::directory::{Directory as _, Found, Matches, Route};
use umpin::identity::Identity;
use umpin::mailbox::ObjectId;
use umpin::password::Password;
use umpin::secret::Secret;

use crate::harness::{Account, DOMAIN, Lab, Mailbox, ca_file};

/// Settings for the account on `dc1` and, if there is one, `dc2`.
pub fn settings(lab: &Lab, account: &Account) -> ActiveDirectorySettings {
    let controllers: Vec<Server> = lab
        .controllers()
        .map(|dc| Server::parse(&dc.host()).expect("a host name"))
        .collect();
    ActiveDirectorySettings {
        domain: DOMAIN.to_owned(),
        domain_controllers: controllers.clone(),
        global_catalogs: controllers,
        tls: Tls::Ldaps,
        ca_file: Some(ca_file()),
        bind: Bind::Simple {
            user: account.user(),
            password: Password::Variable {
                name: "UMPIN_BIND_PASSWORD".to_owned(),
                value: Some(Secret::new(account.password.to_owned())),
            },
        },
        timeout: Duration::from_secs(10),
        counter_attribute: DEFAULT_COUNTER_ATTRIBUTE.to_owned(),
        group: None,
    }
}

pub fn directory(lab: &Lab, account: &Account) -> ActiveDirectory {
    ActiveDirectory::new(settings(lab, account))
}

#[track_caller]
pub fn find(directory: &ActiveDirectory, text: &str, route: Route<'_>) -> Matches {
    let identity = Identity::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    directory
        .find(&identity, route)
        .unwrap_or_else(|error| panic!("{text:?}: {error:?}"))
}

/// The one mailbox that the text names.
#[track_caller]
pub fn find_one(directory: &ActiveDirectory, text: &str) -> Found {
    let matches = find(directory, text, Route::Preferred);
    assert_eq!(matches.count, 1, "{text:?} matches {:?}", names(&matches));
    matches.found.into_iter().next().expect("one")
}

pub fn names(matches: &Matches) -> Vec<&str> {
    let found = matches.found.iter();
    found.map(|found| found.mailbox.name.as_str()).collect()
}

pub fn id(mailbox: &Mailbox) -> ObjectId {
    ObjectId(mailbox.guid.into_bytes())
}
