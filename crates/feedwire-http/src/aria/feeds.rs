//! The feeds: how entities change, and their states as they are loaded.

use feedwire_core::{EntityFeed, Reader, Reading, Start, read};
use feedwire_dialects::aria::error::Detour;
use feedwire_dialects::aria::framing;
use feedwire_dialects::aria::request::{self, Parts};
use http::Version;
use hyper::body::Incoming;

use super::refuse::Refused;
use crate::answer::Answer;
use crate::asked::Asked;
use crate::head::{self, LAST_EVENT_ID};
use crate::sources::{Source, Sources};
use crate::stay::Stay;
use crate::stream;
use crate::turns::{Beats, Plan};

pub(super) async fn change(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    feed(asked, EntityFeed::Change).await
}

pub(super) async fn load(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    feed(asked, EntityFeed::Load).await
}

async fn feed(asked: Asked, feed: EntityFeed) -> Result<Answer, Refused> {
    let version = if asked.edge.aria().is_close_delimited {
        Version::HTTP_10
    } else {
        asked.head().version
    };
    let answer = begin(&asked, feed).await;
    Ok(of_version(version, answer.unwrap_or_else(Answer::from)))
}

/// `answer` to whoever speaks `version`.
pub(super) fn of_version(version: Version, mut answer: Answer) -> Answer {
    if version == Version::HTTP_10 {
        // HTTP/1.0 knows no chunks, and has the end of the connection end a body (RFC 9112, 6.3). To whoever speaks it and wants to be kept,
        // hyper would say that the connection is, unless the answer is of that version as well.
        *answer.version_mut() = Version::HTTP_10;
    }
    answer
}

async fn begin(asked: &Asked, feed: EntityFeed) -> Result<Answer, Refused> {
    let zone = &asked.edge.aria().zone;
    let parts = Parts {
        query: asked.query(),
        last_event_id: head::text(asked.headers(), LAST_EVENT_ID),
    };
    let reading = request::reading(feed, parts, zone, asked.edge.clock().now())?;
    let stay = Stay::of(asked)?;
    let (reader, detour) = follow(asked, reading).await?;
    let framing = framing::stream(zone, detour);
    let sources = Sources::new(vec![Source { reader, framing }]);
    let plan = Plan {
        cursor: sources.cursor(),
        sources,
        limit: None,
        beats: Beats::WhenIdle(asked.edge.limits().aria_heartbeat),
        lifetime: None,
        stay,
        first: Vec::new(),
        states: None,
    };
    Ok(stream::answer(plan, &asked.edge))
}

/// A reader that begins where `reading` says. Where that is an id behind which nothing can be read, it begins with the oldest event.
async fn follow(asked: &Asked, reading: Reading) -> Result<(Reader, Option<Detour>), read::Error> {
    let (core, grant) = (asked.edge.core(), asked.grant());
    let error = match core.follow(grant, reading.clone()).await {
        Ok(reader) => return Ok((reader, None)),
        Err(error) => error,
    };
    let Some(detour) = Detour::around(&error) else {
        return Err(error);
    };
    let whole = Reading {
        start: Start::Beginning,
        ..reading
    };
    let reader = core.follow(grant, whole).await?;
    Ok((reader, Some(detour)))
}
