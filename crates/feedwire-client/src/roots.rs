//! Whose certificates are trusted.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

/// The authorities that certificates of servers are signed by.
#[derive(Clone)]
pub(crate) enum Roots {
    /// Those of this system.
    System,
    /// Those that were named, and no others.
    Own(Arc<ClientConfig>),
}

/// Why certificates of authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// They are not PEM.
    #[error("the certificates of authorities are not PEM")]
    Pem(#[source] pem::Error),
    /// There is none.
    #[error("there is no certificate of an authority: it begins with -----BEGIN CERTIFICATE-----")]
    Empty,
    /// One of them cannot be read.
    #[error("a certificate of an authority cannot be read")]
    Malformed(#[source] rustls::Error),
}

/// What trusts the system's authorities, read when it is first needed: that takes milliseconds, and plain HTTP needs none.
static SYSTEM: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();

impl Roots {
    pub(crate) fn own(text: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(RootsError::Pem)?;
            roots.add(certificate).map_err(RootsError::Malformed)?;
        }
        if roots.is_empty() {
            return Err(RootsError::Empty);
        }
        Ok(Self::Own(Arc::new(trusting(roots))))
    }

    pub(crate) async fn config(&self) -> io::Result<Arc<ClientConfig>> {
        match self {
            Self::Own(config) => Ok(config.clone()),
            Self::System => {
                let read = async || spawn_blocking(system).await.map_err(io::Error::other)?;
                SYSTEM.get_or_try_init(read).await.cloned()
            }
        }
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Own(_) => "Own",
        })
    }
}

fn system() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // Some systems have ones that nobody can read any more.
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let words = "this system has no certificates of authorities that could be trusted: install them \
                     (ca-certificates), or name those of your own (--ca-file, Client::with_root_certificates)";
        return Err(io::Error::new(io::ErrorKind::NotFound, words));
    }
    Ok(Arc::new(trusting(roots)))
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for all versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}
