//! The update of the key as JSON. Never a key, only ids and files.

use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::{bytes, warnings};
use super::rules::check_version;
use crate::cancellation::Cancellation;
use crate::service::key_update::{KeyUpdate, KeyUpdateRequest};
use crate::{Error, ErrorCode, Result};

/// The highest rate.
const MAX_PER_SECOND: u32 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdateKey {
    v: u64,
    after: Option<String>,
    #[serde(default)]
    what_if: bool,
    #[serde(default)]
    new_key_only: bool,
    #[serde(default)]
    reseal_only: bool,
    per_second: Option<u32>,
    cmdlet: Option<String>,
}

impl UpdateKey {
    pub(super) fn check(self) -> Result<KeyUpdateRequest> {
        check_version(self.v)?;
        let invalid = |message: String| Err(Error::new(ErrorCode::InvalidArgument, message));
        if self.new_key_only && self.reseal_only {
            return invalid("The fields newKeyOnly and resealOnly exclude each other.".to_owned());
        }
        if self
            .per_second
            .is_some_and(|rate| !(1..=MAX_PER_SECOND).contains(&rate))
        {
            return invalid(format!("The perSecond must be between 1 and {MAX_PER_SECOND}."));
        }
        Ok(KeyUpdateRequest {
            after: self.after,
            what_if: self.what_if,
            new_key_only: self.new_key_only,
            reseal_only: self.reseal_only,
            per_second: self.per_second,
            cmdlet: self.cmdlet,
            cancellation: Cancellation::default(),
        })
    }
}

pub(in crate::session) fn key_updated(update: &KeyUpdate) -> Vec<u8> {
    let replaced: Vec<Value> = (update.replaced.iter())
        .map(|key| {
            json!({
                "keyId": key.id.to_string(),
                "path": key.path,
                "removable": key.is_removable,
                "configured": key.is_configured,
            })
        })
        .collect();
    let problems: Vec<Value> = (update.problems.iter())
        .map(|problem| json!({ "identity": problem.identity, "message": problem.message }))
        .collect();
    bytes(json!({
        "keyId": update.key.as_ref().map(|(id, _)| id.to_string()),
        "path": update.key.as_ref().map(|(_, path)| path),
        "made": update.is_made,
        "replaced": replaced,
        "records": update.records,
        "counters": update.counters,
        "messages": update.messages,
        "total": update.total,
        "problems": problems,
        "complete": update.is_complete,
        "next": update.next,
        "warnings": warnings(&update.warnings),
    }))
}
