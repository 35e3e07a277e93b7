//! A forest for other programs.

use std::io::{self, Read as _};

use serde_json::json;

use crate::rig::{self, UM};

/// Says where the forest is, and keeps it until standard input ends.
#[test]
#[ignore = "no test: `cargo xtask test pester` keeps a forest by it"]
fn keeps_a_forest() {
    rig::shared(|lab| {
        let forest = json!({
            "process": rig::process(),
            "directory": lab.directory(UM),
            "key": rig::key_file(),
        });
        println!("FOREST {forest}");
        io::stdin().read_to_end(&mut Vec::new()).expect("standard input");
    });
}
