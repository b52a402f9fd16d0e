//! Whose certificates are trusted: the authorities of this system, and those of a file beside them.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

/// The authorities that certificates of receivers are signed by. Clones share what was read of the system.
#[derive(Clone)]
pub struct Roots {
    own: Arc<RootCertStore>,
    /// Read when it is first needed: that takes milliseconds, and a server without connectors needs none.
    config: Arc<OnceCell<Arc<ClientConfig>>>,
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

impl Roots {
    /// Those of this system.
    pub fn system() -> Self {
        Self::with(RootCertStore::empty())
    }

    /// Those of this system, and those that `text` has in PEM.
    pub fn system_and(text: &[u8]) -> Result<Self, RootsError> {
        let mut own = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text) {
            let certificate = certificate.map_err(RootsError::Pem)?;
            own.add(certificate).map_err(RootsError::Malformed)?;
        }
        if own.is_empty() {
            return Err(RootsError::Empty);
        }
        Ok(Self::with(own))
    }

    fn with(own: RootCertStore) -> Self {
        Self {
            own: Arc::new(own),
            config: Arc::default(),
        }
    }

    pub(super) async fn config(&self) -> io::Result<Arc<ClientConfig>> {
        let own = &self.own;
        let read = || async move {
            let own = RootCertStore::clone(own);
            let read = spawn_blocking(|| trusting(own)).await;
            read.map_err(io::Error::other)?
        };
        self.config.get_or_try_init(read).await.cloned()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots")
            .field("own", &self.own.len())
            .finish_non_exhaustive()
    }
}

fn trusting(mut roots: RootCertStore) -> io::Result<Arc<ClientConfig>> {
    let found = rustls_native_certs::load_native_certs();
    // Some systems have ones that nobody can read any more.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let words = "the server's system has no certificates of authorities; whoever runs it can install them \
                     (ca-certificates), or name some (--push-ca-file)";
        return Err(io::Error::new(io::ErrorKind::NotFound, words));
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for all versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
