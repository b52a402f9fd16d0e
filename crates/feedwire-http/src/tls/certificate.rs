//! A certificate with its key, as PEM files have them.

use std::fmt;
use std::sync::Arc;

use feedwire_event::Timestamp;
use rustls::InconsistentKeys;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::expiry;

/// A certificate that the server can show, with those that it is signed by, and the key that it is of.
#[derive(Clone)]
pub struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    expires_at: Timestamp,
}

/// Why a certificate and a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// There is no certificate where it should be.
    #[error("there is no certificate: it begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// What should hold certificates is not PEM.
    #[error("the certificate is not PEM")]
    CertificatePem(#[source] pem::Error),
    /// The first certificate, which is to be the server's own, is none.
    #[error("the certificate cannot be read")]
    Certificate,
    /// There is no key where it should be; one that is under a password is not taken.
    #[error("there is no key: it begins with -----BEGIN PRIVATE KEY-----, and has no password")]
    NoKey,
    /// What should hold the key is not PEM.
    #[error("the key is not PEM")]
    KeyPem(#[source] pem::Error),
    /// The key is none of RSA, ECDSA or Ed25519.
    #[error("the key cannot be used")]
    Key(#[source] rustls::Error),
    /// The key is of another certificate.
    #[error("the key is of another certificate")]
    Mismatch,
}

impl Certificate {
    /// Reads PEM: the server's certificate followed by those that it is signed by, and its key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(CertificateError::CertificatePem)?;
        let own = chain.first().ok_or(CertificateError::NoCertificate)?;
        let expires_at = expiry::expires_at(own).ok_or(CertificateError::Certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => CertificateError::NoKey,
            error => CertificateError::KeyPem(error),
        })?;
        let provider = aws_lc_rs::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(refused)?;
        Ok(Self {
            key: Arc::new(key),
            expires_at,
        })
    }

    /// When clients will not take it any more.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

fn refused(error: rustls::Error) -> CertificateError {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            CertificateError::Mismatch
        }
        rustls::Error::InvalidCertificate(_) => CertificateError::Certificate,
        error => CertificateError::Key(error),
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &[u8] = include_bytes!("../../../feedwire-testkit/certificates/server.pem");
    const KEY: &[u8] = include_bytes!("../../../feedwire-testkit/certificates/server.key");
    const OTHER_KEY: &[u8] = include_bytes!("../../../feedwire-testkit/certificates/renewed.key");

    #[test]
    fn what_is_wrong_with_a_pair_is_told() {
        let check = |certificate: &[u8], key: &[u8], words: &str| {
            let error = Certificate::from_pem(certificate, key).expect_err("it is refused");
            assert!(error.to_string().contains(words), "{error} is not {words}");
        };
        let cut = |pem: &[u8]| pem[..pem.len() - 40].to_vec();
        let hollow = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let strange = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let locked =
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        check(b"", KEY, "no certificate");
        check(KEY, KEY, "no certificate");
        check(&cut(SERVER), KEY, "the certificate is not PEM");
        check(hollow, KEY, "the certificate cannot be read");
        check(SERVER, b"", "no key");
        check(SERVER, SERVER, "no key");
        check(SERVER, locked, "no password");
        check(SERVER, &cut(KEY), "the key is not PEM");
        check(SERVER, strange, "the key cannot be used");
        check(SERVER, OTHER_KEY, "of another certificate");
    }

    #[test]
    fn both_may_stand_in_one_file_and_the_key_is_not_shown() {
        let both = [SERVER, KEY].concat();
        let certificate = Certificate::from_pem(&both, &both).expect("a pair");
        assert_eq!(
            format!("{certificate:?}"),
            "Certificate { expires_at: 2049-12-31T23:59:59Z, .. }"
        );
    }
}
