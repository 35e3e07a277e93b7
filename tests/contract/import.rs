//! Import files of every kind against what they must be understood as.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use umpin::ErrorCode;
use umpin::import::{Format, ImportOptions, ImportPlan, parse};
use umpin::policy::Limit;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/import")
        .join(name)
}

fn plan_of(name: &str) -> ImportPlan {
    let path = fixture(name);
    let bytes = std::fs::read(&path).expect("fixture");
    let format = Format::from_extension(&path).expect("extension");
    parse(&bytes, format, &ImportOptions::default()).expect("a usable file")
}

fn csv(text: &str) -> umpin::Result<ImportPlan> {
    parse(text.as_bytes(), Format::Csv, &ImportOptions::default())
}

fn limit(limit: Limit) -> String {
    match limit {
        Limit::Unlimited => "unlimited".to_owned(),
        Limit::Of(n) => n.to_string(),
    }
}

/// Everything in a plan, one property per line, empty ones left out.
fn render(plan: &ImportPlan) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("a string takes everything");
    for row in &plan.mailboxes {
        line(format!("mailbox in line {}: {}", row.line, row.mailbox.name));
        let extensions: Vec<_> = row
            .mailbox
            .extensions
            .iter()
            .map(|e| format!("{}@{}", e.number, e.dial_plan.as_deref().unwrap_or("?")))
            .collect();
        for (name, value) in [
            ("guid", row.mailbox.guid.map(|g| g.to_string())),
            (
                "dn",
                row.mailbox.distinguished_name.as_ref().map(|dn| dn.as_str().to_owned()),
            ),
            ("display name", row.mailbox.display_name.clone()),
            ("alias", row.mailbox.alias.clone()),
            ("account", row.mailbox.sam_account_name.clone()),
            ("upn", row.mailbox.user_principal_name.clone()),
            ("primary", row.mailbox.primary_smtp_address.clone()),
            (
                "addresses",
                Some(row.mailbox.email_addresses.join(" | ")).filter(|s| !s.is_empty()),
            ),
            ("legacy dn", row.mailbox.legacy_exchange_dn.clone()),
            ("um enabled", Some(row.mailbox.um_enabled.to_string())),
            ("extensions", Some(extensions.join(" | ")).filter(|s| !s.is_empty())),
            ("policy", row.mailbox.um_mailbox_policy.clone()),
            ("languages", row.mailbox.preferred_language.clone()),
        ] {
            if let Some(value) = value {
                line(format!("  {name}: {value}"));
            }
        }
    }
    for row in &plan.policies {
        let s = &row.settings;
        line(format!(
            "policy in line {}: {} ({})",
            row.line,
            s.name,
            if row.described { "described" } else { "named" }
        ));
        line(format!(
            "  guid {:?}, dn {:?}",
            row.guid.map(|g| g.to_string()),
            row.distinguished_name
        ));
        line(format!(
            "  length {}, lifetime {}, history {}, patterns {}, reset {}, lock {}, text {:?}",
            s.min_pin_length,
            limit(s.pin_lifetime_days),
            s.pin_history_count,
            s.allow_common_patterns,
            limit(s.logon_failures_before_pin_reset),
            limit(s.max_logon_attempts),
            s.reset_pin_text
        ));
    }
    for problem in &plan.errors {
        line(format!("problem in line {}: {}", problem.line, problem.message));
    }
    for notice in &plan.notices {
        line(format!("notice in line {}: {}", notice.line, notice.message));
    }
    if !plan.ignored_columns.is_empty() {
        line(format!("ignored columns: {}", plan.ignored_columns.join(", ")));
    }
    out
}

/// `UMPIN_BLESS=1` writes the expectation anew, for a person to read the difference.
#[track_caller]
fn matches_expectation(name: &str) {
    let rendered = render(&plan_of(name));
    let path = fixture(&format!("{name}.expected"));
    if std::env::var_os("UMPIN_BLESS").is_some() {
        std::fs::write(&path, &rendered).expect("writable fixture");
    }
    let expected = std::fs::read_to_string(&path).expect("expectation");
    assert_eq!(rendered, expected.replace('\r', ""), "{}", path.display());
}

#[test]
fn get_mailbox_export_is_understood() {
    matches_expectation("get-mailbox.csv");
}

