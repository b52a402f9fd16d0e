//! Exchanging a credential for an access token, as RFC 6749 and RFC 7523 have it.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::{RateLimits, Rights};
use feedwire_engine::{MinFree, Precondition, PutError, Unavailable};
use feedwire_event::Timestamp;
use zeroize::Zeroizing;

use crate::access::{self, Claims, scope_of, scope_text};
use crate::assertion::{AssertionFault, Unproven, Used};
use crate::limits::{ASSERTION_BYTES_MAX, SCOPE_BYTES_MAX};
use crate::{Auth, KeyId, Principal};

/// Asking with key id and secret (RFC 6749, 4.4).
pub const CLIENT_CREDENTIALS: &str = "client_credentials";
/// Asking with a signed assertion (RFC 7523, 2.1).
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// What is asked for at the token endpoint.
#[derive(Clone, Copy, Default)]
pub struct TokenRequest<'a> {
    /// `grant_type`.
    pub grant_type: &'a str,
    /// The client's key id and secret, from wherever they came.
    pub client: Option<Client<'a>>,
    /// `assertion`.
    pub assertion: Option<&'a str>,
    /// `scope`: rights with spaces between them. None is all that the credential has.
    pub scope: Option<&'a str>,
}

/// Who asks for a token.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// `client_id`, or the user name of HTTP Basic.
    pub key_id: &'a str,
    /// `client_secret`, or the password of HTTP Basic.
    pub secret: &'a str,
}

/// A token, and what is told with it.
#[derive(Clone)]
pub struct AccessToken {
    /// The token itself.
    pub token: Zeroizing<String>,
    /// Whose it is.
    pub key_id: KeyId,
    /// For how long it is valid, in whole seconds.
    pub expires_in: Duration,
    /// The rights that it can have, as far as the credential's grants in each project have them.
    pub scope: Rights,
    /// What the credential may take of the server.
    pub limits: RateLimits,
}

/// Why there is no token.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenError {
    /// The request is not whole.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// Key id and secret prove nothing.
    #[error("the client is not known by this id and secret")]
    InvalidClient,
    /// The assertion is no good.
    #[error(transparent)]
    InvalidGrant(#[from] AssertionFault),
    /// The client sent another's assertion.
    #[error("the assertion is not that of the client who sent it")]
    UnauthorizedClient,
    /// There is no such way of asking.
    #[error("grant_type is {CLIENT_CREDENTIALS} or {JWT_BEARER}")]
    UnsupportedGrantType,
    /// The scope names what is no right, or nothing that the credential has.
    #[error("scope is a list of the rights that the credential has, with spaces between them")]
    InvalidScope,
    /// Too many assertions with a `jti` are remembered, of all or of this credential.
    #[error("too many assertions with a jti were used lately; those without one are taken")]
    Full,
    /// There is no room to remember the assertion.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl TokenError {
    /// Its code of RFC 6749, section 5.2; `None` where it is the server that cannot.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest(_) => Some("invalid_request"),
            Self::InvalidClient => Some("invalid_client"),
            Self::InvalidGrant(_) => Some("invalid_grant"),
            Self::UnauthorizedClient => Some("unauthorized_client"),
            Self::UnsupportedGrantType => Some("unsupported_grant_type"),
            Self::InvalidScope => Some("invalid_scope"),
            Self::Full | Self::NoSpace(_) | Self::Unavailable(_) => None,
        }
    }
}

impl AccessToken {
    /// The scope as RFC 6749 writes it.
    pub fn scope_text(&self) -> String {
        scope_text(self.scope)
    }
}

impl Auth {
    /// Exchanges what `request` shows for an access token.
    ///
    /// If the caller goes away meanwhile, an assertion with a `jti` may count as used although nobody got a token for it.
    pub async fn exchange(&self, request: TokenRequest<'_>) -> Result<AccessToken, TokenError> {
        let proven = match request.grant_type {
            "" => return Err(TokenError::InvalidRequest("grant_type is missing")),
            CLIENT_CREDENTIALS => {
                let missing = TokenError::InvalidRequest("the client's id and secret are missing");
                self.client(request.client.ok_or(missing)?)?
            }
            JWT_BEARER => self.assertion(&request).await?,
            _ => return Err(TokenError::UnsupportedGrantType),
        };
        self.issue(&proven, request.scope)
    }

