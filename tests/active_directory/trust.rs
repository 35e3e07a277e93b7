//! Whose certificate is not good is not asked to sign in, and the error says what is wrong with it.

use umpin::ErrorCode;
use umpin::directory::Route;

use crate::rig::{Authority, Lab, Operation, Relay, Signed, UM, shared};
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
fn certificates_that_are_not_good_are_told_apart() {
    shared(|lab| {
        let authority = lab.authority();
        let stranger = Authority::new();
        refused(lab, "it has expired", |host| authority.sign_expired(&[host]));
        refused(lab, "it is not valid yet", |host| authority.sign_early(&[host]));
        refused(lab, "it is for another name", |_| authority.sign(&["dc9.contoso.com"]));
        refused(lab, "its issuer is not trusted", |host| stranger.sign(&[host]));
    });
}
