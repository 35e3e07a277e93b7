//! A relay that needs no network.

use std::fs;
use std::path::PathBuf;

use umpin::notification::{DeliveryError, Notifier, OutgoingMessage};

/// A relay that is down while the file `down` is there, and leaves what it accepts in `mail`: each acceptance is a file.
pub struct Double {
    pub data: PathBuf,
}

impl Notifier for Double {
    fn check(&self) -> umpin::Result<()> {
        Ok(())
    }

    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError> {
        if self.data.join("down").exists() {
            return Err(DeliveryError::Temporary("the relay is down".to_owned()));
        }
        let mail = self.data.join("mail");
        let id = u128::from_be_bytes(message.id);
        let part = mail.join(format!("{id:032x}.{:016x}.part", rand::random::<u64>()));
        fs::create_dir_all(&mail)
            .and_then(|()| fs::write(&part, &message.content))
            .and_then(|()| fs::rename(&part, part.with_extension("eml")))
            .map_err(|e| DeliveryError::Temporary(e.to_string()))
    }

    fn uncollected(&self) -> Option<usize> {
        None
    }

    fn from(&self) -> &'static str {
        "Unified Messaging <um@contoso.com>"
    }
}