    fn client(&self, client: Client<'_>) -> Result<Principal, TokenError> {
        let proven = self.prove_secret(client.key_id, client.secret);
        proven.map_err(|_denied| TokenError::InvalidClient)
    }

    async fn assertion(&self, request: &TokenRequest<'_>) -> Result<Principal, TokenError> {
        let assertion = request
            .assertion
            .ok_or(TokenError::InvalidRequest("assertion is missing"))?;
        let client = request
            .client
            .map(|client| self.client(client))
            .transpose()?;
        let now = self.now();
        let (proven, used) = self.read_assertion(assertion, now)?;
        let is_other = |client: &Principal| client.key_id() != proven.key_id();
        if client.as_ref().is_some_and(is_other) {
            return Err(TokenError::UnauthorizedClient);
        }
        if let Some(used) = used {
            self.remember(&used, proven.key_id()).await?;
        }
        Ok(proven)
    }

    /// Whose assertion it is, and by what it is known that it came.
    fn read_assertion(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<(Principal, Option<Used>), AssertionFault> {
        if text.len() > ASSERTION_BYTES_MAX {
            return Err(AssertionFault::Unproven);
        }
        let unproven = Unproven::read(text).ok_or(AssertionFault::Unproven)?;
        let entry = self.entry(unproven.key_id);
        let versions = entry.as_ref().map(|entry| entry.numbers());
        let version = unproven.signed_by(versions, self.derivation());
        let valid = entry.as_ref().zip(version).and_then(|(entry, number)| {
            let version = entry.valid(number, now)?;
            Some(Principal::new(entry, version))
        });
        let principal = valid.ok_or(AssertionFault::Unproven)?;
        let assertion = unproven.proven()?;
        assertion.check(&principal.credential().email, now)?;
        Ok((principal, assertion.used()?))
    }

    /// Keeps that an assertion came; in the store, so that it is known after a restart and by every server on it.
    async fn remember(&self, used: &[u8], key_id: KeyId) -> Result<(), TokenError> {
        let whose = key_id.as_bytes();
        if self.used().is_full(whose) {
            return Err(TokenError::Full);
        }
        let put = self
            .primary()
            .put(
                self.used().space(),
                used,
                Bytes::copy_from_slice(whose),
                Precondition::Absent,
            )
            .await;
        match put {
            Ok(_) => {
                self.used().add(whose);
                Ok(())
            }
            Err(PutError::Changed { .. }) => Err(AssertionFault::Used.into()),
            Err(PutError::NoSpace(min_free)) => Err(TokenError::NoSpace(min_free)),
            Err(PutError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    fn issue(&self, principal: &Principal, scope: Option<&str>) -> Result<AccessToken, TokenError> {
        let granted = principal.rights();
        // RFC 6749, 3.1: a parameter without a value is one that was not sent.
        let asked = scope.filter(|scope| !scope.is_empty());
        let asked = asked.map(|scope| narrow(scope, granted)).transpose()?;
        let now = self.now();
        let end = principal.end();
        let lifetime = self.token_lifetime().min(now.until(end));
        let claims = Claims {
            key_id: principal.key_id(),
            version: principal.version(),
            scope: asked,
            issued_at: now,
            expires_at: now.after(lifetime),
        };
        let token = access::issue(&claims, self.issuer(), &self.ring(now));
        Ok(AccessToken {
            token: Zeroizing::new(token),
            key_id: claims.key_id,
            expires_in: Duration::from_secs(lifetime.as_secs()),
            scope: asked.unwrap_or(granted),
            limits: principal.limits(),
        })
    }
}

/// Of the rights that `scope` asks for, those that are `granted`.
fn narrow(scope: &str, granted: Rights) -> Result<Rights, TokenError> {
    let asked = Some(scope).filter(|scope| scope.len() <= SCOPE_BYTES_MAX);
    let asked = asked.and_then(scope_of).ok_or(TokenError::InvalidScope)?;
    let narrowed = granted.and(asked);
    if narrowed.is_empty() {
        return Err(TokenError::InvalidScope);
    }
    Ok(narrowed)
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("grant_type", &self.grant_type)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("key_id", &self.key_id)
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
