//! Proving who asks.

use std::sync::Arc;

use feedwire_event::Timestamp;

use crate::access::{self, Claims};
use crate::entry::{Entry, compare_with_nobody, hash};
use crate::limits::PROOF_BYTES_MAX;
use crate::secret::TOKEN_PREFIX;
use crate::{Auth, KeyId, Principal};

/// What somebody shows.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// An access token, or the token of a credential.
    Bearer(&'a str),
    /// Key id and secret.
    Basic {
        /// The user name.
        key_id: &'a str,
        /// The password.
        secret: &'a str,
    },
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is no proof, or the credential is not there, disabled or expired: which of them is not told.
    #[error("the credentials are not valid")]
    Invalid,
    /// It is an access token of this server, and its time is over: another can be had.
    #[error("the access token has expired")]
    Expired,
}

impl Auth {
    /// Who shows `proof`.
    ///
    /// A good one costs a SHA-256 of its secret, or a comparison with the token that it is, and one or two look-ups. Of a bad one the dearest is an access token that names a key of ours
    /// and has a wrong signature: about 100 µs for Ed25519, each time.
    pub fn prove(&self, proof: Proof<'_>) -> Result<Principal, Denied> {
        match proof {
            Proof::Bearer(token) if token.len() > PROOF_BYTES_MAX => Err(Denied::Invalid),
            Proof::Bearer(token) => match token.strip_prefix(TOKEN_PREFIX) {
                Some(rest) => {
                    let (key_id, secret) = rest.split_once('_').ok_or(Denied::Invalid)?;
                    self.prove_secret(key_id, secret)
                }
                None => self.prove_token(token),
            },
            Proof::Basic { key_id, secret } => self.prove_secret(key_id, secret),
        }
    }

    /// Who has this secret. A key id that is not there costs what a wrong secret does.
    pub(crate) fn prove_secret(&self, key_id: &str, secret: &str) -> Result<Principal, Denied> {
        if key_id.len().saturating_add(secret.len()) > PROOF_BYTES_MAX {
            return Err(Denied::Invalid);
        }
        let now = self.now();
        let hash = hash(secret.as_bytes());
        let key_id = key_id.parse::<KeyId>().ok();
        let Some(entry) = key_id.and_then(|key_id| self.entry(key_id)) else {
            compare_with_nobody(&hash);
            return Err(Denied::Invalid);
        };
        let version = entry.proved(&hash, now).ok_or(Denied::Invalid)?;
        Ok(Principal::new(&entry, version))
    }

    fn prove_token(&self, token: &str) -> Result<Principal, Denied> {
        let now = self.now();
        let verify = || access::verify(token, self.issuer(), &self.ring(now));
        let claims = self.verified().claims(token, verify)?;
        if claims.expires_at <= now {
            return Err(Denied::Expired);
        }
        let entry = self.entry(claims.key_id).ok_or(Denied::Invalid)?;
        principal(&entry, &claims, now).ok_or(Denied::Invalid)
    }
}

fn principal(entry: &Arc<Entry>, claims: &Claims, now: Timestamp) -> Option<Principal> {
    let version = entry.valid(claims.version, now)?;
    Some(Principal::new(entry, version).by_token(claims.scope, claims.expires_at))
}

impl std::fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Self::Bearer(_) => "Bearer",
            Self::Basic { .. } => "Basic",
        };
        f.debug_struct(name).finish_non_exhaustive()
    }
}
