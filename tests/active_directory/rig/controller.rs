//! One domain controller: Samba in a namespace of its own.

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
use super::namespaces::GROUND;
use super::network::Place;
use super::tools;

/// Samba answers after one or two seconds; more is for machines that do other things meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// DNS, Kerberos, RPC, LDAP, LDAPS, and both of the global catalog.
const PORTS: [u16; 7] = [53, 88, 135, 389, 636, 3268, 3269];

/// A domain controller; it ends with this.
pub struct Controller {
    pub(super) place: Place,
    certificate: Signed,
    process: Mutex<Option<Child>>,
}

impl Controller {
    pub(super) fn at(place: Place, authority: &Authority) -> Self {
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

    /// Where it has its files.
    pub(super) fn folder(&self) -> PathBuf {
        Path::new(GROUND).join(self.place.name)
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.folder().join("smb.conf")
    }

    /// A program of Samba's on this controller's own files.
    pub(super) fn tool(&self, program: &str) -> Command {
        let mut command = self.place.command(program);
        command.arg("--configfile").arg(self.configuration());
        command
    }

    /// A script as an administrator runs it on the controller itself; what it prints.
    pub fn script(&self, script: &str) -> String {
        let mut command = self.place.command("sh");
        tools::run(
            command
                .args(["-euc", script])
                .env("SMB_CONF_PATH", self.configuration()),
        )
    }

    /// The database of the domain, as the tools on the controller open it.
    pub fn database(&self) -> PathBuf {
        self.folder().join("private/sam.ldb")
    }

    /// A connection as that account.
    pub fn connect_as(&self, account: Account) -> Administrator {
        Administrator::connect_as(account, self.address(), &self.host())
            .unwrap_or_else(|error| panic!("{}: {error}", account.name))
    }

    /// A connection as its administrator, to prepare and to look at what is there.
    pub fn administrator(&self) -> Administrator {
        Administrator::connect(self.address(), &self.host())
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", self.host(), self.log()))
    }

    /// Of one that failed to start, too: it is ended after that.
    fn running(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it, and waits until it serves.
    pub fn start(&self) {
        self.start_until(Self::serves);
    }

    /// Starts it with these ciphers and versions of TLS (a priority string of GnuTLS), and waits until it listens.
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
            // Where this is closed, because whoever holds it has died, Samba ends.
            .stdin(Stdio::piped())
            .stdout(log.try_clone().expect("the log"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("Samba starts");
        *process = Some(child);
        let running = process.as_mut().expect("it was started");
        tools::wait_until(&format!("an answer of {}", self.host()), PATIENCE, || {
            if let Some(status) = running.try_wait().expect("a state") {
                panic!("Samba ended with {status}\n{}", self.log());
            }
            is_there(self).map_err(|error| format!("{error}\n{}", self.log()))
        });
    }

    /// Certificates are made anew each time: a template may be older than they may become.
    fn install_certificate(&self) {
        let folder = self.folder().join("tls");
        fs::create_dir_all(&folder).expect("a folder");
        for (from, name) in [
            (&self.certificate.certificate, "certificate.pem"),
            (&self.certificate.key, "key.pem"),
        ] {
            let file = folder.join(name);
            fs::copy(from, &file).expect("a file");
            // Samba takes no key that others may read.
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

    /// As by a power cut: all of its processes at once.
    pub fn kill(&self) {
        let Some(mut process) = self.running().take() else {
            return;
        };
        end(&mut process);
    }

    /// It keeps its connections, and does nothing any more.
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

    /// Ends it in good order, for a copy of its files.
    pub(super) fn stop(&self) {
        let Some(mut process) = self.running().take() else {
            return;
        };
        signal(&process, Signal::SIGTERM);
        tools::wait_until("the end of Samba", PATIENCE, || {
            match process.try_wait().expect("a state") {
                Some(_) => Ok(()),
                None => Err(self.log()),
            }
        });
        // Its workers notice a little later.
        end(&mut process);
    }

    /// The last that Samba said.
    fn log(&self) -> String {
        let text = fs::read(self.folder().join("stdout")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn signal(process: &Child, what: Signal) {
    // None of the group may be left.
    let _ = killpg(group(process), what);
}

fn group(process: &Child) -> Pid {
    Pid::from_raw(i32::try_from(process.id()).expect("a process id"))
}

/// Its sockets are closed when the last of the group is gone.
fn end(process: &mut Child) {
    signal(process, Signal::SIGKILL);
    process.wait().expect("it ends");
    tools::wait_until("the end of Samba's workers", PATIENCE, || {
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
