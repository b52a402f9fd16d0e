//! Access tokens: what a credential is exchanged for, for an hour. JWTs as RFC 9068 has them.
//!
//! We alone make them, so their header is compared as text with the three that there can be: no other algorithm, type, key or
//! extension is ever looked at. What verified is remembered.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use feedwire_core::{Right, Rights};
use feedwire_event::Timestamp;
use feedwire_tally::Count;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::jwt::{Compact, decode, encode};
use crate::limits::TOKENS_CACHED;
use crate::signing::Ring;
use crate::{Denied, KeyId};

/// What a token says, and nothing of what the credential says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) key_id: KeyId,
    /// The version of the secret that it was got by.
    pub(crate) version: u64,
    pub(crate) scope: Option<Rights>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Text {
    iss: String,
    sub: String,
    client_id: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    /// The version of the secret, as text: it has more digits than JavaScript's numbers.
    ver: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The token that says `claims`, to the second.
pub(crate) fn issue(claims: &Claims, issuer: &str, ring: &Ring) -> String {
    let mut jti = [0; 16];
    aws_lc_rs::rand::fill(&mut jti).expect("the system has random numbers");
    let seconds = |micros: i64| micros.div_euclid(MICROS_PER_SECOND);
    let text = Text {
        iss: issuer.to_owned(),
        sub: claims.key_id.to_string(),
        client_id: claims.key_id.to_string(),
        aud: issuer.to_owned(),
        iat: seconds(claims.issued_at.as_micros()),
        // Up, so that it is valid for as long as it was said to be.
        exp: seconds(claims.expires_at.as_micros() + MICROS_PER_SECOND - 1),
        jti: encode(jti),
        ver: claims.version.to_string(),
        scope: claims.scope.map(scope_text),
    };
    let text = serde_json::to_vec(&text).expect("texts and numbers are JSON");
    ring.present().sign(&text)
}

/// What `token` says, if it is one of ours. Whether it has expired is not looked at.
pub(crate) fn verify(token: &str, issuer: &str, ring: &Ring) -> Option<Claims> {
    let token = Compact::split(token)?;
    let key = ring.by_header(token.header)?;
    let signature = decode(token.signature)?;
    if !key.verifies(token.signed, &signature) {
        return None;
    }
    let text: Text = serde_json::from_slice(&decode(token.claims)?).ok()?;
    let is_ours = text.iss == issuer && text.aud == issuer && text.sub == text.client_id;
    let time = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(MICROS_PER_SECOND));
    let claims = Claims {
        key_id: text.sub.parse().ok()?,
        version: text.ver.parse().ok()?,
        scope: match text.scope {
            Some(scope) => Some(scope_of(&scope)?),
            None => None,
        },
        issued_at: time(text.iat),
        expires_at: time(text.exp),
    };
    is_ours.then_some(claims)
}

/// Rights as RFC 6749, section 3.3, writes them.
pub(crate) fn scope_text(rights: Rights) -> String {
    let rights: Vec<_> = rights.iter().map(Right::as_str).collect();
    rights.join(" ")
}

/// The rights that `text` names; `None` if one is none.
pub(crate) fn scope_of(text: &str) -> Option<Rights> {
    let rights = text.split(' ').filter(|right| !right.is_empty());
    rights.map(|right| right.parse::<Right>().ok()).collect()
}

/// The end of a token, which is of its signature and so as random as any; nobody can choose that of one that verifies.
type End = [u8; 32];

/// A token that verified, and what it says.
struct Known {
    token: Zeroizing<String>,
    claims: Claims,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.claims.fmt(f)
    }
}

/// Tokens that verified, by their ends. The ones least used go first.
#[derive(Debug)]
pub(crate) struct Verified {
    tokens: Cache<End, Arc<Known>>,
    remembered: Count,
    anew: Count,
    refused: Count,
}

/// How often access tokens were looked at, by what they were found to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenStats {
    /// One that was verified before, and not forgotten.
    pub remembered: u64,
    /// One that was verified then.
    pub verified: u64,
    /// None of ours.
    pub refused: u64,
}

impl Verified {
    pub(crate) fn new() -> Self {
        Self {
            tokens: Cache::new(TOKENS_CACHED),
            remembered: Count::default(),
            anew: Count::default(),
            refused: Count::default(),
        }
    }

    pub(crate) fn stats(&self) -> TokenStats {
        TokenStats {
            remembered: self.remembered.get(),
            verified: self.anew.get(),
            refused: self.refused.get(),
        }
    }

    /// What `token` says, verified now or earlier.
    pub(crate) fn claims(
        &self,
        token: &str,
        verify: impl FnOnce() -> Option<Claims>,
    ) -> Result<Claims, Denied> {
        let end = token.as_bytes().last_chunk().copied();
        let known = end.and_then(|end: End| self.tokens.get(&end));
        // Which of them it is may be told by how long this takes; all of it, by nothing.
        let same = |known: &Arc<Known>| {
            verify_slices_are_equal(known.token.as_bytes(), token.as_bytes()).is_ok()
        };
        if let Some(known) = known.filter(same) {
            self.remembered.one();
            return Ok(known.claims);
        }
        let Some(claims) = verify() else {
            self.refused.one();
            return Err(Denied::Invalid);
        };
        self.anew.one();
        if let Some(end) = end {
            let token = Zeroizing::new(token.to_owned());
            self.tokens.insert(end, Arc::new(Known { token, claims }));
        }
        Ok(claims)
    }
}
