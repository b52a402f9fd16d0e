//! What there is to know of the token endpoint (RFC 8414), and the keys of access tokens (RFC 7517).

use feedwire_auth::{CLIENT_CREDENTIALS, JWT_BEARER};
use feedwire_core::Right;
use http::Uri;
use http::header::HOST;
use serde_json::{Value, json};

use super::{KEYS_PATH, TOKEN_PATH};
use crate::access::Access;
use crate::answer::{self, Answer, kept_by_all};
use crate::asked::Asked;

pub(super) fn tell(asked: &Asked) -> Answer {
    let base = base(asked);
    let rights = Right::ALL.map(Right::as_str);
    answer::json(&json!({
        "issuer": base,
        "token_endpoint": format!("{base}{TOKEN_PATH}"),
        "jwks_uri": format!("{base}{KEYS_PATH}"),
        "grant_types_supported": [CLIENT_CREDENTIALS, JWT_BEARER],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "response_types_supported": [],
        "scopes_supported": rights,
    }))
}

pub(super) fn keys(asked: &Asked) -> Answer {
    let keys = match asked.edge.access() {
        Access::Guarded(auth) => auth.jwks(),
        Access::Open { .. } => json!({ "keys": Value::Array(Vec::new()) }),
    };
    kept_by_all(answer::json(&keys))
}

/// The address of the server as it is told, or as it was called.
fn base(asked: &Asked) -> String {
    if let Some(url) = asked.edge.public_url() {
        return url.to_owned();
    }
    let scheme = if asked.edge.tls().is_some() {
        "https"
    } else {
        "http"
    };
    let host = asked
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.filter(|host| host.parse::<Uri>().is_ok());
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}
