//! Aggregates: loaded by version, looked for and listed.

use feedwire_core::history::{self, Part};
use feedwire_dialects::serialized::request::{self, History};
use feedwire_dialects::serialized::{answer, error, framing};
use feedwire_event::{FeedName, Subject};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use xxhash_rust::xxh3::xxh3_128;

use super::refuse::{self, Refused};
use super::{ID, TYPE};
use crate::answer::Answer;
use crate::asked::Asked;
use crate::body::Body;
use crate::room::Room;

/// A history that is read before there is room for it, as a page is.
const HISTORY_FEW_BYTES: usize = 1024 * 1024;

pub(super) async fn load(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (feed, subject) = named(&asked)?;
    let History { since, limit } = request::history(asked.query())?;
    let part = |bytes| Part {
        since,
        batches: limit as u64,
        bytes,
    };
    let (core, bytes_max) = (asked.edge.core(), asked.edge.limits().history_bytes);
    let mut room = Room::sent(&asked.edge);
    let few = part(HISTORY_FEW_BYTES.min(bytes_max));
    let mut history = core.history(asked.grant(), &feed, &subject, few).await;
    if let Err(history::Error::TooLarge { .. }) = history {
        // What is read, and the answer that is made of it.
        room.cover(2 * bytes_max)?;
        let all = part(bytes_max);
        history = core.history(asked.grant(), &feed, &subject, all).await;
    }
    let history = history?.ok_or_else(|| unknown(&feed, &subject))?;
    let version = history.head.version;
    let bytes = framing::history(&feed, &subject, version, &history.records, history.more)?;
    let tag = tag(&bytes);
    if has(&asked, &tag) {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer.headers_mut().insert(ETAG, tag);
        return Ok(refuse::unkept(answer));
    }
    drop(history);
    room.fit(bytes.len())?;
    let mut answer = refuse::page(bytes, room);
    answer.headers_mut().insert(ETAG, tag);
    Ok(answer)
}

pub(super) async fn exists(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (feed, subject) = named(&asked)?;
    let core = asked.edge.core();
    let head = core.subject(asked.grant(), &feed, &subject).await?;
    head.ok_or_else(|| unknown(&feed, &subject))?;
    Ok(refuse::empty())
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let feed = request::feed_name(&refuse::variable(&asked, TYPE)?)?;
    let request::Part { skip, limit } = request::aggregates(asked.query())?;
    let core = asked.edge.core();
    let listing = core.subjects(asked.grant(), &feed, skip, limit).await?;
    Ok(refuse::json(answer::aggregates(&feed, &listing)))
}

/// The aggregate that the path names.
pub(super) fn named(asked: &Asked) -> Result<(FeedName, Subject), Refused> {
    let feed = request::feed_name(&refuse::variable(asked, TYPE)?)?;
    let subject = request::aggregate_id(&refuse::variable(asked, ID)?)?;
    Ok((feed, subject))
}

pub(super) fn unknown(feed: &FeedName, subject: &Subject) -> Refused {
    Refused(error::unknown_aggregate(feed, subject))
}

/// The tag of an answer that is `bytes`.
fn tag(bytes: &[u8]) -> HeaderValue {
    let text = format!("\"{:032x}\"", xxh3_128(bytes));
    HeaderValue::from_str(&text).expect("digits in quotes are ASCII")
}

/// Whether who asks has what is tagged `tag`. The vendor's own examples leave out the quotes, and clients do as these do.
fn has(asked: &Asked, tag: &HeaderValue) -> bool {
    let bare = |text: &str| {
        text.trim()
            .trim_start_matches("W/")
            .trim_matches('"')
            .to_owned()
    };
    let tag = bare(tag.to_str().unwrap_or_default());
    let values = asked.headers().get_all(IF_NONE_MATCH).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .map(bare)
        .any(|named| named == "*" || named == tag)
}
