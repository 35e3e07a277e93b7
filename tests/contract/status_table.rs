//! One table of errors: the C header, the interop assembly and the PowerShell mapping say the same as [`umpin::ErrorCode`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use umpin::ErrorCode;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// `MailboxNotUmEnabled` as `MAILBOX_NOT_UM_ENABLED`.
fn macro_name(code: ErrorCode) -> String {
    let mut name = String::new();
    for c in format!("{code:?}").split(':').next().unwrap_or_default().chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

#[test]
fn the_header_has_every_status_and_no_other() {
    let header = read("include/umpin.h");
    let mut defined: BTreeMap<String, u32> = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define UMPIN_"))
        .filter_map(|rest| rest.split_once(' '))
        .filter(|(name, _)| {
            !["VERSION", "ABI_VERSION", "SIGNIN_", "UNLIMITED"]
                .iter()
                .any(|other| name.starts_with(other))
        })
        .filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?)))
        .collect();
    for (name, number) in [("OK", 0), ("PENDING", 1), ("BATCH_EMPTY", 2)] {
        assert_eq!(defined.remove(name), Some(number), "UMPIN_{name} in include/umpin.h");
    }
    let expected: BTreeMap<String, u32> = ErrorCode::ALL.iter().map(|c| (macro_name(*c), c.status())).collect();
    assert_eq!(
        defined, expected,
        "include/umpin.h (left) against crates/core/src/error.rs (right)"
    );
}

/// What is cancelled has not failed: no error record tells of it.
fn is_failure(code: ErrorCode) -> bool {
    code.status() >= 100
}

/// The ids that only the PowerShell side raises: the library is not there to do it.
const POWERSHELL_ONLY: [(&str, &str, &str); 2] = [
    ("NativeLibraryMissing", "NativeLibraryException", "NotInstalled"),
    ("NativeLibraryMismatch", "NativeLibraryException", "NotInstalled"),
];

#[test]
fn the_powershell_catalogue_has_every_id() {
    let catalogue = read("powershell/Interop/ErrorCatalogue.cs");
    // Add("InvalidIdentity", "InvalidArgument", delegate(string m) { return new InvalidIdentityException(m); });
    let actual: BTreeSet<(String, String, String)> = catalogue
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("Add(\""))
        .map(|line| {
            let quoted: Vec<&str> = line.split('"').collect();
            let class = line
                .split_once("return new ")
                .and_then(|(_, rest)| rest.split_once('('));
            let class = class.unwrap_or_else(|| panic!("no class in: {line}")).0;
            (quoted[1].to_owned(), class.to_owned(), quoted[3].to_owned())
        })
        .collect();
    let expected: BTreeSet<(String, String, String)> = ErrorCode::ALL
        .iter()
        .filter(|code| is_failure(**code))
        .map(|c| (c.id(), c.exception(), c.category()))
        .chain(POWERSHELL_ONLY)
        .map(|(id, exception, category)| (id.to_owned(), exception.to_owned(), category.to_owned()))
        .collect();
    assert_eq!(
        actual, expected,
        "powershell/Interop/ErrorCatalogue.cs (left) against crates/core/src/error.rs (right)"
    );
}

#[test]
fn the_interop_assembly_has_every_exception_class() {
    let folder = root().join("powershell/Interop");
    let sources: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("powershell/Interop")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "cs"))
        .collect();
    let text: String = sources
        .iter()
        .map(|path| fs::read_to_string(path).expect("a C# file"))
        .collect();
    for code in ErrorCode::ALL.iter().filter(|code| is_failure(**code)) {
        let class = format!("class {} ", code.exception());
        assert!(
            text.contains(&class) || text.contains(&format!("{}\n", class.trim_end())),
            "powershell/Interop has no class {}",
            code.exception()
        );
    }
}
