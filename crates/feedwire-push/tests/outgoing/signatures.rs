//! Signatures, made and verified.

use std::time::Duration;

use feedwire_push::{
    BadId, BadSecret, SigningSecret, TOLERANCE, Unverified, dt_signature, standard_webhooks,
    verify, verify_dt_signature,
};
use http::HeaderMap;

/// The example that the specification's own libraries are tested with.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const SECONDS: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
/// By Python's `hmac`.
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn secret(text: &str) -> SigningSecret {
    text.parse().expect("a secret")
}

fn signed(secrets: &[&SigningSecret]) -> HeaderMap {
    standard_webhooks(ID, SECONDS, BODY, secrets).expect("an id")
}

#[test]
fn the_example_of_standard_webhooks_comes_out() {
    let headers = signed(&[&secret(SECRET)]);
    assert_eq!(headers["webhook-id"], ID);
    assert_eq!(headers["webhook-timestamp"], "1614265330");
    assert_eq!(headers["webhook-signature"], SIGNATURE);
    assert_eq!(headers.len(), 3);
}

#[test]
fn while_secrets_are_changed_each_of_them_verifies() {
    let (old, new) = (secret(SECRET), SigningSecret::generate());
    let headers = signed(&[&old, &new]);
    let signatures = headers["webhook-signature"].to_str().expect("ASCII");
    assert!(
        signatures.starts_with(&format!("{SIGNATURE} v1,")),
        "{signatures}"
    );
    for secrets in [&[&old][..], &[&new], &[&new, &old]] {
        assert_eq!(verify(&headers, BODY, secrets, SECONDS, TOLERANCE), Ok(()));
    }
    let stranger = SigningSecret::generate();
    let verified = verify(&headers, BODY, &[&stranger], SECONDS, TOLERANCE);
    assert_eq!(verified, Err(Unverified::Forged));
    assert_eq!(
        verify(&headers, BODY, &[], SECONDS, TOLERANCE),
        Err(Unverified::Forged)
    );
}

#[test]
fn what_was_changed_is_forged_and_what_is_old_untimely() {
    let secret = secret(SECRET);
    let check =
        |headers: &HeaderMap, body: &[u8], now| verify(headers, body, &[&secret], now, TOLERANCE);
    let headers = signed(&[&secret]);
    assert_eq!(check(&headers, b"{}", SECONDS), Err(Unverified::Forged));
    for (now, verified) in [
        (SECONDS + 300, Ok(())),
        (SECONDS - 300, Ok(())),
        (SECONDS + 301, Err(Unverified::Untimely)),
        (SECONDS - 301, Err(Unverified::Untimely)),
        (i64::MIN, Err(Unverified::Untimely)),
    ] {
        assert_eq!(check(&headers, BODY, now), verified, "{now}");
    }
    let at_once = verify(&headers, BODY, &[&secret], SECONDS + 1, Duration::ZERO);
    assert_eq!(at_once, Err(Unverified::Untimely));
    for (name, value, why) in [
        ("webhook-id", "msg_other", Unverified::Forged),
        ("webhook-timestamp", "1614265331", Unverified::Forged),
        ("webhook-timestamp", "+1614265330", Unverified::Forged),
        ("webhook-timestamp", "now", Unverified::Unsigned),
        ("webhook-signature", "", Unverified::Forged),
        ("webhook-signature", "v1,", Unverified::Forged),
        (
            "webhook-signature",
            "v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            Unverified::Forged,
        ),
        (
            "webhook-signature",
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            Unverified::Forged,
        ),
    ] {
        let mut changed = headers.clone();
        changed.insert(name, value.parse().expect("a value"));
        assert_eq!(check(&changed, BODY, SECONDS), Err(why), "{name}: {value}");
    }
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut short = headers.clone();
        short.remove(name);
        assert_eq!(
            check(&short, BODY, SECONDS),
            Err(Unverified::Unsigned),
            "{name}"
        );
    }
    // Of a sender that has schemes that are not ours beside it.
    let mut more = headers;
    let signatures = format!("v1a,AAAA {SIGNATURE}");
    more.insert("webhook-signature", signatures.parse().expect("a value"));
    assert_eq!(check(&more, BODY, SECONDS), Ok(()));
}

