//! The first step: which key, in place of which.

use super::cursor::Cursor;
use super::{KeyUpdate, KeyUpdateRequest, KeyUpdates, ReplacedKey};
use crate::audit::ChainKeys;
use crate::credential::keyring::KeyRing;
use crate::credential::master_key::KeyId;
use crate::directory::key_register::{KeyRegister, RetiredKey, Retirement};
use crate::keys::KeyFile;
use crate::service::audit_writer::{Action, Event, Outcome, Target};
use crate::service::random_id;
use crate::{Error, ErrorCode, Result};

/// The keys as they are, and what is to become of them.
struct Plan {
    ring: KeyRing,
    files: Vec<KeyFile>,
    retired: Vec<RetiredKey>,
    /// `None`: to be made.
    target: Option<KeyFile>,
    /// Those that the target replaces.
    replaced: Vec<KeyId>,
}

impl KeyUpdates {
    /// [`Service::update_key`](crate::service::Service::update_key).
    pub(in crate::service) fn update_key(&self, request: &KeyUpdateRequest) -> Result<KeyUpdate> {
        let register = self.register()?;
        match &request.after {
            Some(cursor) => self.go_on(request, register, Cursor::parse(cursor)?),
            None => self.begin(request, register),
        }
    }

    fn register(&self) -> Result<&dyn KeyRegister> {
        self.outbox.key_register().ok_or_else(|| {
            Error::new(
                ErrorCode::ConfigurationInvalid,
                "The key of this directory cannot be replaced.",
            )
        })
    }

    fn begin(&self, request: &KeyUpdateRequest, register: &dyn KeyRegister) -> Result<KeyUpdate> {
        let mut plan = self.plan(request, register)?;
        if request.what_if {
            return self.outline(plan);
        }
        request.cancellation.enter_commit()?;
        let is_made = plan.target.is_none();
        let target = match plan.target.take() {
            Some(file) => file,
            None => {
                let made = self.keys.create_waiting()?;
                // As it lies on the disk by now: what cannot be read again must not seal anything.
                plan.ring = self.unled_ring(&plan.retired)?;
                made
            }
        };
        let operation = random_id()?;
        if request.new_key_only {
            if is_made {
                self.record_new_key(request, register, operation, &target)?;
            }
            return Ok(KeyUpdate {
                key: Some((target.id, target.path)),
                is_made,
                ..KeyUpdate::default()
            });
        }
        if !plan.ring.activate(target.id) {
            return Err(Error::new(
                ErrorCode::KeyUnavailable,
                format!("The key file {} was removed or exchanged.", target.path.display()),
            ));
        }
        let operation = self.retire(request, register, &plan, target.id, operation)?;
        // The keys that are loaded from now on.
        self.records.ring_on_disk()?;
        let cursor = Cursor::new(operation, is_made);
        let mut update = self.state(register, &cursor, false)?;
        update.total = self.directory.record_count()?;
        update.next = Some(cursor.text()?);
        Ok(update)
    }

    /// What would be done; nothing is made.
    fn outline(&self, plan: Plan) -> Result<KeyUpdate> {
        let replaced = plan.replaced.iter().filter_map(|id| {
            let file = plan.files.iter().find(|file| file.id == *id)?;
            Some(ReplacedKey {
                id: *id,
                path: file.path.clone(),
                is_removable: false,
                is_configured: file.is_configured,
            })
        });
        Ok(KeyUpdate {
            is_made: plan.target.is_none(),
            replaced: replaced.collect(),
            key: plan.target.map(|file| (file.id, file.path)),
            total: self.directory.record_count()?,
            ..KeyUpdate::default()
        })
    }

