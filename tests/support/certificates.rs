//! Certificates, made anew for each run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// An authority, and what it signed.
pub struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in files.
pub struct Signed {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        Self::new_in(&env::temp_dir())
    }

    /// With its files below this folder.
    pub fn new_in(parent: &Path) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters
            .distinguished_name
            .push(DnType::CommonName, "Contoso Test Authority");
        let key = KeyPair::generate().expect("a key");
        let authority = Self {
            folder: tempfile::tempdir_in(parent).expect("a temporary directory"),
            issuer: CertifiedIssuer::self_signed(parameters, key).expect("a certificate"),
        };
        fs::write(authority.file(), authority.issuer.pem()).expect("a file");
        authority
    }

    /// The `caFile` that trusts it.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    pub fn sign(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |_| {})
    }

    pub fn sign_expired(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |parameters| {
            parameters.not_before = date_time_ymd(2020, 1, 1);
            parameters.not_after = date_time_ymd(2021, 1, 1);
        })
    }

    pub fn sign_early(&self, names: &[&str]) -> Signed {
        self.sign_with(names, |parameters| {
            parameters.not_before = date_time_ymd(2190, 1, 1);
            parameters.not_after = date_time_ymd(2191, 1, 1);
        })
    }

    fn sign_with(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Signed {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names).expect("names");
        change(&mut parameters);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        let path = |kind: &str| self.folder.path().join(format!("{}.{kind}", uuid::Uuid::new_v4()));
        let signed = Signed {
            certificate: path("crt"),
            key: path("key"),
        };
        fs::write(&signed.certificate, certificate.pem()).expect("a file");
        fs::write(&signed.key, key.serialize_pem()).expect("a file");
        signed
    }
}