/// A signed id that has a full stop could be shown again as another id and time, with another body.
#[test]
fn an_id_that_could_be_read_in_two_ways_is_not_signed() {
    let secret = secret(SECRET);
    for id in ["", "a.1614265330", "a b", "a\r\nb", "\u{e9}"] {
        let refused = standard_webhooks(id, SECONDS, BODY, &[&secret]);
        assert_eq!(refused.expect_err("no id"), BadId, "{id:?}");
    }
}

#[test]
fn a_secret_is_read_as_it_is_written_and_shown_to_nobody() {
    assert_eq!(secret(SECRET).reveal().as_str(), SECRET);
    let generated = SigningSecret::generate();
    let text = generated.reveal();
    assert_eq!(text.len(), "whsec_".len() + 44);
    assert_eq!(*secret(&text).reveal(), *text);
    assert_ne!(*SigningSecret::generate().reveal(), *text);
    assert_eq!(format!("{generated:?}"), "SigningSecret { .. }");
    // 24 and 64 bytes are the fewest and the most.
    for (base64, is_secret) in [
        ("A".repeat(32), true),
        (format!("{}=", "A".repeat(31)), false),
        (format!("{}==", "A".repeat(86)), true),
        (format!("{}A=", "A".repeat(86)), false),
        ("A".repeat(88), false),
        ("A".repeat(1_000_000), false),
        (String::new(), false),
        (format!("{}-", "A".repeat(31)), false),
        (format!("{} ", "A".repeat(32)), false),
        ("A".repeat(33), false),
    ] {
        let read = format!("whsec_{base64}").parse::<SigningSecret>();
        assert_eq!(read.is_ok(), is_secret, "{} characters", base64.len());
    }
    for text in [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ] {
        assert_eq!(
            text.parse::<SigningSecret>().err(),
            Some(BadSecret),
            "{text}"
        );
    }
}

const DT_SECRET: &[u8] = b"a secret";
const DT_BODY: &[u8] = br#"{"event":{}}"#;
/// By Python's `hmac`, `hashlib` and `json`.
const DT_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjaGVja3N1bSI6IjU5ZWZkZGI3MWM5MzVjYmJkY2MwMzVhYTEwNGIwYTU5NDQyNDk1NjAiLCJjaGVja3N1bV9zaGEyNTYiOiIxZmFjZTc5NWFhNzJkYTdjMjk1M2RlMjYwN2NkYWYzMTRjMGVjMjZkMzZjZWQxNTQyMmM3YTc1ODJiODVjYjJhIiwiaWF0IjoxNjE0MjY1MzMwLCJleHAiOjE2MTQyNjg5MzAsImp0aSI6ImMxIn0.SCTqniFnp9eUMxdGWVGPIh6AEGyeleDno8S4GtLvRhM";

#[test]
fn a_data_connectors_token_has_checksums_of_the_body() {
    assert_eq!(dt_signature(DT_SECRET, DT_BODY, SECONDS, "c1"), DT_TOKEN);
}

#[test]
fn a_data_connectors_token_is_verified_as_receivers_do() {
    let check = |secret: &[u8], body: &[u8], token: &str, now| {
        verify_dt_signature(secret, body, token, now)
    };
    for (now, verified) in [
        (SECONDS, Ok(())),
        (SECONDS + 3_599, Ok(())),
        (SECONDS + 3_600, Err(Unverified::Untimely)),
        (SECONDS - 1, Err(Unverified::Untimely)),
    ] {
        assert_eq!(check(DT_SECRET, DT_BODY, DT_TOKEN, now), verified, "{now}");
    }
    assert_eq!(
        check(b"another", DT_BODY, DT_TOKEN, SECONDS),
        Err(Unverified::Forged)
    );
    assert_eq!(
        check(DT_SECRET, b"{}", DT_TOKEN, SECONDS),
        Err(Unverified::Forged)
    );
    let (_, signed) = DT_TOKEN.split_once('.').expect("parts");
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{signed}");
    for token in ["", "a.b", "a.b.c", &unsigned, &DT_TOKEN[1..]] {
        assert_eq!(
            check(DT_SECRET, DT_BODY, token, SECONDS),
            Err(Unverified::Unsigned),
            "{token}"
        );
    }
}
