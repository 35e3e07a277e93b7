//! The status numbers as C sees them. `tests/contract/status_table.rs` holds them against the one table, [`crate::ErrorCode`].

/// Success, or why not: one of the `UMPIN_…` numbers. Families by hundred; numbers are never reused; treat an unknown one
/// as a failure.
pub type umpin_status_t = u32;

/// Done; the out-params are written.
pub const UMPIN_OK: umpin_status_t = 0;
/// No answer within the time given: call again with the same handle.
pub const UMPIN_PENDING: umpin_status_t = 1;
/// Nothing is outstanding in the batch.
pub const UMPIN_BATCH_EMPTY: umpin_status_t = 2;
/// Cancelled before its commit point: nothing was changed. No failure, and no error object is made.
pub const UMPIN_CANCELLED: umpin_status_t = 3;
/// A required pointer is NULL.
pub const UMPIN_NULL_ARGUMENT: umpin_status_t = 101;
/// Text is not valid UTF-8.
pub const UMPIN_INVALID_UTF8: umpin_status_t = 102;
/// The request is not well-formed JSON, or has unknown, missing or impossible fields.
pub const UMPIN_INVALID_REQUEST: umpin_status_t = 103;
/// The handle has given its answer already.
pub const UMPIN_ALREADY_USED: umpin_status_t = 104;
/// An earlier call on this session panicked; only freeing is allowed.
pub const UMPIN_POISONED: umpin_status_t = 105;
/// The library failed internally. The session is poisoned from now on.
pub const UMPIN_PANIC: umpin_status_t = 106;
/// This process was forked from one that has used the library.
pub const UMPIN_FORKED: umpin_status_t = 107;
/// A number is outside its documented range.
pub const UMPIN_INVALID_ARGUMENT: umpin_status_t = 108;
/// The identity is empty or cannot name a mailbox.
pub const UMPIN_INVALID_IDENTITY: umpin_status_t = 201;
/// No object has this identity.
pub const UMPIN_MANAGEMENT_OBJECT_NOT_FOUND: umpin_status_t = 202;
/// More than one object has this identity.
pub const UMPIN_MANAGEMENT_OBJECT_AMBIGUOUS: umpin_status_t = 203;
/// The mailbox has no Unified Messaging.
pub const UMPIN_MAILBOX_NOT_UM_ENABLED: umpin_status_t = 204;
/// notifyEmail is not one well-formed address.
pub const UMPIN_INVALID_NOTIFY_EMAIL: umpin_status_t = 205;
/// The message has no recipient.
pub const UMPIN_NO_NOTIFICATION_ADDRESS: umpin_status_t = 206;
/// Fields that exclude each other.
pub const UMPIN_INVALID_PARAMETER_COMBINATION: umpin_status_t = 207;
/// The object lies outside the scope that may be written.
pub const UMPIN_OUTSIDE_SCOPE: umpin_status_t = 208;
/// An object of this name exists already.
pub const UMPIN_MANAGEMENT_OBJECT_EXISTS: umpin_status_t = 209;
/// Other objects still refer to the object; details.count says how many.
pub const UMPIN_MANAGEMENT_OBJECT_IN_USE: umpin_status_t = 210;
/// The PIN breaks the policy; details.rules names every broken rule.
pub const UMPIN_PIN_POLICY_VIOLATION: umpin_status_t = 301;
/// Policy, extensions and history leave no PIN to generate.
pub const UMPIN_NO_VALID_PIN: umpin_status_t = 302;
/// A setting of a policy is out of its range.
pub const UMPIN_INVALID_POLICY_SETTING: umpin_status_t = 303;
/// The directory cannot be reached, read or written.
pub const UMPIN_DIRECTORY_UNAVAILABLE: umpin_status_t = 401;
/// Other writers were faster until the deadline; nothing was changed.
pub const UMPIN_WRITE_CONFLICT: umpin_status_t = 402;
/// It cannot be known whether the change was made.
pub const UMPIN_OUTCOME_UNKNOWN: umpin_status_t = 403;
/// The account lacks the rights.
pub const UMPIN_ACCESS_DENIED: umpin_status_t = 404;
/// Mailbox or recipient are no longer what umpin_plan_target showed; nothing was changed.
pub const UMPIN_TARGET_CHANGED: umpin_status_t = 405;
/// The configuration cannot be used; the message names file and key.
pub const UMPIN_CONFIGURATION_INVALID: umpin_status_t = 501;
/// The key is missing, unreadable, exposed or the wrong one.
pub const UMPIN_KEY_UNAVAILABLE: umpin_status_t = 502;
/// The store or a record in it is damaged.
pub const UMPIN_STORE_CORRUPT: umpin_status_t = 503;
/// The import file has rows that cannot be used; nothing was changed.
pub const UMPIN_IMPORT_INVALID: umpin_status_t = 504;
/// The audit log was tampered with; details.host, details.seq and details.kind say where and how.
pub const UMPIN_AUDIT_CHAIN_BROKEN: umpin_status_t = 505;
/// A file exists already, is missing, or is no audit log.
pub const UMPIN_AUDIT_FILE_UNUSABLE: umpin_status_t = 506;
/// Others can alter or exchange the store, by its owner or mode or by those of its folder.
pub const UMPIN_STORE_EXPOSED: umpin_status_t = 507;
/// The PIN was changed and its message could not be delivered. No function returns it: it names a warning and an error id.
pub const UMPIN_NOTIFICATION_FAILED: umpin_status_t = 601;
/// No message can be delivered as things are configured, so nothing was changed.
pub const UMPIN_NOTIFICATION_UNAVAILABLE: umpin_status_t = 602;
/// An internal invariant did not hold, or the system has no threads to give.
pub const UMPIN_NATIVE_FAULT: umpin_status_t = 901;
