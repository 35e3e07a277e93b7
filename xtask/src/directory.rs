//! The tests on Active Directory, with Kerberos where that can be built.

use std::path::Path;
use std::process::Command;

use crate::report::{Counts, Outcome, Report};
use crate::{cargo, process, requirements};

/// The features to test: with Kerberos, if its headers are there.
pub fn features() -> &'static str {
    if kerberos().is_none() {
        "umpin/test-hooks,umpin/gssapi"
    } else {
        "umpin/test-hooks"
    }
}

/// What Kerberos lacks to be built and tested.
pub fn kerberos() -> Option<&'static str> {
    let headers = ["/usr/include/gssapi/gssapi.h", "/usr/local/include/gssapi/gssapi.h"];
    if !headers.iter().any(|header| Path::new(header).exists()) || process::find("pkg-config").is_none() {
        Some("the feature `gssapi` is left out: install the Debian packages libkrb5-dev, libclang-dev and pkg-config")
    } else if process::find("kinit").is_none() {
        Some("the feature `gssapi` is left out: install the Debian package krb5-user")
    } else {
        None
    }
}

/// Why Samba cannot run here.
pub fn missing() -> Option<&'static str> {
    if !cfg!(target_os = "linux") {
        return Some("Samba's controllers run in namespaces of Linux");
    }
    if ["samba", "samba-tool", "ldbmodify", "ldapmodify"]
        .iter()
        .any(|program| process::find(program).is_none())
    {
        return Some("Samba is not installed; `.ci/run` names the Debian packages");
    }
    if !requirements::is_root() {
        return Some("only root may make the namespaces and start Samba");
    }
    None
}

/// What the tests need, told once; whether they can run.
pub fn samba(report: &mut Report) -> bool {
    let mut found = false;
    report.part("directory Samba", || {
        Ok(match missing() {
            Some(missing) => Outcome::NotRun(format!("the tests on Active Directory are left out: {missing}")),
            None => {
                found = true;
                Outcome::Ran(Counts::ONE)
            }
        })
    });
    report.part("directory Kerberos", || {
        Ok(kerberos().map_or(Outcome::Ran(Counts::ONE), |missing| Outcome::NotRun(missing.into())))
    });
    found
}

/// Every test of `tests/active_directory`. With the whole workspace, so that what the other tests are built of serves here, too.
pub fn tests() -> Command {
    let mut command = cargo::cargo();
    command
        .args(["test", "--workspace", "--no-fail-fast", "--features", features()])
        .args(["--test", "active_directory"]);
    command
}
