//! The signature of Disruptive Technologies' Data Connectors: a JWT with checksums of the body, in the header `X-Dt-Signature`.

use std::fmt::Write as _;

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::sign::Unverified;

/// How long a token is good.
const SECONDS: i64 = 3_600;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

#[derive(Debug, Serialize, Deserialize)]
struct Claims<'a> {
    /// Old receivers look at this one.
    checksum: String,
    checksum_sha256: String,
    iat: i64,
    exp: i64,
    jti: &'a str,
}

/// The token that proves that whoever has `secret` sent `body`. `now_seconds` is not rounded up: receivers refuse what was signed
/// in the future.
pub fn dt_signature(secret: &[u8], body: &[u8], now_seconds: i64, jti: &str) -> String {
    let claims = Claims {
        checksum: checksum(&SHA1_FOR_LEGACY_USE_ONLY, body),
        checksum_sha256: checksum(&SHA256, body),
        iat: now_seconds,
        exp: now_seconds.saturating_add(SECONDS),
        jti,
    };
    let claims = serde_json::to_vec(&claims).expect("numbers and texts are JSON");
    let mut token = URL_SAFE_NO_PAD.encode(HEADER);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut token);
    let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, secret), token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(tag, &mut token);
    token
}

/// Whether `token` proves that whoever has `secret` sent `body`, as receivers do it.
pub fn verify_dt_signature(
    secret: &[u8],
    body: &[u8],
    token: &str,
    now_seconds: i64,
) -> Result<(), Unverified> {
    let (signed, tag) = token.rsplit_once('.').ok_or(Unverified::Unsigned)?;
    let (header, claims) = signed.split_once('.').ok_or(Unverified::Unsigned)?;
    let decode = |part| URL_SAFE_NO_PAD.decode(part).ok();
    let parts = (decode(header), decode(claims), decode(tag));
    let (Some(header), Some(claims), Some(tag)) = parts else {
        return Err(Unverified::Unsigned);
    };
    if header != HEADER.as_bytes() {
        return Err(Unverified::Unsigned);
    }
    let key = hmac::Key::new(HMAC_SHA256, secret);
    if hmac::verify(&key, signed.as_bytes(), &tag).is_err() {
        return Err(Unverified::Forged);
    }
    let Ok(claims) = serde_json::from_slice::<Claims<'_>>(&claims) else {
        return Err(Unverified::Unsigned);
    };
    if !(claims.iat..claims.exp).contains(&now_seconds) {
        return Err(Unverified::Untimely);
    }
    if claims.checksum_sha256 != checksum(&SHA256, body) {
        return Err(Unverified::Forged);
    }
    Ok(())
}

fn checksum(algorithm: &'static Algorithm, body: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest(algorithm, body).as_ref() {
        write!(text, "{byte:02x}").expect("a text takes all");
    }
    text
}
