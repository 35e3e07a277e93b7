//! The C programs of `tests/c`: compiled as C11 and as C++, and run plainly, under sanitizers and under Valgrind.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::cargo::{self, Build};
use crate::report::{Counts, Outcome, Report};
use crate::{files, process, repo};

/// A program of `tests/c`, and whether it needs the exports that only tests may reach.
struct Program {
    name: &'static str,
    hooks: bool,
}

const PROGRAMS: &[Program] = &[
    Program::new("header_alone"),
    Program::new("header_twice"),
    Program::new("handles"),
    Program::new("errors"),
    Program::new("reset"),
    Program::new("signin"),
    Program::new("threads"),
    Program::new("stacks"),
    Program::new("cancel"),
    Program::new("fork"),
    Program::new("no_threads"),
    Program {
        name: "panic",
        hooks: true,
    },
];

impl Program {
    const fn new(name: &'static str) -> Self {
        Self { name, hooks: false }
    }
}

const LIMIT: Duration = Duration::from_secs(600);

const SANITIZERS: &[&str] = &[
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
];

/// How a program is compiled and run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    C,
    Cpp,
    Sanitized { leaks: bool },
    Valgrind,
}

/// Builds the libraries, then compiles and runs every program in every way that works here.
pub fn run(report: &mut Report) {
    if cfg!(windows) {
        report.part("C programs", || {
            Ok(Outcome::NotRun("they are written for POSIX systems".into()))
        });
        return;
    }
    let base = repo::target().join("xtask/c");
    let mut ready = false;
    report.part("C programs, libraries", || {
        files::fresh(&base)?;
        provide(Build::Debug, &libraries(&base, false))?;
        provide(Build::TestHooks, &libraries(&base, true))?;
        ready = true;
        Ok(Outcome::Ran(Counts::ONE))
    });
    if !ready {
        return;
    }
    report.part("C programs, C11", || all(&base, Variant::C));
    report.part("C programs, C++", || all(&base, Variant::Cpp));
    report.part("C examples", || examples(&base));
    report.part("C programs, sanitizers", || match sanitizers(&base) {
        Ok(leaks) => {
            if !leaks {
                eprintln!("(the leak check does not work here and is left to Valgrind)");
            }
            all(&base, Variant::Sanitized { leaks })
        }
        Err(error) => Ok(Outcome::NotRun(format!("{error:#}"))),
    });
    report.part("C programs, Valgrind", || {
        if process::find("valgrind").is_some() {
            all(&base, Variant::Valgrind)
        } else {
            Ok(Outcome::NotRun("valgrind is not installed".into()))
        }
    });
}

/// Compiles and runs every program as C11, all with this library, which has the exports of the tests.
pub fn quick(report: &mut Report, library: &Path) {
    report.part("C programs, C11", || {
        if cfg!(windows) {
            return Ok(Outcome::NotRun("they are written for POSIX systems".into()));
        }
        let base = files::fresh(&repo::target().join("xtask/c"))?;
        let name = library.file_name().context("the library has a name")?;
        for hooks in [false, true] {
            files::copy(library, &libraries(&base, hooks).join(name))?;
        }
        all(&base, Variant::C)
    });
}

fn libraries(base: &Path, hooks: bool) -> PathBuf {
    base.join(if hooks { "lib-hooks" } else { "lib" })
}

/// Copied, because the next build with other features replaces cargo's own.
fn provide(build: Build, folder: &Path) -> Result<()> {
    let library = cargo::build_library(build)?.library;
    let name = library.file_name().context("the library has a name")?;
    files::copy(&library, &folder.join(name))
}

fn all(base: &Path, variant: Variant) -> Result<Outcome> {
    let mut counts = Counts::default();
    for program in PROGRAMS {
        // Each of them is told about, not only the first that fails.
        match one(base, program, variant) {
            Ok(()) => counts.passed += 1,
            Err(error) => {
                eprintln!("{}: {error:#}", program.name);
                counts.failed += 1;
            }
        }
    }
    Ok(Outcome::Ran(counts))
}

