//! Access tokens.

use serde_json::{Value, json};

use crate::openapi::operation::Operation;
use crate::openapi::schemas::at;

pub(crate) fn token() -> Value {
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let words = "Client credentials (RFC 6749, 4.4), by Basic or in the body, or a signed assertion (RFC 7523). Access tokens are JWTs, \
         signed by the server, and good for an hour.";
    let error = [(json, at("TokenError"))];
    json!({
        "post": Operation::new("getToken", "access", "Exchange a credential, or an assertion signed by it, for an access token")
            .description(words)
            .body(&[(form, at("TokenRequest")), (json, at("TokenRequest"))])
            .json("The token.", at("Token"))
            .answer(400, "The request, the assertion or the scope is not good.", json!({}), &error)
            .answer(401, "The client is not known by this id and secret.", json!({}), &error)
            .with_own_refusals()
            .described(),
    })
}

pub(crate) fn metadata() -> Value {
    json!({
        "get": Operation::new("getTokenMetadata", "access", "What there is to know of the token endpoint (RFC 8414)")
            .json("The metadata.", json!({ "type": "object", "required": ["issuer", "token_endpoint", "jwks_uri"] }))
            .described(),
    })
}

pub(crate) fn keys() -> Value {
    json!({
        "get": Operation::new("getKeys", "access", "The keys that access tokens are signed with (RFC 7517)")
            .json("The keys.", json!({ "type": "object", "required": ["keys"] }))
            .described(),
    })
}
