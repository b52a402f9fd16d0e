//! Tokens: where credentials and signed assertions are exchanged for them, and what others need to know to ask for one.
//!
//! `POST /oauth2/token` as RFC 6749 (client credentials) and RFC 7523 (JWT bearer) have it, its description as RFC 8414, and the
//! public keys of access tokens as RFC 7517. The answers are theirs, not those of the native API.

mod metadata;
mod token;

use http::Method;

use crate::access::Rule;
use crate::native;
use crate::openapi::paths;
use crate::routes::{Route, Served};

/// Where tokens are asked for.
const TOKEN_PATH: &str = "/oauth2/token";
/// Where the keys are that access tokens are signed with.
const KEYS_PATH: &str = "/.well-known/jwks.json";

/// The routes of tokens.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: TOKEN_PATH,
        dialect: &native::DIALECT,
        methods: || {
            vec![Served {
                method: Method::POST,
                rule: Rule::Open,
                handle: |asked, body| Box::pin(token::exchange(asked, body)),
            }]
        },
        description: Some(paths::oauth::token),
    },
    Route {
        path: "/.well-known/oauth-authorization-server",
        dialect: &native::DIALECT,
        methods: || {
            vec![Served {
                method: Method::GET,
                rule: Rule::Open,
                handle: |asked, _| Box::pin(async move { metadata::tell(&asked) }),
            }]
        },
        description: Some(paths::oauth::metadata),
    },
    Route {
        path: KEYS_PATH,
        dialect: &native::DIALECT,
        methods: || {
            vec![Served {
                method: Method::GET,
                rule: Rule::Open,
                handle: |asked, _| Box::pin(async move { metadata::keys(&asked) }),
            }]
        },
        description: Some(paths::oauth::keys),
    },
];
