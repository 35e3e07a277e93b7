use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::thread;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use proptest::prelude::*;

use super::*;

fn record(priority: u16, weight: u16, host: &str) -> Record {
    Record {
        priority,
        weight,
        target: Server {
            host: host.to_owned(),
            port: Some(389),
        },
    }
}

fn hosts(servers: Vec<Server>) -> Vec<String> {
    servers.into_iter().map(|server| server.host).collect()
}

#[test]
fn lower_priorities_come_first_whatever_their_weight() {
    let records = vec![record(10, 100, "c"), record(0, 0, "a"), record(5, 1, "b")];
    assert_eq!(hosts(order(records, |most| most)), ["a", "b", "c"]);
}

#[test]
fn the_drawn_number_chooses_by_running_sums() {
    let records = || vec![record(0, 3, "c"), record(0, 0, "a"), record(0, 1, "b")];
    // Sums: a 0, b 1, c 4.
    for (drawn, first) in [(0, "a"), (1, "b"), (2, "c"), (4, "c")] {
        assert_eq!(hosts(order(records(), |most| drawn.min(most)))[0], first, "{drawn}");
    }
}

#[test]
fn weights_are_shares() {
    let mut first = HashMap::new();
    for _ in 0..4000 {
        let records = vec![record(0, 10, "small"), record(0, 30, "large")];
        let ordered = hosts(order(records, |most| rand::random_range(0..=most)));
        *first.entry(ordered[0].clone()).or_insert(0) += 1;
    }
    // 3000 expected of 4000, standard deviation 27.
    assert!((2800..3200).contains(&first["large"]), "{first:?}");
}

proptest! {
    #[test]
    fn every_target_comes_once_and_in_the_order_of_priorities(
        records in prop::collection::vec((0u16..4, 0u16..5, 0u8..12), 0..20),
        numbers in prop::collection::vec(any::<u64>(), 20),
    ) {
        let records: Vec<_> = records.iter().map(|(p, w, host)| record(*p, *w, &format!("dc{host}"))).collect();
        let mut best = BTreeMap::new();
        for record in &records {
            let known = best.entry(record.target.host.clone()).or_insert(record.priority);
            *known = record.priority.min(*known);
        }
        let mut numbers = numbers.into_iter();
        let ordered = hosts(order(records, |most| numbers.next().unwrap_or_default() % (most + 1)));
        let priorities: Vec<_> = ordered.iter().map(|host| best[host]).collect();
        prop_assert!(priorities.is_sorted(), "{ordered:?}");
        let mut sorted = ordered.clone();
        sorted.sort();
        prop_assert_eq!(sorted, best.keys().cloned().collect::<Vec<_>>());
    }
}

/// A name server with the records of one name; any other does not exist.
fn name_server(name: &'static str, records: Vec<(u16, u16, u16, &'static str)>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("an address");
    let labels = |name: &str| {
        let mut bytes = Vec::new();
        for label in name.split('.').filter(|label| !label.is_empty()) {
            bytes.push(u8::try_from(label.len()).expect("short"));
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        bytes
    };
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let asked = &buffer[..length];
            let wanted = labels(name);
            let question = &asked[12..12 + asked[12..].iter().position(|byte| *byte == 0).expect("a name") + 5];
            let is_known = question[..question.len() - 4].eq_ignore_ascii_case(&wanted);
            let answers = if is_known { records.as_slice() } else { &[] };
            // Id; response, recursion available, NXDOMAIN or none; one question, the answers.
            let mut reply = asked[..2].to_vec();
            reply.extend_from_slice(&[0x81, if is_known { 0x80 } else { 0x83 }, 0, 1]);
            reply.extend_from_slice(&[0, u8::try_from(answers.len()).expect("few"), 0, 0, 0, 0]);
            reply.extend_from_slice(question);
            for (priority, weight, port, target) in answers {
                let target = labels(target);
                // The name asked for; SRV, IN, TTL 600.
                reply.extend_from_slice(&[0xC0, 12, 0, 33, 0, 1, 0, 0, 2, 88]);
                reply.extend_from_slice(&u16::try_from(6 + target.len()).expect("short").to_be_bytes());
                for number in [priority, weight, port] {
                    reply.extend_from_slice(&number.to_be_bytes());
                }
                reply.extend_from_slice(&target);
            }
            let _ = socket.send_to(&reply, from);
        }
    });
    address
}

fn asked(address: SocketAddr, name: &str) -> Result<Vec<Record>, String> {
    let mut connection = ConnectionConfig::udp();
    connection.port = address.port();
    let server = NameServerConfig::new(address.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_io()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.options_mut().timeout = Duration::from_millis(500);
        records(&builder.build().expect("a resolver"), name.to_owned()).await
    })
}

#[test]
fn records_of_a_name_server_are_read() {
    const NAME: &str = "_ldap._tcp.dc._msdcs.contoso.com";
    let address = name_server(
        NAME,
        vec![
            (0, 100, 389, "DC1.Contoso.com"),
            (10, 50, 1389, "dc2.contoso.com"),
            // "There is no such service."
            (0, 0, 0, ""),
        ],
    );
    let mut found = asked(address, NAME).expect("an answer");
    found.sort_by_key(|record| record.priority);
    let mut second = record(10, 50, "dc2.contoso.com");
    second.target.port = Some(1389);
    assert_eq!(found, [record(0, 100, "dc1.contoso.com"), second]);
    assert_eq!(asked(address, "_ldap._tcp.dc._msdcs.fabrikam.com"), Ok(Vec::new()));
    let nobody = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let silent = nobody.local_addr().expect("an address");
    assert!(asked(silent, NAME).is_err());
}
