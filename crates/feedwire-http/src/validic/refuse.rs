//! What this dialect refuses; what is ours to mend is logged here, once.

use std::fmt;

use feedwire_core::{audit, read, stream};
use feedwire_dialects::validic::{body, error, refusal, request};
use feedwire_dialects::{Failure, Refusal};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use hyper::body::Incoming;

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
        failing::told(&failure, answer::json_text(error::json(&failure)))
    }
}

refused! {
    request::Error => error::request,
    body::Error => error::body,
    read::Error => error::read,
    stream::Error => error::stream,
    audit::Error => error::audit,
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

/// The whole of `body`, if it is sent as one may be.
pub(super) async fn taken_in(asked: &Asked, body: Incoming) -> Result<Whole, Refused> {
    let header = |name| head::text(asked.headers(), name);
    request::content(
        header(CONTENT_ENCODING),
        header(CONTENT_TYPE),
        header(ORIGIN),
    )?;
    Ok(intake::whole(body, asked).await?)
}
