//! LDAP operations on an open connection. The caller sets the time limit.

use std::collections::HashSet;

use ldap3::controls::{Control, ControlType, MakeCritical as _, PagedResults, RawControl};
use ldap3::{Ldap, LdapError, LdapResult, Mod, SearchOptions};

use super::search_entry::{self, MissingRange};
use super::{Entry, Modification, Scope, Search, SearchResult};

/// `sizeLimitExceeded`.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// Without the SD flags control a server returns the whole descriptor, or nothing at all to an account that may not read the SACL.
const SECURITY_DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Owner and access control list of a security descriptor (`LDAP_SERVER_SD_FLAGS_OID`, MS-ADTS 3.1.1.3.4.1.11).
fn sd_flags_control() -> RawControl {
    RawControl {
        ctype: "1.2.840.113556.1.4.801".to_owned(),
        crit: true,
        // SEQUENCE { INTEGER OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION }
        val: Some(vec![0x30, 0x03, 0x02, 0x01, 0x05]),
    }
}

/// An owned [`Search`], which can move to another thread.
#[derive(Clone, Debug)]
pub(crate) struct SearchRequest {
    pub base: String,
    pub scope: Scope,
    pub filter: String,
    pub attributes: Vec<String>,
    pub size_limit: i32,
    /// Seconds after which the server ends the search with `timeLimitExceeded`.
    pub time_limit: i32,
    /// Whether the entries before `sizeLimitExceeded` count as a result because the caller continues with paging. Otherwise the search
    /// fails: a truncated list cannot be told from a complete one.
    pub allow_truncated: bool,
    /// Page size and cookie (RFC 2696).
    pub page: Option<(i32, Vec<u8>)>,
}

impl SearchRequest {
    pub(crate) fn new(search: &Search<'_>, time_limit: i32) -> Self {
        Self {
            base: search.base.to_owned(),
            scope: search.scope,
            filter: search.filter.to_owned(),
            attributes: search.attributes.iter().map(|&name| name.to_owned()).collect(),
            size_limit: search.size_limit,
            time_limit,
            allow_truncated: false,
            page: None,
        }
    }
}

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum OpError {
    /// The server answered with a result code other than success.
    Response(LdapResult),
    /// The connection or the library failed.
    Library(LdapError),
    /// The response is not valid LDAP.
    Protocol,
}

impl From<LdapError> for OpError {
    fn from(error: LdapError) -> Self {
        Self::Library(error)
    }
}

/// The entries, and the cookie of the next page.
pub(crate) async fn search(mut ldap: Ldap, request: SearchRequest) -> Result<(SearchResult, Option<Vec<u8>>), OpError> {
    let time_limit = request.time_limit;
    let (mut found, is_truncated, cookie) = run_search(&mut ldap, request).await?;
    for (entry, missing_ranges) in &mut found {
        for missing_range in std::mem::take(missing_ranges) {
            fetch_missing_values(&mut ldap, entry, missing_range, time_limit).await?;
        }
    }
    let entries = found.into_iter().map(|(entry, _)| entry).collect();
    Ok((SearchResult { entries, is_truncated }, cookie))
}

type PartialEntries = Vec<(Entry, Vec<MissingRange>)>;

async fn run_search(
    ldap: &mut Ldap,
    request: SearchRequest,
) -> Result<(PartialEntries, bool, Option<Vec<u8>>), OpError> {
    ldap.with_search_options(
        SearchOptions::new()
            .sizelimit(request.size_limit)
            .timelimit(request.time_limit),
    );
    let mut controls: Vec<RawControl> = Vec::new();
    if let Some((size, cookie)) = request.page {
        controls.push(PagedResults { size, cookie }.critical().into());
    }
    if request.attributes.iter().any(|name| name == SECURITY_DESCRIPTOR) {
        controls.push(sd_flags_control());
    }
    if !controls.is_empty() {
        ldap.with_controls(controls);
    }
    let mut stream = ldap
        .streaming_search(&request.base, request.scope, &request.filter, request.attributes)
        .await?;
    let mut found = Vec::new();
    while let Some(item) = stream.next().await? {
        // References to other servers are not followed.
        if !item.is_ref() && !item.is_intermediate() {
            found.push(search_entry::parse(item).ok_or(OpError::Protocol)?);
        }
    }
    let result = stream.finish().await;
    let is_truncated = request.allow_truncated && result.rc == SIZE_LIMIT_EXCEEDED;
    if result.rc != 0 && !is_truncated {
        return Err(OpError::Response(result));
    }
    let cookie = result.ctrls.iter().find_map(|control| match control {
        Control(Some(ControlType::PagedResults), raw) => Some(raw.parse::<PagedResults>().cookie),
        _ => None,
    });
    Ok((found, is_truncated, cookie.filter(|cookie| !cookie.is_empty())))
}

/// Fetches the values that the server left out of its response (ranged retrieval).
async fn fetch_missing_values(
    ldap: &mut Ldap,
    entry: &mut Entry,
    MissingRange { attribute, mut next }: MissingRange,
    time_limit: i32,
) -> Result<(), OpError> {
    loop {
        let request = SearchRequest {
            base: entry.dn.clone(),
            scope: Scope::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec![format!("{attribute};range={next}-*")],
            size_limit: 1,
            time_limit,
            allow_truncated: false,
            page: None,
        };
        let (mut found, _, _) = run_search(ldap, request).await?;
        // The entry existed a moment ago.
        let (more, missing_ranges) = found.pop().ok_or(OpError::Protocol)?;
        let values = more.attributes.into_iter().filter(|(name, _)| *name == attribute);
        search_entry::append_values(entry, &attribute, values.map(|(_, value)| value));
        match missing_ranges
            .into_iter()
            .find(|missing_range| missing_range.attribute == attribute)
        {
            Some(missing_range) if missing_range.next > next => next = missing_range.next,
            Some(_) => return Err(OpError::Protocol),
            None => return Ok(()),
        }
    }
}

/// Owned modifications, which can move to another thread.
pub(crate) fn changes(modifications: &[Modification<'_>]) -> Vec<Mod<Vec<u8>>> {
    let pair = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), HashSet::from([value.to_vec()]));
    modifications
        .iter()
        .map(|modification| match modification {
            Modification::Add(name, value) => {
                let (name, values) = pair(name, value);
                Mod::Add(name, values)
            }
            Modification::Delete(name, value) => {
                let (name, values) = pair(name, value);
                Mod::Delete(name, values)
            }
            Modification::Replace(name, value) => {
                let (name, values) = pair(name, value);
                Mod::Replace(name, values)
            }
        })
        .collect()
}

/// Sends the Modify once and never repeats it.
pub(crate) async fn modify(mut ldap: Ldap, dn: String, changes: Vec<Mod<Vec<u8>>>) -> Result<(), OpError> {
    let result = ldap.modify(&dn, changes).await?;
    if result.rc == 0 {
        Ok(())
    } else {
        Err(OpError::Response(result))
    }
}
