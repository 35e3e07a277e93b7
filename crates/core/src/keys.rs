//! Key files: 32 raw bytes each, readable by their owner or one service group only.
//!
//! Beside the file of the active key there may be others that no configuration names: `<file>.<key id>`, each with the key of that id. A
//! newer one is to become active, or is the successor in the store; an older one still opens what was sealed with it. So a key is
//! replaced without a change of the configuration.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::credential::keyring::KeyRing;
use crate::credential::master_key::{KEY_LENGTH, KeyId, MasterKey};
use crate::random::{fill_random, system_rng};
use crate::{Error, ErrorCode, Result};
use umpin_platform::access::{TrustedOwners, account_of, owner_for_new_files};
use umpin_platform::files::{self, GroupAccess};
use umpin_platform::group::ServiceGroup;

/// The files of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFiles {
    /// The name of the key that seals.
    pub active: String,
    /// The file of every key, by name.
    pub files: BTreeMap<String, PathBuf>,
    /// Whose members may read the files, besides the owner.
    pub group: Option<String>,
    /// The store of this computer that they belong to: its account may own them if root runs the command.
    pub store: Option<PathBuf>,
}

/// A key and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The key.
    pub id: KeyId,
    /// Its file.
    pub path: PathBuf,
    /// Whether the configuration names the file; otherwise it is beside that of the active key, with the key id in its name.
    pub is_configured: bool,
}

/// The port to the keys.
pub trait Keys: Send + Sync {
    /// Whether the active key exists, usable or not.
    fn exists(&self) -> bool;

    /// Loads every key; creates and changes nothing.
    ///
    /// # Errors
    /// `ConfigurationInvalid` for a name without a file; `KeyUnavailable` naming the first key that is missing, unreadable, of
    /// the wrong size or exposed.
    fn load(&self) -> Result<KeyRing>;

    /// Loads every key, and creates the active one if it does not exist. Never replaces one; concurrent processes get the same key.
    ///
    /// Only for a store without sealed values: otherwise a missing key is lost, not new.
    ///
    /// # Errors
    /// As `load`.
    fn create_active(&self) -> Result<KeyRing>;

    /// The files of the keys, the active one first.
    ///
    /// # Errors
    /// As `load`.
    fn key_files(&self) -> Result<Vec<KeyFile>> {
        Ok(Vec::new())
    }

    /// Creates the next key, beside the active one, for the same account and group.
    ///
    /// # Errors
    /// `KeyUnavailable` if it cannot be created.
    fn create_waiting(&self) -> Result<KeyFile> {
        Err(Error::new(ErrorCode::KeyUnavailable, "Keys cannot be made here."))
    }

    /// Makes a key active: exchanges its file with that of the active key, which gets a name with its id. Does nothing if the key is
    /// active already.
    ///
    /// # Errors
    /// `KeyUnavailable` if the files cannot be renamed.
    fn promote(&self, _id: KeyId) -> Result<()> {
        Ok(())
    }

    /// Whether other hosts use the same directory with copies of the keys.
    fn is_shared(&self) -> bool {
        false
    }
}

impl Keys for KeyFiles {
    fn exists(&self) -> bool {
        // A file that cannot be examined counts as existing: loading reports the reason, and no file is created.
        self.active_path()
            .is_ok_and(|path| !matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound))
    }

    fn load(&self) -> Result<KeyRing> {
        let mut all = self.load_all()?.into_iter().map(|(_, key)| key);
        let active = all.next().ok_or_else(|| self.no_active())?;
        Ok(KeyRing::new(&active, &all.collect::<Vec<_>>()))
    }

    fn key_files(&self) -> Result<Vec<KeyFile>> {
        Ok(self.load_all()?.into_iter().map(|(file, _)| file).collect())
    }

    fn create_waiting(&self) -> Result<KeyFile> {
        let active = self.active_path()?;
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        fill_random(bytes.as_mut_slice(), &mut system_rng())?;
        let id = MasterKey::new(&bytes).id();
        let path = beside(active, id);
        let group = self.service_group()?;
        // The same accounts may use both keys.
        account_of(active)
            .and_then(|account| files::create_atomically(&path, bytes.as_slice(), group.as_ref(), account))
            .map_err(|error| not_made(&path, error))?;
        Ok(KeyFile {
            id,
            path,
            is_configured: false,
        })
    }

    fn promote(&self, id: KeyId) -> Result<()> {
        let path = self.active_path()?;
        let owners = TrustedOwners::of(self.store.as_deref(), self.service_group()?);
        let active = load_key(path, &owners)?.id();
        if active == id {
            return Ok(());
        }
        let new = beside(path, id);
        if !new.exists() {
            return Err(
                unavailable(path, &format!("the key {id} is in use and lies in another file"))
                    .action("Name the file of the key in use as the active one in \"keys\" of the configuration."),
            );
        }
        files::replace_keeping_former(path, &new, &beside(path, active)).map_err(|error| {
            Error::new(
                ErrorCode::KeyUnavailable,
                format!("The key file {} cannot be replaced: {error}.", path.display()),
            )
            .action("Make its directory writable for this account, then run the command again.")
            .caused_by(error)
        })
    }

    fn create_active(&self) -> Result<KeyRing> {
        // Checked first, so that loading needs no write access; `create_atomically` is safe against a race.
        if !self.exists() {
            let path = self.active_path()?;
            let owners = TrustedOwners::of(self.store.as_deref(), self.service_group()?);
            check_folder(path, &owners)?;
            let account = self.store.as_deref().and_then(owner_for_new_files);
            create_key(path, owners.group(), account)?;
        }
        self.load()
    }
}

