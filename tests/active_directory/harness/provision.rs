//! Provisions the controllers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::accounts::{ADMINISTRATOR, SERVICES, UM};
use super::controller::Controller;
use super::{BASE, DOMAIN, tools};

/// The inputs of a controller's files, besides Samba itself and [`documented_right`].
pub const INPUTS: [&str; 5] = [
    include_str!("provision.rs"),
    include_str!("accounts.rs"),
    include_str!("schema.py"),
    include_str!("users.py"),
    include_str!("../../powershell/fixtures/contoso.csv"),
];

/// Creates the files of the first controller with its users.
pub fn first(dc: &Controller) {
    new_files(dc, |command| {
        command
            .args(["domain", "provision", "--server-role=dc"])
            .arg(format!("--domain={}", netbios_name(dc)))
            .args(["--function-level=2008_R2", "--dns-backend=SAMBA_INTERNAL", "--quiet"])
            .arg(format!("--host-name={}", dc.place.name))
            .arg(format!("--host-ip={}", dc.address()))
            .arg(format!("--adminpass={}", ADMINISTRATOR.password));
    });
    python(dc, "schema.py", &Value::Null);
    let services: Vec<Value> = SERVICES
        .iter()
        .map(|account| json!({ "name": account.name, "password": account.password, "state": account.state }))
        .collect();
    let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powershell/fixtures/contoso.csv");
    python(
        dc,
        "users.py",
        &json!({ "csv": csv, "services": services, "right": documented_right() }),
    );
    let mut command = dc.place.command("samba-tool");
    command.args(["domain", "exportkeytab"]).arg(keytab(dc));
    command
        .arg(format!("--principal={}", UM.name))
        .arg("--configfile")
        .arg(dc.configuration());
    tools::run(&mut command);
}

/// The rights that the documentation grants: `$guid` is the attribute's, `$sid` the account's.
pub fn documented_right() -> &'static str {
    let text = include_str!("../../../docs/active-directory.md");
    let right = text.split_once("--sddl=\"").and_then(|(_, rest)| rest.split_once('"'));
    right.expect("docs/active-directory.md has a line for samba-tool").0
}

/// Joins a second controller; both run afterwards.
pub fn second(first: &Controller, second: &Controller) {
    first.start();
    new_files(second, |command| {
        command
            .args([
                "domain",
                "join",
                DOMAIN,
                "DC",
                "--dns-backend=SAMBA_INTERNAL",
                "--quiet",
            ])
            .arg(format!("--server={}", first.host()))
            .arg(format!("--option=netbios name={}", second.place.name))
            .args(credentials());
    });
    second.start();
    for dc in [first, second] {
        // Updates DNS records and replication connections now; otherwise both take a while.
        tools::run(dc.tool("samba_dnsupdate").arg("--use-samba-tool"));
        tools::run(&mut dc.tool("samba_kcc"));
    }
    for context in [
        "",
        "CN=Configuration,",
        "CN=Schema,CN=Configuration,",
        "DC=DomainDnsZones,",
        "DC=ForestDnsZones,",
    ] {
        // The join has set up the other direction.
        replicate(second, first, &format!("{context}{BASE}"));
    }
}

/// Replicates a naming context now.
pub fn replicate(from: &Controller, to: &Controller, context: &str) {
    let mut command = to.place.command("samba-tool");
    command
        .args(["drs", "replicate", &to.host(), &from.host(), context])
        .args(credentials())
        .arg("--configfile")
        .arg(to.configuration());
    tools::run(&mut command);
}

fn credentials() -> [String; 2] {
    [
        format!("--username={}", ADMINISTRATOR.name),
        format!("--password={}", ADMINISTRATOR.password),
    ]
}

/// The keytab of the service account.
pub fn keytab(dc: &Controller) -> PathBuf {
    dc.folder().join("svc-um.keytab")
}

/// Adds this many mailboxes.
pub fn populate(dc: &Controller, number: u32) {
    python(dc, "users.py", &json!({ "generated": number }));
}

/// Adds this many users with a PIN checksum of Exchange.
pub fn migrate(dc: &Controller, number: u32) {
    python(dc, "users.py", &json!({ "migrated": number }));
}

fn netbios_name(dc: &Controller) -> String {
    let (first, _) = dc.place.domain.split_once('.').expect("two labels");
    first.to_uppercase()
}

fn new_files(dc: &Controller, order: impl FnOnce(&mut Command)) {
    let folder = dc.folder();
    fs::create_dir_all(folder.join("run")).expect("a folder");
    // Without it, the system's configuration is used.
    let empty = folder.join("empty.conf");
    fs::write(&empty, "[global]\n").expect("a file");
    let mut command = dc.place.command("samba-tool");
    order(&mut command);
    command
        .arg(format!("--configfile={}", empty.display()))
        .arg(format!("--targetdir={}", folder.display()))
        .arg(format!("--realm={}", dc.place.domain.to_uppercase()))
        .args([
            "--backend-store=mdb",
            "--option=bind interfaces only=yes",
            "--option=ldb:nosync=yes",
        ])
        .arg(format!("--option=interfaces={}", dc.address()));
    tools::run(&mut command);
    fs::write(dc.configuration(), configuration(dc)).expect("a file");
    // The service that registers service principal names is disabled here.
    tools::run(&mut dc.tool("samba_spnupdate"));
}

/// Runs a script with the system's Python, which has Samba's modules.
fn python(dc: &Controller, program: &str, order: &Value) {
    let mut command = Command::new("/usr/bin/python3");
    command
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/active_directory/harness")
                .join(program),
        )
        .arg(dc.configuration());
    tools::feed(&mut command, order.to_string().as_bytes());
}

/// Replication without the usual delays, no synced writes, no file and print services.
fn configuration(dc: &Controller) -> String {
    let folder = dc.folder().display().to_string();
    format!(
        "\
[global]
netbios name = {name}
realm = {realm}
workgroup = {netbios_name}
server role = active directory domain controller
server services = rpc, ldap, cldap, kdc, drepl, kcc, dns
dcerpc endpoint servers = epmapper, lsarpc, netlogon, samr, drsuapi, dnsserver
interfaces = {address}
bind interfaces only = yes
disable netbios = yes

binddns dir = {folder}/bind-dns
cache directory = {folder}/cache
lock directory = {folder}
private dir = {folder}/private
state directory = {folder}/state
pid directory = {folder}/run
ncalrpc dir = {folder}/run/ncalrpc
winbindd socket directory = {folder}/run/winbindd
ntp signd socket directory = {folder}/run/ntp_signd
log level = 1

ldap server require strong auth = allow_sasl_over_tls
tls enabled = yes
tls certfile = {folder}/tls/certificate.pem
tls keyfile = {folder}/tls/key.pem
tls cafile =

ldb:nosync = yes
prefork children = 2
dreplsrv:notify_interval = 1
dreplsrv:periodic_startup_interval = 2
dreplsrv:periodic_interval = 5
kccsrv:periodic_startup_interval = 3600

[sysvol]
path = {folder}/state/sysvol
read only = no

[netlogon]
path = {folder}/state/sysvol/{domain}/scripts
read only = no
",
        name = dc.place.name.to_uppercase(),
        realm = dc.place.domain.to_uppercase(),
        netbios_name = netbios_name(dc),
        domain = dc.place.domain,
        address = dc.address(),
    )
}
