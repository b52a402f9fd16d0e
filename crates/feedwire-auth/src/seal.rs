//! Secrets of others that have to be kept, such as a connector's: encrypted under the master key.
//!
//! A sealed secret is one byte 1, a random nonce of 12 bytes, and what AES-256-GCM makes of the secret, with its tag of 16 bytes. The
//! version and the context are authenticated: what was sealed for one place is not opened in another.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::MasterKey;
use crate::derive::Derivation;

const VERSION: u8 = 1;
const HEAD: usize = 1 + NONCE_LEN;

/// Seals and opens. Cheap to make, and to keep.
pub struct Seal(LessSafeKey);

/// It was sealed for another context or under another master key, or it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed secret cannot be opened: another master key sealed it, or it is damaged")]
pub struct Unsealable;

impl Seal {
    /// By the key that is derived from `master`.
    pub fn new(master: &MasterKey) -> Self {
        Self::by(&Derivation::new(master))
    }

    pub(crate) fn by(derivation: &Derivation) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, &*derivation.sealing_key());
        Self(LessSafeKey::new(key.expect("32 bytes are a key")))
    }

    /// `plain`, sealed for `context`: a text that says what it is for, such as `connector/acme/7`.
    ///
    /// Nonces are random: up to 2^32 secrets can be sealed under one master key without a thought.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).expect("the system has random numbers");
        let mut sealed = Vec::with_capacity(HEAD + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce, authenticated(context), &mut sealed[HEAD..])
            .expect("a secret is shorter than 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// What was sealed for `context`.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (head, rest) = sealed.split_at_checked(HEAD).ok_or(Unsealable)?;
        let (version, nonce) = head.split_first().ok_or(Unsealable)?;
        if *version != VERSION {
            return Err(Unsealable);
        }
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else {
            return Err(Unsealable);
        };
        let mut plain = rest.to_vec();
        let opened = self
            .0
            .open_in_place(nonce, authenticated(context), &mut plain);
        let Ok(length) = opened.map(|opened| opened.len()) else {
            return Err(Unsealable);
        };
        plain.truncate(length);
        Ok(plain)
    }
}

fn authenticated(context: &str) -> Aad<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1 + context.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(context.as_bytes());
    Aad::from(bytes)
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_is_opened_for_its_context_alone() {
        let master = MasterKey::generate();
        let (seal, again) = (Seal::new(&master), Seal::new(&master));
        let sealed = seal.seal("connector/acme/7", b"a secret");
        let opened = again.open("connector/acme/7", &sealed);
        assert_eq!(opened.as_deref(), Ok(&b"a secret"[..]));
        assert_eq!(again.open("connector/acme/8", &sealed), Err(Unsealable));
        let other = Seal::new(&MasterKey::generate());
        assert_eq!(other.open("connector/acme/7", &sealed), Err(Unsealable));
        assert_ne!(seal.seal("connector/acme/7", b"a secret"), sealed);
        let nothing = seal.seal("c", b"");
        assert_eq!(seal.open("c", &nothing).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn what_was_changed_or_cut_is_refused() {
        let seal = Seal::new(&MasterKey::generate());
        let sealed = seal.seal("c", b"a secret");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(seal.open("c", &changed), Err(Unsealable), "byte {at}");
            assert_eq!(seal.open("c", &sealed[..at]), Err(Unsealable), "cut {at}");
        }
    }

    /// Sealed by AES-256-GCM of Python's `cryptography`, as the document has the format.
    #[test]
    fn what_was_sealed_long_ago_is_opened() {
        let master = "feedwire-master-key-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let seal = Seal::new(&master.parse().expect("a master key"));
        let sealed = "AQABAgMEBQYHCAkKC9OOZxay7EFZHUCA9l0yLh8BOgecg7DCIQ";
        let sealed = crate::jwt::decode(sealed).expect("base64url");
        let opened = seal.open("connector/acme/7", &sealed);
        assert_eq!(opened.as_deref(), Ok(&b"a secret"[..]));
    }
}
