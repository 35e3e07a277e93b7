//! Look-up of DNS SRV records (RFC 2782).

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RData};

use crate::server::Server;

/// Time limit of one query to one name server; it is repeated once and sent to a second name server.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// An SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub priority: u16,
    pub weight: u16,
    pub target: Server,
}

/// The SRV records of this name; empty if there are none.
///
/// # Errors
/// The resolver's error.
pub(crate) async fn look_up(name: String) -> Result<Vec<Record>, String> {
    let mut builder = TokioResolver::builder_tokio().map_err(|e| e.to_string())?;
    let options = builder.options_mut();
    options.timeout = ATTEMPT_TIMEOUT;
    options.attempts = 2;
    records(&builder.build().map_err(|e| e.to_string())?, name).await
}

async fn records(resolver: &TokioResolver, name: String) -> Result<Vec<Record>, String> {
    // Fully qualified, so that no search list applies.
    let mut name = Name::from_utf8(name).map_err(|e| e.to_string())?;
    name.set_fqdn(true);
    let answer = match resolver.srv_lookup(name).await {
        Ok(answer) => answer,
        Err(e) if e.is_no_records_found() => return Ok(Vec::new()),
        Err(e) => return Err(e.to_string()),
    };
    let records = answer.answers().iter().filter_map(|record| match &record.data {
        RData::SRV(srv) => Some(Record {
            priority: srv.priority,
            weight: srv.weight,
            target: Server {
                port: Some(srv.port),
                // The target "." means that the service does not exist.
                ..Server::parse(&srv.target.to_ascii())?
            },
        }),
        _ => None,
    });
    Ok(records.collect())
}

/// The order in which the targets are tried: by priority, then at random by weight. `draw` returns a number from 0 to its argument,
/// both included.
pub(crate) fn order(mut records: Vec<Record>, mut draw: impl FnMut(u64) -> u64) -> Vec<Server> {
    // Targets of weight 0 first: they are chosen by the number 0 only.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut ordered: Vec<Server> = Vec::with_capacity(records.len());
    while let Some(first) = records.first() {
        let equals = records.iter().take_while(|record| record.priority == first.priority);
        let weights: Vec<u64> = equals.map(|record| record.weight.into()).collect();
        let mut rest = draw(weights.iter().sum());
        let chosen = weights
            .iter()
            .position(|weight| match rest.checked_sub(*weight) {
                None | Some(0) => true,
                Some(less) => {
                    rest = less;
                    false
                }
            })
            .unwrap_or_default();
        let target = records.remove(chosen).target;
        if !ordered.contains(&target) {
            ordered.push(target);
        }
    }
    ordered
}

#[cfg(test)]
mod tests;
