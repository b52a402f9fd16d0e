//! What this dialect refuses; what is ours to mend is logged here, once.

use std::fmt;

use feedwire_core::read;
use feedwire_dialects::aria::framing::EVENTS;
use feedwire_dialects::aria::{answer, error, refusal, request};
use feedwire_dialects::{Failure, Refusal};
use http::header::WWW_AUTHENTICATE;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};

use super::feeds;
use crate::answer::{self as answers, Answer};
use crate::failing::{self, refused};

/// Why a feed is not begun.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Failure);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl From<Refused> for Answer {
    fn from(Refused(failure): Refused) -> Self {
        let (Some(events), Some(seconds)) = (answer::come_again(&failure), failure.retry_after)
        else {
            return told(&failure);
        };
        let kind = match failure.status {
            StatusCode::TOO_MANY_REQUESTS => "too-many-requests",
            _ => "unavailable",
        };
        answers::stream_that_ends(EVENTS, events, kind, seconds)
    }
}

fn told(failure: &Failure) -> Answer {
    let mut answer = failing::told(failure, answers::json_text(error::json(failure)));
    if failure.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(r#"Bearer realm="feedwire""#);
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

refused! {
    request::Error => error::request,
    read::Error => error::read,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal::refused(refusal))
    }
}

/// What this dialect says of `refusal`, to a request with this `head`.
pub(super) fn refusal(refusal: Refusal, head: &Parts) -> Answer {
    let refused = Refused::from(refusal);
    if head.method == Method::GET {
        feeds::of_version(head.version, refused.into())
    } else {
        told(&refused.0)
    }
}
