//! The shared library exports exactly what the header declares: nothing of its dependencies, nothing forgotten.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use object::{NameOrOrdinal, Object, ObjectSymbol};

/// Exports that only libraries built for the tests have; the header does not declare them.
const TEST_EXPORTS: &[&str] = &["umpin_test_panic"];

#[test]
fn exports_equal_the_header() {
    let declared = declared_functions();
    assert!(declared.len() > 10, "only {declared:?} found in the header");

    let mut exported = exported_symbols(&library());
    for name in TEST_EXPORTS {
        let present = exported.remove(*name);
        assert_eq!(
            present,
            cfg!(feature = "test-hooks"),
            "{name} belongs to builds with the feature test-hooks and to no other"
        );
    }
    assert_eq!(
        declared, exported,
        "left: functions of include/umpin.h, right: symbols of the library"
    );
}

/// Every `umpin_name(` of the header outside comments.
fn declared_functions() -> BTreeSet<String> {
    let header = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/umpin.h"))
        .expect("include/umpin.h is committed");
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some(start) = rest.find("/*") {
        code.push_str(&rest[..start]);
        let end = rest[start..].find("*/").expect("comments end");
        rest = &rest[start + end + 2..];
    }
    code.push_str(rest);

    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    code.match_indices('(')
        .map(|(open, _)| {
            let before = &code[..open];
            let start = before.rfind(|c| !is_name(c)).map_or(0, |at| at + 1);
            before[start..].to_owned()
        })
        .filter(|name| name.starts_with("umpin_"))
        .collect()
}

/// The library that cargo built together with this test, beside it in `target/<profile>/deps`.
fn library() -> PathBuf {
    let test = env::current_exe().expect("the test knows its own path");
    test.with_file_name(format!("{}umpin{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX))
}

fn exported_symbols(library: &Path) -> BTreeSet<String> {
    let bytes = fs::read(library).unwrap_or_else(|error| panic!("{}: {error}", library.display()));
    let file = object::File::parse(&*bytes).expect("a shared library");
    let dynamic: BTreeSet<String> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && !symbol.is_local())
        .filter_map(|symbol| symbol.name().ok().map(str::to_owned))
        .collect();
    if !dynamic.is_empty() {
        return dynamic;
    }
    // Mach-O and PE have an export table instead.
    file.exports()
        .expect("an export table")
        .map(|export| match export.expect("an export").name() {
            NameOrOrdinal::Name(name) => {
                let name = String::from_utf8_lossy(name);
                name.strip_prefix('_').unwrap_or(&name).to_owned()
            }
            NameOrOrdinal::Ordinal(number) => format!("#{number}"),
        })
        .collect()
}
