//! Runs a forest for other programs.

use std::io::{self, Read as _};

use serde_json::json;

use crate::harness::{self, UM};

/// Prints where the forest is, and keeps it running until standard input ends.
#[test]
#[ignore = "not a test: `cargo xtask test pester` uses it to run a forest"]
fn keeps_a_forest() {
    harness::shared(|lab| {
        let forest = json!({
            "process": harness::process(),
            "directory": lab.directory(UM),
            "key": harness::key_file(),
        });
        println!("FOREST {forest}");
        io::stdin().read_to_end(&mut Vec::new()).expect("standard input");
    });
}
