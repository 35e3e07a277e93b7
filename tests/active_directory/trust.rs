//! Whose certificate is not good gets no password, and the error says what is wrong with it.

use std::collections::HashSet;

use umpin::ErrorCode;
use umpin::directory::Route;

use crate::rig::{Authority, Operation, Relay, Signed, UM, shared};
use crate::transport::{directory, found_on};

/// How a certificate is signed for a host.
type Sign<'a> = &'a dyn Fn(&str) -> Signed;

#[test]
fn certificates_that_are_not_good_are_told_apart() {
    shared(|lab| {
        let stranger = Authority::new();
        let signed: [(&str, Sign<'_>); 4] = [
            ("expired", &|host| lab.authority().sign_expired(&[host])),
            ("not valid yet", &|host| lab.authority().sign_early(&[host])),
            ("not valid for", &|_| lab.authority().sign(&["dc9.contoso.com"])),
            ("unknown", &|host| stranger.sign(&[host])),
        ];
        let mut told = Vec::new();
        for (said, sign) in signed {
            let relay = Relay::start_with(lab.dc1(), sign);
            let directory = directory(lab, UM, |section| {
                section["domainControllers"] = vec![relay.host()].into()
            });
            let error = found_on(&directory, Route::Preferred).expect_err(said);
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{said}: {error:?}");
            assert_eq!(relay.count(Operation::BIND), 0, "{said}: it was asked to sign in");
            told.push(error.message().to_owned());
        }
        let distinct: HashSet<&String> = told.iter().collect();
        assert_eq!(distinct.len(), told.len(), "faults that are told alike: {told:#?}");
    });
}
