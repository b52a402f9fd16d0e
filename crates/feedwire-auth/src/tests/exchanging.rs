//! Access tokens by key id and secret.

use std::time::Duration;

use feedwire_core::{Right, Rights};
use serde_json::Value;

use super::world::{World, project};
use crate::jwt::{Compact, decode};
use crate::limits::{SCOPE_BYTES_MAX, TOKEN_LIFETIME};
use crate::{Client, TokenError, TokenRequest};

const ALL: &[(&str, &[Right])] = &[("acme", &[Right::Admin]), ("acme.eu", &[Right::Read])];

fn code(error: &TokenError) -> &'static str {
    error.code().expect("it is the request's fault")
}

fn json(part: &str) -> Value {
    serde_json::from_slice(&decode(part).expect("base64url")).expect("JSON")
}

#[tokio::test]
async fn a_token_says_what_the_profile_for_access_tokens_asks_for() {
    let world = World::new().await;
    let made = world.credential("acme", ALL).await;
    let token = world.token(&made, Some("read")).await;
    assert_eq!(token.expires_in, TOKEN_LIFETIME);
    let parts = Compact::split(&token.token).expect("three parts");
    let header = json(parts.header);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&"at+jwt".into(), &"EdDSA".into())
    );
    let keys = world.auth.jwks();
    assert_eq!(keys["keys"][1]["kid"], header["kid"]);
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(3));
    let claims = json(parts.claims);
    let key_id = made.credential.key_id.to_string();
    for (claim, said) in [
        ("iss", "feedwire"),
        ("aud", "feedwire"),
        ("sub", &key_id),
        ("client_id", &key_id),
        ("scope", "read"),
    ] {
        assert_eq!(claims[claim], said, "{claim}");
    }
    let seconds = |claim: &str| claims[claim].as_i64().expect("a number");
    assert_eq!(seconds("exp") - seconds("iat"), 3_600);
    let other = world.token(&made, Some("read")).await;
    let other = Compact::split(&other.token).expect("three parts");
    assert_ne!(json(other.claims)["jti"], claims["jti"]);
}

#[tokio::test]
async fn a_scope_narrows_what_the_credential_may_do_in_each_project() {
    let world = World::new().await;
    let made = world.credential("acme", ALL).await;
    let rights = async |scope: Option<&str>, at: &str| {
        let token = world.token(&made, scope).await;
        let who = world.bearer(&token.token).expect("it is valid");
        let grant = who.grant(&project(at));
        assert_eq!(grant.is_some(), who.sees(&project(at)));
        grant.map(|grant| grant.rights())
    };
    let read: Rights = [Right::Read].into_iter().collect();
    let publish: Rights = [Right::Publish].into_iter().collect();
    assert_eq!(rights(Some("read"), "acme").await, Some(read));
    assert_eq!(rights(Some("read"), "acme.eu").await, Some(read));
    assert_eq!(rights(Some("publish"), "acme").await, Some(publish));
    assert_eq!(rights(Some("publish"), "acme.eu").await, None);
    let admin: Rights = [Right::Admin].into_iter().collect();
    for whole in [None, Some(""), Some("admin"), Some("admin read")] {
        assert_eq!(rights(whole, "acme").await, Some(admin), "{whole:?}");
        assert_eq!(rights(whole, "acme.eu").await, Some(read), "{whole:?}");
    }
}

#[tokio::test]
async fn the_answer_says_the_scope_that_the_token_has() {
    let world = World::new().await;
    let made = world
        .credential("acme", &[("acme", &[Right::Read, Right::Streams])])
        .await;
    let scope = async |asked: Option<&str>| {
        let token = world.exchange(&made, asked).await;
        token.map(|token| token.scope_text())
    };
    assert_eq!(scope(None).await.ok().as_deref(), Some("read streams"));
    assert_eq!(
        scope(Some("streams")).await.ok().as_deref(),
        Some("streams")
    );
    let partly = scope(Some("publish  read")).await;
    assert_eq!(partly.ok().as_deref(), Some("read"));
    let long = "read ".repeat(SCOPE_BYTES_MAX);
    for refused in ["publish", "nothing", "read,streams", "READ", " ", &long] {
        let error = scope(Some(refused)).await.expect_err(refused);
        assert_eq!(code(&error), "invalid_scope", "{refused}");
    }
}

#[tokio::test]
async fn a_scope_without_admin_administers_and_gives_nothing() {
    let world = World::new().await;
    let made = world.credential("_system", &[("*", &[Right::Admin])]).await;
    let grants = [super::world::grant("acme", &[Right::Read])];
    for (scope, may) in [(None, true), (Some("admin"), true), (Some("read"), false)] {
        let token = world.token(&made, scope).await;
        let who = world.bearer(&token.token).expect("it is valid");
        assert_eq!(who.is_server_admin(), may, "{scope:?}");
        assert_eq!(who.may_give(&grants).is_ok(), may, "{scope:?}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_told_by_its_code() {
    let world = World::new().await;
    let made = world.credential("acme", ALL).await;
    let key_id = made.credential.key_id;
    let client = |secret| Client {
        key_id: key_id.as_str(),
        secret,
    };
    let good = Some(client(made.secret.as_str()));
    let bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    for (grant_type, client, wanted) in [
        ("", good, "invalid_request"),
        ("client_credentials", None, "invalid_request"),
        ("client_credentials", Some(client("x")), "invalid_client"),
        ("password", good, "unsupported_grant_type"),
        ("Client_Credentials", good, "unsupported_grant_type"),
        (bearer, None, "invalid_request"),
    ] {
        let request = TokenRequest {
            grant_type,
            client,
            ..TokenRequest::default()
        };
        let error = world.auth.exchange(request).await.expect_err(grant_type);
        assert_eq!(code(&error), wanted, "{grant_type}");
    }
}

#[tokio::test]
async fn a_token_ends_with_the_secret_that_it_was_got_by() {
    let world = World::new().await;
    let made = world.credential("acme", ALL).await;
    let (home, key_id) = (project("acme"), made.credential.key_id);
    let early = world.token(&made, None).await;
    let overlap = Duration::from_mins(10);
    let rotated = world.auth.rotate(&home, key_id, overlap, None).await;
    let rotated = rotated.expect("it is there");
    let (by_older, by_newer) = (
        world.token(&made, None).await,
        world.token(&rotated, None).await,
    );
    assert_eq!(by_older.expires_in, overlap);
    assert_eq!(by_newer.expires_in, TOKEN_LIFETIME);
    world.clock.advance(overlap);
    assert!(world.bearer(&early.token).is_err());
    assert!(world.bearer(&by_older.token).is_err());
    assert!(world.bearer(&by_newer.token).is_ok());
    let error = world.exchange(&made, None).await.expect_err("it is over");
    assert_eq!(code(&error), "invalid_client");
}
