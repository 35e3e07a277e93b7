//! Cost in a large directory, as ratios within one run:
//! `cargo test --release --test active_directory scaling -- --ignored --nocapture`

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::directory::Route;
use umpin::directory::active_directory::ActiveDirectory;

use crate::directory_port::{directory, find, find_one};
use crate::harness::{Forest, UM, alone, alone_in_turn};
use crate::host::Host;

const SMALL: u32 = 1_000;
const LARGE: u32 = 10_000;
/// Look-ups of each form.
const LOOK_UPS: u32 = 200;

/// All identity forms of a generated user.
fn forms(directory: &ActiveDirectory, n: u32) -> [(&'static str, String); 10] {
    let account = format!("user{n:06}");
    let guid = find_one(directory, &account).mailbox.guid;
    [
        ("GUID", guid.to_string()),
        (
            "distinguished name",
            format!("CN=Generated User {n:06},OU=Generated,DC=contoso,DC=com"),
        ),
        ("canonical name", format!("contoso.com/Generated/Generated User {n:06}")),
        ("DOMAIN\\account", format!("CONTOSO\\{account}")),
        ("user principal name", format!("{account}@contoso.com")),
        ("second address", format!("generated.{n:06}@contoso.com")),
        (
            "LegacyExchangeDN",
            format!("/o=Contoso/ou=Exchange Administrative Group/cn=Recipients/cn={account}"),
        ),
        ("alias", account.clone()),
        ("name", format!("Generated User {n:06}")),
        ("nobody", format!("{account}.nobody")),
    ]
}

/// What a tenth of each form's look-ups take at most, over users from all parts of the directory: the rest also waits for whatever
/// else the computer does. Forms take turns, so that this meets all of them.
fn look_up_times(directory: &ActiveDirectory, users: u32) -> BTreeMap<&'static str, Duration> {
    let mut times: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for round in 0..LOOK_UPS + 1 {
        for (form, text) in forms(directory, round * 7919 % users) {
            let begun = Instant::now();
            let matches = black_box(find(directory, &text, Route::Preferred));
            let took = begun.elapsed();
            assert_eq!(matches.count, usize::from(form != "nobody"), "{text}");
            // The first round opens the connection and reads the schema.
            if round > 0 {
                times.entry(form).or_default().push(took);
            }
        }
    }
    let undisturbed = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all[all.len() / 10]
    };
    times.into_iter().map(|(form, all)| (form, undisturbed(all))).collect()
}

#[test]
#[ignore = "figures: fills two directories and measures"]
fn look_up_time_does_not_depend_on_the_number_of_mailboxes() {
    let mut small = BTreeMap::new();
    alone_in_turn(&[Forest::Populated(SMALL), Forest::Populated(LARGE)], |forest, lab| {
        let Forest::Populated(users) = forest else {
            unreachable!("both are populated");
        };
        let times = look_up_times(&directory(lab, &UM), users);
        if users == SMALL {
            small = times;
            return;
        }
        let mut slow = Vec::new();
        for (form, large) in times {
            let ratio = large.as_secs_f64() / small[form].as_secs_f64();
            println!(
                "{form:<20} {:>7.2} ms among {SMALL}, {:>7.2} ms among {LARGE}: {ratio:.2}",
                small[form].as_secs_f64() * 1e3,
                large.as_secs_f64() * 1e3
            );
            if ratio > 1.5 {
                slow.push(form);
            }
        }
        assert!(slow.is_empty(), "more than 1.5 times as long: {slow:?}");
    });
}

/// Kibibytes of memory at most since [`forget_peak`], and now.
fn memory(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the state of this process");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect(key);
    line.trim_end_matches(" kB").trim().parse().expect("a number")
}

fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("the peak is forgotten");
}

/// Lists this many mailboxes as the module does.
fn list(host: &Host, most: usize) -> usize {
    let mut listed = 0;
    let mut after = None;
    loop {
        let page = host
            .request(json!({ "operation": "pinInfo", "pageSize": 500, "after": after }))
            .expect("a page");
        listed += page["items"].as_array().expect("items").len();
        match page["next"].as_str() {
            Some(next) if listed < most => after = Some(next.to_owned()),
            _ => return listed,
        }
    }
}

#[test]
#[ignore = "figures: fills a directory and measures"]
fn memory_of_a_listing_does_not_depend_on_its_length() {
    alone(Forest::Populated(LARGE), |lab| {
        // The key check searches for records.
        let first_command = |records: &str| {
            let host = Host::new(lab);
            let begun = Instant::now();
            host.begin();
            println!(
                "the first command of a session, {records}: {:.0} ms",
                begun.elapsed().as_secs_f64() * 1e3
            );
            host
        };
        let host = first_command("no mailbox with a record");
        for n in 0..20 {
            host.set_pin(&format!("user{n:06}"), "739152");
        }
        let host = first_command("20 mailboxes with one");
        list(&host, 500);
        let mut grown = Vec::new();
        for most in [SMALL as usize, LARGE as usize, SMALL as usize, LARGE as usize] {
            forget_peak();
            let (before, begun) = (memory("VmRSS:"), Instant::now());
            let listed = list(&host, most);
            let (took, peak) = (begun.elapsed(), memory("VmHWM:"));
            println!(
                "{listed} mailboxes: {:.2} s, {:.0} a second; {before} kB before, {peak} kB at most",
                took.as_secs_f64(),
                listed as f64 / took.as_secs_f64()
            );
            assert!(listed >= most, "{listed} of {most}");
            grown.push(peak.saturating_sub(before));
        }
        let (few, many) = (grown[0].max(grown[2]), grown[1].max(grown[3]));
        assert!(
            many <= few + 4096,
            "listing {LARGE} takes {many} kB more than before, listing {SMALL} {few} kB"
        );
    });
}
