//! What the server shows to those who speak TLS to it. It can be renewed while it serves.

use std::fmt;
use std::sync::Arc;

use feedwire_event::Timestamp;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{self, Ticketer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;

use super::Certificate;

/// The only protocol over TLS.
const HTTP_1_1: &[u8] = b"http/1.1";

/// TLS 1.2 and 1.3 with a certificate. Cloning shares it: a certificate that is [renewed](Tls::renew) is shown by all.
#[derive(Clone)]
pub struct Tls {
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
}

impl Tls {
    /// Shows `certificate`.
    ///
    /// # Panics
    ///
    /// Where the system has no randomness.
    #[must_use]
    pub fn new(certificate: Certificate) -> Self {
        let shown = Arc::new(Shown(RwLock::new(certificate)));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("the provider has suites for both versions");
        let mut config = config
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        // Whoever comes back, as thousands do after a restart of the network, brings its session itself; nothing is kept for it.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Ticketer::new().expect("the system has randomness");
        Self {
            shown,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// Shows `certificate` from now on. Connections that are open stay as they are.
    pub fn renew(&self, certificate: Certificate) {
        *self.shown.0.write() = certificate;
    }

    /// When the certificate that is shown expires.
    pub fn expires_at(&self) -> Timestamp {
        self.shown.0.read().expires_at()
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// The certificate that is shown, whatever name a client asks for. Behind a lock, which costs nothing beside a handshake.
#[derive(Debug)]
struct Shown(RwLock<Certificate>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().key.clone())
    }
}
