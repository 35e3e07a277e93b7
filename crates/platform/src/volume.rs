//! Detects network file systems, on which SQLite's locks and shared memory are not reliable.

use std::io;
use std::path::Path;

/// The kind of network file system that holds `path`, or would hold it once created; `None` for a local one.
///
/// # Errors
/// `NotFound` if no ancestor of the path exists or it contains a dangling link; other errors of the file system.
pub fn network_file_system(path: &Path) -> io::Result<Option<&'static str>> {
    let mut ancestor = path;
    while let Err(error) = ancestor.symlink_metadata() {
        match (error.kind(), ancestor.parent()) {
            (io::ErrorKind::NotFound, Some(parent)) if parent != Path::new("") => {
                ancestor = parent;
            }
            _ => return Err(error),
        }
    }
    kind(ancestor)
}

#[cfg(target_os = "linux")]
mod linux {
    /// `f_type` of statfs(2), from the kernel's magic.h and the file systems' own sources. Cluster file systems are included: their hosts
    /// do not share the memory map of a write-ahead log.
    pub(super) const KINDS: &[(u32, &str)] = &[
        (0x0102_1997, "9P"),
        (0x5346_414F, "AFS"),
        (0x6B41_4653, "AFS"),
        (0x1983_0326, "BeeGFS"),
        (0x00C3_6400, "Ceph"),
        (0xFF53_4D42, "CIFS"),
        (0x7375_7245, "Coda"),
        (0x0116_1970, "GFS2"),
        (0x4750_4653, "GPFS"),
        (0x0BD0_0BD0, "Lustre"),
        (0x0000_564C, "NCP"),
        (0x0000_6969, "NFS"),
        (0x7461_636F, "OCFS2"),
        (0x0000_517B, "SMB"),
        (0xFE53_4D42, "SMB"),
        (0x786F_4256, "VirtualBox shared folder"),
        (0xBACB_ACBC, "VMware shared folder"),
    ];

    pub(super) const FUSE: u32 = 0x6573_5546;

    /// Names in mountinfo of FUSE file systems that reach over a network or to another host.
    pub(super) const FUSE_KINDS: &[(&str, &str)] = &[
        ("fuse.sshfs", "SSHFS"),
        ("fuse.glusterfs", "GlusterFS"),
        ("fuse.ceph-fuse", "Ceph"),
        ("fuse.s3fs", "S3"),
        ("fuse.gcsfuse", "Google Cloud Storage"),
        ("fuse.rclone", "rclone"),
        ("fuse.davfs", "WebDAV"),
        ("fuse.davfs2", "WebDAV"),
        ("fuse.curlftpfs", "FTP"),
        ("fuse.blobfuse", "Azure Storage"),
        ("fuse.blobfuse2", "Azure Storage"),
        ("fuse.juicefs", "JuiceFS"),
        ("fuse.mfs", "MooseFS"),
        ("fuse.vmhgfs-fuse", "VMware shared folder"),
        ("virtiofs", "virtiofs"),
    ];

    /// The file system type of the device in the text of mountinfo (proc_pid_mountinfo(5)).
    pub(super) fn mounted_type<'a>(mountinfo: &'a str, device: &str) -> Option<&'a str> {
        mountinfo.lines().find_map(|line| {
            let (mount, file_system) = line.split_once(" - ")?;
            (mount.split(' ').nth(2)? == device).then(|| file_system.split(' ').next())?
        })
    }
}

#[cfg(target_os = "linux")]
fn kind(path: &Path) -> io::Result<Option<&'static str>> {
    use std::os::unix::fs::MetadataExt;

    // The magic's C type differs between targets in width and sign; its value always fits 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let magic = nix::sys::statfs::statfs(path)?.filesystem_type().0 as u32;
    if magic != linux::FUSE {
        return Ok(name_of(linux::KINDS, &magic));
    }
    // Every FUSE file system has the same magic, a local one as well as a remote one.
    let device = path.metadata()?.dev();
    let device = format!("{}:{}", libc::major(device), libc::minor(device));
    let mountinfo = std::fs::read("/proc/self/mountinfo")?;
    let mountinfo = String::from_utf8_lossy(&mountinfo);
    Ok(linux::mounted_type(&mountinfo, &device).and_then(|mounted| name_of(linux::FUSE_KINDS, &mounted)))
}

#[cfg(target_os = "linux")]
fn name_of<T: PartialEq>(kinds: &[(T, &'static str)], wanted: &T) -> Option<&'static str> {
    kinds.iter().find(|(key, _)| key == wanted).map(|&(_, name)| name)
}

#[cfg(target_os = "macos")]
fn kind(path: &Path) -> io::Result<Option<&'static str>> {
    let info = nix::sys::statfs::statfs(path)?;
    Ok(match info.filesystem_type_name() {
        "nfs" => Some("NFS"),
        "smbfs" | "cifs" => Some("SMB"),
        "afpfs" => Some("AFP"),
        "webdav" => Some("WebDAV"),
        "ftp" => Some("FTP"),
        "macfuse" | "osxfuse" | "fuse-t" => Some("FUSE"),
        "virtiofs" => Some("virtiofs"),
        _ => None,
    })
}

/// A mapped drive canonicalizes to its `\\?\UNC\` name.
#[cfg(windows)]
fn kind(path: &Path) -> io::Result<Option<&'static str>> {
    use std::path::{Component, Prefix};

    Ok(match path.canonicalize()?.components().next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::UNC(..) | Prefix::VerbatimUNC(..) => Some("network share"),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn kind(_path: &Path) -> io::Result<Option<&'static str>> {
    Ok(None)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_on_the_file_system_of_its_nearest_ancestor() {
        // /proc is a file system of its own, local on every host.
        let path = Path::new("/proc/no/such/directory.db");
        assert_eq!(network_file_system(path).unwrap(), None);
        assert!(network_file_system(Path::new("no-such-relative/x")).is_err());
    }

    #[test]
    fn magic_numbers_match_the_kernels() {
        use nix::sys::statfs;
        for (constant, name) in [
            (statfs::NFS_SUPER_MAGIC, "NFS"),
            (statfs::SMB_SUPER_MAGIC, "SMB"),
            (statfs::AFS_SUPER_MAGIC, "AFS"),
            (statfs::CODA_SUPER_MAGIC, "Coda"),
            (statfs::NCP_SUPER_MAGIC, "NCP"),
            (statfs::OCFS2_SUPER_MAGIC, "OCFS2"),
        ] {
            assert_eq!(name_of(linux::KINDS, &(constant.0 as u32)), Some(name));
        }
        assert_eq!(statfs::FUSE_SUPER_MAGIC.0 as u32, linux::FUSE);
        for local in [statfs::EXT4_SUPER_MAGIC, statfs::TMPFS_MAGIC] {
            assert_eq!(name_of(linux::KINDS, &(local.0 as u32)), None);
        }
    }

    #[test]
    fn fuse_mounts_are_distinguished_by_name() {
        let mountinfo = "36 35 98:0 /a /mnt/a rw,noatime master:1 - ext4 /dev/root rw\n\
             40 35 0:52 / /mnt/s rw shared:7 master:2 - fuse.sshfs tony@contoso.com:/ rw\n\
             41 35 0:53 / /mnt/n rw - fuseblk /dev/sdb1 rw\n";
        let name = |device| linux::mounted_type(mountinfo, device).and_then(|t| name_of(linux::FUSE_KINDS, &t));
        assert_eq!(name("0:52"), Some("SSHFS"));
        assert_eq!(name("0:53"), None);
        assert_eq!(name("0:54"), None);
    }
}