/// Key files of a directory that several hosts share: none is created, because only its host could open what it seals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedKeyFiles(pub KeyFiles);

impl Keys for SharedKeyFiles {
    fn exists(&self) -> bool {
        self.0.exists()
    }

    fn load(&self) -> Result<KeyRing> {
        if self.exists() {
            return self.0.load();
        }
        let path = self.0.active_path()?;
        Err(unavailable(path, "it does not exist").action(
            "Copy the key file from a host that has it; for the first host make one of 32 random bytes, readable by its owner only.",
        ))
    }

    fn create_active(&self) -> Result<KeyRing> {
        self.load()
    }

    fn key_files(&self) -> Result<Vec<KeyFile>> {
        self.0.key_files()
    }

    fn create_waiting(&self) -> Result<KeyFile> {
        self.0.create_waiting()
    }

    fn promote(&self, id: KeyId) -> Result<()> {
        self.0.promote(id)
    }

    fn is_shared(&self) -> bool {
        true
    }
}

impl KeyFiles {
    fn active_path(&self) -> Result<&Path> {
        let path = self.files.get(&self.active);
        path.map(PathBuf::as_path).ok_or_else(|| self.no_active())
    }

    fn no_active(&self) -> Error {
        Error::new(
            ErrorCode::ConfigurationInvalid,
            format!("The active key '{}' has no file.", self.active),
        )
        .action("Name one of the configured keys in keys.active.")
    }

    /// Every key: the active one, the others that are configured, and those beside the active one.
    fn load_all(&self) -> Result<Vec<(KeyFile, MasterKey)>> {
        let path = self.active_path()?;
        let owners = TrustedOwners::of(self.store.as_deref(), self.service_group()?);
        let mut scan = self.read_all(path, &owners)?;
        for _ in 1..ATTEMPTS {
            if scan.is_stable && !scan.may_miss_one {
                break;
            }
            scan = self.read_all(path, &owners)?;
        }
        // Stable in the last attempt: at most, a copy of the active key is beside it.
        if scan.is_stable {
            return Ok(scan.keys);
        }
        Err(
            unavailable(path, "key files beside it are renamed or removed again and again")
                .action("Run the command again when no key is being replaced."),
        )
    }

    fn read_all(&self, path: &Path, owners: &TrustedOwners) -> Result<KeyScan> {
        let load = |path: &Path, is_configured| {
            let key = load_key(path, owners)?;
            let file = KeyFile {
                id: key.id(),
                path: path.to_owned(),
                is_configured,
            };
            Ok((file, key))
        };
        let mut keys = vec![load(path, true)?];
        for (_, other) in self.files.iter().filter(|(name, _)| **name != self.active) {
            keys.push(load(other, true)?);
        }
        let active = keys[0].0.id;
        let waiting = waiting_beside(path);
        let (mut is_stable, mut may_miss_one) = (true, false);
        for (named, other) in &waiting {
            match load(other, false) {
                Ok((file, _)) if file.id != *named => {
                    return Err(unavailable(other, "it holds another key than its name says"));
                }
                // Under both names while it is exchanged with another, or where that was interrupted; without the other one,
                // keys were exchanged twice meanwhile.
                Ok((file, _)) if file.id == active => may_miss_one = waiting.len() == 1,
                Ok(loaded) => keys.push(loaded),
                // It has taken the place of the active one since it was listed.
                Err(error) if is_missing(&error) => is_stable = false,
                Err(error) => return Err(error),
            }
        }
        // What was renamed meanwhile may have been missed under both names.
        is_stable &= waiting_beside(path) == waiting && load_key(path, owners)?.id() == active;
        Ok(KeyScan {
            keys,
            is_stable,
            may_miss_one,
        })
    }

