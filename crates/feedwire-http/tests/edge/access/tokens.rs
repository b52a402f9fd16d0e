//! Access tokens: asked for, used, expired.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use feedwire_auth::Created;
use feedwire_testkit::{Answer, TestServer};
use serde_json::{Value, json};

use super::bearer;

const FEEDS: &str = "/v1/projects/default/feeds";
const FORM: &str = "content-type: application/x-www-form-urlencoded";
const JSON: &str = "content-type: application/json";

async fn exchange(server: &TestServer, headers: &[&str], body: &str) -> Answer {
    let answer = server
        .ask("POST", "/oauth2/token", headers, body.as_bytes())
        .await;
    assert_eq!(
        answer.header("cache-control"),
        Some("no-store, no-cache, must-revalidate"),
        "{answer:?}"
    );
    answer
}

/// A JWT over `claims` with the HS256 signature of `secret`.
fn assertion(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let signature = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a client that signs assertions sends.
fn claims(made: &Created, server: &TestServer) -> Value {
    let now = feedwire_core::Clock::now(&*server.clock).as_micros() / 1_000_000;
    json!({
        "iat": now,
        "exp": now + 3_600,
        "iss": made.credential.email,
        "aud": "https://identity.example.com/oauth2/token",
    })
}

fn jwt_form(assertion: &str) -> String {
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    format!("assertion={assertion}&grant_type={grant}")
}

#[tokio::test]
async fn client_credentials_come_as_a_form_as_json_and_by_basic() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read,publish", "")])
        .await;
    let (key_id, secret) = (made.credential.key_id.to_string(), made.secret.as_str());
    let basic = format!(
        "authorization: Basic {}",
        STANDARD.encode(format!("{key_id}:{secret}"))
    );
    let form = format!("grant_type=client_credentials&client_id={key_id}&client_secret={secret}");
    let object =
        json!({ "grant_type": "client_credentials", "client_id": key_id, "client_secret": secret });
    let answers = [
        exchange(&server, &[FORM], &form).await,
        exchange(&server, &[JSON], &object.to_string()).await,
        exchange(&server, &[FORM, &basic], "grant_type=client_credentials").await,
    ];
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let told = answer.json();
        assert_eq!(
            (&told["token_type"], &told["expires_in"]),
            (&json!("Bearer"), &json!(3_600))
        );
        assert_eq!(told["scope"], "publish read");
        let token = told["access_token"].as_str().expect("a token");
        let read = server.ask("GET", FEEDS, &[&bearer(token)], b"").await;
        assert_eq!(read.status, 200, "{}", read.text());
    }
    let both = exchange(&server, &[FORM, &basic], &form).await;
    assert_eq!(
        (both.status, both.json()["error"].clone()),
        (400, json!("invalid_request"))
    );
}

#[tokio::test]
async fn a_scope_narrows_what_a_token_may_do() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read,publish", "")])
        .await;
    let basic = format!("{}:{}", made.credential.key_id, made.secret.as_str());
    let basic = format!("authorization: Basic {}", STANDARD.encode(basic));
    let asked = |scope: &str| format!("grant_type=client_credentials&scope={scope}");
    let answer = exchange(&server, &[FORM, &basic], &asked("read")).await;
    assert_eq!(answer.json()["scope"], "read");
    let token = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let event = br#"{"type":"a"}"#;
    let publish = format!("{FEEDS}/f/events");
    let answer = server
        .ask("POST", &publish, &[&bearer(&token), JSON], event)
        .await;
    assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    let all = exchange(&server, &[FORM, &basic], &asked("admin")).await;
    assert_eq!(
        all.json()["scope"],
        "publish read",
        "what it has of everything"
    );
    for scope in ["write", "streams"] {
        let answer = exchange(&server, &[FORM, &basic], &asked(scope)).await;
        assert_eq!(
            (answer.status, answer.json()["error"].clone()),
            (400, json!("invalid_scope")),
            "{scope}"
        );
    }
}

#[tokio::test]
async fn an_assertion_is_exchanged_whatever_server_it_names_and_as_often_as_it_comes() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": made.credential.key_id.to_string() });
    let mut claims = claims(&made, &server);
    for aud in [
        json!("https://identity.disruptive-technologies.com/oauth2/token"),
        json!(["http://127.0.0.1:7373/oauth2/token"]),
    ] {
        claims["aud"] = aud;
        let signed = assertion(&header, &claims, made.secret.as_str());
        for _ in 0..2 {
            let answer = exchange(&server, &[FORM], &jwt_form(&signed)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let token = answer.json()["access_token"]
                .as_str()
                .expect("a token")
                .to_owned();
            assert_eq!(
                server
                    .ask("GET", FEEDS, &[&bearer(&token)], b"")
                    .await
                    .status,
                200
            );
        }
    }
    // With a name of its own it is good once.
    claims["jti"] = json!("one");
    let signed = assertion(&header, &claims, made.secret.as_str());
    assert_eq!(
        exchange(&server, &[FORM], &jwt_form(&signed)).await.status,
        200
    );
    let again = exchange(&server, &[FORM], &jwt_form(&signed)).await;
    assert_eq!(
        (again.status, again.json()["error"].clone()),
        (400, json!("invalid_grant"))
    );
}