fn one(base: &Path, program: &Program, variant: Variant) -> Result<()> {
    let folder = files::fresh(&base.join(variant.name()).join(program.name))?;
    let binary = folder.join(program.name);
    let source = repo::root().join("tests/c").join(format!("{}.c", program.name));
    compile(&source, &binary, variant, &libraries(base, program.hooks))?;

    let sandbox = files::fresh(&folder.join("sandbox"))?;
    let mut command = if variant == Variant::Valgrind {
        let mut valgrind = Command::new("valgrind");
        valgrind.args([
            "--quiet",
            // Its pipes would stay behind where a program becomes another user.
            "--vgdb=no",
            "--error-exitcode=99",
            "--leak-check=full",
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ]);
        valgrind.arg(&binary);
        valgrind
    } else {
        Command::new(&binary)
    };
    if let Variant::Sanitized { leaks } = variant {
        sanitizer_options(&mut command, leaks);
    }
    let status = process::limited(command.arg(&sandbox), LIMIT)?;
    if !status.success() {
        bail!("ended with {status}");
    }
    fs::remove_dir_all(&sandbox)?;
    Ok(())
}

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Self::C => "c11",
            Self::Cpp => "cpp",
            Self::Sanitized { .. } => "sanitized",
            Self::Valgrind => "valgrind",
        }
    }

    fn compiler(self) -> Command {
        let (variable, default) = if self == Self::Cpp {
            ("CXX", "c++")
        } else {
            ("CC", "cc")
        };
        Command::new(env::var_os(variable).unwrap_or_else(|| default.into()))
    }
}

fn compile(source: &Path, binary: &Path, variant: Variant, libraries: &Path) -> Result<()> {
    let root = repo::root();
    let mut command = variant.compiler();
    match variant {
        Variant::Cpp => command.args(["-x", "c++", "-std=c++17"]),
        _ => command.args(["-std=c11", "-D_POSIX_C_SOURCE=200809L"]),
    };
    if let Variant::Sanitized { .. } = variant {
        command.args(SANITIZERS);
    }
    command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1", "-pthread"]);
    command
        .arg("-I")
        .arg(root.join("include"))
        .arg("-I")
        .arg(root.join("tests/c"));
    command.arg("-o").arg(binary).arg(source);
    command.arg("-L").arg(libraries).arg("-lumpin");
    command.arg(format!("-Wl,-rpath,{}", libraries.display()));
    process::run(&mut command)
}

/// Compiles a program of `examples` for the demonstration.
pub fn compile_example(name: &str, binary: &Path, libraries: &Path) -> Result<()> {
    compile(
        &repo::root().join("examples").join(format!("{name}.c")),
        binary,
        Variant::C,
        libraries,
    )
}

/// The examples that the documentation names compile and do what their first lines say.
fn examples(base: &Path) -> Result<Outcome> {
    let folder = files::fresh(&base.join("example"))?;
    let data = files::fresh(&folder.join("data"))?;
    let mut counts = reset_example(base, &folder, &data)?;
    counts += ivr_example(base, &folder, &data)?;
    Ok(Outcome::Ran(counts))
}

fn reset_example(base: &Path, folder: &Path, data: &Path) -> Result<Counts> {
    let sample = repo::root().join("examples/sample-directory.csv");
    let sample = sample.to_str().context("the checkout's path is not UTF-8")?;
    let tony = "tonysmith@contoso.com";
    let mut counts = Counts::default();
    for variant in [Variant::C, Variant::Cpp] {
        let binary = folder.join(variant.name());
        compile(
            &repo::root().join("examples/reset.c"),
            &binary,
            variant,
            &libraries(base, false),
        )?;
        // The second round sets PINs that the first left in the history: another one each time.
        let pin = if variant == Variant::C { "1985848" } else { "7305162" };
        let steps: &[&[&str]] = &[
            &["--import", sample],
            &[tony],
            &["--lock", tony],
            &["--unlock", tony],
            &[tony, pin],
            &["--show", tony],
            &["--audit"],
        ];
        for step in steps {
            let status = process::limited(Command::new(&binary).arg(data).args(*step), LIMIT)?;
            if !status.success() {
                bail!("the example ended with {status}");
            }
        }
        let refused = process::limited(Command::new(&binary).arg(data).args([tony, pin]), LIMIT)?;
        if refused.code() != Some(1) {
            bail!("a PIN of the history: the example ended with {refused}");
        }
        counts += Counts::ONE;
    }
    Ok(counts)
}

