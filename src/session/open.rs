//! Builds the ports from a configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::AuditLog;
use crate::clock::SystemClock;
use crate::config::{Config, DEFAULT_STORE, DirectoryConfig, NotificationConfig, OpenRequest};
use crate::credential::kdf::Cost;
use crate::directory::Directory;
use crate::directory::active_directory::{ActiveDirectory, Bind};
use crate::directory::embedded::{EmbeddedDirectory, EmbeddedOptions, LocalOutbox, OtherStores};
use crate::directory::journal::Journal;
use crate::keys::{KeyFiles, Keys, SharedKeyFiles};
use crate::notification::Notifier;
use crate::notification::outbox::Outbox;
use crate::notification::pickup::PickupNotifier;
use crate::notification::smtp::SmtpNotifier;
use crate::password::Password;
use crate::platform::group::ServiceGroup;
use crate::platform::host::host_name;
use crate::service::check::{FileRole, Installation, UsedFile};
use crate::service::{Caller, Ports, Service, Settings};
use crate::{Error, ErrorCode, Result};

/// Longer than counting a wrong PIN and resetting after it takes, short enough for a caller on the telephone.
const ANSWER_FLOOR: Duration = Duration::from_millis(500);

/// Checks that the service group exists: without it no file could be created, and existing ones would seem exposed.
fn check_group(config: &Config) -> Result<()> {
    let Some(name) = &config.service_group else {
        return Ok(());
    };
    let reason = match ServiceGroup::find(name) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) => "there is no such group on this computer".to_owned(),
        Err(error) => error.to_string(),
    };
    let file = config.file.as_deref().unwrap_or(Path::new(""));
    Err(Error::new(
        ErrorCode::ConfigurationInvalid,
        format!(
            "The configuration file '{}' names the group '{name}' in the key 'serviceGroup', which cannot be used: {reason}.",
            file.display()
        ),
    )
    .action(format!(
        "Correct serviceGroup in '{}', or create the group.",
        file.display()
    )))
}

/// The stores other than the configured one: the default one, and those that the caller knows.
fn other_stores(request: &OpenRequest, path: &Path) -> OtherStores {
    let usual = request.data_directory.join(DEFAULT_STORE);
    let configured_in = request.config_file.clone().filter(|_| usual != path);
    let mut stores = vec![usual];
    stores.extend(request.other_stores.iter().cloned());
    OtherStores { configured_in, stores }
}

/// Reads the configuration and builds the adapters; opens nothing that it names.
pub(super) fn service(request: OpenRequest) -> Result<Service> {
    let config = Config::load(&request)?;
    check_group(&config)?;
    let own_store = match &config.directory {
        DirectoryConfig::Embedded { path, .. } => path.clone(),
        DirectoryConfig::ActiveDirectory { outbox, .. } => outbox.clone(),
    };
    let installation = installation(&config, &own_store);
    let keys = KeyFiles {
        active: config.keys.active,
        files: config.keys.files,
        group: config.service_group.clone(),
        store: Some(own_store.clone()),
    };
    let group = config.service_group.clone();
    let store = |path, busy_timeout| EmbeddedOptions {
        path,
        read_only: false,
        busy_timeout,
        group: group.clone(),
    };
    let directory: Arc<dyn Directory>;
    let mut journal = None;
    let (outbox, audit, keys): (Arc<dyn Outbox>, Arc<dyn AuditLog>, Arc<dyn Keys>) = match config.directory {
        DirectoryConfig::Embedded { path, timeout } => {
            let other_stores = other_stores(&request, &path);
            let store = EmbeddedDirectory::new(store(path, timeout)).with_other_stores(other_stores);
            let store = Arc::new(store);
            directory = Arc::clone(&store) as _;
            (Arc::clone(&store) as _, store, Arc::new(keys))
        }
        DirectoryConfig::ActiveDirectory { settings, outbox } => {
            let local = Arc::new(LocalOutbox::new(store(outbox, settings.timeout)));
            directory = Arc::new(ActiveDirectory::new(*settings));
            journal = Some(Arc::clone(&local) as Arc<dyn Journal>);
            (Arc::clone(&local) as _, local, Arc::new(SharedKeyFiles(keys)))
        }
    };
    let notifier: Arc<dyn Notifier> = match config.notification {
        NotificationConfig::Pickup {
            directory: folder,
            from,
        } => Arc::new(PickupNotifier::new(folder, from, config.service_group.clone()).beside(own_store)),
        NotificationConfig::Smtp(relay) => Arc::new(SmtpNotifier::new(relay)),
    };
    let ports = Ports {
        directory,
        outbox,
        journal,
        audit,
        notifier,
        clock: Arc::new(SystemClock),
        keys,
    };
    let settings = Settings {
        cost: Cost::STANDARD,
        audit: config.audit_enabled,
        audit_retention_days: config.audit_retention_days,
        scope: config.default_scope,
        answer_floor: ANSWER_FLOOR,
        expire_notifications_after: config.notification_expiry,
        netbios_name: config.netbios_name,
        message: config.message,
        caller: Caller {
            user: request.caller.unwrap_or_default(),
            run_as: request.run_as,
            host: host_name(),
            application: request.application.unwrap_or_default(),
        },
    };
    Ok(Service::new(ports, settings).with_installation(installation))
}

/// Every file that the configuration names, for the check of owners and modes.
fn installation(config: &Config, store: &Path) -> Installation {
    let mut files = Vec::new();
    let mut add = |role, path: &Path| {
        files.push(UsedFile {
            role,
            path: path.to_owned(),
        });
    };
    if let Some(file) = &config.file {
        add(FileRole::Configuration, file);
    }
    add(FileRole::Store, store);
    let (active, others): (Vec<_>, Vec<_>) = config
        .keys
        .files
        .iter()
        .partition(|(name, _)| **name == config.keys.active);
    for (_, path) in active.into_iter().chain(others) {
        add(FileRole::Key, path);
    }
    let mut password = |password: &Password| {
        if let Password::File(path) = password {
            add(FileRole::Password, path);
        }
    };
    let mut authorities = None;
    if let DirectoryConfig::ActiveDirectory { settings, .. } = &config.directory {
        if let Bind::Simple { password: bind, .. } = &settings.bind {
            password(bind);
        }
        authorities.clone_from(&settings.ca_file);
    }
    match &config.notification {
        NotificationConfig::Pickup { directory, .. } => add(FileRole::PickupFolder, directory),
        NotificationConfig::Smtp(relay) => {
            if let Some(login) = &relay.login {
                password(&login.password);
            }
            if let Some(file) = &relay.ca_file {
                add(FileRole::Authorities, file);
            }
        }
    }
    if let Some(file) = &authorities {
        add(FileRole::Authorities, file);
    }
    Installation {
        configuration: config.file.clone(),
        files,
        group: config.service_group.clone(),
    }
}