#[tokio::test]
async fn assertions_of_others_and_of_other_kinds_are_refused() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let other = server
        .credential("default", &[("default", "read", "")])
        .await;
    let secret = made.secret.as_str();
    let header = |alg: &str| json!({ "alg": alg, "kid": made.credential.key_id.to_string() });
    let with = |name: &str, value: Value| {
        let mut claims = claims(&made, &server);
        claims[name] = value;
        claims
    };
    let now = claims(&made, &server)["iat"].as_i64().expect("a time");
    let plain = claims(&made, &server);
    for (signed, what) in [
        (
            assertion(&header("HS256"), &plain, other.secret.as_str()),
            "another's secret",
        ),
        (assertion(&header("none"), &plain, secret), "no algorithm"),
        (
            assertion(&header("HS512"), &plain, secret),
            "another algorithm",
        ),
        (
            assertion(&header("EdDSA"), &plain, secret),
            "a public key's",
        ),
        (
            assertion(&json!({ "alg": "HS256" }), &plain, secret),
            "no kid",
        ),
        (
            assertion(&header("HS256"), &with("iss", json!("x@y.z")), secret),
            "another issuer",
        ),
        (
            assertion(&header("HS256"), &with("aud", json!("https://x/")), secret),
            "another audience",
        ),
        (
            assertion(&header("HS256"), &with("exp", json!(now - 61)), secret),
            "over",
        ),
        (
            assertion(&header("HS256"), &with("iat", json!(now + 61)), secret),
            "still to come",
        ),
        ("a.b.c".to_owned(), "nothing"),
        (String::new(), "empty"),
    ] {
        let answer = exchange(&server, &[FORM], &jwt_form(&signed)).await;
        assert!(
            matches!(answer.status, 400 | 401),
            "{what}: {}",
            answer.text()
        );
        assert!(answer.json()["error"].is_string(), "{what}");
    }
    // Clocks may be a minute apart.
    for (name, seconds) in [("exp", -59), ("iat", 59)] {
        let signed = assertion(&header("HS256"), &with(name, json!(now + seconds)), secret);
        let answer = exchange(&server, &[FORM], &jwt_form(&signed)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
}

#[tokio::test]
async fn what_is_no_request_for_a_token_is_told_in_the_words_of_oauth() {
    let server = TestServer::guarded().await;
    let check = async |headers: &[&str], body: &str, status: u16, error: &str| {
        let answer = exchange(&server, headers, body).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (status, &json!(error)),
            "{body}"
        );
    };
    check(&[FORM], "", 400, "invalid_request").await;
    check(
        &[FORM],
        "grant_type=password",
        400,
        "unsupported_grant_type",
    )
    .await;
    check(
        &[FORM],
        "grant_type=client_credentials",
        400,
        "invalid_request",
    )
    .await;
    check(&[FORM], "grant_type=a&grant_type=b", 400, "invalid_request").await;
    check(&[JSON], "[]", 400, "invalid_request").await;
    check(&["content-type: text/xml"], "<a/>", 400, "invalid_request").await;
    let nobody = "grant_type=client_credentials&client_id=aaaaaaaaaaaaaaaaaaaa&client_secret=x";
    check(&[FORM], nobody, 401, "invalid_client").await;
    check(
        &[FORM, "authorization: Bearer x"],
        nobody,
        401,
        "invalid_client",
    )
    .await;
    let answer = exchange(&server, &[FORM], nobody).await;
    assert_eq!(
        answer.header("www-authenticate"),
        Some(r#"Basic realm="feedwire""#)
    );
}

#[tokio::test]
async fn a_token_is_good_for_an_hour_and_then_told_so() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        made.credential.key_id,
        made.secret.as_str()
    );
    let answer = exchange(&server, &[FORM], &form).await;
    let token = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    server.clock.advance(Duration::from_secs(3_598));
    assert_eq!(
        server
            .ask("GET", FEEDS, &[&bearer(&token)], b"")
            .await
            .status,
        200
    );
    server.clock.advance(Duration::from_secs(3));
    let late = server.ask("GET", FEEDS, &[&bearer(&token)], b"").await;
    assert_eq!(late.problem(), (401, "token-expired".to_owned()));
    let challenge = r#"Bearer realm="feedwire", error="invalid_token""#;
    assert_eq!(late.header("www-authenticate"), Some(challenge));
}

#[tokio::test]
async fn the_endpoint_describes_itself_and_tells_its_keys() {
    let server = TestServer::guarded().await;
    let path = "/.well-known/oauth-authorization-server";
    let told = server.ask("GET", path, &[], b"").await.json();
    let token_endpoint = told["token_endpoint"].as_str().expect("an address");
    assert!(
        token_endpoint.ends_with("/oauth2/token"),
        "{token_endpoint}"
    );
    assert!(token_endpoint.starts_with("http://"), "{token_endpoint}");
    let keys = server
        .ask("GET", "/.well-known/jwks.json", &[], b"")
        .await
        .json();
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(3));
    assert!(keys["keys"][0].get("d").is_none(), "a private key");
}

#[tokio::test]
async fn an_open_server_gives_a_token_to_everybody() {
    let server = TestServer::start().await;
    let answer = exchange(&server, &[FORM], "grant_type=client_credentials").await;
    let token = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(
        server
            .ask("GET", FEEDS, &[&bearer(&token)], b"")
            .await
            .status,
        200
    );
}
