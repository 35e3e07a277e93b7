//! The operations on an open connection, without their time: that is the caller's.

use std::collections::HashSet;

use ldap3::controls::{Control, ControlType, MakeCritical as _, PagedResults, RawControl};
use ldap3::{Ldap, LdapError, LdapResult, Mod, Scope, SearchOptions};

use super::answer::{self, Remainder};
use super::{Answer, Depth, Entry, Modification, Search};

/// `sizeLimitExceeded`.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

/// Without a control that says which parts are wanted, a server gives all of it or, to whoever may not see the part on audits, none.
const DESCRIPTOR: &str = "nTSecurityDescriptor";

/// Owner and access control list of a security descriptor (`LDAP_SERVER_SD_FLAGS_OID`, MS-ADTS 3.1.1.3.4.1.11).
fn owner_and_access() -> RawControl {
    RawControl {
        ctype: "1.2.840.113556.1.4.801".to_owned(),
        crit: true,
        // SEQUENCE { INTEGER OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION }
        val: Some(vec![0x30, 0x03, 0x02, 0x01, 0x05]),
    }
}

/// A search that outlives the borrow.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub base: String,
    pub depth: Depth,
    pub filter: String,
    pub attributes: Vec<String>,
    pub size_limit: i32,
    /// Seconds after which the server stops searching, and says so.
    pub time_limit: i32,
    /// Whether the entries before a size limit are an answer, because whoever asks goes on page by page. Else they are none: a list that
    /// was cut looks like a whole one.
    pub may_be_cut: bool,
    /// Size of a page, and where it begins (RFC 2696).
    pub page: Option<(i32, Vec<u8>)>,
}

impl Question {
    pub(crate) fn new(search: &Search<'_>, time_limit: i32) -> Self {
        Self {
            base: search.base.to_owned(),
            depth: search.depth,
            filter: search.filter.to_owned(),
            attributes: search.attributes.iter().map(|&name| name.to_owned()).collect(),
            size_limit: search.size_limit,
            time_limit,
            may_be_cut: false,
            page: None,
        }
    }
}

/// Why an operation failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The server said so.
    Answer(LdapResult),
    /// The connection, or the library.
    Library(LdapError),
    /// What came is no LDAP.
    Nonsense,
}

impl From<LdapError> for Trouble {
    fn from(error: LdapError) -> Self {
        Self::Library(error)
    }
}

/// The answer, and where the next page begins.
pub(crate) async fn search(mut ldap: Ldap, question: Question) -> Result<(Answer, Option<Vec<u8>>), Trouble> {
    let time_limit = question.time_limit;
    let (mut found, is_cut, cookie) = one_search(&mut ldap, question).await?;
    for (entry, remainders) in &mut found {
        for remainder in std::mem::take(remainders) {
            complete(&mut ldap, entry, remainder, time_limit).await?;
        }
    }
    let entries = found.into_iter().map(|(entry, _)| entry).collect();
    Ok((Answer { entries, is_cut }, cookie))
}

type Found = Vec<(Entry, Vec<Remainder>)>;

async fn one_search(ldap: &mut Ldap, question: Question) -> Result<(Found, bool, Option<Vec<u8>>), Trouble> {
    ldap.with_search_options(
        SearchOptions::new()
            .sizelimit(question.size_limit)
            .timelimit(question.time_limit),
    );
    let mut controls: Vec<RawControl> = Vec::new();
    if let Some((size, cookie)) = question.page {
        controls.push(PagedResults { size, cookie }.critical().into());
    }
    if question.attributes.iter().any(|name| name == DESCRIPTOR) {
        controls.push(owner_and_access());
    }
    if !controls.is_empty() {
        ldap.with_controls(controls);
    }
    let scope = match question.depth {
        Depth::Base => Scope::Base,
        Depth::OneLevel => Scope::OneLevel,
        Depth::Subtree => Scope::Subtree,
    };
    let mut stream = ldap
        .streaming_search(&question.base, scope, &question.filter, question.attributes)
        .await?;
    let mut found = Vec::new();
    while let Some(item) = stream.next().await? {
        // A reference leads to another server; it is that server's affair.
        if !item.is_ref() && !item.is_intermediate() {
            found.push(answer::entry(item).ok_or(Trouble::Nonsense)?);
        }
    }
    let result = stream.finish().await;
    let is_cut = question.may_be_cut && result.rc == SIZE_LIMIT_EXCEEDED;
    if result.rc != 0 && !is_cut {
        return Err(Trouble::Answer(result));
    }
    let cookie = result.ctrls.iter().find_map(|control| match control {
        Control(Some(ControlType::PagedResults), raw) => Some(raw.parse::<PagedResults>().cookie),
        _ => None,
    });
    Ok((found, is_cut, cookie.filter(|cookie| !cookie.is_empty())))
}

/// Fetches the values that the server kept back, because no answer of it has more than some of them.
async fn complete(
    ldap: &mut Ldap,
    entry: &mut Entry,
    Remainder { attribute, mut next }: Remainder,
    time_limit: i32,
) -> Result<(), Trouble> {
    loop {
        let question = Question {
            base: entry.dn.clone(),
            depth: Depth::Base,
            filter: "(objectClass=*)".to_owned(),
            attributes: vec![format!("{attribute};range={next}-*")],
            size_limit: 1,
            time_limit,
            may_be_cut: false,
            page: None,
        };
        let (mut found, _, _) = one_search(ldap, question).await?;
        // It was there a moment ago.
        let (more, remainders) = found.pop().ok_or(Trouble::Nonsense)?;
        let values = more.attributes.into_iter().filter(|(name, _)| *name == attribute);
        answer::append(entry, &attribute, values.map(|(_, value)| value));
        match remainders
            .into_iter()
            .find(|remainder| remainder.attribute == attribute)
        {
            Some(remainder) if remainder.next > next => next = remainder.next,
            Some(_) => return Err(Trouble::Nonsense),
            None => return Ok(()),
        }
    }
}

/// A change that outlives the borrow.
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

/// Asked for once.
pub(crate) async fn modify(mut ldap: Ldap, dn: String, changes: Vec<Mod<Vec<u8>>>) -> Result<(), Trouble> {
    let result = ldap.modify(&dn, changes).await?;
    if result.rc == 0 {
        Ok(())
    } else {
        Err(Trouble::Answer(result))
    }
}
