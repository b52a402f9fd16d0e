//! What this dialect answers beside streams, and what it refuses; what is ours to mend is logged here, once.

use std::error::Error;
use std::fmt;

use feedwire_core::{audit, publish, read, store};
use feedwire_dialects::disruptive::request::{self, Kind};
use feedwire_dialects::disruptive::{body, error, error::Failure, refusal};
use feedwire_dialects::{Refusal, Unreadable, escape};
use feedwire_event::{LabelsError, Subject};
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::body::Incoming;

use super::{DEVICE, STREAM};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::intake::{self, Whole};

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
        told(&failure, failure.json())
    }
}

/// Why a stream of this kind is not begun.
#[derive(Debug)]
pub(super) struct NoStream(pub(super) Refused, pub(super) Kind);

impl From<NoStream> for Answer {
    fn from(NoStream(Refused(failure), kind): NoStream) -> Self {
        match kind {
            Kind::Lines => {
                let mut line = failure.stream_json();
                line.push(b'\n');
                told(&failure, line)
            }
            Kind::Sse => told(&failure, failure.json()),
        }
    }
}

/// `failure`, which `json` says.
fn told(failure: &Failure, json: Vec<u8>) -> Answer {
    let status = StatusCode::from_u16(failure.status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = answer::json_text(json);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    if let Some(seconds) = failure.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(r#"Bearer realm="feedwire""#);
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

macro_rules! refused {
    ($($error:ty => $told:path),+ $(,)?) => {
        $(impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                logged($told(&error), &error)
            }
        })+
    };
}

refused! {
    request::Error => error::request,
    body::Error => error::body,
    publish::Error => error::publish,
    read::Error => error::read,
    store::Error => error::store,
    audit::Error => error::audit,
    LabelsError => error::labels,
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        logged(error::unreadable(error), &error)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal::refused(refusal))
    }
}

/// The client is told what it can do; whoever runs the server is told why.
fn logged(failure: Failure, error: &(dyn Error + 'static)) -> Refused {
    if failure.status >= 500 {
        tracing::error!(error, status = failure.status, "a request failed");
    }
    Refused(failure)
}

/// What this dialect says of `refusal`, to a request with this `head`.
pub(super) fn refusal(refusal: Refusal, head: &Parts) -> Answer {
    let refused = Refused::from(refusal);
    let path = escape::percent(head.uri.path());
    if path.is_some_and(|path| path.ends_with(STREAM)) {
        return NoStream(refused, kind(&head.headers)).into();
    }
    refused.into()
}

/// How a stream is sent to whoever has these headers.
pub(super) fn kind(headers: &HeaderMap) -> Kind {
    request::kind(header(headers, &ACCEPT))
}

/// The device that the path names.
pub(super) fn device(asked: &Asked) -> Result<Subject, Refused> {
    let name = asked.variable(DEVICE);
    let name = name.ok_or_else(|| Refused::from(Refusal::NotFound))?;
    Ok(request::device(&name)?)
}

/// The whole of `body`, if it is sent as one may be; it is counted as published.
pub(super) async fn taken_in(asked: &Asked, body: Incoming) -> Result<Whole, Refused> {
    let header = |name| header(asked.headers(), name);
    request::content(
        header(&CONTENT_ENCODING),
        header(&CONTENT_TYPE),
        header(&ORIGIN),
    )?;
    let whole = intake::whole(body, asked).await?;
    let counted = asked.metered().publish(whole.bytes.len());
    counted.map_err(Refusal::from)?;
    Ok(whole)
}

/// The header `name` as text; one that is not ASCII is a text that nothing is written as.
fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get(name);
    value.map(|value| value.to_str().unwrap_or("\u{fffd}"))
}
