//! What proves a credential.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::KeyId;

/// How a token begins that says key id and secret.
pub(crate) const TOKEN_PREFIX: &str = "fwk_";

/// The secret of a credential: 43 characters of base64url. It is told once, when it is made, and nothing shows it.
#[derive(Clone)]
pub struct Secret {
    key_id: KeyId,
    text: Zeroizing<String>,
}

impl Secret {
    pub(crate) fn new(key_id: KeyId, bytes: &[u8; 32]) -> Self {
        let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes));
        Self { key_id, text }
    }

    /// The secret itself: the password for HTTP Basic, and the key of signed assertions.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Key id and secret in one: the token that is valid as long as the secret.
    pub fn token(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{TOKEN_PREFIX}{}_{}", self.key_id, self.as_str()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
