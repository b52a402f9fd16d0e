//! What the native API refuses, as answers; what is ours to mend is logged here, once.

use std::borrow::Cow;
use std::error::Error;

use feedwire_api::Problem;
use feedwire_core::{publish, read, store};
use feedwire_dialects::native::{body, error, request};
use feedwire_dialects::{Refusal, Unreadable};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName};

use crate::answer::{self, Answer};
use crate::asked::Asked;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Problem);

impl From<Refused> for Answer {
    fn from(Refused(problem): Refused) -> Self {
        answer::problem(&problem)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(error::refusal(refusal))
    }
}

impl From<request::Error> for Refused {
    fn from(error: request::Error) -> Self {
        Self(error::request(&error))
    }
}

impl From<body::Error> for Refused {
    fn from(error: body::Error) -> Self {
        Self(error::body(&error))
    }
}

impl From<publish::Error> for Refused {
    fn from(error: publish::Error) -> Self {
        logged(error::publish(&error), &error)
    }
}

impl From<read::Error> for Refused {
    fn from(error: read::Error) -> Self {
        logged(error::read(&error), &error)
    }
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        logged(error::store(&error), &error)
    }
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        logged(error::unreadable(error), &error)
    }
}

/// The client is told what it can do; whoever runs the server is told why.
fn logged(problem: Problem, error: &(dyn Error + 'static)) -> Refused {
    if problem.status >= 500 {
        tracing::error!(error, kind = problem.kind(), "a request failed");
    }
    Refused(problem)
}

/// The segment of the path where the route has its variable `place`.
pub(super) fn variable(asked: &Asked, place: usize) -> Result<Cow<'_, str>, Refused> {
    let refused = || Refused(error::not_found("the address is not percent-encoded UTF-8"));
    asked.variable(place).ok_or_else(refused)
}

/// Refuses a body that is not one JSON document as it is.
pub(super) fn other_than_json(asked: &Asked) -> Result<(), Refused> {
    body::encoding(header(asked.headers(), CONTENT_ENCODING))?;
    Ok(body::json_content(header(asked.headers(), CONTENT_TYPE))?)
}

/// The header `name` as text; one that is not ASCII is a text that nothing is written as.
pub(super) fn header(headers: &HeaderMap, name: impl Into<HeaderName>) -> Option<&str> {
    headers
        .get(name.into())
        .map(|value| value.to_str().unwrap_or("\u{fffd}"))
}
