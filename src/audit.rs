//! Audit entries: who changed what, bound into one keyed chain per host so that changes to the log show.

/// One entry as it is written. The parameters never include a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Joins intent and outcome.
    pub operation: [u8; 16],
    /// UTC.
    pub at: crate::clock::Timestamp,
    /// The entry as JSON without line break: kind (`intent` or `outcome`), caller, host, cmdlet, target, parameters, outcome.
    pub body: String,
}
