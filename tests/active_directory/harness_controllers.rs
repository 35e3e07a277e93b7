//! Tests of the harness: controllers, network, replication, Kerberos, DNS.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use hickory_resolver::proto::rr::RData;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use tokio::runtime::Builder;

use crate::harness::{BASE, DOMAIN, Forest, POLICIES, UM, alone, ca_file, shared};

const TONY: &str = "CN=Tony Smith,OU=Sales,DC=contoso,DC=com";
/// Long enough for a response, and short enough to wait for one that does not come.
const SHORT: Duration = Duration::from_secs(2);

#[test]
fn a_controller_has_the_users_of_the_fixture() {
    shared(|lab| {
        let administrator = lab.dc1().administrator();
        let found = administrator.search(
            BASE,
            "(mail=tonysmith@contoso.com)",
            &["objectGUID", "proxyAddresses", "msExchUMTemplateLink"],
        );
        assert_eq!(found.len(), 1, "{found:?}");
        let (dn, attributes) = &found[0];
        assert_eq!(dn, TONY);
        let guid = uuid::Uuid::from_slice_le(&attributes["objectGUID"][0]).unwrap();
        assert_eq!(guid.to_string(), "43e08f9c-3d78-5a40-92c2-217eee132f30");
        let policy = String::from_utf8_lossy(&attributes["msExchUMTemplateLink"][0]);
        assert_eq!(policy, format!("CN=Default,{POLICIES}"));
        let proxies: Vec<_> = attributes["proxyAddresses"]
            .iter()
            .map(|value| String::from_utf8_lossy(value))
            .collect();
        assert!(
            proxies
                .iter()
                .any(|proxy| proxy == "eum:4271;phone-context=Contoso.contoso.com"),
            "{proxies:?}"
        );
    });
}

#[test]
fn a_test_can_create_a_mailbox() {
    shared(|lab| {
        let mailbox = lab.mailbox("harness-own");
        let entry = lab.dc1().administrator().read(&mailbox.dn, &["mail"]).unwrap();
        assert_eq!(entry["mail"], [format!("harness-own@{DOMAIN}").into_bytes()]);
    });
}

#[test]
fn changes_replicate() {
    alone(Forest::Pair, |lab| {
        for (dc, value) in [(lab.dc1(), "from the first"), (lab.dc2(), "from the second")] {
            dc.administrator().replace(TONY, "description", &[value.as_bytes()]);
            assert_eq!(lab.agree(TONY, "description").as_deref(), Some(value.as_bytes()));
        }
    });
}

#[test]
fn partitioned_controllers_accept_changes_and_converge_after_healing() {
    alone(Forest::Pair, |lab| {
        lab.cut();
        lab.dc1().administrator().replace(TONY, "description", &[b"one"]);
        lab.dc2().administrator().replace(TONY, "description", &[b"two"]);
        lab.dc2().administrator().replace(TONY, "description", &[b"three"]);
        assert_eq!(
            lab.dc1().administrator().value(TONY, "description").as_deref(),
            Some(&b"one"[..])
        );
        lab.heal();
        lab.replicate(lab.dc2(), lab.dc1());
        // More writes win.
        assert_eq!(lab.agree(TONY, "description").as_deref(), Some(&b"three"[..]));
    });
}

#[test]
fn a_killed_controller_restarts_with_its_data() {
    alone(Forest::Single, |lab| {
        let dc = lab.dc1();
        dc.administrator().replace(TONY, "description", &[b"kept"]);
        dc.kill();
        assert!(TcpStream::connect((dc.address(), 636)).is_err(), "it still listens");
        dc.start();
        assert_eq!(
            dc.administrator().value(TONY, "description").as_deref(),
            Some(&b"kept"[..])
        );
    });
}

#[test]
fn a_suspended_or_isolated_controller_does_not_answer() {
    alone(Forest::Single, |lab| {
        let dc = lab.dc1();
        let ask = || {
            let administrator = dc.administrator().with_timeout(SHORT);
            move || administrator.try_replace(TONY, "description", &[b"heard"])
        };
        let asked = ask();
        dc.suspend();
        assert!(asked().is_err(), "a process that is stopped has answered");
        dc.resume();
        ask()().expect("it answers again");
        let asked = ask();
        lab.isolate(dc);
        assert!(asked().is_err(), "an answer came through");
        lab.reach(dc);
        ask()().expect("it is reached again");
    });
}

#[test]
fn the_keytab_signs_in_by_kerberos() {
    shared(|lab| {
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program)
                .args(arguments)
                .env("LDAPTLS_CACERT", ca_file())
                .output()
                .unwrap_or_else(|error| panic!("{program}: {error}"));
            let said = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(output.status.success(), "{program}: {said}");
            said
        };
        let keytab = lab.keytab();
        run("kinit", &["-k", "-t", &keytab.to_string_lossy(), UM.name]);
        let host = format!("ldaps://{}", lab.dc1().host());
        let said = run(
            "ldapsearch",
            &[
                "-Y", "GSSAPI", "-O", "maxssf=0", "-H", &host, "-s", "base", "-b", BASE, "dn",
            ],
        );
        assert!(said.contains(&format!("dn: {BASE}")), "{said}");
    });
}

#[test]
fn controllers_are_in_dns() {
    alone(Forest::Pair, |lab| {
        for name in [format!("_ldap._tcp.dc._msdcs.{DOMAIN}."), format!("_gc._tcp.{DOMAIN}.")] {
            assert_eq!(services(&name), [lab.dc1().host(), lab.dc2().host()], "{name}");
        }
    });
}

/// The targets of an SRV record.
fn services(name: &str) -> Vec<String> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let answer = runtime.block_on(async {
        let resolver = TokioResolver::builder_tokio().and_then(ResolverBuilder::build);
        resolver
            .expect("the name servers of the namespace")
            .srv_lookup(name)
            .await
    });
    let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut targets: Vec<String> = answer
        .answers()
        .iter()
        .filter_map(|record| match &record.data {
            RData::SRV(service) => Some(service.target.to_utf8().trim_end_matches('.').to_owned()),
            _ => None,
        })
        .collect();
    targets.sort();
    targets
}
