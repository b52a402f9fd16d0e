//! Signatures as Standard Webhooks 1.0.0 has them: made, and verified where somebody listens.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::secret::SigningSecret;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// The scheme of signatures by a shared secret.
const SCHEME: &str = "v1,";

/// How far the clocks of sender and receiver may be apart, and how long a request may be on its way.
pub const TOLERANCE: Duration = Duration::from_mins(5);

/// An id cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of a webhook is of visible ASCII characters, and none of them is a full stop")]
pub struct BadId;

/// Why a request is not taken for one of whoever has the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// A header is missing, or cannot be read.
    #[error("the request has no signature that could be read")]
    Unsigned,
    /// It was signed too long ago, or in the future.
    #[error("the request was signed too long ago, or the clocks differ")]
    Untimely,
    /// It was signed with another secret, or changed.
    #[error("the request was signed with another secret, or was changed")]
    Forged,
}

/// The headers that prove who sends `body`, signed with each of `secrets`. The time is that of the attempt.
///
/// The id is refused if it could be taken for id and time, which a full stop parts in what is signed.
pub fn standard_webhooks(
    id: &str,
    timestamp_seconds: i64,
    body: &[u8],
    secrets: &[&SigningSecret],
) -> Result<HeaderMap, BadId> {
    let is_of_id = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    if id.is_empty() || !id.bytes().all(is_of_id) {
        return Err(BadId);
    }
    let timestamp = timestamp_seconds.to_string();
    let signatures: Vec<_> = secrets
        .iter()
        .map(|secret| {
            let tag = tag(secret, id, &timestamp, body);
            format!("{SCHEME}{}", STANDARD.encode(tag))
        })
        .collect();
    let value = |text: &str| HeaderValue::from_str(text).expect("visible ASCII is a value");
    Ok(HeaderMap::from_iter([
        (ID, value(id)),
        (TIMESTAMP, value(&timestamp)),
        (SIGNATURE, value(&signatures.join(" "))),
    ]))
}

/// Whether whoever has one of `secrets` sent `body` with `headers`, at most `tolerance` from now.
pub fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[&SigningSecret],
    now_seconds: i64,
    tolerance: Duration,
) -> Result<(), Unverified> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let parts = (text(ID), text(TIMESTAMP), text(SIGNATURE));
    let (Some(id), Some(timestamp), Some(signatures)) = parts else {
        return Err(Unverified::Unsigned);
    };
    let Ok(signed_at) = timestamp.parse::<i64>() else {
        return Err(Unverified::Unsigned);
    };
    if now_seconds.abs_diff(signed_at) > tolerance.as_secs() {
        return Err(Unverified::Untimely);
    }
    let signed = content(id, timestamp, body);
    let genuine = signatures
        .split(' ')
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix(SCHEME)?).ok())
        .any(|tag| {
            let mut secrets = secrets.iter();
            // In constant time.
            secrets.any(|secret| hmac::verify(&secret.key(), &signed, &tag).is_ok())
        });
    if genuine {
        Ok(())
    } else {
        Err(Unverified::Forged)
    }
}

fn tag(secret: &SigningSecret, id: &str, timestamp: &str, body: &[u8]) -> hmac::Tag {
    hmac::sign(&secret.key(), &content(id, timestamp, body))
}

/// What is signed.
fn content(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    let mut content = Vec::with_capacity(id.len() + timestamp.len() + body.len() + 2);
    for part in [id, timestamp] {
        content.extend_from_slice(part.as_bytes());
        content.push(b'.');
    }
    content.extend_from_slice(body);
    content
}
