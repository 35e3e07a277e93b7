//! A domain controller: Samba in its own network namespace.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::accounts::Account;
use super::administrator::Administrator;
use super::certificates::{Authority, Signed};
use super::namespaces::MEMORY_FS_ROOT;
use super::network::NetworkNode;
use super::tools;

/// Samba answers after one or two seconds; the rest is for loaded machines.
const TIMEOUT: Duration = Duration::from_secs(60);

/// DNS, Kerberos, RPC, LDAP, LDAPS, and both of the global catalog.
const PORTS: [u16; 7] = [53, 88, 135, 389, 636, 3268, 3269];

/// A domain controller, which is killed on drop.
pub struct Controller {
    pub(super) place: NetworkNode,
    certificate: Signed,
    process: Mutex<Option<Child>>,
}

impl Controller {
    pub(super) fn at(place: NetworkNode, authority: &Authority) -> Self {
        Self {
            place,
            certificate: authority.sign(&[&format!("{}.{}", place.name, place.domain)]),
            process: Mutex::new(None),
        }
    }

    /// `dc1.contoso.com`
    pub fn host(&self) -> String {
        format!("{}.{}", self.place.name, self.place.domain)
    }

    pub fn address(&self) -> &'static str {
        self.place.address
    }

    /// The folder of its files.
    pub(super) fn folder(&self) -> PathBuf {
        Path::new(MEMORY_FS_ROOT).join(self.place.name)
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.folder().join("smb.conf")
    }

    /// A Samba program that works on this controller's files.
    pub(super) fn tool(&self, program: &str) -> Command {
        let mut command = self.place.command(program);
        command.arg("--configfile").arg(self.configuration());
        command
    }

    /// Runs a shell script on the controller and returns its output.
    pub fn script(&self, script: &str) -> String {
        let mut command = self.place.command("sh");
        tools::run(
            command
                .args(["-euc", script])
                .env("SMB_CONF_PATH", self.configuration()),
        )
    }

    /// The path of the domain's database (`sam.ldb`).
    pub fn database(&self) -> PathBuf {
        self.folder().join("private/sam.ldb")
    }

    /// Connects as the account.
    pub fn connect_as(&self, account: Account) -> Administrator {
        Administrator::connect_as(account, self.address(), &self.host())
            .unwrap_or_else(|error| panic!("{}: {error}", account.name))
    }

    /// Connects as the administrator.
    pub fn administrator(&self) -> Administrator {
        Administrator::connect(self.address(), &self.host())
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.host(), self.log()))
    }

    /// The process, also if it failed to start.
    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts Samba and waits until it serves requests.
    pub fn start(&self) {
        self.start_until(Self::serves);
    }

    /// Starts Samba with a GnuTLS priority string and waits until it listens.
    pub fn start_with_tls(&self, priority: &str) {
        let configuration = fs::read_to_string(self.configuration()).expect("a configuration");
        let enabled = "tls enabled = yes\n";
        assert!(configuration.contains(enabled), "{configuration}");
        let changed = configuration.replace(enabled, &format!("{enabled}tls priority = {priority}\n"));
        fs::write(self.configuration(), changed).expect("a configuration");
        self.start_until(Self::listens);
    }

    fn start_until(&self, is_there: fn(&Self) -> Result<(), String>) {
        let mut process = self.running();
        assert!(process.is_none(), "{} runs", self.host());
        self.install_certificate();
        let log = File::create(self.folder().join("stdout")).expect("a log");
        let child = self
            .place
            .command("samba")
            .args(["--interactive", "--no-process-group", "--debug-stdout", "--configfile"])
            .arg(self.configuration())
            // Samba exits when the write end of this pipe closes.
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("Samba starts");
        *process = Some(child);
        let running = process.as_mut().expect("it was started");
        tools::wait_until(&format!("an answer of {}", self.host()), TIMEOUT, || {
            if let Some(status) = running.try_wait().expect("a state") {
                panic!("Samba ended with {status}\n{}", self.log());
            }
            is_there(self).map_err(|error| format!("{error}\n{}", self.log()))
        });
    }

    /// Installs a new certificate: the one in the template may have expired.
    fn install_certificate(&self) {
        let folder = self.folder().join("tls");
        fs::create_dir_all(&folder).expect("a folder");
        for (from, name) in [
            (&self.certificate.certificate, "certificate.pem"),
            (&self.certificate.key, "key.pem"),
        ] {
            let file = folder.join(name);
            fs::copy(from, &file).expect("a file");
            // Samba rejects a key that other accounts can read.
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
    }

    fn serves(&self) -> Result<(), String> {
        self.listens()?;
        Administrator::connect(self.address(), &self.host()).map(drop)
    }

    fn listens(&self) -> Result<(), String> {
        for port in PORTS {
            let address = SocketAddr::new(self.address().parse().expect("an address"), port);
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).map_err(|error| format!("{port}: {error}"))?;
        }
        Ok(())
    }

    /// Kills all processes at once, as a power cut does.
    pub fn kill(&self) {
        let Some(mut process) = self.running().take() else {
            return;
        };
        end(&mut process);
    }

    /// Suspends all processes; connections stay open.
    pub fn suspend(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Undoes [`Self::suspend`].
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, what: Signal) {
        let process = self.running();
        signal(process.as_ref().expect("it runs"), what);
    }

    /// Stops Samba regularly, so that its files can be copied.
    pub(super) fn stop(&self) {
        let Some(mut process) = self.running().take() else {
            return;
        };
        signal(&process, Signal::SIGTERM);
        tools::wait_until("the end of Samba", TIMEOUT, || {
            match process.try_wait().expect("a state") {
                Some(_) => Ok(()),
                None => Err(self.log()),
            }
        });
        // Its workers exit a little later.
        end(&mut process);
    }

    /// The end of Samba's log.
    fn log(&self) -> String {
        let text = fs::read(self.folder().join("stdout")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn signal(process: &Child, what: Signal) {
    // The whole process group.
    let _ = killpg(group(process), what);
}

fn group(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).expect("a process id"))
}

/// Waits for the whole group: its sockets are open until the last process has exited.
fn end(process: &mut Child) {
    signal(process, Signal::SIGKILL);
    process.wait().expect("it ends");
    tools::wait_until("the end of Samba's workers", TIMEOUT, || {
        match killpg(group(process), None) {
            Err(_) => Ok(()),
            Ok(()) => Err("some are left".to_owned()),
        }
    });
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.kill();
    }
}
