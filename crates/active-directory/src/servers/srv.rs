//! Servers by DNS SRV (RFC 2782).

use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RData};

use crate::server::Server;

/// How long one name server may take; there is a second attempt, and a second name server.
const ATTEMPT: Duration = Duration::from_secs(2);

/// An SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub priority: u16,
    pub weight: u16,
    pub target: Server,
}

/// The records of this name; none where DNS says that there are none.
///
/// # Errors
/// Why DNS could not be asked.
pub(crate) async fn look_up(name: String) -> Result<Vec<Record>, String> {
    let mut builder = TokioResolver::builder_tokio().map_err(|e| e.to_string())?;
    let options = builder.options_mut();
    options.timeout = ATTEMPT;
    options.attempts = 2;
    records(&builder.build().map_err(|e| e.to_string())?, name).await
}

async fn records(resolver: &TokioResolver, name: String) -> Result<Vec<Record>, String> {
    // With a dot at the end, so that no search list makes another name of it.
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
                // "." says that there is no such service.
                ..Server::parse(&srv.target.to_ascii())?
            },
        }),
        _ => None,
    });
    Ok(records.collect())
}

/// The order in which the targets are to be tried: by priority, and among equals by chance, the likelier the higher the weight.
/// `draw` gives a number from 0 to its argument, both included.
pub(crate) fn order(mut records: Vec<Record>, mut draw: impl FnMut(u64) -> u64) -> Vec<Server> {
    // Those of weight 0 first, so that they are chosen by the number 0 alone.
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
