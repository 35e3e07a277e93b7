//! Two replicating controllers: lost and late messages, partitions, outages, concurrent hosts.

mod concurrent_resets;
pub mod host;
mod keys;
mod outage;
mod partition;
mod pinned;
mod reading;
mod records;
mod recovery;
