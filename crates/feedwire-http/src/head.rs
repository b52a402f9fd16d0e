//! What the head of every request has to be, whatever it asks for.

use feedwire_dialects::Refusal;
use http::header::{
    AUTHORIZATION, AsHeaderName, CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use crate::edge::Edge;

/// The header in which an `EventSource` says how far it came.
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The header in which a publisher names a request, so that a repetition of it is known.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The headers that are meant once, as refusals name them.
const ONCE: [(HeaderName, &str); 5] = [
    (AUTHORIZATION, "Authorization"),
    (CONTENT_ENCODING, "Content-Encoding"),
    (CONTENT_TYPE, "Content-Type"),
    (IDEMPOTENCY_KEY, "Idempotency-Key"),
    (LAST_EVENT_ID, "Last-Event-ID"),
];

/// Whether a request with this head may be routed.
pub(crate) fn check(head: &Parts, edge: &Edge) -> Result<(), Refusal> {
    let (uri, headers, limits) = (&head.uri, &head.headers, edge.limits());
    let uri_bytes = uri.path_and_query().map_or(0, |path| path.as_str().len());
    if uri_bytes > limits.uri_bytes_max {
        return Err(Refusal::UriTooLong(limits.uri_bytes_max));
    }
    let bytes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len());
    if bytes.sum::<usize>() > limits.headers_bytes_max {
        return Err(Refusal::HeadersTooLarge(limits.headers_bytes_max));
    }
    edge.hosts().check(head.version, uri, headers)?;
    if !is_escaped(uri.path()) {
        return Err(Refusal::PathEscape);
    }
    let is_twice = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if let Some((_, name)) = ONCE.iter().find(|(name, _)| is_twice(name)) {
        return Err(Refusal::HeaderTwice(name));
    }
    if !is_chunked_at_most(headers) {
        return Err(Refusal::TransferEncoding);
    }
    Ok(())
}

/// The header `name` as text; one that is not ASCII is a text that nothing is written as.
pub(crate) fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let value = headers.get(name);
    value.map(|value| value.to_str().unwrap_or("\u{fffd}"))
}

/// Whether each percent sign stands before two digits. The router takes one that does not for itself.
fn is_escaped(path: &str) -> bool {
    path.split('%').skip(1).all(|behind| {
        let digits = behind.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether the body, if any, is sent in chunks and nothing else. What was packed beside that would be taken for the body itself.
fn is_chunked_at_most(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = encodings
        .next()
        .is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"chunked"));
    is_chunked && encodings.next().is_none()
}
