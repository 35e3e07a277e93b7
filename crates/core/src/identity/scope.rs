//! The scope of writes: a part of the tree.

use std::fmt;

use crate::identity::DistinguishedName;
use crate::identity::fold::fold;

/// A container, named by its canonical name (`contoso.com/Sales`) or its distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    text: String,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    DistinguishedName(DistinguishedName),
    /// Folded, without a `/` at the end.
    Canonical(String),
}

impl Scope {
    /// Parses either form. A canonical name begins with a domain of at least two labels, because a single word is usually a
    /// mistake; a distinguished name can have the domain `DC=word`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.chars().any(char::is_control) {
            return None;
        }
        let form = if text.contains('=') && !text.contains('/') {
            let name = DistinguishedName::parse(text)?;
            // A name without a domain is refused.
            name.canonical_name()?;
            Form::DistinguishedName(name)
        } else {
            let path = text.trim_end_matches('/');
            let domain = path.split('/').next()?;
            let is_valid = domain
                .split('.')
                .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')))
                && domain.contains('.')
                && !path.contains("//");
            if !is_valid {
                return None;
            }
            Form::Canonical(fold(path))
        };
        Some(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// Whether it is the domain or a part of it.
    #[must_use]
    pub fn is_in_domain(&self, domain: &str) -> bool {
        let of_domain = |name: &str| name.split('/').next().is_some_and(|own| own == fold(domain));
        match &self.form {
            Form::DistinguishedName(base) => base.canonical_name().is_some_and(|name| of_domain(&fold(&name))),
            Form::Canonical(base) => of_domain(base),
        }
    }

    /// Whether an object lies in the scope, or is its container.
    #[must_use]
    pub fn contains(&self, name: &DistinguishedName) -> bool {
        match &self.form {
            Form::DistinguishedName(base) => name.is_within(base),
            Form::Canonical(base) => name.canonical_name().is_some_and(|name| {
                fold(&name)
                    .strip_prefix(base.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
