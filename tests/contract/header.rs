//! The committed C header is the one that the source generates.

use std::fs;
use std::path::Path;

#[test]
fn the_committed_header_is_up_to_date() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/umpin.h");
    let committed = fs::read_to_string(committed)
        .expect("include/umpin.h is committed; make it with `cargo xtask header`")
        .replace("\r\n", "\n");
    let generated = fs::read_to_string(env!("UMPIN_GENERATED_HEADER")).expect("build.rs wrote the header");
    let difference = committed
        .lines()
        .zip(generated.lines())
        .enumerate()
        .find(|(_, (ours, theirs))| ours != theirs);
    if let Some((index, (ours, theirs))) = difference {
        panic!(
            "include/umpin.h differs from src/ffi in line {}:\n  committed: {ours}\n  generated: {theirs}\nRun `cargo xtask header`.",
            index + 1
        );
    }
    assert!(
        committed == generated,
        "include/umpin.h and the header of src/ffi differ in length. Run `cargo xtask header`."
    );
}
