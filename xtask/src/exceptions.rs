//! The exception classes and the entries of the error catalogue in the interop assembly, from the one table of errors in Rust.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};

/// The table, of which only the lines of errors are read.
pub const TABLE: &str = "crates/core/src/error.rs";

/// What only the module reports: there is no library to do it.
const OF_THE_MODULE: [[&str; 3]; 2] = [
    ["NativeLibraryMissing", "NativeLibraryException", "NotInstalled"],
    ["NativeLibraryMismatch", "NativeLibraryException", "NotInstalled"],
];

/// The classes with another base than Exception. A base that is none of .NET's is not sealed.
const BASES: &[(&str, &[&str])] = &[
    (
        "ArgumentException",
        &[
            "InvalidIdentityException",
            "InvalidNotifyEmailException",
            "NoNotificationAddressException",
            "InvalidParameterCombinationException",
            "InvalidPolicySettingException",
            "AuditFileUnusableException",
        ],
    ),
    (
        "ConfigurationException",
        &[
            "KeyUnavailableException",
            "StoreCorruptException",
            "StoreExposedException",
            "ImportInvalidException",
        ],
    ),
    (
        "DirectoryException",
        &[
            "DirectoryUnavailableException",
            "DirectoryWriteConflictException",
            "TargetChangedException",
            "DirectoryOutcomeUnknownException",
            "AccessDeniedException",
            "OutsideScopeException",
        ],
    ),
];

/// The C# source.
pub fn source(table: &str) -> Result<String> {
    // Several numbers may share an id.
    let mut errors: BTreeSet<[&str; 3]> = OF_THE_MODULE.into_iter().collect();
    let (_, rows) = table
        .split_once("error_codes! {\n")
        .with_context(|| format!("{TABLE} has no table `error_codes!`"))?;
    for row in rows.lines().map(str::trim).take_while(|row| *row != "}") {
        if !row.is_empty() && !row.starts_with("//") {
            let (number, entry) =
                error(row).with_context(|| format!("{TABLE}: `{row}` is not an error on one line"))?;
            // An outcome has no exception.
            if number >= 100 {
                errors.insert(entry);
            }
        }
    }
    let ids: BTreeSet<&str> = errors.iter().map(|[id, ..]| *id).collect();
    if ids.len() != errors.len() {
        bail!("{TABLE} gives one id two exceptions or categories");
    }
    let mut classes: BTreeSet<&str> = errors.iter().map(|[_, class, _]| *class).collect();
    if let Some((_, unknown)) = BASES
        .iter()
        .flat_map(|(base, derived)| derived.iter().map(move |class| (base, class)))
        .find(|(_, class)| !classes.contains(*class))
    {
        bail!("{TABLE} has no error with the exception {unknown}");
    }
    classes.insert("DirectoryException");
    let mut text = "using System;\nusing System.Runtime.Serialization;\n\nnamespace UMMailboxPin\n{\n".to_owned();
    for class in classes {
        let base = BASES
            .iter()
            .find(|(_, derived)| derived.contains(&class))
            .map_or("Exception", |(base, _)| base);
        let (sealed, hidden) = match BASES.iter().any(|(base, _)| *base == class) {
            true => ("", "protected"),
            false => ("sealed ", "private"),
        };
        write!(
            text,
            "    [Serializable]\n    public {sealed}class {class} : {base}\n    {{\n\
             \x20       public {class}(string message) : base(message) {{ }}\n\n\
             \x20       public {class}(string message, Exception innerException) : base(message, innerException) {{ }}\n\n\
             \x20       {hidden} {class}(SerializationInfo info, StreamingContext context) : base(info, context) {{ }}\n    }}\n\n"
        )?;
    }
    text.push_str(
        "    public static partial class ErrorCatalogue\n    {\n        static ErrorCatalogue()\n        {\n",
    );
    for [id, class, category] in errors {
        writeln!(
            text,
            "            Add(\"{id}\", \"{category}\", delegate(string m) {{ return new {class}(m); }});"
        )?;
    }
    text.push_str("        }\n    }\n}\n");
    Ok(text)
}

/// Number, id, exception and category of a line such as `Variant = 202, "Id", "ExceptionClass", "Category", …`.
fn error(line: &str) -> Option<(u32, [&str; 3])> {
    let (variant, rest) = line.split_once(" = ")?;
    let (number, rest) = rest.split_once(", \"")?;
    if !variant.chars().all(char::is_alphanumeric) {
        return None;
    }
    let mut quoted = rest.split('"').step_by(2);
    Some((number.parse().ok()?, [quoted.next()?, quoted.next()?, quoted.next()?]))
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn every_error_has_an_entry_and_every_exception_one_class() {
        let text = source(&std::fs::read_to_string(crate::repo::root().join(super::TABLE)).unwrap()).unwrap();
        assert!(
            text.contains("public sealed class ManagementObjectNotFoundException : Exception\n"),
            "{text}"
        );
        assert!(
            text.contains("public sealed class KeyUnavailableException : ConfigurationException\n"),
            "{text}"
        );
        assert!(
            text.contains("public class ConfigurationException : Exception\n"),
            "{text}"
        );
        assert!(
            text.contains("Add(\"NoValidPin\", \"InvalidData\", delegate(string m) { return new PinPolicyViolationException(m); });"),
            "{text}"
        );
        assert_eq!(text.matches("class PinPolicyViolationException ").count(), 1, "{text}");
        assert!(!text.contains("Pending") && !text.contains("Cancelled"), "{text}");
    }

    #[test]
    fn a_table_that_is_not_read_whole_is_refused() {
        let table = |rows: &str| source(&format!("error_codes! {{\n{rows}}}\n")).unwrap_err().to_string();
        let row = "    A = 201, \"A\", \"AException\", \"InvalidArgument\", \"Do.\";\n";
        let problem = table(row);
        assert!(problem.contains("InvalidIdentityException"), "{problem}");
        let problem =
            table("    Throttled = 406,\n        \"Throttled\", \"AException\", \"LimitsExceeded\", \"Wait.\";\n");
        assert!(problem.contains("Throttled = 406"), "{problem}");
        let problem = table(&format!("{row}{}", row.replace("InvalidArgument", "InvalidData")));
        assert!(problem.contains("two exceptions"), "{problem}");
    }
}
