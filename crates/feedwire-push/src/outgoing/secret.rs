//! The secret that a connector signs with, as Standard Webhooks writes it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac::{HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// Of one that is made here: as many as the digest has.
const BYTES: usize = 32;
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;

/// A secret of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes.
#[derive(Clone)]
pub struct SigningSecret(Zeroizing<Vec<u8>>);

/// Why a text is no signing secret. The text is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is whsec_ and the base64 of {BYTES_MIN} to {BYTES_MAX} random bytes")]
pub struct BadSecret;

impl SigningSecret {
    /// A new one.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new(vec![0; BYTES]);
        aws_lc_rs::rand::fill(&mut bytes).expect("the system has random numbers");
        Self(bytes)
    }

    /// As it is written.
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + BYTES_MAX * 2));
        text.push_str(PREFIX);
        STANDARD.encode_string(&*self.0, &mut text);
        text
    }

    pub(super) fn key(&self) -> Key {
        Key::new(HMAC_SHA256, &self.0)
    }
}

impl FromStr for SigningSecret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let text = text.strip_prefix(PREFIX).ok_or(BadSecret)?;
        if text.len() > BYTES_MAX.div_ceil(3) * 4 {
            return Err(BadSecret);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(BYTES_MAX));
        let decoded = STANDARD.decode_vec(text, &mut bytes);
        let fits = (BYTES_MIN..=BYTES_MAX).contains(&bytes.len());
        if decoded.is_err() || !fits {
            return Err(BadSecret);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSecret").finish_non_exhaustive()
    }
}
