//! From a configuration to the ports it names.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::SystemClock;
use crate::config::{Config, DirectoryConfig, NotificationConfig, OpenRequest};
use crate::credential::derive::Cost;
use crate::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use crate::keys::KeyFiles;
use crate::notification::Notifier;
use crate::notification::pickup::PickupNotifier;
use crate::notification::smtp::SmtpNotifier;
use crate::platform::host::host_name;
use crate::service::{Caller, Ports, Service, Settings};
use crate::{Error, ErrorCode, Result};

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
    let (path, timeout) = match config.directory {
        DirectoryConfig::Embedded { path, timeout } => (path, timeout),
        DirectoryConfig::ActiveDirectory { .. } => {
            return Err(Error::new(
                ErrorCode::ConfigurationInvalid,
                "This version of umpin does not read mailboxes from Active Directory.",
            ));
        }
    };
    let directory = Arc::new(EmbeddedDirectory::new(EmbeddedOptions {
        path,
        read_only: false,
        busy_timeout: timeout,
        group: config.service_group.clone(),
    }));
    let notifier: Arc<dyn Notifier> = match config.notification {
        NotificationConfig::Pickup {
            directory: folder,
            from,
        } => Arc::new(PickupNotifier::new(folder, from, config.service_group.clone())),
        NotificationConfig::Smtp(relay) => Arc::new(SmtpNotifier::new(relay)),
    };
    let ports = Ports {
        outbox: Arc::clone(&directory) as _,
        audit: Arc::clone(&directory) as _,
        directory,
        notifier,
        clock: Arc::new(SystemClock),
        keys: Arc::new(keys),
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
            host: host_name(),
            application: request.application.unwrap_or_default(),
        },
    };
    Ok(Service::new(ports, settings))
}
