//! Certificates made on the spot: one authority, and whoever it vouches for.

use super::Folder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use std::path::PathBuf;

/// An authority of one test.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "an authority of a test");
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key of whoever bears these names, written as `NAME.pem` and `NAME.key`.
    pub fn vouches(&self, folder: &Folder, file: &str, names: &[&str]) -> (PathBuf, PathBuf) {
        self.vouches_for(folder, file, names, &[])
    }

    /// The same for these purposes alone; none: for any.
    pub fn vouches_for(
        &self,
        folder: &Folder,
        file: &str,
        names: &[&str],
        purposes: &[ExtendedKeyUsagePurpose],
    ) -> (PathBuf, PathBuf) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, names[0].as_str());
        params.extended_key_usages = purposes.to_vec();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let pem = folder.write(&format!("{file}.pem"), &certificate.pem());
        (pem, folder.write(&format!("{file}.key"), &key.serialize_pem()))
    }
}
