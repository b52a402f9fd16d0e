//! Answers that are there at once: JSON, problems and a plain "ok".

use std::future::ready;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use feedwire_api::{EVENT_STREAM, PROBLEM_JSON, Problem};
use feedwire_dialects::Refusal;
use feedwire_dialects::native::{answer, error, framing, refusal};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::body::Body;
use crate::conditions::{Conditions, Tag};
use crate::room::Room;
use crate::tally::Kind;

/// What a route answers.
pub(crate) type Answer = Response<Body>;

/// An answer on its way.
pub(crate) type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// `answer`, which nothing has to be waited for.
pub(crate) fn at_once(answer: Answer) -> Pending {
    Box::pin(ready(answer))
}

/// `body` of type `content_type`; what is read of a log is good for this moment only.
fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A page, which keeps its room until all of it is sent.
pub(crate) fn page(content_type: &'static str, bytes: Vec<u8>, room: Room) -> Answer {
    whole(StatusCode::OK, content_type, roomed(bytes, room))
}

/// Bytes that keep their room until the last of them is let go.
pub(crate) fn roomed(bytes: Vec<u8>, room: Room) -> Bytes {
    Bytes::from_owner(Roomed { bytes, _room: room })
}

/// Bytes with the room that they take.
struct Roomed {
    bytes: Vec<u8>,
    _room: Room,
}

impl AsRef<[u8]> for Roomed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// `body` as JSON.
pub(crate) fn json(body: &impl Serialize) -> Answer {
    whole(StatusCode::OK, "application/json", answer::json(body))
}

/// What is JSON already.
pub(crate) fn json_text(text: Vec<u8>) -> Answer {
    whole(StatusCode::OK, "application/json", text)
}

/// `body` as JSON with its tag, as far as the client does not have it.
pub(crate) fn tagged(body: &impl Serialize, conditions: &Conditions) -> Result<Answer, Refusal> {
    let text = answer::json(body);
    let tag = Tag::strong(&text);
    conditions.meet(&tag, whole(StatusCode::OK, "application/json", text))
}

/// The JSON `text` with its tag, as far as the client does not have it.
pub(crate) fn tagged_text(
    text: Vec<u8>,
    tag: &Tag,
    conditions: &Conditions,
) -> Result<Answer, Refusal> {
    conditions.meet(tag, json_text(text))
}

/// `body` as JSON with its tag, which is what was put in another's place.
pub(crate) fn replaced(body: &impl Serialize) -> Answer {
    let mut answer = json(body);
    answer.headers_mut().insert(ETAG, Tag::of(body).header());
    answer
}

/// `answer`, which whoever asked may keep, to ask each time whether it is still so. It is theirs: a cache on the way keeps nothing.
pub(crate) fn kept(answer: Answer) -> Answer {
    cached(answer, "private, no-cache")
}

/// `answer`, the same for everybody, which may be kept anywhere by those who ask each time whether it is still so.
pub(crate) fn kept_by_all(answer: Answer) -> Answer {
    cached(answer, "no-cache")
}

fn cached(mut answer: Answer, how: &'static str) -> Answer {
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(how));
    answer
}

/// That there was nothing to be done.
pub(crate) fn nothing() -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// `body`, about what was made; it is read again at `address`.
pub(crate) fn created(body: &impl Serialize, address: &str) -> Answer {
    let mut answer = accepted(body, address);
    *answer.status_mut() = StatusCode::CREATED;
    answer
}

/// `body`, about what is still to be done; it is read again at `address`.
pub(crate) fn accepted(body: &impl Serialize, address: &str) -> Answer {
    let text = answer::json(body);
    let mut answer = whole(StatusCode::ACCEPTED, "application/json", text);
    let address = HeaderValue::from_str(address).expect("names and ids of ours are visible ASCII");
    answer.headers_mut().insert(LOCATION, address);
    answer
}

/// What is told to scrapers, as the text `content_type` is.
pub(crate) fn metrics(content_type: &'static str, text: String) -> Answer {
    whole(StatusCode::OK, content_type, text)
}

/// A document that is the same for everybody.
pub(crate) fn document(bytes: Bytes) -> Answer {
    whole(StatusCode::OK, "application/json", bytes)
}

/// That all is well.
pub(crate) fn ok() -> Answer {
    whole(StatusCode::OK, "text/plain; charset=utf-8", "ok")
}

/// `problem` as a problem document.
pub(crate) fn problem(problem: &Problem) -> Answer {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = whole(status, PROBLEM_JSON, error::json(problem));
    answer
        .extensions_mut()
        .insert(Kind(problem.kind().to_owned()));
    let headers = answer.headers_mut();
    match status {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = problem.members.get("retry_after");
            headers.insert(
                RETRY_AFTER,
                seconds.and_then(Value::as_u64).unwrap_or(1).into(),
            );
        }
        StatusCode::UNAUTHORIZED => {
            // RFC 6750, 3: what was given is not told apart, only that something was.
            let is_given = problem.kind() != refusal::UNAUTHORIZED;
            let challenge = if is_given {
                r#"Bearer realm="feedwire", error="invalid_token""#
            } else {
                r#"Bearer realm="feedwire""#
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        _ => {}
    }
    answer
}

/// What the native API says of `refusal`, to a request with this `head`.
pub(crate) fn refusal(refusal: Refusal, head: &Parts) -> Answer {
    let problem = refusal::refused(refusal);
    match refusal {
        // Only a reader may be told with a 200: to a publisher that would say that its events are there.
        Refusal::TooMuch { retry_after, .. }
            if head.method == Method::GET && takes_events(&head.headers) =>
        {
            overloaded(&problem, retry_after)
        }
        _ => self::problem(&problem),
    }
}

/// `problem`, which says when to come back, to a reader with this `head`.
pub(crate) fn come_again(problem: &Problem, head: &Parts) -> Answer {
    let retry_after = problem.number("retry_after").unwrap_or(1);
    if takes_events(&head.headers) {
        overloaded(problem, retry_after)
    } else {
        self::problem(problem)
    }
}

/// Whether `headers` ask for Server-Sent Events.
fn takes_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(EVENT_STREAM))
}

/// A stream that says `problem` and when to come back, and ends. An `EventSource` that is told 429 or 503 never comes back.
fn overloaded(problem: &Problem, retry_after: u64) -> Answer {
    let json = error::json(problem);
    let told = framing::overloaded(&json, Duration::from_secs(retry_after));
    stream_that_ends(EVENT_STREAM, told, problem.kind(), retry_after)
}

/// A stream that is `events` and ends. It is counted as a problem of this `kind`, and its client is to come back after so many seconds.
pub(crate) fn stream_that_ends(
    media_type: &'static str,
    events: Vec<u8>,
    kind: &str,
    retry_after: u64,
) -> Answer {
    let mut answer = whole(StatusCode::OK, media_type, events);
    answer.extensions_mut().insert(Kind(kind.to_owned()));
    let headers = answer.headers_mut();
    headers.insert(RETRY_AFTER, retry_after.into());
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}
