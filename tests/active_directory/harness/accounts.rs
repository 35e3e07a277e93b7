//! Accounts of the forest.

/// An account of the forest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its `sAMAccountName`.
    pub name: &'static str,
    pub password: &'static str,
    /// What `users.py` does to it.
    pub(super) state: &'static str,
}

impl Account {
    /// Its `userPrincipalName`.
    pub fn user(&self) -> String {
        format!("{}@{}", self.name, super::DOMAIN)
    }
}

/// Domain administrator.
pub const ADMINISTRATOR: Account = Account {
    name: "Administrator",
    password: "Adm1n-of-the-lab",
    state: "ready",
};
/// May write record and counter of users in the organizational units of the tests only.
pub const UM: Account = Account {
    name: "svc-um",
    password: "Umpin-service-1",
    state: "ready",
};
/// May only read, like every account.
pub const READER: Account = Account {
    name: "svc-reader",
    password: "Reader-service-1",
    state: "ready",
};
/// Locked out after too many wrong passwords, until an administrator unlocks it.
pub const LOCKED: Account = Account {
    name: "svc-locked",
    password: "Locked-service-1",
    state: "locked",
};
/// Expired (`accountExpires`).
pub const EXPIRED: Account = Account {
    name: "svc-expired",
    password: "Expired-service-1",
    state: "expired",
};
/// Disabled.
pub const DISABLED: Account = Account {
    name: "svc-disabled",
    password: "Disabled-service-1",
    state: "disabled",
};
/// Must change its password first.
pub const STALE: Account = Account {
    name: "svc-stale",
    password: "Stale-service-1",
    state: "stale",
};

/// The accounts that are created besides the administrator.
pub const SERVICES: [Account; 6] = [UM, READER, LOCKED, EXPIRED, DISABLED, STALE];