    fn plan(&self, request: &KeyUpdateRequest, register: &dyn KeyRegister) -> Result<Plan> {
        self.directory.store_id()?;
        let active = self.records.ring_on_disk()?.active();
        let retired = register.retired_keys()?;
        let files = self.keys.key_files()?;
        let is_retired = |id: KeyId| retired.iter().any(|key| key.id == id);
        let current = |file: &&KeyFile| file.id == active;
        let mut waiting = files
            .iter()
            .filter(|file| !file.is_configured && file.id != active && !is_retired(file.id));
        let first = waiting.next().cloned();
        if let (Some(one), Some(other)) = (&first, waiting.next()) {
            return Err(Error::new(
                ErrorCode::ConfigurationInvalid,
                format!(
                    "Two keys wait to become active: {} and {}.",
                    one.path.display(),
                    other.path.display()
                ),
            )
            .action("Keep the one that the other hosts have, remove the other, and run the command again."));
        }
        let others: Vec<KeyId> = files
            .iter()
            .map(|file| file.id)
            .filter(|id| *id != active && !is_retired(*id))
            .collect();
        let is_open = retired.iter().any(|key| !key.is_done);
        let (target, replaced) = if request.new_key_only {
            (first, Vec::new())
        } else if request.reseal_only || is_open {
            // What was begun is finished before anything else begins.
            (files.iter().find(current).cloned(), Vec::new())
        } else if let Some(waiting) = first {
            let mut replaced = others;
            replaced.retain(|id| *id != waiting.id);
            replaced.insert(0, active);
            (Some(waiting), replaced)
        } else if !others.is_empty() {
            // The configuration names the new key, and the former ones with it.
            (files.iter().find(current).cloned(), others)
        } else if self.keys.is_shared() {
            return Err(Error::new(
                ErrorCode::ConfigurationInvalid,
                "Other computers may use this directory, and none of them has a new key yet.",
            )
            .action("Make the key with -NewKeyOnly, copy its file to every computer that uses the directory, then run the command on each of them."));
        } else {
            (None, vec![active])
        };
        Ok(Plan {
            ring: self.unled_ring(&retired)?,
            files,
            retired,
            target,
            replaced,
        })
    }

    /// A ring of this update's own, to be led by another key.
    fn unled_ring(&self, retired: &[RetiredKey]) -> Result<KeyRing> {
        let mut ring = self.keys.load()?;
        for key in retired {
            ring.add_former(key.id, &key.audit_key)?;
        }
        Ok(ring)
    }

    /// Records what is replaced, with the intent. The operation: this one, or the one that is gone on with.
    fn retire(
        &self,
        request: &KeyUpdateRequest,
        register: &dyn KeyRegister,
        plan: &Plan,
        target: KeyId,
        operation: [u8; 16],
    ) -> Result<[u8; 16]> {
        if plan.replaced.is_empty()
            && let Some(open) = plan.retired.iter().find(|key| !key.is_done)
        {
            return Ok(open.operation);
        }
        let at = self.clock.now();
        let mut keys = Vec::new();
        for earlier in &plan.retired {
            if let Some(audit_key) = plan.ring.sealed_chain_key(earlier.id)? {
                keys.push(RetiredKey {
                    audit_key,
                    ..earlier.clone()
                });
            }
        }
        for id in &plan.replaced {
            let sealed = plan.ring.sealed_chain_key(*id)?;
            if let (Some(audit_key), Some(chain)) = (sealed, plan.ring.chain_key_of(*id)) {
                keys.push(RetiredKey {
                    id: *id,
                    successor: target,
                    chain: chain.id(),
                    audit_key,
                    at,
                    operation,
                    is_done: false,
                });
            }
        }
        let mut event = self.update_event(request, operation)?;
        let replaced: Vec<String> = plan.replaced.iter().map(KeyId::to_string).collect();
        event
            .parameter("Key", Some(target.to_string()))
            .parameter("Replaced", Some(replaced))
            .parameter("ResealOnly", request.reseal_only.then_some(true));
        let trail = self.audit.batch_of(&plan.ring, at, &[event]);
        register.retire(Retirement {
            keys,
            chain: ChainKeys::new(plan.ring.chain_keys()),
            audit: trail.map(|trail| trail.intent(operation)),
        })?;
        Ok(operation)
    }

    fn update_event<'a>(&self, request: &'a KeyUpdateRequest, operation: [u8; 16]) -> Result<Event<'a>> {
        let cmdlet = request.cmdlet.as_deref().unwrap_or("Update-UMPinKey");
        Ok(Event {
            operation,
            ..Event::new(Action::UpdateKey, cmdlet, Target::Directory)?
        })
    }

    /// A key that only waits is audited too: whoever copies it can open the store later.
    fn record_new_key(
        &self,
        request: &KeyUpdateRequest,
        register: &dyn KeyRegister,
        operation: [u8; 16],
        made: &KeyFile,
    ) -> Result<()> {
        let ring = self.records.ring_on_disk()?;
        let mut event = self.update_event(request, operation)?;
        event
            .parameter("NewKeyOnly", Some(true))
            .parameter("Key", Some(made.id.to_string()));
        let Some(trail) = self.audit.batch_of(&ring, self.clock.now(), &[event]) else {
            return Ok(());
        };
        let mut whole = trail.intent(operation);
        let ended = self.audit.ended(&ring, operation, Outcome::Succeeded);
        whole.entries.extend(ended.into_iter().flat_map(|trail| trail.entries));
        register.retire(Retirement {
            keys: Vec::new(),
            chain: ChainKeys::new(ring.chain_keys()),
            audit: Some(whole),
        })
    }
}
