//! Finding a PowerShell.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::{dotnet, download, process, repo, rid};

/// A PowerShell and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerShell {
    /// The executable.
    pub path: PathBuf,
    /// Shown to the user.
    pub origin: &'static str,
    /// Run without ICU, which PowerShell needs and a small Linux lacks.
    without_icu: bool,
    /// The .NET that runs it, where it does not bring its own.
    dotnet: Option<PathBuf>,
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
        if let Some(dotnet) = &self.dotnet {
            command.env("DOTNET_ROOT", dotnet).env("DOTNET_ROLL_FORWARD", "Major");
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

    /// Does it start here, with ICU or without?
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
    /// An earlier installation as a tool of the .NET SDK.
    tool: PathBuf,
}

/// Looks in one place.
type Look<'a> = &'a dyn Fn() -> Result<Option<PathBuf>>;

/// Gets it by one way; returns the folder with `pwsh`.
type Get = fn() -> Result<PathBuf>;

/// What was found, or why each place had nothing that works.
type Search = Result<PowerShell, Vec<String>>;

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
            tool: dotnet::folder(),
        })
    }

    /// Everything that needs no network. A PowerShell that does not start is passed over, and told.
    fn find(&self) -> Result<Search> {
        if let Some(wanted) = &self.wanted {
            // Somebody asked for a certain one: silently taking another would test something else.
            let path = PathBuf::from(wanted);
            if !path.is_file() {
                bail!(
                    "the environment variable PWSH names {}, which is no file",
                    path.display()
                );
            }
            return found(path, "PWSH").tried().map(Ok);
        }
        let mut faults = Vec::new();
        let places: [(&'static str, Look); 5] = [
            ("PATH", &|| {
                Ok(self.path.as_deref().and_then(|path| process::find_in("pwsh", path)))
            }),
            ("Windows PowerShell", &|| {
                Ok(self
                    .windows
                    .as_deref()
                    .and_then(|folder| executable(folder, "powershell")))
            }),
            ("the bundle beside the checkout", &|| self.unpack_bundle()),
            ("an earlier download", &|| Ok(executable(&self.downloaded, "pwsh"))),
            (TOOL, &|| Ok(executable(&self.tool, "pwsh"))),
        ];
        for (origin, place) in places {
            match place().and_then(|path| path.map(|path| found(path, origin).tried()).transpose()) {
                Ok(Some(shell)) => return Ok(Ok(shell)),
                Ok(None) => {}
                Err(error) => faults.push(format!("{error:#}")),
            }
        }
        Ok(Err(faults))
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

/// The origin that needs the SDK's .NET to run.
const TOOL: &str = "a tool of the .NET SDK";

fn found(path: PathBuf, origin: &'static str) -> PowerShell {
    PowerShell {
        path,
        origin,
        without_icu: false,
        dotnet: (origin == TOOL).then(dotnet::root).flatten(),
    }
}

fn executable(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    path.is_file().then_some(path)
}

/// Finds a PowerShell, or gets one: the official archive, else as a tool of the .NET SDK.
pub fn find() -> Result<PowerShell> {
    let mut faults = match Places::here()?.find()? {
        Ok(shell) => return Ok(shell),
        Err(faults) => faults,
    };
    let ways: [(&'static str, Get); 2] = [
        ("downloaded", || download::powershell(rid::current()?)),
        (TOOL, dotnet::install),
    ];
    for (origin, way) in ways {
        let got = way().and_then(|folder| {
            executable(&folder, "pwsh").with_context(|| format!("{} has no pwsh", folder.display()))
        });
        match got.and_then(|path| found(path, origin).tried()) {
            Ok(shell) => return Ok(shell),
            Err(error) => faults.push(format!("{error:#}")),
        }
    }
    bail!("{}", faults.join("; "))
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
                tool: self.0.join("no-tool"),
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
        const STARTS: &str = "#!/bin/sh\n";
        let sandbox = Sandbox::new("order");
        let mut places = sandbox.nowhere();
        assert_eq!(places.find().unwrap(), Err(Vec::new()));

        let tool = sandbox.program("tool/pwsh", STARTS);
        places.tool = sandbox.0.join("tool");
        assert_eq!(places.find().unwrap().unwrap().path, tool);

        let downloaded = sandbox.program("download/pwsh", STARTS);
        places.downloaded = sandbox.0.join("download");
        assert_eq!(places.find().unwrap().unwrap().path, downloaded);

        let bundled = sandbox.program("bundle/pwsh", STARTS);
        places.bundle = sandbox.program(
            "install",
            &format!("#!/bin/sh\necho '{}'\n", sandbox.0.join("bundle").display()),
        );
        assert_eq!(places.find().unwrap().unwrap().path, bundled);

        let windows = sandbox.program("windows/powershell", STARTS);
        places.windows = Some(sandbox.0.join("windows"));
        assert_eq!(places.find().unwrap().unwrap().path, windows);

        let on_path = sandbox.program("bin/pwsh", STARTS);
        places.path = Some(env::join_paths([sandbox.0.join("empty"), sandbox.0.join("bin")]).unwrap());
        assert_eq!(places.find().unwrap().unwrap().path, on_path);

        let wanted = sandbox.program("mine", STARTS);
        places.wanted = Some(wanted.clone().into());
        assert_eq!(
            places.find().unwrap().unwrap(),
            PowerShell {
                path: wanted,
                origin: "PWSH",
                without_icu: false,
                dotnet: None,
            }
        );
    }

    #[test]
    fn a_wrong_pwsh_variable_is_an_error_and_not_ignored() {
        let sandbox = Sandbox::new("wrong");
        let mut places = sandbox.nowhere();
        sandbox.program("bin/pwsh", "#!/bin/sh\n");
        places.path = Some(sandbox.0.join("bin").into());
        places.wanted = Some(sandbox.0.join("missing").into());
        assert!(places.find().unwrap_err().to_string().contains("PWSH"));
        places.wanted = Some(sandbox.program("broken", "#!/bin/sh\nexit 1\n").into());
        assert!(places.find().unwrap_err().to_string().contains("does not start"));
    }

    #[test]
    fn a_powershell_that_needs_icu_runs_without() {
        let sandbox = Sandbox::new("icu");
        let mut places = sandbox.nowhere();
        places.downloaded = sandbox.0.join("download");
        sandbox.program(
            "download/pwsh",
            "#!/bin/sh\ntest \"$DOTNET_SYSTEM_GLOBALIZATION_INVARIANT\" = 1\n",
        );
        assert!(places.find().unwrap().unwrap().without_icu);
    }

    #[test]
    fn what_does_not_start_or_unpack_is_told_and_the_next_place_tried() {
        let sandbox = Sandbox::new("broken");
        let mut places = sandbox.nowhere();
        sandbox.program("bin/pwsh", "#!/bin/sh\nexit 1\n");
        places.path = Some(sandbox.0.join("bin").into());
        places.bundle = sandbox.program("install", "#!/bin/sh\nexit 3\n");
        let faults = places.find().unwrap().unwrap_err();
        assert!(faults[0].contains("bin/pwsh does not start"), "{faults:?}");
        assert!(
            faults[1].contains("unpacking the PowerShell beside the checkout"),
            "{faults:?}"
        );
        assert_eq!(faults.len(), 2, "{faults:?}");

        let downloaded = sandbox.program("download/pwsh", "#!/bin/sh\n");
        places.downloaded = sandbox.0.join("download");
        assert_eq!(places.find().unwrap().unwrap().path, downloaded);
    }
}
