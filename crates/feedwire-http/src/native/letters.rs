//! Dead letters of streams: listed, sent once more, forgotten.

use feedwire_core::stream::Letter;
use feedwire_dialects::native::request::{self, PAGE_BYTES_MAX};
use feedwire_dialects::{stream_answer as answer, stream_body as body};
use feedwire_event::Cursor;
use hyper::body::Incoming;

use super::paging;
use super::refuse::{self, Refused};
use super::streams::{changed, name};
use crate::answer::{self as answers, Answer, json};
use crate::asked::Asked;
use crate::intake;
use crate::room::Room;

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let (after, limit) = paging::asked::<Cursor>(asked.query())?;
    let after = after.map(|Cursor(position)| position);
    let name = name(&asked)?;
    let core = asked.edge.core();
    let size = (limit, page_bytes(&asked));
    let found = core.dead_letters(asked.grant(), &name, after, size).await?;
    page(&asked, &found)
}

pub(super) async fn redrive(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let which = body::letters(&intake::whole(body, &asked).await?.bytes)?;
    let change = changed("stream.redrive", &asked, &name);
    let core = asked.edge.core();
    let redrive = core.redrive(asked.grant(), &name, which);
    Ok(count(change.make(&asked, redrive).await??))
}

pub(super) async fn forget(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::other_than_json(&asked)?;
    let name = name(&asked)?;
    let which = body::letters(&intake::whole(body, &asked).await?.bytes)?;
    let change = changed("stream.drop", &asked, &name);
    let core = asked.edge.core();
    let forget = core.drop_letters(asked.grant(), &name, which);
    Ok(count(change.make(&asked, forget).await??))
}

/// How many bytes of events a page of letters has at about most.
pub(super) fn page_bytes(asked: &Asked) -> usize {
    PAGE_BYTES_MAX.min(asked.edge.limits().page_bytes)
}

/// Letters as they are told, with whether there are more.
pub(super) fn page(asked: &Asked, found: &(Vec<Letter>, bool)) -> Result<Answer, Refused> {
    let told = answer::letters(asked.grant().project(), &found.0, found.1)?;
    let mut room = Room::sent(&asked.edge);
    room.cover(told.len())?;
    Ok(answers::page("application/json", told, room))
}

/// How many letters something was about.
pub(super) fn count(count: usize) -> Answer {
    json(&feedwire_api::LettersChosen {
        count: count as u64,
    })
}
