//! A controller with an invalid certificate gets no bind, and the error names the reason.

use umpin::ErrorCode;
use umpin::directory::Route;

use crate::harness::{Authority, Lab, Operation, Relay, Signed, UM, shared};
use crate::transport::{directory, found_on};

fn refused(lab: &Lab, said: &str, sign: impl FnOnce(&str) -> Signed) {
    let relay = Relay::start_with(lab.dc1(), sign);
    let directory = directory(lab, UM, |section| {
        section["domainControllers"] = vec![relay.host()].into()
    });
    let error = found_on(&directory, Route::Preferred).expect_err(said);
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{said}: {error:?}");
    for part in [said, &relay.host()] {
        assert!(
            error.message().contains(part),
            "{part:?} is not in {:?}",
            error.message()
        );
    }
    assert_eq!(relay.count(Operation::BIND), 0, "{said}: it was asked to sign in");
}

#[test]
fn each_invalid_certificate_has_its_own_error() {
    shared(|lab| {
        let authority = lab.authority();
        let other_forest_controller = Authority::new();
        refused(lab, "has expired", |host| authority.sign_expired(&[host]));
        refused(lab, "not valid yet", |host| authority.sign_early(&[host]));
        refused(lab, "for another name", |_| authority.sign(&["dc9.contoso.com"]));
        refused(lab, "an authority that is not trusted", |host| {
            other_forest_controller.sign(&[host])
        });
    });
}
