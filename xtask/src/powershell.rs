//! Finding a PowerShell.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{download, process, repo, rid};

/// A PowerShell and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerShell {
    /// The executable.
    pub path: PathBuf,
    /// For people.
    pub origin: &'static str,
    /// Run without ICU, which the official archive needs and a small Linux lacks.
    without_icu: bool,
}

impl PowerShell {
    /// A fresh process of it: no profile, no questions, no messages to its maker.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(["-NoLogo", "-NoProfile", "-NonInteractive"])
            .env("POWERSHELL_TELEMETRY_OPTOUT", "1")
            .env("POWERSHELL_UPDATECHECK", "Off")
            // The store of the person who runs this is not for tests and demonstrations.
            .env_remove("UMPIN_CONFIG")
            .env_remove("UMPIN_HOME");
        if self.without_icu {
            command.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1");
        }
        command
    }

    fn starts(&self) -> bool {
        let mut command = self.command();
        command
            .args(["-Command", "exit 0"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// A download has not been tried out by anybody.
    fn tried(mut self) -> Result<Self> {
        if !self.starts() {
            self.without_icu = true;
            if !self.starts() {
                bail!("{} does not start", self.path.display());
            }
        }
        Ok(self)
    }
}

/// The places to look in; replaced in tests.
struct Places {
    /// `$PWSH`.
    wanted: Option<OsString>,
    /// `$PATH`.
    path: Option<OsString>,
    /// Windows PowerShell's own folder.
    windows: Option<PathBuf>,
    /// The script that unpacks a bundle and prints its folder.
    bundle: PathBuf,
    /// An earlier download.
    downloaded: PathBuf,
}

impl Places {
    fn here() -> Result<Self> {
        Ok(Self {
            wanted: env::var_os("PWSH").filter(|value| !value.is_empty()),
            path: env::var_os("PATH"),
            windows: env::var_os("SystemRoot")
                .filter(|_| cfg!(windows))
                .map(|root| PathBuf::from(root).join(r"System32\WindowsPowerShell\v1.0")),
            bundle: repo::root().join("../shared/powershell/install"),
            downloaded: download::folder(rid::current()?),
        })
    }

    /// Everything short of a download.
    fn find(&self) -> Result<Option<PowerShell>> {
        if let Some(wanted) = &self.wanted {
            // Somebody asked for a certain one: silently taking another would test something else.
            let path = PathBuf::from(wanted);
            if !path.is_file() {
                bail!(
                    "the environment variable PWSH names {}, which is no file",
                    path.display()
                );
            }
            return Ok(found(path, "PWSH"));
        }
        if let Some(path) = self.path.as_deref().and_then(|path| process::find_in("pwsh", path)) {
            return Ok(found(path, "PATH"));
        }
        if let Some(path) = self
            .windows
            .as_deref()
            .and_then(|folder| executable(folder, "powershell"))
        {
            return Ok(found(path, "Windows PowerShell"));
        }
        if let Some(path) = self.unpack_bundle()? {
            return Ok(found(path, "the bundle beside the checkout"));
        }
        executable(&self.downloaded, "pwsh")
            .and_then(|path| found(path, "an earlier download"))
            .map(PowerShell::tried)
            .transpose()
    }

    fn unpack_bundle(&self) -> Result<Option<PathBuf>> {
        if !self.bundle.is_file() {
            return Ok(None);
        }
        let folder =
            process::output(&mut Command::new(&self.bundle)).context("unpacking the PowerShell beside the checkout")?;
        Ok(executable(Path::new(folder.trim()), "pwsh"))
    }
}

#[allow(clippy::unnecessary_wraps)]
fn found(path: PathBuf, origin: &'static str) -> Option<PowerShell> {
    Some(PowerShell {
        path,
        origin,
        without_icu: false,
    })
}

fn executable(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    path.is_file().then_some(path)
}

/// Finds a PowerShell, or downloads the official one.
pub fn find() -> Result<PowerShell> {
    if let Some(shell) = Places::here()?.find()? {
        return Ok(shell);
    }
    let folder = download::powershell(rid::current()?)?;
    executable(&folder, "pwsh")
        .and_then(|path| found(path, "downloaded"))
        .with_context(|| format!("{} has no pwsh", folder.display()))?
        .tried()
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::files;

    struct Sandbox(PathBuf);

    impl Sandbox {
        fn new(name: &str) -> Self {
            Self(files::fresh(&env::temp_dir().join(format!("umpin-shell-{name}-{}", std::process::id()))).unwrap())
        }

        fn program(&self, name: &str, content: &str) -> PathBuf {
            let path = self.0.join(name);
            // By another process: one that a parallel test forks meanwhile would keep our file open for writing, and
            // such a file cannot be started.
            let text = self.0.join("text");
            files::write(&text, content.as_bytes()).unwrap();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            assert!(Command::new("cp").args([&text, &path]).status().unwrap().success());
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        fn nowhere(&self) -> Places {
            Places {
                wanted: None,
                path: Some(self.0.join("empty").into()),
                windows: None,
                bundle: self.0.join("no-install"),
                downloaded: self.0.join("no-download"),
            }
        }
    }

    impl Drop for Sandbox {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn looks_in_the_documented_order() {
        let sandbox = Sandbox::new("order");
        let mut places = sandbox.nowhere();
        assert_eq!(places.find().unwrap(), None);

        let downloaded = sandbox.program("download/pwsh", "#!/bin/sh\n");
        places.downloaded = sandbox.0.join("download");
        assert_eq!(places.find().unwrap().unwrap().path, downloaded);

        let bundled = sandbox.program("bundle/pwsh", "");
        places.bundle = sandbox.program(
            "install",
            &format!("#!/bin/sh\necho '{}'\n", sandbox.0.join("bundle").display()),
        );
        assert_eq!(places.find().unwrap().unwrap().path, bundled);

        let windows = sandbox.program("windows/powershell", "");
        places.windows = Some(sandbox.0.join("windows"));
        assert_eq!(places.find().unwrap().unwrap().path, windows);

        let on_path = sandbox.program("bin/pwsh", "");
        places.path = Some(env::join_paths([sandbox.0.join("empty"), sandbox.0.join("bin")]).unwrap());
        assert_eq!(places.find().unwrap().unwrap().path, on_path);

        let wanted = sandbox.program("mine", "");
        places.wanted = Some(wanted.clone().into());
        assert_eq!(
            places.find().unwrap().unwrap(),
            PowerShell {
                path: wanted,
                origin: "PWSH",
                without_icu: false,
            }
        );
    }

    #[test]
    fn a_wrong_pwsh_variable_is_an_error_and_not_ignored() {
        let sandbox = Sandbox::new("wrong");
        let mut places = sandbox.nowhere();
        sandbox.program("bin/pwsh", "");
        places.path = Some(sandbox.0.join("bin").into());
        places.wanted = Some(sandbox.0.join("missing").into());
        assert!(places.find().unwrap_err().to_string().contains("PWSH"));
    }

    #[test]
    fn a_download_that_needs_icu_runs_without() {
        let sandbox = Sandbox::new("icu");
        let mut places = sandbox.nowhere();
        places.downloaded = sandbox.0.join("download");
        sandbox.program(
            "download/pwsh",
            "#!/bin/sh\ntest \"$DOTNET_SYSTEM_GLOBALIZATION_INVARIANT\" = 1\n",
        );
        assert!(places.find().unwrap().unwrap().without_icu);
        sandbox.program("download/pwsh", "#!/bin/sh\nexit 1\n");
        assert!(places.find().is_err());
    }

    #[test]
    fn a_bundle_that_does_not_unpack_is_told() {
        let sandbox = Sandbox::new("broken");
        let mut places = sandbox.nowhere();
        places.bundle = sandbox.program("install", "#!/bin/sh\nexit 3\n");
        assert!(places.find().is_err());
    }
}
