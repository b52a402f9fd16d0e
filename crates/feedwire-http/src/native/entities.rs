//! Entities: putting, patching and deleting them, and how they are.

use std::ops::Range;
use std::pin::pin;

use feedwire_core::entities::{Error, Wanted, Write};
use feedwire_core::publish;
use feedwire_dialects::entity_answer::{self, Progress};
use feedwire_dialects::native::error::with_line;
use feedwire_dialects::native::{body, request};
use feedwire_dialects::{Refusal, entity_body, entity_error, entity_request};
use feedwire_engine::BatchError;
use feedwire_event::{ChangeKind, FeedName, Subject};
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use hyper::body::Incoming;

use super::batches::{self, Batch, Batches};
use super::refuse::{self, Refused};
use super::{ENTITY, FEED, publish::closing};
use crate::answer::{self, Answer, json};
use crate::asked::Asked;
use crate::conditions::{Conditions, Tag};
use crate::room::Room;
use crate::{head, intake};

pub(super) async fn show(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    let (feed, subject) = entity(&asked)?;
    let conditions = Conditions::of(asked.headers())?;
    let core = asked.edge.core();
    let found = core.entity(asked.grant(), &feed, &subject).await?;
    let found = found.ok_or_else(|| Refused(entity_error::unknown()))?;
    let labels = core.labels(asked.grant(), &subject).await?;
    let text = entity_answer::entity(&found, &labels)?;
    let tag = Tag::at(found.position());
    Ok(answer::tagged_text(text, &tag, &conditions)?)
}

pub(super) async fn list(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    let feed = refuse::variable(&asked, FEED)?;
    let entity_request::List {
        filter,
        part,
        names_feed,
    } = entity_request::list(&feed, asked.query())?;
    let core = asked.edge.core();
    let page = core.entities(asked.grant(), filter, part).await?;
    let text = entity_answer::entities(&page, names_feed)?;
    let mut room = Room::sent(&asked.edge);
    room.cover(text.len())?;
    Ok(answer::page("application/json", text, room))
}

pub(super) async fn put(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::key(&asked)?;
    refuse::other_than_json(&asked)?;
    let (feed, subject) = entity(&asked)?;
    let body = metered(&asked, body).await?;
    let write = entity_body::put(&body.bytes, &feed, &subject)?;
    change(&asked, write).await
}

pub(super) async fn patch(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::key(&asked)?;
    body::encoding(head::text(asked.headers(), CONTENT_ENCODING))?;
    entity_body::patch_content(head::text(asked.headers(), CONTENT_TYPE))?;
    let (feed, subject) = entity(&asked)?;
    let body = metered(&asked, body).await?;
    let write = entity_body::patch(&body.bytes, &feed, &subject)?;
    change(&asked, write).await
}

pub(super) async fn delete(asked: Asked, _: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::key(&asked)?;
    let (feed, subject) = entity(&asked)?;
    asked.metered().publish(0).map_err(Refusal::from)?;
    let write = Write {
        feed,
        subject,
        wanted: Wanted::Deleted,
        time: None,
        source: None,
        expected: None,
    };
    change(&asked, write).await
}

/// The entity that the path names.
fn entity(asked: &Asked) -> Result<(FeedName, Subject), Refused> {
    let feed = request::feed(&refuse::variable(asked, FEED)?)?;
    let subject = request::subject(&refuse::variable(asked, ENTITY)?)?;
    Ok((feed, subject))
}

async fn metered(asked: &Asked, body: Incoming) -> Result<intake::Whole, Refused> {
    let body = intake::whole(body, asked).await?;
    let metered = asked.metered().publish(body.bytes.len());
    metered.map_err(Refusal::from)?;
    Ok(body)
}

