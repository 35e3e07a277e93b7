//! From a configuration to the ports it names.

use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::audit::AuditLog;
use crate::clock::SystemClock;
use crate::config::{Config, DirectoryConfig, NotificationConfig, OpenRequest};
use crate::credential::derive::Cost;
use crate::directory::Directory;
use crate::directory::active_directory::ActiveDirectory;
use crate::directory::embedded::{EmbeddedDirectory, EmbeddedOptions, LocalOutbox};
use crate::keys::{KeyFiles, Keys, SharedKeyFiles};
use crate::notification::Notifier;
use crate::notification::outbox::Outbox;
use crate::notification::pickup::PickupNotifier;
use crate::notification::smtp::SmtpNotifier;
use crate::platform::host::host_name;
use crate::service::{Caller, Ports, Service, Settings};

/// Longer than counting a wrong PIN and resetting after it takes, short enough for a caller on the telephone.
const ANSWER_FLOOR: Duration = Duration::from_millis(500);

/// Reads the configuration and puts the adapters together; opens nothing that it names.
pub(super) fn service(request: OpenRequest) -> Result<Service> {
    let config = Config::load(&request)?;
    let keys = KeyFiles {
        active: config.keys.active,
        files: config.keys.files,
        group: config.service_group.clone(),
    };
    let group = config.service_group.clone();
    let store = |path, busy_timeout| EmbeddedOptions {
        path,
        read_only: false,
        busy_timeout,
        group: group.clone(),
    };
    let directory: Arc<dyn Directory>;
    let (outbox, audit, keys): (Arc<dyn Outbox>, Arc<dyn AuditLog>, Arc<dyn Keys>) = match config.directory {
        DirectoryConfig::Embedded { path, timeout } => {
            let store = Arc::new(EmbeddedDirectory::new(store(path, timeout)));
            directory = Arc::clone(&store) as _;
            (Arc::clone(&store) as _, store, Arc::new(keys))
        }
        DirectoryConfig::ActiveDirectory { settings, outbox } => {
            let local = Arc::new(LocalOutbox::new(store(outbox, settings.timeout)));
            directory = Arc::new(ActiveDirectory::new(*settings));
            (Arc::clone(&local) as _, local, Arc::new(SharedKeyFiles(keys)))
        }
    };
    let notifier: Arc<dyn Notifier> = match config.notification {
        NotificationConfig::Pickup {
            directory: folder,
            from,
        } => Arc::new(PickupNotifier::new(folder, from, config.service_group.clone())),
        NotificationConfig::Smtp(relay) => Arc::new(SmtpNotifier::new(relay)),
    };
    let ports = Ports {
        directory,
        outbox,
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
    Ok(Service::new(ports, settings))
}