#[test]
fn utf16_gives_the_same_plan() {
    assert_eq!(
        render(&plan_of("get-mailbox-utf16.csv")),
        render(&plan_of("get-mailbox.csv"))
    );
}

#[test]
fn localized_export_is_understood() {
    matches_expectation("localized.csv");
}

#[test]
fn broken_rows_are_told_with_their_lines() {
    matches_expectation("broken-rows.csv");
}

#[test]
fn active_directory_export_is_understood() {
    matches_expectation("active-directory.ldf");
}

#[test]
fn csvde_export_is_understood() {
    matches_expectation("csvde.csv");
}

#[test]
fn get_ad_user_export_is_understood() {
    matches_expectation("get-aduser.csv");
}

#[test]
fn unusable_extensions_are_told_whatever_the_format() {
    matches_expectation("unusable-extensions.ldf");
    let plan = csv("DistinguishedName,proxyAddresses\n\"CN=A,DC=contoso,DC=com\",eum:4x71\\;phone-context=Main\n")
        .expect("usable");
    assert_eq!(plan.notices.len(), 1, "{:?}", plan.notices);
    assert!(
        plan.notices[0].message.contains("eum:4x71;phone-context=Main"),
        "{:?}",
        plan.notices
    );
}

/// What the file speaks of: the columns of a header, the attributes that any entry of an export has.
#[test]
fn absent_and_empty_are_told_apart() {
    let given = |plan: &ImportPlan| format!("{:?}", plan.mailboxes[0].given);
    let plan = csv("UserPrincipalName,Extensions\na@contoso.com,\n").expect("usable");
    assert_eq!(given(&plan), r#"{"UserPrincipalName", "Extensions"}"#);
    let plan = csv("DN,mail,msExchUMEnabledFlags\n\"CN=A,DC=contoso,DC=com\",,\n").expect("usable");
    assert_eq!(
        given(&plan),
        r#"{"DistinguishedName", "Name", "PrimarySmtpAddress", "UMEnabled"}"#
    );
    let ldif = "dn: CN=A,DC=contoso,DC=com\nobjectClass: user\nmail: a@contoso.com\n\n\
                dn: CN=B,DC=contoso,DC=com\nobjectClass: user\nmail: b@contoso.com\nmsExchUMEnabledFlags: 1\n";
    let plan = parse(ldif.as_bytes(), Format::Ldif, &ImportOptions::default()).expect("usable");
    assert_eq!(
        given(&plan),
        r#"{"DistinguishedName", "Name", "PrimarySmtpAddress", "UMEnabled"}"#
    );
}

#[test]
fn line_ends_marks_and_delimiters_do_not_matter() {
    let text = "DistinguishedName,Name,UMEnabled,Extensions\n\"CN=A,DC=contoso,DC=com\",A,True,1;2\n\"CN=B,DC=contoso,DC=com\",B,1,\n";
    let expected = render(&csv(text).expect("comma"));
    assert_eq!(csv(text).expect("comma").mailboxes.len(), 2);
    let cells: Vec<String> = text
        .replace("\"CN=A,DC=contoso,DC=com\"", "\"CN=A\u{1},DC=contoso\u{1},DC=com\"")
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(cells.len(), 3);
    for variant in [
        text.replace('\n', "\r\n"),
        format!("\u{FEFF}{text}"),
        text.trim_end().to_owned(),
        "DistinguishedName\tName\tUMEnabled\tExtensions\nCN=A,DC=contoso,DC=com\tA\tTrue\t1;2\nCN=B,DC=contoso,DC=com\tB\t1\t\n".to_owned(),
        "\"DistinguishedName\";\"Name\";\"UMEnabled\";\"Extensions\"\n\"CN=A,DC=contoso,DC=com\";A;True;\"1;2\"\n\"CN=B,DC=contoso,DC=com\";B;1;\n".to_owned(),
        text.replacen("DistinguishedName,Name", "DISTINGUISHEDNAME,name", 1),
    ] {
        assert_eq!(render(&csv(&variant).expect("variant")), expected, "{variant:?}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_as_a_whole() {
    for (bytes, said) in [
        (&b""[..], "is empty"),
        (b"\xEF\xBB\xBF\r\n", "is empty"),
        (b"PK\x03\x04\0\0", "is not text"),
        (b"D\0i\0s\0t\0", "is not text"),
        (b"Name\nM\xFCller\n", "line 2"),
        (b"CN=A,DC=contoso\nCN=B\n", "no header line"),
        (b"#TYPE System.String", "no complete header line"),
        (b"Name,Alias\nA,a\n", "needs the column DistinguishedName"),
        (
            b"displayName,sAMAccountName,objectClass\nA,a,user\n",
            "needs the column DistinguishedName",
        ),
        (b"Name,DistinguishedName,name\nA,b,c\n", "the column Name twice"),
        (
            b"DistinguishedName,Name\n\"CN=A\",A\n\"CN=B,B\nCN=C,C\n",
            "begins in line 3",
        ),
        (b"DistinguishedName,\"Name\nx", "no complete header line"),
    ] {
        let error = parse(bytes, Format::Csv, &ImportOptions::default()).expect_err(said);
        assert_eq!(error.code(), ErrorCode::ImportInvalid);
        assert!(error.message().contains(said), "{}", error.message());
    }
    for bytes in [&b"DistinguishedName,Name\nx,y\n"[..], b"hello", b"# only a comment"] {
        let error = parse(bytes, Format::Ldif, &ImportOptions::default()).expect_err("no LDIF");
        assert!(error.message().contains("is not LDIF"), "{}", error.message());
    }
}

#[test]
fn the_default_policy_is_that_of_the_options() {
    let text = b"DistinguishedName,UMEnabled\n\"CN=A,DC=contoso,DC=com\",yes\n\"CN=B,DC=contoso,DC=com\",no\n";
    let options = ImportOptions {
        default_policy: Some("Voice".to_owned()),
        ..ImportOptions::default()
    };
    let plan = parse(text, Format::Csv, &options).expect("usable");
    assert_eq!(plan.mailboxes[0].mailbox.um_mailbox_policy.as_deref(), Some("Voice"));
    assert_eq!(plan.mailboxes[1].mailbox.um_mailbox_policy, None);
    let names: Vec<_> = plan.policies.iter().map(|p| p.settings.name.as_str()).collect();
    assert_eq!(names, ["Voice"]);
    let too_long = ImportOptions {
        default_policy: Some("x".repeat(65)),
        ..ImportOptions::default()
    };
    assert!(parse(text, Format::Csv, &too_long).is_err());
}

#[test]
fn languages_are_taken_as_they_are_written() {
    let one = |value: &str| {
        let text = format!("DistinguishedName,preferredlanguage\n\"CN=A,DC=contoso,DC=com\",\"{value}\"\n");
        csv(&text).expect("usable")
    };
    for (value, kept) in [
        ("", None),
        (" de-AT, en;q=0.8 ", Some("de-AT, en;q=0.8")),
        ("German", Some("German")),
    ] {
        let plan = one(value);
        assert_eq!(plan.mailboxes[0].mailbox.preferred_language.as_deref(), kept);
        assert!(plan.errors.is_empty() && plan.ignored_columns.is_empty());
    }
    for value in ["de\nBcc: x", &"de,".repeat(100)] {
        let plan = one(value);
        assert!(plan.mailboxes.is_empty());
        assert!(
            plan.errors[0].message.contains("PreferredLanguage"),
            "{:?}",
            plan.errors
        );
    }
}

#[test]
fn extensions_of_files_choose_the_format() {
    for (name, format) in [
        ("a.csv", Format::Csv),
        ("A.CSV", Format::Csv),
        ("b.ldf", Format::Ldif),
        ("c.x.LDIF", Format::Ldif),
    ] {
        assert_eq!(Format::from_extension(Path::new(name)).ok(), Some(format));
    }
    for name in ["a.txt", "csv", ".csv", "a.csv.bak"] {
        let error = Format::from_extension(Path::new(name)).expect_err(name);
        assert_eq!(error.code(), ErrorCode::ImportInvalid);
    }
}

/// What holds for every plan, whatever the file was.
fn assert_sound(plan: &ImportPlan) {
    for row in &plan.mailboxes {
        assert!(!row.mailbox.name.trim().is_empty() || row.mailbox.distinguished_name.is_none());
        assert!(
            row.mailbox.distinguished_name.is_some()
                || row.mailbox.guid.is_some()
                || row.mailbox.user_principal_name.is_some()
                || !row.mailbox.email_addresses.is_empty()
        );
        assert!(!row.mailbox.um_enabled || row.mailbox.um_mailbox_policy.is_some());
        let marked: Vec<_> = row
            .mailbox
            .email_addresses
            .iter()
            .filter_map(|a| a.strip_prefix("SMTP:"))
            .collect();
        assert_eq!(
            marked,
            row.mailbox
                .primary_smtp_address
                .as_deref()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert!(
            row.mailbox
                .extensions
                .iter()
                .all(|e| (1..=20).contains(&e.number.len()))
        );
        if let Some(policy) = &row.mailbox.um_mailbox_policy {
            let known = plan.policies.iter().filter(|p| p.settings.name == *policy).count();
            assert_eq!(known, 1, "{policy}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), mark in 0..4usize) {
        let mut file = [&b""[..], b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"][mark].to_vec();
        file.extend(bytes);
        for format in [Format::Csv, Format::Ldif] {
            let _ = parse(&file, format, &ImportOptions::default());
        }
    }

    #[test]
    fn arbitrary_csv_rows_give_sound_plans(rows in "([a-zA-Z=@.:;\" ,0-9é\\\\-]{0,40}\r?\n){0,8}") {
        let text = format!("DistinguishedName,Name,PrimarySmtpAddress,EmailAddresses,UMEnabled,Extensions,UserPrincipalName\n{rows}");
        if let Ok(plan) = csv(&text) {
            assert_sound(&plan);
        }
    }

    #[test]
    fn arbitrary_cells_give_sound_plans(
        cells in prop::collection::vec(("(CN=[a-c ,=\\\\+\"]{0,6},DC=contoso)?", "[A-C]?", "([a-b]@contoso\\.com)?", "((smtp|SMTP|eum|X400):[a-b@;. 0-9c=]{0,12};?){0,4}", "(True|False|x)?", "[0-9@;a ]{0,9}"), 0..6)
    ) {
        let mut text = "DistinguishedName,Name,PrimarySmtpAddress,EmailAddresses,UMEnabled,Extensions\n".to_owned();
        for (a, b, c, d, e, f) in cells {
            writeln!(text, "\"{}\",{b},{c},\"{d}\",{e},\"{f}\"", a.replace('"', "\"\"")).expect("a string takes everything");
        }
        assert_sound(&csv(&text).expect("the header is sound"));
    }

    #[test]
    fn arbitrary_ldif_gives_sound_plans(lines in "((dn|cn|objectClass|mail|proxyAddresses|objectGUID|changetype|msExchUMEnabledFlags|msExchUMPinPolicyExpiryDays)(: |:: |:< |;binary: )(user|msExchUMRecipientTemplate|CN=[a-c],DC=x|[a-zA-Z0-9@.:=,+/-]{0,12})\r?\n( [a-z]{0,5}\n|\n|#x\n)?){0,20}") {
        let text = format!("dn: CN=a,DC=contoso,DC=com\n{lines}");
        assert_sound(&parse(text.as_bytes(), Format::Ldif, &ImportOptions::default()).expect("begins as LDIF"));
    }
}

#[test]
fn time_grows_with_length_alone() {
    // Each of these takes minutes where the work is quadratic.
    let n = 400_000;
    for cell in [
        format!("x {}{}", "%".repeat(n), ":".repeat(n)),
        "a:".repeat(n),
        "smtp:a@contoso.com;".repeat(n / 8),
        "X400:;".to_owned() + &"a=b;".repeat(n / 4),
        "1;".repeat(2000),
    ] {
        let text = format!(
            "DistinguishedName,EmailAddresses,Extensions\n\"CN=A,DC=contoso,DC=com\",\"{cell}\",\"{}\"\n",
            "1;".repeat(n)
        );
        let begun = std::time::Instant::now();
        csv(&text).expect("the header is sound");
        assert!(begun.elapsed().as_secs() < 20, "{}", &cell[..20]);
    }
    let folded = format!("dn: CN=A,DC=contoso,DC=com\nmail: {}\n", "x\n ".repeat(n));
    let begun = std::time::Instant::now();
    parse(folded.as_bytes(), Format::Ldif, &ImportOptions::default()).expect("begins as LDIF");
    assert!(begun.elapsed().as_secs() < 20);
}
