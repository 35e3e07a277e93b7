//! Linux namespaces for the tests: network, mounts, host name and processes. The kernel removes them with their last process, so that
//! names need not be unique and nothing is left behind.

use std::any;
use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use nix::mount::{MsFlags, mount};
use nix::unistd::geteuid;

use super::lab::Lab;
use super::{Forest, network};

/// Set inside the namespaces: the test that has them for itself, or empty if they are shared.
const INSIDE: &str = "UMPIN_HARNESS_INSIDE";
const SHARED: &str = "";

/// A tmpfs under the same path for every process: Samba's configuration contains absolute paths.
pub const MEMORY_FS_ROOT: &str = "/mnt";

/// The configuration of MIT Kerberos.
const KERBEROS: &str = "/mnt/krb5.conf";

/// Runs the test with the controller that the tests of this process share.
pub fn shared(test: impl FnOnce(&Lab)) {
    static LAB: OnceLock<Lab> = OnceLock::new();
    enter();
    test(LAB.get_or_init(|| Lab::start(Forest::Single)));
}

/// Runs the test in a process of its own with a forest of its own.
///
/// The test is identified by the function that contains the closure, so this must be called directly in the test function.
pub fn alone<T: FnOnce(&Lab)>(forest: Forest, test: T) {
    alone_with(forest, &[], test);
}

/// As [`alone`], with these variables in the environment of the process (not in that of the controllers).
pub fn alone_with<T: FnOnce(&Lab)>(forest: Forest, environment: &[(&str, &str)], test: T) {
    if is_alone::<T>(environment) {
        test(&Lab::start(forest));
    }
}

/// As [`alone`], with one forest after the other in the same process.
pub fn alone_in_turn<T: FnMut(Forest, &Lab)>(forests: &[Forest], mut test: T) {
    if is_alone::<T>(&[]) {
        for forest in forests {
            test(*forest, &Lab::start(*forest));
        }
    }
}

/// Whether this is the test's own process. Otherwise the test was run in that process and has passed.
fn is_alone<T>(environment: &[(&str, &str)]) -> bool {
    enter();
    let path = any::type_name::<T>();
    let name = path
        .strip_suffix("::{{closure}}")
        .and_then(|path| path.split_once("::"))
        .map(|(_, name)| name)
        .unwrap_or_else(|| panic!("{path} is not a closure in a test"));
    if env::var(INSIDE).is_ok_and(|inside| inside == name) {
        return true;
    }
    let output = in_new(&this(), ["--exact", name, "--nocapture", "--include-ignored"])
        .envs(environment.iter().copied())
        .env(INSIDE, name)
        .output()
        .expect("unshare starts");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
    assert!(output.status.success(), "{name} failed in its own process, see above");
    assert!(text.contains("1 passed"), "{name} is not the name of a test");
    false
}

/// Outside the namespaces, executes the process again inside.
fn enter() {
    if env::var_os(INSIDE).is_some() {
        return;
    }
    if let Some(missing) = missing() {
        panic!("the tests on Active Directory cannot run: {missing}");
    }
    let error = in_new(&this(), env::args_os().skip(1)).env(INSIDE, SHARED).exec();
    panic!("unshare does not start: {error}");
}

fn missing() -> Option<&'static str> {
    let found = |program: &str| {
        env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
    };
    if !geteuid().is_root() {
        Some("only root may make the namespaces and start Samba")
    } else if !["samba", "samba-tool", "ldbmodify"].into_iter().all(found) {
        Some("Samba is not installed; `.ci/run` names the Debian packages")
    } else if !["unshare", "ip"].into_iter().all(found) {
        Some("install the Debian packages util-linux and iproute2")
    } else if !Command::new("unshare")
        .args(["--net", "--mount", "--uts", "--pid", "--fork", "true"])
        .status()
        .is_ok_and(|status| status.success())
    {
        Some("namespaces are not permitted here")
    } else {
        None
    }
}

fn this() -> PathBuf {
    env::current_exe().expect("the path of this test binary")
}

/// Runs the program under a shell, which is the init process of the PID namespace and reaps orphans.
fn in_new(program: &Path, arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--mount", "--uts", "--pid", "--fork", "--kill-child"])
        .args(["--", "sh", "-c", "\"$0\" \"$@\"; exit $?"])
        .arg(program)
        .args(arguments)
        .env("KRB5_CONFIG", KERBEROS)
        .env("KRB5CCNAME", format!("{MEMORY_FS_ROOT}/tickets"));
    command
}

/// The process id outside the namespaces, for `nsenter`.
pub fn process() -> u32 {
    *PROCESS.get().expect("the forest runs")
}

static PROCESS: OnceLock<u32> = OnceLock::new();

/// Writes `hosts`, `resolv.conf` and `krb5.conf`.
pub fn write_system_files() {
    let own = fs::read_link("/proc/self").expect("the processes of those outside, still");
    let own = own.to_string_lossy().parse().expect("a number");
    PROCESS.set(own).expect("once");
    let nowhere: Option<&str> = None;
    let ground = Path::new(MEMORY_FS_ROOT);
    mount(nowhere, "/proc", Some("proc"), MsFlags::empty(), nowhere).expect("own processes in /proc");
    mount(nowhere, ground, Some("tmpfs"), MsFlags::empty(), nowhere).expect("a file system in memory");
    fs::create_dir_all("/var/run/netns").expect("the folder where `ip` has its namespaces");
    mount(nowhere, "/var/run/netns", Some("tmpfs"), MsFlags::empty(), nowhere).expect("our own of it");
    fs::write(KERBEROS, network::krb5_conf()).expect("a file");
    for (name, content) in [("hosts", network::hosts()), ("resolv.conf", network::resolv_conf())] {
        let file = ground.join(name);
        fs::write(&file, content).expect("a file");
        mount(
            Some(&file),
            &Path::new("/etc").join(name),
            nowhere,
            MsFlags::MS_BIND,
            nowhere,
        )
        .unwrap_or_else(|error| panic!("/etc/{name} cannot be replaced: {error}"));
    }
    network::build();
}
