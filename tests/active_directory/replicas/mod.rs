//! Two controllers that replicate, and everything between a host and them that gets lost or late.

pub mod host;
mod keys;
mod outage;
mod partition;
mod pinned;
mod reading;
mod recovery;
mod rivals;
mod verdict;
