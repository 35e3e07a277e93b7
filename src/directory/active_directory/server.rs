//! One server of the directory.

use std::fmt;

/// What a server is asked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It holds its domain in full.
    Controller,
    /// It holds a part of every object of the forest, and takes no changes.
    Catalog,
}

/// A server of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// Host name; the name that its certificate must have. Lower case, without a dot at the end.
    pub host: String,
    /// TCP port; `None`: the usual one for the role and the protection.
    pub port: Option<u16>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}
