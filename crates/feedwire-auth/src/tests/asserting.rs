//! Access tokens by assertions that clients sign.

use std::time::Duration;

use aws_lc_rs::hmac;
use feedwire_core::{Clock, Right};
use serde_json::{Value, json};

use super::world::{World, Writing, new, project};
use crate::jwt::encode;
use crate::limits::{ASSERTION_BYTES_MAX, KEEP_INTERVAL};
use crate::{
    AccessToken, AssertionFault, Client, Created, CredentialChange, KeyId, TokenError, TokenRequest,
};

const READ: &[(&str, &[Right])] = &[("acme", &[Right::Read])];

struct Asserting {
    world: World,
    made: Created,
}

impl Asserting {
    async fn new() -> Self {
        let world = World::new().await;
        let made = world.credential("acme", READ).await;
        Self { world, made }
    }

    fn now(&self) -> i64 {
        self.world.clock.now().as_micros() / 1_000_000
    }

    fn header(&self) -> Value {
        json!({"alg": "HS256", "kid": self.made.credential.key_id.as_str()})
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.made.credential.email,
            "aud": "https://identity.example/oauth2/token",
            "iat": self.now(),
            "exp": self.now() + 3_600,
        })
    }

    /// The claims with some of them put in other ones' place; null takes one away.
    fn claims_with(&self, other: &Value) -> Value {
        let mut claims = self.claims();
        let all = claims.as_object_mut().expect("an object");
        for (name, value) in other.as_object().expect("an object") {
            all.insert(name.clone(), value.clone());
        }
        all.retain(|_, value| !value.is_null());
        claims
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        sign(
            &header.to_string(),
            &claims.to_string(),
            self.made.secret.as_str(),
        )
    }

    async fn send(&self, assertion: &str) -> Result<AccessToken, TokenError> {
        self.send_by(assertion, None).await
    }

    async fn send_by(
        &self,
        assertion: &str,
        client: Option<&Created>,
    ) -> Result<AccessToken, TokenError> {
        let request = TokenRequest {
            grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
            assertion: Some(assertion),
            client: client.map(|client| Client {
                key_id: client.credential.key_id.as_str(),
                secret: client.secret.as_str(),
            }),
            scope: None,
        };
        self.world.auth.exchange(request).await
    }

    /// What is wrong with good claims that have `other` in them.
    async fn fault(&self, other: &Value) -> Option<AssertionFault> {
        let claims = self.claims_with(other);
        fault(self.send(&self.signed(&self.header(), &claims)).await)
    }
}

fn sign(header: &str, claims: &str, secret: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("{signed}.{}", encode(hmac::sign(&key, signed.as_bytes())))
}

