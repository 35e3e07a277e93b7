//! Which operations are wanted.

use super::item::AuditItem;
use crate::clock::Timestamp;
use crate::identity::fold::fold;

/// Everything that is given must apply. Texts are compared without regard to case.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before, or at that moment.
    pub until: Option<Timestamp>,
    /// A mailbox: in any form of identity, or as the log names it.
    pub target: Option<String>,
    /// Further names of the same mailbox: an entry that has one of them is meant, too.
    pub alternatives: Vec<String>,
    /// Who did it.
    pub caller: Option<String>,
    /// With which command.
    pub cmdlet: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Whether it succeeded; an operation without outcome is neither.
    pub succeeded: Option<bool>,
}

/// A filter, ready for many operations.
pub(super) struct Matcher {
    filter: AuditFilter,
    /// Of the mailboxes that the target names now: they may have had another name then.
    guids: Vec<String>,
}

impl Matcher {
    pub(super) fn new(mut filter: AuditFilter, mut guids: Vec<String>) -> Self {
        for text in [
            &mut filter.target,
            &mut filter.caller,
            &mut filter.cmdlet,
            &mut filter.action,
        ]
        .into_iter()
        .flatten()
        {
            *text = fold(text.trim());
        }
        for text in &mut filter.alternatives {
            *text = fold(text.trim());
        }
        let names = filter.target.iter().chain(&filter.alternatives);
        guids.extend(names.filter_map(|text| Some(uuid::Uuid::try_parse(text).ok()?.to_string())));
        Self { filter, guids }
    }

    pub(super) fn admits(&self, item: &AuditItem) -> bool {
        let filter = &self.filter;
        let is = |wanted: &Option<String>, text: &Option<String>| match wanted {
            None => true,
            Some(wanted) => text.as_deref().is_some_and(|text| fold(text) == *wanted),
        };
        filter.since.is_none_or(|since| item.at >= since)
            && filter.until.is_none_or(|until| item.at <= until)
            && is(&filter.caller, &item.caller)
            && is(&filter.cmdlet, &item.cmdlet)
            && is(&filter.action, &item.action)
            && filter.succeeded.is_none_or(|wanted| item.succeeded == Some(wanted))
            && (filter.target.is_none() || self.is_target(item))
    }

    fn is_target(&self, item: &AuditItem) -> bool {
        let guid = item.target_guid.as_deref().map(str::to_lowercase);
        let name = item.target.as_deref().map(fold);
        let mut names = self.filter.target.iter().chain(&self.filter.alternatives);
        guid.is_some_and(|guid| self.guids.contains(&guid)) || name.is_some_and(|name| names.any(|text| *text == name))
    }
}
