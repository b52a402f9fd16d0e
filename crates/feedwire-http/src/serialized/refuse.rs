//! What this dialect answers beside pages, and what it refuses; what is ours to mend is logged here, once.

use std::borrow::Cow;
use std::fmt;

use feedwire_core::{audit, history, publish, read, store, tenants};
use feedwire_dialects::serialized::{body, error, refusal, request};
use feedwire_dialects::{Failure, Refusal, Unreadable};
use feedwire_engine::Unavailable;
use feedwire_event::Timestamp;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};

use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::body::Body;
use crate::failing::{self, refused};
use crate::head;
use crate::quota::{Headers, Standing};
use crate::room::Room;

const RATE_LIMIT: HeaderName = HeaderName::from_static("serialized-ratelimit-limit");
const RATE_LIMIT_REMAINING: HeaderName = HeaderName::from_static("serialized-ratelimit-remaining");
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("serialized-ratelimit-reset");

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Failure);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl From<Refused> for Answer {
    fn from(Refused(failure): Refused) -> Self {
        failing::told(&failure, json(error::json(&failure)))
    }
}

refused! {
    request::Error => error::request,
    body::Error => error::body,
    publish::Error => error::publish,
    read::Error => error::read,
    history::Error => error::history,
    store::Error => error::store,
    audit::Error => error::audit,
    tenants::Error => error::tenant,
    Unavailable => error::unanswered,
    Unreadable => error::damaged,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal::refused(refusal))
    }
}

/// What this dialect says of `refusal`.
pub(super) fn refusal(refusal: Refusal, _: &Parts) -> Answer {
    Refused::from(refusal).into()
}

/// What there may be of requests in the present second, and when the next one begins.
pub(super) fn standings(standings: &[Standing], now: Timestamp) -> Headers {
    let Some(narrowest) = standings.iter().min_by_key(|one| one.left) else {
        return Headers::new();
    };
    let reset = now.as_micros().div_euclid(1_000_000) + 1;
    vec![
        (RATE_LIMIT, narrowest.most.into()),
        (RATE_LIMIT_REMAINING, narrowest.left.into()),
        (RATE_LIMIT_RESET, reset.into()),
    ]
}

/// `bytes` of JSON.
pub(super) fn json(bytes: Vec<u8>) -> Answer {
    varying(answer::json_text(bytes))
}

/// A page of JSON, which keeps its room until all of it is sent.
pub(super) fn page(bytes: Vec<u8>, room: Room) -> Answer {
    varying(answer::page("application/json", bytes, room))
}

fn varying(mut answer: Answer) -> Answer {
    let value = HeaderValue::from_static("Accept-Encoding");
    answer.headers_mut().insert(VARY, value);
    answer
}

/// That it is done.
pub(super) fn empty() -> Answer {
    let mut answer = Response::new(Body::empty());
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    unkept(answer)
}

/// `answer`, which nobody on the way keeps: who asks is said in headers of this API's own, which caches do not know.
pub(super) fn unkept(mut answer: Answer) -> Answer {
    let no_store = HeaderValue::from_static("no-store");
    answer.headers_mut().insert(CACHE_CONTROL, no_store);
    varying(answer)
}

/// Refuses a body that is not one JSON document as it is.
pub(super) fn other_than_json(asked: &Asked) -> Result<(), Refused> {
    let header = |name| head::text(asked.headers(), name);
    Ok(body::content(
        header(CONTENT_TYPE),
        header(CONTENT_ENCODING),
    )?)
}

/// The segment of the path where the route has its variable `place`.
pub(super) fn variable(asked: &Asked, place: usize) -> Result<Cow<'_, str>, Refused> {
    let refused = || Refused::from(Refusal::NotFound);
    asked.variable(place).ok_or_else(refused)
}
