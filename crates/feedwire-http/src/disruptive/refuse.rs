//! What this dialect answers beside streams, and what it refuses; what is ours to mend is logged here, once.

use std::fmt;

use feedwire_core::{audit, connectors, publish, read, store, stream};
use feedwire_dialects::disruptive::request::{self, Kind};
use feedwire_dialects::disruptive::{body, error, refusal};
use feedwire_dialects::{Failure, Refusal, Unreadable, escape};
use feedwire_event::{LabelsError, Subject};
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ORIGIN, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::Incoming;

use super::{DEVICE, STREAM};
use crate::answer::{self, Answer};
use crate::asked::Asked;
use crate::failing::{self, refused};
use crate::head;
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
        told(&failure, error::json(&failure))
    }
}

/// Why a stream of this kind is not begun.
#[derive(Debug)]
pub(super) struct NoStream(pub(super) Refused, pub(super) Kind);

impl From<NoStream> for Answer {
    fn from(NoStream(Refused(failure), kind): NoStream) -> Self {
        match kind {
            Kind::Lines => {
                let mut line = error::stream_json(&failure);
                line.push(b'\n');
                told(&failure, line)
            }
            Kind::Sse => Refused(failure).into(),
        }
    }
}

/// `failure`, which `json` says.
fn told(failure: &Failure, json: Vec<u8>) -> Answer {
    let mut answer = failing::told(failure, answer::json_text(json));
    if failure.status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(r#"Bearer realm="feedwire""#);
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    answer
}

refused! {
    request::Error => error::request,
    body::Error => error::body,
    publish::Error => error::publish,
    read::Error => error::read,
    store::Error => error::store,
    audit::Error => error::audit,
    LabelsError => error::labels,
    connectors::Error => error::connector,
    stream::Error => error::stream,
    Unreadable => error::damaged,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal::refused(refusal))
    }
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
    request::kind(head::text(headers, ACCEPT))
}

/// The device that the path names.
pub(super) fn device(asked: &Asked) -> Result<Subject, Refused> {
    let name = asked.variable(DEVICE);
    let name = name.ok_or_else(|| Refused::from(Refusal::NotFound))?;
    Ok(request::device(&name)?)
}

/// The whole of `body`, if it is sent as one may be; it is counted as published.
pub(super) async fn taken_in(asked: &Asked, body: Incoming) -> Result<Whole, Refused> {
    let header = |name| head::text(asked.headers(), name);
    request::content(
        header(CONTENT_ENCODING),
        header(CONTENT_TYPE),
        header(ORIGIN),
    )?;
    let whole = intake::whole(body, asked).await?;
    let counted = asked.metered().publish(whole.bytes.len());
    counted.map_err(Refusal::from)?;
    Ok(whole)
}
