//! Lists the languages of messages.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LANGUAGES}");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    list_languages(&root);
}

/// The languages of messages: each file is one, named by its tag.
const LANGUAGES: &str = "src/notification/languages";

/// Writes the table of the languages, so that adding one is adding its file.
fn list_languages(root: &Path) {
    let mut tags: Vec<String> = fs::read_dir(root.join(LANGUAGES))
        .expect("the folder of the languages")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("a tag"))
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    tags.sort();
    let mut table = String::from("&[\n");
    for tag in tags {
        table += &format!(
            "    ({tag:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{LANGUAGES}/{tag}.json\"))),\n"
        );
    }
    table += "]\n";
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("languages.rs");
    fs::write(out, table).expect("OUT_DIR can be written");
}
