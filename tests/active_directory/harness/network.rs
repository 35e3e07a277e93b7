//! The test network: a bridge in the namespace of the tests, and a namespace for each controller.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use super::{DOMAIN, tools};

/// Maximum number of relays in one process.
const RELAYS: u8 = 100;

/// The address of the tests.
pub const CLIENT: NetworkNode = NetworkNode {
    name: "client",
    domain: DOMAIN,
    address: "10.99.0.1",
};
pub const DC1: NetworkNode = NetworkNode {
    name: "dc1",
    domain: DOMAIN,
    address: "10.99.0.11",
};
pub const DC2: NetworkNode = NetworkNode {
    name: "dc2",
    domain: DOMAIN,
    address: "10.99.0.12",
};
/// The controller of another forest.
pub const DC3: NetworkNode = NetworkNode {
    name: "dc3",
    domain: "fabrikam.com",
    address: "10.99.0.13",
};

/// A node of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkNode {
    pub name: &'static str,
    pub domain: &'static str,
    pub address: &'static str,
}

impl NetworkNode {
    /// A program that runs on this node.
    pub fn command(self, program: &str) -> Command {
        if self == CLIENT {
            return Command::new(program);
        }
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", self.name, "unshare", "--uts", "sh", "-c"])
            .arg("echo $0 >/proc/sys/kernel/hostname && exec \"$@\"")
            .args([self.name, program])
            // Programs of a test end before the controllers.
            .env_remove("LD_PRELOAD");
        command
    }

    fn device(self) -> &'static str {
        if self == CLIENT { "br0" } else { "eth0" }
    }
}

/// The address of a relay, in the namespace of the tests.
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

/// Without DNS look-ups: the controller's name is the one in the ticket.
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

/// Creates the bridge and the virtual Ethernet pairs.
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

/// Drops all frames between two nodes silently: they are sent to a MAC address that does not exist.
pub fn cut(one: NetworkNode, other: NetworkNode) {
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
pub fn heal(one: NetworkNode, other: NetworkNode) {
    for (here, there) in [(one, other), (other, one)] {
        neighbour(here, &["delete", there.address]);
    }
}

/// Drops the packets of all open connections silently in both directions, as a firewall that lost its state, and returns their number.
/// New connections work.
pub fn forget_connections(dc: NetworkNode, port: u16) -> usize {
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

/// Local ports of the established connections to a node (`/proc/net/tcp`: addresses in memory order, ports and states in hexadecimal).
fn connected(dc: NetworkNode, port: u16) -> Vec<u16> {
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

fn neighbour(here: NetworkNode, order: &[&str]) {
    let mut command = Command::new("ip");
    if here != CLIENT {
        command.args(["-netns", here.name]);
    }
    tools::run(command.args(["neighbour"]).args(order).args(["dev", here.device()]));
}
