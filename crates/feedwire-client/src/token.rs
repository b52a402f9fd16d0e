//! Proving who asks.

use http::HeaderValue;

/// The way in which a token is sent.
const SCHEME: &str = "Bearer ";

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is empty, or not one word of visible ASCII. What it is, is not said.
    #[error("a token is one word of visible ASCII characters")]
    Malformed,
    /// Whoever is on the way to the server could read it.
    #[error(
        "the token would travel readable to {host}: call it by https://, or allow it (--allow-plaintext-token, \
         Client::allow_plaintext_token)"
    )]
    Readable {
        /// The server's name.
        host: String,
    },
}

/// The header that `token` is sent in, which no log shows.
pub(crate) fn header(token: &str) -> Result<HeaderValue, TokenError> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Malformed);
    }
    let value = HeaderValue::from_str(&format!("{SCHEME}{token}"));
    let mut value = value.map_err(|_invalid| TokenError::Malformed)?;
    value.set_sensitive(true);
    Ok(value)
}