    fn service_group(&self) -> Result<Option<ServiceGroup>> {
        let Some(name) = &self.group else {
            return Ok(None);
        };
        let invalid = |reason: String| {
            Error::new(
                ErrorCode::ConfigurationInvalid,
                format!(
                    "The key 'serviceGroup' of the configuration names the group '{name}', which cannot be used: {reason}."
                ),
            )
        };
        match ServiceGroup::find(name) {
            Ok(Some(group)) => Ok(Some(group)),
            Ok(None) => Err(invalid("there is no such group".to_owned())),
            Err(error) => Err(invalid(error.to_string()).caused_by(error)),
        }
    }
}

/// A scan of the key files.
struct KeyScan {
    /// The active one first.
    keys: Vec<(KeyFile, MasterKey)>,
    /// Whether no file was renamed or removed during the scan.
    is_stable: bool,
    /// Whether the only other file is a copy of the active key, as after two exchanges in a row.
    may_miss_one: bool,
}

/// The most scans when files are renamed at the same time.
const ATTEMPTS: u32 = 20;

/// The name, beside the active key's file, of a key that is not configured.
fn beside(active: &Path, id: KeyId) -> PathBuf {
    let mut name = active.as_os_str().to_owned();
    name.push(format!(".{id}"));
    PathBuf::from(name)
}

/// The files beside that of the active key, and the ids in their names. A folder that cannot be listed has none.
fn waiting_beside(active: &Path) -> Vec<(KeyId, PathBuf)> {
    let (Some(folder), Some(name)) = (active.parent(), active.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let folder = if folder == Path::new("") {
        Path::new(".")
    } else {
        folder
    };
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name();
            let id = KeyId::parse(file.to_str()?.strip_prefix(name)?.strip_prefix('.')?)?;
            Some((id, entry.path()))
        })
        .collect();
    found.sort();
    found
}

/// Whether a file could not be opened because it does not exist.
fn is_missing(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::NotFound)
}

fn load_key(path: &Path, owners: &TrustedOwners) -> Result<MasterKey> {
    let (file, metadata) = files::open_regular(path).map_err(|e| {
        let error = unavailable(path, &e.to_string());
        let error = if files::is_open_file_limit(&e) {
            error.action(files::OPEN_FILE_LIMIT_ACTION)
        } else {
            error
        };
        error.caused_by(e)
    })?;
    if let Some(exposure) = files::exposure(&metadata, owners.group()) {
        return Err(unavailable(path, &exposure)
            .action("Make the key file readable by its owner only; replace the key if others may have read it."));
    }
    // The owner can read the key and replace it.
    if let Some(why) = owners.untrusted_owner(&metadata) {
        return Err(unavailable(path, &why).action(
            "Give the key file to the account that owns the store, or to root; replace the key if that account was not meant to read it.",
        ));
    }
    check_folder(path, owners)?;
    // One byte more than a key, to detect a longer file.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LENGTH + 1));
    file.take(KEY_LENGTH as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| unavailable(path, &e.to_string()).caused_by(e))?;
    match <&[u8; KEY_LENGTH]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(MasterKey::new(key)),
        Err(_) => Err(unavailable(
            path,
            &format!("it does not hold exactly {KEY_LENGTH} bytes"),
        )),
    }
}

fn check_folder(path: &Path, owners: &TrustedOwners) -> Result<()> {
    match path.parent().and_then(|folder| owners.folder_allows_replacing(folder)) {
        None => Ok(()),
        Some(why) => Err(unavailable(path, &why)
            .action("Give the folder to the account that owns the store, and let nobody else write in it.")),
    }
}

fn create_key(path: &Path, group: Option<&ServiceGroup>, account: Option<u32>) -> Result<()> {
    let mut key = Zeroizing::new([0; KEY_LENGTH]);
    fill_random(key.as_mut_slice(), &mut system_rng())?;
    path.parent()
        .map_or(Ok(()), |folder| {
            files::create_private_directory(folder, group.map(|group| (group, GroupAccess::Read)))
        })
        .and_then(|()| files::create_atomically(path, key.as_slice(), group, account))
        .map(|_| ())
        .map_err(|error| not_made(path, error))
}

fn not_made(path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorCode::KeyUnavailable,
        format!("The key file {} cannot be made: {error}.", path.display()),
    )
    .action("Make its directory writable for this account, or configure an existing key file.")
    .caused_by(error)
}

fn unavailable(path: &Path, reason: &str) -> Error {
    Error::new(
        ErrorCode::KeyUnavailable,
        format!("The key file {} cannot be used: {reason}.", path.display()),
    )
    .detail("path", path.display().to_string())
}

#[cfg(test)]
mod tests;