fn fault(answer: Result<AccessToken, TokenError>) -> Option<AssertionFault> {
    match answer {
        Ok(_) => None,
        Err(TokenError::InvalidGrant(fault)) => Some(fault),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_assertion_gets_a_token_as_often_as_it_comes_without_a_jti() {
    let asserting = Asserting::new().await;
    let assertion = asserting.signed(&asserting.header(), &asserting.claims());
    for _ in 0..2 {
        let token = asserting.send(&assertion).await.expect("it is good");
        let who = asserting.world.bearer(&token.token).expect("it is new");
        assert_eq!(who.key_id(), asserting.made.credential.key_id);
    }
}

#[tokio::test]
async fn an_audience_is_checked_loosely() {
    let asserting = Asserting::new().await;
    for audience in [
        json!("https://other.example/oauth2/token"),
        json!("http://127.0.0.1:7171/oauth2/token"),
        json!("/oauth2/token"),
        json!(["https://a.example", "https://a.example/oauth2/token"]),
    ] {
        assert_eq!(asserting.fault(&json!({"aud": audience})).await, None);
    }
    for audience in [
        json!("https://other.example/token"),
        json!("https://other.example/oauth2/token/"),
        json!(""),
        json!([]),
        json!(["https://a.example"]),
    ] {
        let fault = asserting.fault(&json!({"aud": audience})).await;
        assert_eq!(fault, Some(AssertionFault::Audience), "{audience}");
    }
}

#[tokio::test]
async fn only_hs256_by_the_secret_is_a_signature() {
    let asserting = Asserting::new().await;
    let claims = asserting.claims();
    let secret = asserting.made.secret.as_str();
    let unproven = async |assertion: &str| {
        let answer = asserting.send(assertion).await;
        assert_eq!(fault(answer), Some(AssertionFault::Unproven), "{assertion}");
    };
    for algorithm in [
        "none", "None", "hs256", "HS384", "HS512", "RS256", "EdDSA", "",
    ] {
        let mut header = asserting.header();
        header["alg"] = algorithm.into();
        unproven(&asserting.signed(&header, &claims)).await;
        let unsigned = format!(
            "{}.{}.",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        unproven(&unsigned).await;
    }
    for (member, value) in [
        ("typ", json!("at+jwt")),
        ("crit", json!(["exp"])),
        ("crit", json!(null)),
        ("kid", json!(null)),
        ("kid", json!(KeyId::random().as_str())),
        ("kid", json!("x")),
        ("alg", json!(["HS256"])),
    ] {
        let mut header = asserting.header();
        header[member] = value;
        unproven(&asserting.signed(&header, &claims)).await;
    }
    let key_id = asserting.made.credential.key_id;
    let twice = format!(r#"{{"alg":"none","alg":"HS256","kid":"{key_id}"}}"#);
    unproven(&sign(&twice, &claims.to_string(), secret)).await;
    let (header, claims) = (asserting.header().to_string(), claims.to_string());
    for secret in ["", &secret[1..], key_id.as_str()] {
        unproven(&sign(&header, &claims, secret)).await;
    }
    let other = asserting.world.credential("acme", READ).await;
    unproven(&sign(&header, &claims, other.secret.as_str())).await;
    for text in ["", ".", "..", "a.b.c", &"a".repeat(ASSERTION_BYTES_MAX + 1)] {
        unproven(text).await;
    }
    let good = sign(&header, &claims, secret);
    for at in 0..good.len() {
        unproven(&good[..at]).await;
    }
}

#[tokio::test]
async fn the_type_that_clients_name_is_let_pass() {
    let asserting = Asserting::new().await;
    for typ in ["JWT", "jwt"] {
        let mut header = asserting.header();
        header["typ"] = typ.into();
        header["extra"] = json!({"of": ["no", "interest"]});
        let assertion = asserting.signed(&header, &asserting.claims());
        assert_eq!(fault(asserting.send(&assertion).await), None);
    }
}

#[tokio::test]
async fn a_clock_may_be_a_minute_off_and_no_more() {
    use AssertionFault::{Early, Expired, TooLong};
    let asserting = Asserting::new().await;
    let now = asserting.now();
    let day = 24 * 3_600;
    for (claims, fault) in [
        (json!({"exp": now - 59}), None),
        (json!({"exp": now - 60}), Some(Expired)),
        (json!({"exp": 0}), Some(Expired)),
        (json!({"exp": now + day + 60}), None),
        (json!({"exp": now + day + 61}), Some(TooLong)),
        (json!({"exp": 1e300}), Some(AssertionFault::Claims)),
        (json!({"exp": 9e11}), Some(TooLong)),
        (json!({"iat": now + 60}), None),
        (json!({"iat": now + 61}), Some(Early)),
        (json!({"iat": 0}), None),
        (json!({"nbf": now + 60}), None),
        (json!({"nbf": now + 61}), Some(Early)),
        (json!({"iat": null, "nbf": null}), None),
        (json!({"exp": now - 59, "iat": now - 7_000}), None),
    ] {
        assert_eq!(asserting.fault(&claims).await, fault, "{claims}");
    }
    let fraction = json!({"exp": 1_795_248_000.5 + 3_600.0, "iat": 1_795_248_000.25});
    assert_eq!(asserting.fault(&fraction).await, None);
}

#[tokio::test]
async fn claims_that_are_none_are_refused() {
    let asserting = Asserting::new().await;
    for claims in [
        json!({"exp": null}),
        json!({"exp": "1795248000"}),
        json!({"exp": -1}),
        json!({"aud": null}),
        json!({"aud": 7}),
        json!({"iss": null}),
        json!({"jti": 7}),
        json!({"iat": "now"}),
    ] {
        let fault = asserting.fault(&claims).await;
        assert_eq!(fault, Some(AssertionFault::Claims), "{claims}");
    }
    let header = asserting.header();
    let text = sign(&header.to_string(), "[]", asserting.made.secret.as_str());
    let fault = fault(asserting.send(&text).await);
    assert_eq!(fault, Some(AssertionFault::Claims));
}

#[tokio::test]
async fn the_issuer_is_the_email_as_it_is_now() {
    let asserting = Asserting::new().await;
    let other = json!({"iss": "device@acme.example"});
    let fault = asserting.fault(&other).await;
    assert_eq!(fault, Some(AssertionFault::Issuer));
    let change = CredentialChange {
        email: Some("device@acme.example".to_owned()),
        ..CredentialChange::default()
    };
    let key_id = asserting.made.credential.key_id;
    let auth = &asserting.world.auth;
    let changed = auth.change(&project("acme"), key_id, change, None).await;
    changed.expect("it is there");
    assert_eq!(asserting.fault(&other).await, None);
    let before = asserting.fault(&json!({})).await;
    assert_eq!(before, Some(AssertionFault::Issuer));
}

#[tokio::test]
async fn an_assertion_with_a_jti_is_taken_once_also_over_a_restart() {
    let mut asserting = Asserting::new().await;
    let claims = asserting.claims_with(&json!({"jti": "1"}));
    let assertion = asserting.signed(&asserting.header(), &claims);
    assert_eq!(fault(asserting.send(&assertion).await), None);
    let again = fault(asserting.send(&assertion).await);
    assert_eq!(again, Some(AssertionFault::Used));
    assert_eq!(asserting.fault(&json!({"jti": "2"})).await, None);
    asserting.world = asserting.world.restarted().await;
    let again = fault(asserting.send(&assertion).await);
    assert_eq!(again, Some(AssertionFault::Used));
}

#[tokio::test]
async fn another_credential_may_use_the_same_jti() {
    let mut asserting = Asserting::new().await;
    let jti = json!({"jti": "1"});
    assert_eq!(asserting.fault(&jti).await, None);
    asserting.made = asserting.world.credential("acme", READ).await;
    assert_eq!(asserting.fault(&jti).await, None);
}

#[tokio::test]
async fn used_assertions_are_kept_until_their_time_refuses_them() {
    let asserting = Asserting::new().await;
    let auth = &asserting.world.auth;
    let claims = asserting.claims_with(&json!({"jti": "1", "exp": asserting.now() + 60}));
    let assertion = asserting.signed(&asserting.header(), &claims);
    assert_eq!(fault(asserting.send(&assertion).await), None);
    assert_eq!(asserting.fault(&json!({"jti": "2"})).await, None);
    asserting.world.clock.advance(Duration::from_secs(119));
    auth.sweep().await.expect("the store works");
    assert_eq!(auth.used().count(), 2);
    let again = fault(asserting.send(&assertion).await);
    assert_eq!(again, Some(AssertionFault::Used));
    asserting
        .world
        .clock
        .advance(Duration::from_secs(1) + KEEP_INTERVAL);
    auth.sweep().await.expect("the store works");
    assert_eq!(auth.used().count(), 1);
    let again = fault(asserting.send(&assertion).await);
    assert_eq!(again, Some(AssertionFault::Expired));
}

#[tokio::test]
async fn a_store_that_cannot_remember_gives_no_token() {
    let asserting = Asserting::new().await;
    let claims = asserting.claims_with(&json!({"jti": "1"}));
    let assertion = asserting.signed(&asserting.header(), &claims);
    let store = &asserting.world.store;
    for writing in [Writing::Fails, Writing::HasNoSpace] {
        store.writing(writing);
        let error = asserting.send(&assertion).await.expect_err("not kept");
        assert_eq!(error.code(), None, "{error}");
    }
    store.writing(Writing::Works);
    assert_eq!(fault(asserting.send(&assertion).await), None);
}

#[tokio::test]
async fn both_secrets_of_an_overlap_sign_and_only_a_live_credential_does() {
    let mut asserting = Asserting::new().await;
    let (home, key_id) = (project("acme"), asserting.made.credential.key_id);
    let overlap = Duration::from_mins(10);
    let rotated = asserting
        .world
        .auth
        .rotate(&home, key_id, overlap, None)
        .await;
    let older = std::mem::replace(&mut asserting.made, rotated.expect("it is there"));
    let (header, claims) = (asserting.header(), asserting.claims());
    let by_older = sign(
        &header.to_string(),
        &claims.to_string(),
        older.secret.as_str(),
    );
    let by_newer = asserting.signed(&header, &claims);
    for assertion in [&by_older, &by_newer] {
        assert_eq!(fault(asserting.send(assertion).await), None);
    }
    asserting.world.clock.advance(overlap);
    let ended = fault(asserting.send(&by_older).await);
    assert_eq!(ended, Some(AssertionFault::Unproven));
    assert_eq!(fault(asserting.send(&by_newer).await), None);
    let change = CredentialChange {
        enabled: Some(false),
        ..CredentialChange::default()
    };
    let changed = asserting.world.auth.change(&home, key_id, change, None);
    changed.await.expect("it is there");
    let disabled = fault(asserting.send(&by_newer).await);
    assert_eq!(disabled, Some(AssertionFault::Unproven));
}

#[tokio::test]
async fn a_client_that_shows_itself_sends_its_own_assertion() {
    let asserting = Asserting::new().await;
    let other = asserting.world.auth.create(new("acme", READ)).await;
    let other = other.expect("it is valid");
    let assertion = asserting.signed(&asserting.header(), &asserting.claims());
    let own = asserting.send_by(&assertion, Some(&asserting.made)).await;
    assert_eq!(fault(own), None);
    let error = asserting.send_by(&assertion, Some(&other)).await;
    let error = error.expect_err("it is another's");
    assert_eq!(error.code(), Some("unauthorized_client"));
}
