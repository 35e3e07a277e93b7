//! Failed resets of a remote directory are in the audit of this host, each once.

use std::sync::Arc;

use serde_json::json;
use umpin::ErrorCode;
use umpin::audit::AuditLog as _;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::service::reset::ResetRequest;

use super::log;
use super::simulation::{DC1, DC2, NetworkFault, Simulation};
use super::trail::{asked, lock, silent};
use super::verdict::reset;

fn failures(simulation: &Arc<Simulation>) -> Vec<String> {
    let shown = log::shown(simulation, "a");
    let failed = shown.iter().filter(|item| item.succeeded == Some(false));
    let text = |item: &umpin::service::audit::AuditItem| {
        let error = item
            .details
            .get("error")
            .and_then(|error| error.as_str())
            .unwrap_or("-");
        format!("{} {error}", item.action.as_deref().unwrap_or("-"))
    };
    failed.map(text).collect()
}

#[test]
fn a_failed_reset_is_recorded_on_this_host() {
    let simulation = Simulation::new(1);
    let service = simulation.process("a").service;
    let fails = |request: ResetRequest, code: ErrorCode| {
        let error = asked(&service, request).map(drop).expect_err("it fails");
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.warnings().is_empty(), "{:?}", error.warnings());
    };
    let nobody = ResetRequest {
        identity: "nobody@contoso.com".to_owned(),
        ..ResetRequest::default()
    };
    fails(nobody, ErrorCode::ManagementObjectNotFound);
    fails(silent(0, "1234"), ErrorCode::PinPolicyViolation);
    let tried = ResetRequest {
        what_if: true,
        ..silent(0, "1234")
    };
    fails(tried, ErrorCode::PinPolicyViolation);
    assert_eq!(
        failures(&simulation),
        ["Reset ManagementObjectNotFound", "Reset PinPolicyViolation"]
    );
    assert_eq!(
        log::shown(&simulation, "a")[1].result,
        Some(json!({ "rules": ["TooShort", "Sequential"] }))
    );
}

#[test]
fn a_change_whose_intent_is_recorded_has_one_outcome() {
    let simulation = Simulation::new(1);
    let service = simulation.process("a").service;
    simulation.send_by(&[NetworkFault::RequestLost]);
    let error = reset(&service, 0).map(drop).expect_err("no answer");
    assert_eq!(error.code(), ErrorCode::OutcomeUnknown);
    assert_eq!(
        failures(&simulation),
        Vec::<String>::new(),
        "it is not known to have failed"
    );
    for controller in [DC1, DC2] {
        simulation.set_down(controller, true);
    }
    let error = asked(&service, lock(0, true)).map(drop).expect_err("no controller");
    assert_eq!(failures(&simulation), [format!("Lock {}", error.code().id())]);
    let counted = LocalOutbox::new(EmbeddedOptions::new(simulation.outbox_file("a"))).omitted_failures();
    assert_eq!(counted.expect("the counts"), []);
}
