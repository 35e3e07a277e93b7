//! Generates the C header from `src/ffi` and sets what the linker must know about the shared library.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=cbindgen.toml");
    println!("cargo::rerun-if-changed=include/prologue.h");
    println!("cargo::rerun-if-changed=src/ffi");

    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo")).join("umpin.h");
    generate_header(&root, &out);
    // For `tests/contract/header.rs`, which compares it with the committed `include/umpin.h`.
    println!("cargo::rustc-env=UMPIN_GENERATED_HEADER={}", out.display());

    link_arguments();
}

fn generate_header(root: &Path, out: &Path) {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    let prologue = fs::read_to_string(root.join("include/prologue.h")).expect("include/prologue.h");
    config.header = Some(prologue.replace("\r\n", "\n").trim_end().to_owned());
    config.after_includes = Some(version_macros());

    let mut header = Vec::new();
    // cbindgen follows the `mod` declarations from here.
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("src/ffi/mod.rs"))
        .generate()
        .expect("src/ffi can be expressed in C")
        .write(&mut header);
    // The heading is Rust's; what stands below it is as true and as necessary in C.
    let header = String::from_utf8(header)
        .expect("cbindgen writes UTF-8")
        .replace(" * # Safety\n", " * Pointers:\n")
        // Compilers that take a file without a mark for the system's code page warn of anything but ASCII.
        .replace('…', "...")
        .replace('–', "-");
    fs::write(out, header).expect("OUT_DIR can be written");
}

/// The version of the header, so that a C program can compare it with that of the library it met.
fn version_macros() -> String {
    let part = |name: &str| env::var(name).expect("set by cargo");
    format!(
        "\n/** The version of the library that this header belongs to. */\n\
         #define UMPIN_VERSION_MAJOR {}\n\
         #define UMPIN_VERSION_MINOR {}\n\
         #define UMPIN_VERSION_PATCH {}\n\
         #define UMPIN_VERSION_TEXT \"{}\"",
        part("CARGO_PKG_VERSION_MAJOR"),
        part("CARGO_PKG_VERSION_MINOR"),
        part("CARGO_PKG_VERSION_PATCH"),
        part("CARGO_PKG_VERSION"),
    )
}

fn link_arguments() {
    let system = env::var("CARGO_CFG_TARGET_OS").expect("set by cargo");
    match system.as_str() {
        // Threads of the library may outlive the last handle: the code must not be unmapped below them.
        "linux" => {
            println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libumpin.so");
            println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        "macos" => println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libumpin.dylib"),
        _ => {}
    }
}
