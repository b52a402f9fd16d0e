//! Certificates for tests, and a client that trusts them. `certificates/make.sh` makes the files.

use std::sync::Arc;

use feedwire_http::{Certificate, Tls};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// The authority that all pairs are signed by, in PEM.
pub const AUTHORITY: &str = include_str!("../certificates/authority.pem");

/// An authority that signed none of them.
pub const STRANGER: &str = include_str!("../certificates/stranger.pem");

/// A certificate and its key, in PEM.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: &'static str,
    /// Its key.
    pub key: &'static str,
}

impl Pair {
    /// For this machine, to the last second of 2049.
    pub const SERVER: Self = Self {
        certificate: include_str!("../certificates/server.pem"),
        key: include_str!("../certificates/server.key"),
    };
    /// For this machine too, to the first second of 2100.
    pub const RENEWED: Self = Self {
        certificate: include_str!("../certificates/renewed.pem"),
        key: include_str!("../certificates/renewed.key"),
    };
    /// For this machine, to the first second of 2021.
    pub const EXPIRED: Self = Self {
        certificate: include_str!("../certificates/expired.pem"),
        key: include_str!("../certificates/expired.key"),
    };
    /// For `feeds.example.org`.
    pub const ELSEWHERE: Self = Self {
        certificate: include_str!("../certificates/elsewhere.pem"),
        key: include_str!("../certificates/elsewhere.key"),
    };

    /// As a server shows it.
    pub fn read(self) -> Certificate {
        let Self { certificate, key } = self;
        Certificate::from_pem(certificate.as_bytes(), key.as_bytes()).expect("a pair")
    }

    /// What shows it.
    pub fn tls(self) -> Tls {
        Tls::new(self.read())
    }
}

/// A client that trusts [`AUTHORITY`] alone.
pub(crate) fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_slice(AUTHORITY.as_bytes()).expect("a certificate");
    roots.add(authority).expect("an authority");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for all")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
