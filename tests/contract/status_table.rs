//! One table of errors: the C header says the same as [`umpin::ErrorCode`]. `Contract.Tests.ps1` compares the interop assembly with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

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
