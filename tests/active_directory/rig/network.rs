//! One bridge in the namespace of the tests, and a namespace for each controller.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use super::{DOMAIN, tools};

/// As many as the tests of one process may start.
const RELAYS: u8 = 100;

/// The tests' own address.
pub const CLIENT: Place = Place {
    name: "client",
    domain: DOMAIN,
    address: "10.99.0.1",
};
pub const DC1: Place = Place {
    name: "dc1",
    domain: DOMAIN,
    address: "10.99.0.11",
};
pub const DC2: Place = Place {
    name: "dc2",
    domain: DOMAIN,
    address: "10.99.0.12",
};
/// The controller of another forest.
pub const DC3: Place = Place {
    name: "dc3",
    domain: "fabrikam.com",
    address: "10.99.0.13",
};

/// Somebody on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub name: &'static str,
    pub domain: &'static str,
    pub address: &'static str,
}

impl Place {
    /// A program as it runs there.
    pub fn command(self, program: &str) -> Command {
        if self == CLIENT {
            return Command::new(program);
        }
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", self.name, "unshare", "--uts", "sh", "-c"])
            .arg("echo $0 >/proc/sys/kernel/hostname && exec \"$@\"")
            .args([self.name, program])
            // A test's own clock and the like end before the controllers.
            .env_remove("LD_PRELOAD");
        command
    }

    fn device(self) -> &'static str {
        if self == CLIENT { "br0" } else { "eth0" }
    }
}

/// Relays are where the tests are, each with an address of its own.
pub fn relay(number: u8) -> String {
    format!("10.99.1.{number}")
}

pub fn relay_name(number: u8) -> String {
    format!("relay{number}")
}

pub fn hosts() -> String {
    let mut text = "127.0.0.1 localhost\n".to_owned();
    for number in 1..=RELAYS {
        let _ = writeln!(text, "{} {}.{DOMAIN}", relay(number), relay_name(number));
    }
    for dc in [DC1, DC2, DC3] {
        let _ = writeln!(text, "{} {1}.{2} {1}", dc.address, dc.name, dc.domain);
    }
    text
}

pub fn resolv_conf() -> String {
    format!(
        "search {DOMAIN}\nnameserver {}\nnameserver {}\noptions timeout:1 attempts:2\n",
        DC1.address, DC2.address
    )
}

/// No look-ups: a controller is asked by the name that it has in the ticket.
pub fn krb5_conf() -> String {
    let realm = DOMAIN.to_uppercase();
    format!(
        "\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1

[realms]
{realm} = {{
    kdc = {}
    kdc = {}
}}

[domain_realm]
.{DOMAIN} = {realm}
",
        DC1.address, DC2.address
    )
}

/// The bridge and the cables.
pub fn build() {
    let mut orders = format!(
        "link set lo up\nlink add br0 type bridge\naddr add {}/24 dev br0\nlink set br0 up\n\
         route add local 10.99.1.0/24 dev lo\n",
        CLIENT.address
    );
    for dc in [DC1, DC2, DC3] {
        let _ = write!(
            orders,
            "netns add {0}\nlink add {0} type veth peer name eth0 netns {0}\nlink set {0} master br0 up\n",
            dc.name
        );
    }
    tools::feed(Command::new("ip").args(["-batch", "-"]), orders.as_bytes());
    for dc in [DC1, DC2, DC3] {
        let orders = format!(
            "link set lo up\naddr add {}/24 dev eth0\nlink set eth0 up\n",
            dc.address
        );
        tools::feed(
            Command::new("ip").args(["-netns", dc.name, "-batch", "-"]),
            orders.as_bytes(),
        );
    }
}

/// Nothing gets through between the two any more, and neither is told: the frames go to a card that nobody has.
pub fn cut(one: Place, other: Place) {
    for (here, there) in [(one, other), (other, one)] {
        neighbour(
            here,
            &[
                "replace",
                there.address,
                "lladdr",
                "02:00:00:00:00:ff",
                "nud",
                "permanent",
            ],
        );
    }
}

/// Undoes [`cut`].
pub fn heal(one: Place, other: Place) {
    for (here, there) in [(one, other), (other, one)] {
        neighbour(here, &["delete", there.address]);
    }
}

/// As a firewall does that has forgotten the connections that are there: what is sent on them is lost, in both directions, and nobody
/// is told. New ones are not concerned.
///
/// How many there were.
pub fn forget_connections(dc: Place, port: u16) -> usize {
    let ports = connected(dc, port);
    for client in &ports {
        for end in ["sport", "dport"] {
            let mut command = Command::new("ip");
            command.args(["-netns", dc.name, "rule", "add", "blackhole", "ipproto", "tcp"]);
            tools::run(command.args([end, &client.to_string()]));
        }
    }
    ports.len()
}

/// Our ends of the established connections there (`/proc/net/tcp`: addresses as they stand in memory, ports and states in hexadecimal).
fn connected(dc: Place, port: u16) -> Vec<u16> {
    let address: Ipv4Addr = dc.address.parse().expect("an address");
    let remote = format!("{:08X}:{port:04X}", u32::from_ne_bytes(address.octets()));
    let table = fs::read_to_string("/proc/thread-self/net/tcp").expect("the connections");
    let lines = table
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    lines
        .filter(|fields| fields.get(2) == Some(&remote.as_str()) && fields.get(3) == Some(&"01"))
        .map(|fields| {
            let (_, local) = fields[1].split_once(':').expect("a port");
            u16::from_str_radix(local, 16).expect("a port")
        })
        .collect()
}

fn neighbour(here: Place, order: &[&str]) {
    let mut command = Command::new("ip");
    if here != CLIENT {
        command.args(["-netns", here.name]);
    }
    tools::run(command.args(["neighbour"]).args(order).args(["dev", here.device()]));
}
