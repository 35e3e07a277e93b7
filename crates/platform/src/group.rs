//! The service group, whose members share a store with the owner of its files.

use std::io;

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceGroup {
    /// Its name, as configured.
    pub name: String,
    /// Its number.
    pub gid: u32,
}

impl ServiceGroup {
    /// Looks the group up; `None` if there is no group of this name.
    ///
    /// # Errors
    /// If the group database cannot be read; `Unsupported` on Windows, where inherited permissions serve this purpose.
    #[cfg(unix)]
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        let found = nix::unistd::Group::from_name(name)?;
        Ok(found.map(|group| Self {
            name: name.to_owned(),
            gid: group.gid.as_raw(),
        }))
    }

    /// Looks the group up; `None` if there is no group of this name.
    ///
    /// # Errors
    /// If the group database cannot be read; `Unsupported` on Windows, where inherited permissions serve this purpose.
    #[cfg(not(unix))]
    pub fn find(_name: &str) -> io::Result<Option<Self>> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "a service group is set by the directory's permissions on this system",
        ))
    }
}

#[cfg(unix)]
impl ServiceGroup {
    /// Whether an account is a member, by its primary group or by the group database.
    #[must_use]
    pub fn has_member(&self, uid: u32) -> bool {
        use nix::unistd::{Uid, User};
        let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else {
            return false;
        };
        user.gid.as_raw() == self.gid || self.lists(&user)
    }

    /// Uses the user's group list: a directory service may not list the members of a group.
    #[cfg(target_os = "linux")]
    fn lists(&self, user: &nix::unistd::User) -> bool {
        std::ffi::CString::new(user.name.as_str())
            .ok()
            .and_then(|name| nix::unistd::getgrouplist(&name, user.gid).ok())
            .is_some_and(|groups| groups.iter().any(|group| group.as_raw() == self.gid))
    }

    #[cfg(not(target_os = "linux"))]
    fn lists(&self, user: &nix::unistd::User) -> bool {
        matches!(nix::unistd::Group::from_gid(nix::unistd::Gid::from_raw(self.gid)), Ok(Some(group)) if group.mem.contains(&user.name))
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

    #[test]
    fn members_are_found_by_primary_group_and_group_list() {
        let root = ServiceGroup {
            name: "root".to_owned(),
            gid: 0,
        };
        assert!(root.has_member(0));
        assert!(!root.has_member(4_000_000_000), "no such account");
        let with_members = std::fs::read_to_string("/etc/group").unwrap_or_default();
        let listed = with_members.lines().find_map(|line| {
            let mut fields = line.split(':');
            let (name, gid) = (fields.next()?, fields.nth(1)?.parse().ok()?);
            let user = nix::unistd::User::from_name(fields.next()?.split(',').next()?).ok()??;
            Some((
                ServiceGroup {
                    name: name.to_owned(),
                    gid,
                },
                user.uid.as_raw(),
            ))
        });
        // Not every system has a group with a listed member.
        if let Some((group, uid)) = listed {
            assert!(group.has_member(uid), "{group:?} lists {uid}");
        }
    }
}
