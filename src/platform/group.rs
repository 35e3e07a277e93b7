//! The service group whose members share a store, besides the owner of its files.

use std::io;

/// A group of the operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGroup {
    /// As configured.
    pub name: String,
    /// Its number.
    pub gid: u32,
}

impl ServiceGroup {
    /// Looks the group up; `None` where there is none of this name.
    ///
    /// # Errors
    /// Those of the group database; `Unsupported` on Windows, where the directory's inherited permissions do this job.
    #[cfg(unix)]
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        let found = nix::unistd::Group::from_name(name)?;
        Ok(found.map(|group| Self {
            name: name.to_owned(),
            gid: group.gid.as_raw(),
        }))
    }

    /// Looks the group up; `None` where there is none of this name.
    ///
    /// # Errors
    /// Those of the group database; `Unsupported` on Windows, where the directory's inherited permissions do this job.
    #[cfg(not(unix))]
    pub fn find(_name: &str) -> io::Result<Option<Self>> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a service group is set by the directory's permissions on this system",
        ))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_groups() {
        let gid = nix::unistd::getgid();
        let own = nix::unistd::Group::from_gid(gid).unwrap().unwrap();
        let found = ServiceGroup::find(&own.name).unwrap().unwrap();
        assert_eq!(found.gid, gid.as_raw());
        assert_eq!(ServiceGroup::find("no-such-group-umpin").unwrap(), None);
        assert_eq!(ServiceGroup::find("a\0b").unwrap(), None);
    }
}
