//! Postfix, in a directory and on a port of its own, that delivers all mail to one Maildir.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use umpin::notification::smtp::{Login, Relay, Tls};
use umpin::password::Password;
use umpin::secret::Secret;

use super::certificates::Authority;
use super::harness::PASSWORD;

const TIMEOUT: Duration = Duration::from_secs(30);

const MAIN: &str = "\
compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
myhostname = localhost
mydomain = localdomain
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = error:nothing leaves this computer
relay_transport = error:nothing leaves this computer
virtual_mailbox_domains = regexp:DIR/etc/all
virtual_mailbox_maps = regexp:DIR/etc/all
virtual_mailbox_base = DIR/box
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1000
virtual_mailbox_limit = 0
smtpd_tls_cert_file = CERTIFICATE
smtpd_tls_key_file = KEY
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = contoso.com
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access regexp:DIR/etc/recipients, permit_sasl_authenticated, reject
alias_maps =
alias_database =
local_recipient_maps =
smtputf8_enable = yes
";

const MASTER: &str = "\
PORT      inet  n       -       n       -       -       smtpd
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       discard
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
error     unix  -       -       n       -       -       error
virtual   unix  -       n       n       -       -       virtual
anvil     unix  -       -       n       -       1       anvil
proxymap  unix  -       -       n       -       -       proxymap
postlog   unix-dgram n  -       n       -       1       postlogd
";

pub struct Postfix {
    folder: TempDir,
    pub authority: Authority,
    pub port: u16,
}

fn quietly(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

impl Postfix {
    /// Only root can, where the Debian packages `postfix` and `sasl2-bin` are installed.
    pub fn start() -> Self {
        let authority = Authority::new();
        let signed = authority.sign(&["localhost"]);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| folder.path().join(name);
        // Several accounts work in it.
        quietly(Command::new("chmod").arg("755").arg(folder.path()));
        for name in ["etc/sasl", "queue", "data", "box"] {
            fs::create_dir_all(at(name)).expect("a directory");
        }
        quietly(Command::new("chown").arg("postfix").arg(at("data")));
        quietly(Command::new("chown").arg("65534:65534").arg(at("box")));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a port")
            .port();
        let fill = |text: &str| {
            text.replace("DIR", &folder.path().display().to_string())
                .replace("CERTIFICATE", &signed.certificate.display().to_string())
                .replace("KEY", &signed.key.display().to_string())
                .replace("PORT", &port.to_string())
        };
        let accounts = at("accounts");
        let mut account = Command::new("sh");
        account
            .arg("-c")
            .arg(r#"printf %s "$1" | saslpasswd2 -p -c -f "$2" -u contoso.com um && chown postfix "$2""#);
        quietly(account.arg("sh").arg(PASSWORD).arg(&accounts));
        for (name, text) in [
            ("etc/main.cf", fill(MAIN)),
            ("etc/master.cf", fill(MASTER)),
            ("etc/all", "/./ all/\n".to_owned()),
            (
                "etc/recipients",
                "/^gone@/ 550 5.1.1 no such user\n/^later@/ 451 4.3.0 try later\n".to_owned(),
            ),
            // Debian reads it here.
            (
                "etc/sasl/smtpd.conf",
                format!(
                    "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {}\n",
                    accounts.display()
                ),
            ),
        ] {
            fs::write(at(name), text).expect("a file");
        }
        let postfix = Self {
            folder,
            authority,
            port,
        };
        postfix.restart();
        postfix
    }

    pub fn stop(&self) {
        quietly(&mut self.command("stop"));
    }

    /// After a stop, on the same port.
    pub fn restart(&self) {
        quietly(&mut self.command("start"));
        let end = Instant::now() + TIMEOUT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < end, "Postfix does not answer: {}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether a message is still on its way through the queue.
    pub fn is_busy(&self) -> bool {
        ["maildrop", "incoming", "active", "deferred"].iter().any(|queue| {
            let mut folders = vec![self.folder.path().join("queue").join(queue)];
            while let Some(folder) = folders.pop() {
                for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                    match entry.file_type() {
                        Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                        _ => return true,
                    }
                }
            }
            false
        })
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new("postfix");
        command.arg("-c").arg(self.folder.path().join("etc")).arg(what);
        command
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn relay(&self, password: &str) -> Relay {
        Relay {
            host: "localhost".to_owned(),
            port: self.port,
            tls: Tls::StartTls,
            ca_file: Some(self.authority.file()),
            login: Some(Login {
                user: "um@contoso.com".to_owned(),
                password: Password::Variable {
                    name: "UMPIN_RELAY".to_owned(),
                    value: Some(Secret::new(password.to_owned())),
                },
            }),
            from: "Unified Messaging <um@contoso.com>".to_owned(),
            timeout: Duration::from_secs(20),
            group: None,
        }
    }

    /// Waits until this many messages are in the Maildir.
    pub fn delivered(&self, count: usize) -> Vec<PathBuf> {
        let end = Instant::now() + TIMEOUT;
        loop {
            let found: Vec<_> = fs::read_dir(self.folder.path().join("box/all/new"))
                .map(|entries| entries.map(|entry| entry.expect("an entry").path()).collect())
                .unwrap_or_default();
            if found.len() >= count {
                return found;
            }
            assert!(
                Instant::now() < end,
                "{} of {count} messages: {}",
                found.len(),
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.command("stop").stderr(Stdio::null()).status();
    }
}
