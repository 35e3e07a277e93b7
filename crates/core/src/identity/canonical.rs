//! Canonical names (`contoso.com/Sales/Tony Smith`): components joined by `/`.

use super::fold::fold_and_squeeze;

/// A component as it stands in a canonical name: `/` and `\` preceded by `\`.
pub(super) fn escape(component: &str) -> String {
    let mut escaped = String::with_capacity(component.len());
    for c in component.chars() {
        if matches!(c, '/' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// The form that is equal for equal canonical names; slashes at the end do not count.
pub(super) fn key(name: &str) -> String {
    let mut components: Vec<String> = components(name)
        .iter()
        .map(|component| escape(&fold_and_squeeze(component)))
        .collect();
    while components.last().is_some_and(String::is_empty) {
        components.pop();
    }
    components.join("/")
}

/// The last component, unescaped: the object's own name. Empty where there is none.
#[must_use]
pub fn canonical_leaf(name: &str) -> String {
    let components = components(name);
    let mut from_the_end = components.iter().rev().map(|component| component.trim());
    let last = from_the_end.find(|component| !component.is_empty());
    last.unwrap_or_default().to_owned()
}

/// Split at slashes and unescaped; a backslash before anything else stands for itself.
fn components(name: &str) -> Vec<String> {
    let mut components = vec![String::new()];
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let literal = match c {
            '/' => {
                components.push(String::new());
                continue;
            }
            '\\' => chars.next_if(|next| matches!(next, '/' | '\\')).unwrap_or(c),
            _ => c,
        };
        if let Some(component) = components.last_mut() {
            component.push(literal);
        }
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_have_equal_keys() {
        for (name, expected) in [
            ("Contoso.com/Sales/Tony  Smith", "contoso.com/sales/tony smith"),
            (" contoso.com / Sales// ", "contoso.com/sales"),
            ("contoso.com/", "contoso.com"),
            (r"contoso.com/A\/B", r"contoso.com/a\/b"),
            (r"contoso.com/A\/", r"contoso.com/a\/"),
            (r"contoso.com/R\D", r"contoso.com/r\\d"),
            (r"contoso.com/R\\D\", r"contoso.com/r\\d\\"),
            ("contoso.com//x", "contoso.com//x"),
            ("", ""),
        ] {
            assert_eq!(key(name), expected);
            assert_eq!(key(&key(name)), expected);
        }
    }

    #[test]
    fn the_leaf_is_the_objects_own_name() {
        for (name, leaf) in [
            ("contoso.com/Sales/Tony  Smith", "Tony  Smith"),
            ("contoso.com/Sales / ", "Sales"),
            (r"contoso.com/A\/B", "A/B"),
            (r"contoso.com/R\\D", r"R\D"),
            ("//", ""),
        ] {
            assert_eq!(canonical_leaf(name), leaf);
        }
    }
}
