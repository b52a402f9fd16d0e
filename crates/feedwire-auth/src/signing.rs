//! The keys that sign access tokens: one an epoch, derived, so that nothing is stored and nothing has to be rotated.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use feedwire_event::Timestamp;
use parking_lot::RwLock;
use serde_json::{Value, json};

use crate::derive::Derivation;
use crate::entry::hash;
use crate::jwt::encode;
use crate::limits::SIGNING_EPOCH;

/// The keys of the epoch before, the present and the next one. The last is told early, for those who keep a copy of the set.
#[derive(Debug)]
pub(crate) struct Ring {
    epoch: u64,
    keys: [SigningKey; 3],
}

/// The key of one epoch.
#[derive(Debug)]
pub(crate) struct SigningKey {
    pair: Ed25519KeyPair,
    /// The thumbprint of the public key, RFC 7638: that of another server is known to be another's unseen.
    kid: String,
    /// The one header that its tokens have, encoded.
    header: String,
}

/// The ring of the present epoch.
#[derive(Debug)]
pub(crate) struct Signing(RwLock<Arc<Ring>>);

impl Signing {
    pub(crate) fn new(derivation: &Derivation, now: Timestamp) -> Self {
        Self(RwLock::new(Arc::new(Ring::new(derivation, epoch(now)))))
    }

    pub(crate) fn ring(&self, derivation: &Derivation, now: Timestamp) -> Arc<Ring> {
        let epoch = epoch(now);
        let ring = Arc::clone(&self.0.read());
        if ring.epoch == epoch {
            return ring;
        }
        let ring = Arc::new(Ring::new(derivation, epoch));
        *self.0.write() = Arc::clone(&ring);
        ring
    }
}

fn epoch(now: Timestamp) -> u64 {
    Timestamp::default().until(now).as_secs() / SIGNING_EPOCH.as_secs()
}

impl Ring {
    fn new(derivation: &Derivation, epoch: u64) -> Self {
        let epochs = [epoch.saturating_sub(1), epoch, epoch + 1];
        Self {
            epoch,
            keys: epochs.map(|epoch| SigningKey::new(derivation, epoch)),
        }
    }

    /// The key to sign with.
    pub(crate) fn present(&self) -> &SigningKey {
        &self.keys[1]
    }

    /// The key whose tokens have this header.
    pub(crate) fn by_header(&self, header: &str) -> Option<&SigningKey> {
        self.keys.iter().find(|key| key.header == header)
    }

    /// The JSON Web Key Set, RFC 7517 and RFC 8037.
    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<_> = self.keys.iter().map(SigningKey::jwk).collect();
        json!({ "keys": keys })
    }
}

impl SigningKey {
    fn new(derivation: &Derivation, epoch: u64) -> Self {
        let seed = derivation.signing_seed(epoch);
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("any 32 bytes are a seed");
        let kid = thumbprint(pair.public_key().as_ref());
        let header = encode(format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#));
        Self { pair, kid, header }
    }

    /// The token that says `claims`.
    pub(crate) fn sign(&self, claims: &[u8]) -> String {
        let mut token = format!("{}.{}", self.header, encode(claims));
        let signature = encode(self.pair.sign(token.as_bytes()));
        token.push('.');
        token.push_str(&signature);
        token
    }

    pub(crate) fn verifies(&self, signed: &str, signature: &[u8]) -> bool {
        let public = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), signature).is_ok()
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.kid,
            "x": encode(self.pair.public_key()),
        })
    }
}

/// RFC 7638 with RFC 8037, section 2: SHA-256 of the members that a key cannot be without, in order of their names.
fn thumbprint(public: &[u8]) -> String {
    let members = format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#,
        encode(public)
    );
    encode(hash(members.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwt::decode;

    /// RFC 8037, A.1 to A.4.
    #[test]
    fn the_examples_of_the_rfc_come_out() {
        let seed = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64url");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed");
        let public = pair.public_key().as_ref();
        assert_eq!(
            encode(public),
            "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        );
        assert_eq!(
            thumbprint(public),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        assert_eq!(
            encode(pair.sign(signed.as_bytes())),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        );
    }
}
