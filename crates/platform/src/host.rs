//! The name of this computer, for the audit log.

/// The host name of the operating system; `unknown` if there is none.
#[must_use]
pub fn host_name() -> String {
    read()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(unix)]
fn read() -> Option<String> {
    let name = nix::unistd::gethostname().ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// Windows sets this variable for every process; there it is the process's real environment.
#[cfg(windows)]
fn read() -> Option<String> {
    let name = std::env::var_os("COMPUTERNAME")?;
    Some(name.to_string_lossy().into_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn host_name_is_the_kernels() {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(super::host_name(), kernel.trim_end());
    }
}
