//! Signed assertions, RFC 7523: a JWT that a client makes itself, HS256 by its secret.
//!
//! Nothing of an assertion is told of before its signature is good; from then on whoever sent it has the secret.

use std::time::Duration;

use aws_lc_rs::hmac;
use feedwire_event::Timestamp;
use serde::Deserialize;

use crate::derive::Derivation;
use crate::entry::{Hash, hash};
use crate::jwt::{Compact, decode};
use crate::limits::{ASSERTION_LIFETIME_MAX, SKEW};
use crate::{KeyId, Secret};

/// What the address of a token endpoint ends in. Clients name the one that they were configured with, which need not be ours: behind
/// a proxy, or with another server's name in a sample that only had its address changed.
const AUDIENCE: &str = "/oauth2/token";

/// What is wrong with an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// It is no JWT, its algorithm is not HS256, its `kid` names no credential that is valid, or its signature is wrong: which of
    /// them is not told.
    #[error("the assertion is not one that a valid credential signed with HS256")]
    Unproven,
    /// Its claims are not what claims are.
    #[error("the assertion's claims are not those of a JWT: iss, aud and exp are needed")]
    Claims,
    /// `iss` is another.
    #[error("iss is not the e-mail of the credential")]
    Issuer,
    /// `aud` is another.
    #[error("aud names no token endpoint: it ends in {AUDIENCE}")]
    Audience,
    /// `exp` is over.
    #[error("the assertion has expired")]
    Expired,
    /// `exp` is too far away.
    #[error("exp is more than {} hours away", ASSERTION_LIFETIME_MAX.as_secs() / 3_600)]
    TooLong,
    /// `iat` or `nbf` is still to come.
    #[error("iat or nbf is still to come")]
    Early,
    /// It bears a `jti`, and came before.
    #[error("the assertion was used before")]
    Used,
}

/// An assertion whose signature is still to be looked at.
#[derive(Debug)]
pub(crate) struct Unproven<'a> {
    token: Compact<'a>,
    signature: Vec<u8>,
    /// Who is said to have signed it.
    pub(crate) key_id: KeyId,
}

/// An assertion of whoever has the secret.
#[derive(Debug)]
pub(crate) struct Proven {
    claims: Claims,
    key_id: KeyId,
}

/// The mark of an assertion that must not come again.
pub(crate) type Used = [u8; 40];

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: Option<String>,
    /// RFC 7515, 4.1.11: who does not understand what is critical refuses the token, and we understand nothing of the kind.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    jti: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Some(Vec<String>),
}

/// That there is a value, whatever it is.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl<'a> Unproven<'a> {
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let token = Compact::split(text)?;
        let header: Header = serde_json::from_slice(&decode(token.header)?).ok()?;
        let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        let is_ours = header.alg == "HS256" && is_jwt && !header.crit;
        let unproven = Self {
            token,
            signature: decode(token.signature)?,
            key_id: header.kid.parse().ok()?,
        };
        is_ours.then_some(unproven)
    }

    /// The one of two versions of the secret that signed it. Two are tried whether there are two, one or none.
    pub(crate) fn signed_by(
        &self,
        versions: Option<(u64, Option<u64>)>,
        derivation: &Derivation,
    ) -> Option<u64> {
        let signed = |version: u64| {
            let secret = derivation.secret(self.key_id, version);
            self.is_signed_with(&secret)
        };
        let (current, older) = versions.unzip();
        let older = older.flatten();
        let by_current = signed(current.unwrap_or_default());
        let by_older = signed(older.unwrap_or_default());
        match current {
            Some(current) if by_current => Some(current),
            _ => older.filter(|_| by_older),
        }
    }

    fn is_signed_with(&self, secret: &Secret) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_str().as_bytes());
        hmac::verify(&key, self.token.signed.as_bytes(), &self.signature).is_ok()
    }

    /// What it says, now that it is known who does.
    pub(crate) fn proven(self) -> Result<Proven, AssertionFault> {
        let claims = decode(self.token.claims);
        let claims = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
        Ok(Proven {
            claims: claims.ok_or(AssertionFault::Claims)?,
            key_id: self.key_id,
        })
    }
}

impl Proven {
    /// Whether it may be taken at `now` from the credential with this e-mail.
    pub(crate) fn check(&self, email: &str, now: Timestamp) -> Result<(), AssertionFault> {
        let claims = &self.claims;
        if claims.iss != email {
            return Err(AssertionFault::Issuer);
        }
        if !claims.aud.names_a_token_endpoint() {
            return Err(AssertionFault::Audience);
        }
        let expires_at = time(claims.exp)?;
        if expires_at <= now.before(SKEW) {
            return Err(AssertionFault::Expired);
        }
        if now.until(expires_at) > ASSERTION_LIFETIME_MAX + SKEW {
            return Err(AssertionFault::TooLong);
        }
        for start in [claims.iat, claims.nbf].into_iter().flatten() {
            if now.until(time(start)?) > SKEW {
                return Err(AssertionFault::Early);
            }
        }
        Ok(())
    }

    /// What is kept of it so that it does not come again, if it asks for that; the time until when comes first.
    pub(crate) fn used(&self) -> Result<Option<Used>, AssertionFault> {
        let Some(jti) = &self.claims.jti else {
            return Ok(None);
        };
        let expires_at = time(self.claims.exp)?.as_micros();
        let until = u64::try_from(expires_at).map_or(0, |end| end + micros(SKEW));
        let mut used = [0; 40];
        used[..8].copy_from_slice(&until.to_be_bytes());
        used[8..].copy_from_slice(&self.name(jti));
        Ok(Some(used))
    }

    fn name(&self, jti: &str) -> Hash {
        let mut name = self.key_id.as_bytes().to_vec();
        name.extend_from_slice(jti.as_bytes());
        hash(&name)
    }
}

/// Whether what is kept of a used assertion can go at `now`.
pub(crate) fn is_over(used: &[u8], now: Timestamp) -> bool {
    let until = used.first_chunk().map(|until| u64::from_be_bytes(*until));
    let now = u64::try_from(now.as_micros()).unwrap_or(0);
    until.is_none_or(|until| until < now)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).expect("it is short")
}

/// A `NumericDate` of RFC 7519: seconds, maybe with a fraction.
fn time(seconds: f64) -> Result<Timestamp, AssertionFault> {
    let since = Duration::try_from_secs_f64(seconds).ok();
    let micros = since.and_then(|since| i64::try_from(since.as_micros()).ok());
    micros
        .map(Timestamp::from_micros)
        .ok_or(AssertionFault::Claims)
}

impl Audience {
    fn names_a_token_endpoint(&self) -> bool {
        match self {
            Self::One(one) => one.ends_with(AUDIENCE),
            Self::Some(some) => some.iter().any(|one| one.ends_with(AUDIENCE)),
        }
    }
}
