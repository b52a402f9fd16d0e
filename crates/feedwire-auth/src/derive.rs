//! What is derived from the master key, each by a label of its own.
//!
//! HKDF-SHA256 (RFC 5869) with `feedwire-master-key-1` as salt. Its `info` is the label and then the fields, each after one byte
//! with its length: no two lists of fields give the same bytes. The table stands in `docs/internals/secrets.md`.

use std::fmt;

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use crate::{KeyId, MasterKey, Secret};

const SALT: &[u8] = b"feedwire-master-key-1";

/// 32 bytes that are derived.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// The master key, ready to derive from.
pub(crate) struct Derivation(hkdf::Prk);

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

impl Derivation {
    pub(crate) fn new(master: &MasterKey) -> Self {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        Self(salt.extract(master.as_bytes()))
    }

    /// The secret of a credential in this version.
    pub(crate) fn secret(&self, key_id: KeyId, version: u64) -> Secret {
        let bytes = self.key(&[
            b"credential-secret",
            key_id.as_bytes(),
            &version.to_be_bytes(),
        ]);
        Secret::new(key_id, &bytes)
    }

    /// The seed of the Ed25519 key that signs access tokens in this epoch.
    pub(crate) fn signing_seed(&self, epoch: u64) -> Key {
        self.key(&[b"signing-key", &epoch.to_be_bytes()])
    }

    /// The key of AES-256-GCM under which other secrets are kept.
    pub(crate) fn sealing_key(&self) -> Key {
        self.key(&[b"sealing-key"])
    }

    /// By which a master key is known again.
    pub(crate) fn check_value(&self) -> Key {
        self.key(&[b"check-value"])
    }

    fn key(&self, fields: &[&[u8]]) -> Key {
        let mut info = Vec::with_capacity(64);
        for field in fields {
            info.push(u8::try_from(field.len()).expect("labels and fields are short"));
            info.extend_from_slice(field);
        }
        let mut key = Zeroizing::new([0; 32]);
        let info = [&*info];
        let derived = self.0.expand(&info, Length);
        let filled = derived.and_then(|derived| derived.fill(&mut *key));
        filled.expect("HKDF-SHA256 gives up to 255 times 32 bytes");
        key
    }
}

impl fmt::Debug for Derivation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derivation").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::encode;

    /// Worked out by HMAC-SHA-256 in Python's standard library, after RFC 5869. Were another derived, every secret, token and sealed
    /// secret of every server would be lost.
    #[test]
    fn what_is_derived_stays_what_it_is() {
        let master = "feedwire-master-key-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let derivation = Derivation::new(&master.parse().expect("a master key"));
        let key_id = "abcdefghij0123456789".parse().expect("a key id");
        let secret = derivation.secret(key_id, 1_795_248_000_000_000);
        assert_eq!(
            secret.as_str(),
            "ZgD8vXeiredCyrIo0mcTmRO3uZqFvz2FOHpRzIoKYHU"
        );
        for (key, wanted) in [
            (
                derivation.signing_seed(692),
                "-H4e7Nocxy6Fo75fuWVBxN5pNQR6EgF_04IPrIGwGzk",
            ),
            (
                derivation.sealing_key(),
                "11SLuyWgKMR2y2oN6CHKtY0H7Pri2oRYZCRgWs5cNb8",
            ),
            (
                derivation.check_value(),
                "XcUsy9UXwQrB-sAm4tjBoUulkOBpH_M2Rxs0XzdYzBY",
            ),
        ] {
            assert_eq!(encode(*key), wanted);
        }
    }
}