/// Calls on one line, one after the other, to a mailbox whose PIN `reset_example` left as 7305162, to be changed.
const CALLS: &[(&str, i32, &str)] = &[
    ("42710#", 1, "Good bye."),
    ("9999#111222#", 1, "That is not right."),
    (
        "42710#111222#*73**7305162#482913#905317#",
        1,
        "The two were not the same.",
    ),
    (
        "42710#7305162#1234#1234#7305162#7305162#",
        1,
        "That PIN is not allowed.",
    ),
    // Nothing keyed, too much keyed, an extension that nobody has and none at all sound as a wrong PIN does.
    ("42710####", 1, "That is not right."),
    ("42710#1234567890123456789012345###", 1, "That is not right."),
    ("##111222###", 1, "That is not right."),
    ("12345678901234567890123456#111222###", 1, "That is not right."),
    ("42710#7305162#905317#905317#", 0, "You are signed in."),
    ("42710#7305162#9053170#905317#", 0, "You are signed in."),
    ("42710#111222#111222#111222#", 1, "That is not right."),
];

/// Calls that a caller must not be able to tell from each other.
const ALIKE: &[&str] = &[
    // A wrong PIN, an extension that nobody has, nothing keyed, too much keyed, no extension, one that is too long.
    "42710#111222#",
    "9999#111222#",
    "42710##",
    "42710#1234567890123456789012345#",
    "#111222#",
    "12345678901234567890123456#111222#",
    "##",
];

fn ivr_example(base: &Path, folder: &Path, data: &Path) -> Result<Counts> {
    let binary = folder.join("ivr");
    let source = repo::root().join("examples/ivr.c");
    compile(&source, &folder.join("ivr-cpp"), Variant::Cpp, &libraries(base, false))?;
    compile(&source, &binary, Variant::C, &libraries(base, false))?;
    let mut counts = Counts::default();
    for (keys, code, heard) in CALLS {
        let mut command = Command::new(&binary);
        let (status, text) = process::talk(command.arg(data), keys, LIMIT)?;
        if status.code() != Some(*code) || !text.contains(heard) {
            bail!("the call {keys} ended with {status}; the caller heard:\n{text}");
        }
        counts += Counts::ONE;
    }
    let mut first = None;
    for keys in ALIKE {
        let (status, text) = process::talk(Command::new(&binary).arg(data), keys, LIMIT)?;
        let heard = (status.code(), text);
        let alike = first.get_or_insert_with(|| heard.clone());
        if *alike != heard {
            bail!("the call {keys} tells what there is: {heard:?}, and not {alike:?}");
        }
        counts += Counts::ONE;
    }
    Ok(counts)
}

/// Do programs with sanitizers start here, and does the leak check? (It cannot where processes are traced.)
fn sanitizers(base: &Path) -> Result<bool> {
    let folder = files::fresh(&base.join("probe"))?;
    let source = folder.join("probe.c");
    let binary = folder.join("probe");
    files::write(&source, b"int main(void) { return 0; }\n")?;
    let mut command = Variant::C.compiler();
    command.args(SANITIZERS).arg("-o").arg(&binary).arg(&source);
    process::output(&mut command).context("this compiler has no sanitizers")?;
    let starts = |leaks| {
        let mut command = Command::new(&binary);
        sanitizer_options(&mut command, leaks);
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !starts(false) {
        bail!("programs with sanitizers do not start here");
    }
    Ok(starts(true))
}

fn sanitizer_options(command: &mut Command, leaks: bool) {
    command.env(
        "ASAN_OPTIONS",
        format!("detect_leaks={}:strict_string_checks=1", u8::from(leaks)),
    );
    command.env("UBSAN_OPTIONS", "print_stacktrace=1");
}
