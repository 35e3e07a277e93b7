//! Which stored mailbox a row is about.
//!
//! The GUID decides. Without it each of DN, user principal name and address speaks for the mailbox that has it, because each may
//! have changed: the mailbox with which a row agrees most is meant. An address alone passes from one user to the next more
//! often than the others, so it counts only where nothing contradicts it.

use std::collections::{BTreeSet, HashSet};

use rusqlite::Connection;

use super::super::error::StoreResult;
use super::super::lookup;
use umpin_core::identity::fold::fold;
use umpin_core::identity::{LookupKey, LookupKeyKind};
use umpin_core::import::MailboxRow;
use umpin_core::mailbox::Mailbox;

/// By what a mailbox was recognized, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Guid,
    UserPrincipalName,
    DistinguishedName,
    Address,
}

impl Sign {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Guid => "GUID",
            Self::UserPrincipalName => "user principal name",
            Self::DistinguishedName => "distinguished name",
            Self::Address => "address",
        }
    }
}

/// A stored mailbox that a row may be about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) id: i64,
    pub(super) sign: Sign,
    /// In how many ways the two agree.
    agreements: usize,
}

/// What there is for a row; several candidates only without a GUID.
pub(super) type Looked = Result<Vec<Candidate>, String>;

/// Looks for the mailboxes that a row may be about.
pub(super) fn look_up(connection: &Connection, row: &MailboxRow) -> StoreResult<Looked> {
    if let Some(guid) = row.mailbox.guid {
        let found = owners(
            connection,
            std::iter::once((LookupKeyKind::Guid, guid.hyphenated().to_string())),
        )?;
        if let [id] = found[..] {
            return Ok(Ok(vec![Candidate {
                id,
                sign: Sign::Guid,
                agreements: usize::MAX,
            }]));
        }
    }
    let by_dn = owners(
        connection,
        row.mailbox
            .distinguished_name
            .iter()
            .map(|dn| (LookupKeyKind::DistinguishedName, dn.comparable())),
    )?;
    let by_upn = owners(
        connection,
        row.mailbox
            .user_principal_name
            .iter()
            .map(|upn| (LookupKeyKind::UserPrincipalName, fold(upn))),
    )?;
    // A secondary address may be that of a predecessor.
    let by_address = owners(
        connection,
        row.mailbox
            .primary_smtp_address
            .iter()
            .map(|address| (LookupKeyKind::SmtpAddress, fold(address))),
    )?;
    if by_upn.len() > 1 && by_dn.is_empty() {
        return Ok(Err(format!(
            "The user principal name '{}' is that of {} mailboxes, and nothing else tells which of them is meant.",
            row.mailbox.user_principal_name.as_deref().unwrap_or_default(),
            by_upn.len()
        )));
    }
    let unique = |ids: &[i64]| match ids {
        [id] => Some(*id),
        _ => None,
    };
    let signs = [
        (Sign::UserPrincipalName, unique(&by_upn)),
        (Sign::DistinguishedName, unique(&by_dn)),
        (Sign::Address, unique(&by_address)),
    ];
    let ids: BTreeSet<i64> = signs.iter().filter_map(|(_, id)| *id).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    // The usual case needs no look at the mailbox: everything leads to one.
    let alone = matches!(ids[..], [id] if signs[..2].iter().any(|(_, other)| *other == Some(id)));
    let closer = if alone && row.mailbox.guid.is_none() {
        Vec::new()
    } else {
        lookup::load_keyed(connection, &ids)?
    };
    let mut candidates = Vec::with_capacity(ids.len());
    for id in ids {
        let of_it = || {
            signs
                .iter()
                .filter(move |(_, other)| *other == Some(id))
                .map(|(sign, _)| *sign)
        };
        let Some(sign) = of_it().next() else { continue };
        let mut agreements = of_it().count();
        if let Some((_, mailbox)) = closer.iter().find(|(key, _)| *key == id) {
            // A mailbox that came with another GUID is another one, whose name or address this row has taken. Its PIN must not pass
            // to the newcomer; whether it has moved, the other rows know.
            if row.mailbox.guid.is_some() && has_given_guid(connection, id)? {
                continue;
            }
            if sign == Sign::Address && contradicts(row, mailbox) {
                continue;
            }
            let primaries = same(&row.mailbox.primary_smtp_address, &mailbox.primary_smtp_address);
            if sign == Sign::Address && primaries != Some(true) {
                continue;
            }
            agreements += [
                (&row.mailbox.sam_account_name, &mailbox.sam_account_name),
                (&row.mailbox.legacy_exchange_dn, &mailbox.legacy_exchange_dn),
                (&row.mailbox.alias, &mailbox.alias),
            ]
            .into_iter()
            .filter(|(new, old)| same(new, old) == Some(true))
            .count();
        }
        candidates.push(Candidate { id, sign, agreements });
    }
    Ok(Ok(candidates))
}

/// Gives each row its mailbox: none to two of them, and the one that agrees most is first. `None`: a new one.
pub(super) fn assign(looked: &[Vec<Candidate>]) -> Vec<Option<Candidate>> {
    let mut pairs: Vec<(usize, Candidate)> = looked
        .iter()
        .enumerate()
        .flat_map(|(row, candidates)| candidates.iter().map(move |candidate| (row, *candidate)))
        .collect();
    pairs.sort_by_key(|(row, c)| (std::cmp::Reverse(c.agreements), c.sign, *row));
    let mut assigned = vec![None; looked.len()];
    let mut taken = HashSet::with_capacity(looked.len());
    for (row, candidate) in pairs {
        if assigned[row].is_none() && !taken.contains(&candidate.id) {
            taken.insert(candidate.id);
            assigned[row] = Some(candidate);
        }
    }
    assigned
}

fn owners(connection: &Connection, names: impl Iterator<Item = (LookupKeyKind, String)>) -> StoreResult<Vec<i64>> {
    let keys: Vec<LookupKey> = names.map(|(kind, value)| LookupKey { kind, value }).collect();
    lookup::matching(connection, &keys)
}

pub(super) fn has_given_guid(connection: &Connection, id: i64) -> StoreResult<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT coalesce((SELECT guid_given FROM mailbox WHERE id = ?1), 0) \
             OR coalesce((SELECT guid_given FROM staged_mailbox WHERE mailbox = ?1), 0)",
        )?
        .query_row([id], |r| r.get(0))?)
}

/// Whether more speaks against it than an address speaks for: another account, or another sign-in name and no name in common.
fn contradicts(row: &MailboxRow, mailbox: &Mailbox) -> bool {
    let accounts = same(&row.mailbox.sam_account_name, &mailbox.sam_account_name);
    let upns = same(&row.mailbox.user_principal_name, &mailbox.user_principal_name);
    let legacy = same(&row.mailbox.legacy_exchange_dn, &mailbox.legacy_exchange_dn);
    let in_common = accounts == Some(true)
        || legacy == Some(true)
        || (!row.mailbox.name.is_empty() && fold(&row.mailbox.name) == fold(&mailbox.name));
    accounts == Some(false) || (upns == Some(false) && !in_common)
}

/// `None` where one of them has none.
fn same(new: &Option<String>, old: &Option<String>) -> Option<bool> {
    Some(fold(new.as_ref()?) == fold(old.as_ref()?))
}