async fn change(asked: &Asked, write: Write) -> Result<Answer, Refused> {
    let expected = Conditions::of(asked.headers())?.expected()?;
    let writes = [Write { expected, ..write }];
    let core = asked.edge.core();
    let outcomes = core.change_entities(asked.grant(), &writes).await?;
    let outcome = &outcomes[0];
    let mut answer = json(&entity_answer::changed(outcome));
    if outcome.change == Some(ChangeKind::Create) {
        *answer.status_mut() = StatusCode::CREATED;
    }
    // What is not there any more has no tag.
    let is_there = !matches!(writes[0].wanted, Wanted::Deleted);
    if let Some(position) = outcome.position.filter(|_| is_there) {
        let tag = Tag::at(position).header();
        answer.headers_mut().insert(ETAG, tag);
    }
    Ok(answer)
}

pub(super) async fn put_many(asked: Asked, body: Incoming) -> Result<Answer, Refused> {
    request::nothing(asked.query())?;
    refuse::key(&asked)?;
    for (header, name) in [(IF_MATCH, "If-Match"), (IF_NONE_MATCH, "If-None-Match")] {
        if asked.headers().contains_key(header) {
            return Err(entity_request::condition_of_many(name).into());
        }
    }
    body::encoding(head::text(asked.headers(), CONTENT_ENCODING))?;
    entity_body::lines_content(head::text(asked.headers(), CONTENT_TYPE))?;
    let feed = request::feed(&refuse::variable(&asked, FEED)?)?;
    let mut progress = Progress::default();
    match put_all(&asked, Batches::new(body, &asked.edge, feed), &mut progress).await {
        Err(Refused(problem)) => {
            let refused = Refused(entity_error::after(problem, &progress));
            Ok(closing(refused.into()))
        }
        Ok(()) if progress.count() == 0 => Err(Refused(entity_error::empty())),
        Ok(()) => Ok(json(&progress.answer())),
    }
}

/// Puts batch by batch; while one is on its way to the disk, the next is received.
async fn put_all(
    asked: &Asked,
    mut batches: Batches<Write>,
    progress: &mut Progress,
) -> Result<(), Refused> {
    let mut next = batches.next().await?;
    while let Some(batch) = next {
        batches::take_in(asked, batch.bytes).await?;
        let mut put = pin!(put_batch(asked, &batch, progress));
        let mut following = pin!(batches.next());
        // The batch is waited for in any case: whoever is told of a bad line behind it is told how far the rest came.
        let (put, following) = tokio::select! {
            biased;
            put = put.as_mut() => (put, following.await),
            following = following.as_mut() => (put.await, following),
        };
        put?;
        next = following?;
    }
    Ok(())
}

/// Puts a batch. Where something of it cannot be put, it is put in halves, so that what stands before that is.
async fn put_batch(
    asked: &Asked,
    batch: &Batch<Write>,
    progress: &mut Progress,
) -> Result<(), Refused> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    parts.push(0..batch.all.len());
    while let Some(part) = parts.pop() {
        let core = asked.edge.core();
        let put = core.change_entities(asked.grant(), &batch.all[part.clone()]);
        match put.await {
            Ok(outcomes) => progress.add(&outcomes),
            Err(error) if is_of_some(&error) && part.len() > 1 => {
                let middle = part.start + part.len() / 2;
                parts.push(middle..part.end);
                parts.push(part.start..middle);
            }
            Err(error) if is_of_some(&error) => {
                let Refused(problem) = error.into();
                return Err(Refused(with_line(problem, batch.lines[part.start])));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether others of the batch could be put.
fn is_of_some(error: &Error) -> bool {
    match error {
        Error::Publish(publish::Error::Batch(error)) => matches!(
            error,
            BatchError::TooLarge(_) | BatchError::EventTooLarge { .. }
        ),
        Error::Publish(error) => matches!(error, publish::Error::Forbidden(_)),
        Error::Unexpected { .. }
        | Error::NotThere(_)
        | Error::PatchedState { .. }
        | Error::PatchedIds { .. }
        | Error::Twice(_) => true,
    }
}
